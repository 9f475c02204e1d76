// test/integration/waku_hostile.test.mjs - a service node among attackers: its memory is bounded and honest clients are served.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { attack } from '../peers/lib/hostile.mjs';
import { JsWaku } from '../peers/lib/js-waku.mjs';
import { noroshi, ServiceNode } from '../peers/lib/noroshi.mjs';
import { residentBytes, sleep, until } from '../peers/lib/process.mjs';

const MiB = 1024 * 1024;
/** The bound of src/waku/README.md for `noroshi waku serve` with its defaults. */
const bound = 512 * MiB;
const seconds = 20;

/** Pushes until one comes back through filter; false when none did in `ms`. */
async function served(client, name, ms) {
  const deadline = Date.now() + ms;
  for (let n = 0; Date.now() < deadline; ++n) {
    const text = `${name} ${n}`;
    const pushed = await client.push(text).catch(() => undefined);
    if (pushed?.successes.length === 1) {
      for (let i = 0; i < 40 && !client.received.includes(text); ++i) await sleep(50);
      if (client.received.includes(text)) return true;
    }
    await sleep(250);
  }
  return false;
}

/** Watches the resident memory until `end`. */
function watchMemory(t, service) {
  const watched = {
    before: residentBytes(service.child.pid),
    most: 0,
    end() { clearInterval(timer); },
    toString() { return `resident ${Math.round(this.before / MiB)} MiB before, at most ${Math.round(this.most / MiB)} MiB`; },
  };
  const timer = setInterval(() => { watched.most = Math.max(watched.most, residentBytes(service.child.pid)); }, 200);
  t.after(watched.end);
  return watched;
}

test('500 attackers at once: memory stays below its bound, a newcomer gets in, js-waku is served afterwards, harms are counted', { timeout: 240_000 }, async (t) => {
  const service = await ServiceNode.start(t, { log: 'warn', extra: ['--alone'] });
  const client = await JsWaku.start(t, service.address, { tcp: true });
  await until('js-waku subscribes', () => client.subscribe());
  assert.ok(await served(client, 'before', 10_000));
  const memory = watchMemory(t, service);

  const crowd = await attack(t, service.address, seconds);
  await sleep(3_000);
  const during = await served(client, 'during', (seconds - 6) * 1000);
  const newcomer = noroshi(['waku', 'peers', '--timeout', '10', '--peer', service.address]);
  const stillAttacked = !crowd.over;
  const did = await crowd.result();
  // A push that failed under the flood costs a subscription; js-waku looks after its own each minute.
  const after = await served(client, 'after', 90_000);
  const late = noroshi(['waku', 'peers', '--peer', service.address]);
  memory.end();
  t.diagnostic(`${memory}; ${JSON.stringify(did)}; js-waku was ${during ? '' : 'not '}served during the attack`);

  assert.ok(did.connections >= 128, 'the crowd got in');
  assert.ok(stillAttacked, 'the attack went on meanwhile');
  assert.equal(newcomer.status, 0, `a newcomer gets in during the attack: ${newcomer.stderr}`);
  assert.ok(after, 'js-waku is served after the attack');
  assert.equal(late.status, 0, late.stderr);
  assert.ok(memory.most < bound, `${memory}, the bound is ${bound / MiB} MiB`);
  // Who does a harm may not get in, or be gone before it is counted: most kinds in each run, not all.
  const counted = [];
  for (const reason of ['frame_too_large', 'bad_length', 'refused', 'too_many_streams', 'slow_request', 'no_room']) {
    if (await service.metric(`noroshi_waku_faults_total{reason="${reason}"}`) > 0) counted.push(reason);
  }
  t.diagnostic(`counted: ${counted.join(', ')}`);
  assert.ok(counted.length >= 3, `counted only ${counted.join(', ')}`);
  assert.ok((await service.metric('noroshi_waku_peers_refused_total{reason="faults"}')) > 0, 'the worst are banned');
  assert.ok((await service.metric('noroshi_waku_filter_pushes_total{result="failed"}')) > 0, 'subscribers that do not read');
  assert.ok((await service.metric('noroshi_waku_received_total{result="accepted",way="relay"}')) > 0, 'the flood');
});

test('128 attackers that speak mplex and read nothing: memory stays below its bound, js-waku over WebSocket and mplex is served', { timeout: 120_000 }, async (t) => {
  const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'];
  const service = await ServiceNode.start(t, { listen, log: 'warn', extra: ['--alone'] });
  const [ws] = service.addresses.filter((address) => address.includes('/ws/'));
  const client = await JsWaku.start(t, ws);
  assert.equal(client.muxer, '/mplex/6.7.0');
  await until('js-waku subscribes', () => client.subscribe());
  assert.ok(await served(client, 'before', 10_000));
  const memory = watchMemory(t, service);

  const crowd = await attack(t, service.addresses.find((address) => address !== ws), seconds, 'mplex');
  await sleep(3_000);
  const during = await served(client, 'during', (seconds - 6) * 1000);
  const stillAttacked = !crowd.over;
  const did = await crowd.result();
  const after = await served(client, 'after', 10_000);
  memory.end();
  t.diagnostic(`${memory}; ${JSON.stringify(did)}`);

  assert.ok(did.connections >= 100 && did.mib_sent > 100, 'the crowd got in and sent');
  assert.ok(stillAttacked && during, 'js-waku is served during the attack');
  assert.ok(after, 'and after it');
  assert.ok(memory.most < bound, `${memory}, the bound is ${bound / MiB} MiB`);
});
