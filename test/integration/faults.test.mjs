// test/integration/faults.test.mjs - peers that are down or die, kill -9 in between: nothing is lost, nothing is told twice.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { GoWaku } from '../peers/lib/go-waku.mjs';
import { decrypt, generatePrivateKey, getPublicKey } from '../peers/lib/js-waku.mjs';
import { config, Daemon, identity, Listener } from '../peers/lib/noroshi.mjs';
import { freePort, scratch, sleep, until } from '../peers/lib/process.mjs';
import { rule, targets, valueTarget } from '../peers/lib/value-target.mjs';

async function setUp(t, peers, extra = {}) {
  const folder = scratch(t);
  const owner = join(folder, 'owner');
  writeFileSync(join(folder, 'rules.yml'), rule);
  const target = await valueTarget(t);
  const text = config({
    to: identity(owner), peers, rules: join(folder, 'rules.yml'), targets: targets(target), ...extra,
  });
  return { owner, target, text };
}

const waiting = (daemon) => daemon.metric('noroshi_outbox_waiting');

/** Texts of the archived messages that `key` opens. A relay passes on only to who is connected, so that a `listen`
 *  that comes back a second after the daemon would miss them; what the peer took is in its archive. */
async function archived(waku, key) {
  const opened = await Promise.all((await waku.archive()).map((message) => decrypt(message, key)));
  return opened.filter(Boolean).map((message) => Buffer.from(message.payload).toString());
}

async function setUpForArchive(t, peers) {
  const key = generatePrivateKey();
  const { target, text } = await setUp(t, peers, { to: Buffer.from(getPublicKey(key)).toString('hex') });
  return { key, target, text };
}

const archivedText = (waku, key, what) =>
  until(`${what} in the archive`, async () => (await archived(waku, key)).some((message) => what.test(message)), 60_000);

test('A peer that is down at start gets the messages when it comes up', { timeout: 120_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  await waku.kill();
  const { key, target, text } = await setUpForArchive(t, [waku.address]);
  target.value = 9;
  const daemon = await Daemon.start(t, text);
  await daemon.child.until('two messages wait', async () => (await waiting(daemon)) === 2);
  assert.ok(daemon.child.log().includes('event=not_handed_over'), 'the reason is in the log');
  await waku.restart();
  await archivedText(waku, key, /noroshi watches/);
  await archivedText(waku, key, /value 9/);
  await daemon.child.until('nothing waits', async () => (await waiting(daemon)) === 0);
  target.value = 0;
  await archivedText(waku, key, /resolved/i);
});

test('A peer that dies: queued, retried, sent after it is back, and read by who came back later', { timeout: 120_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const { owner, target, text } = await setUp(t, [waku.address]);
  const listener = new Listener(t, owner, [waku.address]);
  await listener.joined(waku);
  const daemon = await Daemon.start(t, text);
  await listener.waitFor('the announcement', (m) => m.status === 'event');
  await waku.kill();
  await daemon.child.until('no peer is left', async () => (await daemon.metric('noroshi_waku_peers')) === 0);
  target.value = 7;
  await daemon.child.until('the alert waits', async () => (await waiting(daemon)) === 1);
  await waku.restart();
  const firing = await listener.waitFor('the alert', (m) => m.status === 'firing', 60_000);
  assert.match(firing.body, /value 7/);
  await daemon.child.until('nothing waits', async () => (await waiting(daemon)) === 0);
  assert.equal(listener.received.filter((m) => m.status === 'firing').length, 1);
});

test('Killed with -9 while messages wait: all arrive after the restart, each once', { timeout: 180_000 }, async (t) => {
  const ports = { tcp: await freePort(), rest: await freePort() };
  const waku = await GoWaku.start(t, { ports });
  await waku.kill();
  const { owner, target, text } = await setUp(t, [waku.address]);
  target.value = 8;
  const daemon = await Daemon.start(t, text);
  await daemon.child.until('both wait', async () => (await waiting(daemon)) === 2);
  await daemon.kill();
  for (let round = 0; round < 3; ++round) {
    await daemon.run();
    await sleep(150 + round * 300);
    await daemon.kill();
  }
  await waku.restart();
  const listener = new Listener(t, owner, [waku.address]);
  await listener.joined(waku);
  await daemon.run();
  await listener.waitFor('the announcement', (m) => m.status === 'event', 60_000);
  const firing = await listener.waitFor('the alert', (m) => m.status === 'firing', 60_000);
  assert.match(firing.body, /value 8/);
  target.value = 0;
  await listener.waitFor('the resolution', (m) => m.status === 'resolved', 60_000);
  assert.equal(listener.received.filter((m) => m.status === 'firing').length, 1);
  assert.equal(listener.received.filter((m) => m.status === 'resolved').length, 1);
});

test('Killed with -9 at any moment of an alert: firing and resolved still arrive', { timeout: 240_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const { owner, target, text } = await setUp(t, [waku.address]);
  const listener = new Listener(t, owner, [waku.address]);
  await listener.joined(waku);
  const daemon = await Daemon.start(t, text);
  await listener.waitFor('the announcement', (m) => m.status === 'event');
  for (let round = 0; round < 5; ++round) {
    const seen = (status) => listener.received.filter((m) => m.status === status).length;
    target.value = 10 + round;
    await sleep(200 + round * 450);   // another moment each round: before the evaluation, the flush, the sending
    await daemon.kill();
    await daemon.run();
    await listener.child.until(`alert ${round}`, () => seen('firing') === round + 1, 40_000);
    target.value = 0;
    await sleep(200 + round * 450);
    await daemon.kill();
    await daemon.run();
    await listener.child.until(`resolution ${round}`, () => seen('resolved') === round + 1, 40_000);
  }
  assert.equal(listener.received.filter((m) => m.status === 'firing').length, 5);
});

test('Configuration with faults: refused at start with file:line:column, on reload the old one stays', { timeout: 90_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const { owner, target, text } = await setUp(t, [waku.address]);
  const listener = new Listener(t, owner, [waku.address]);
  await listener.joined(waku);
  const daemon = await Daemon.start(t, text);
  await listener.waitFor('the announcement', (m) => m.status === 'event');
  daemon.configure(text.replace('scrape_interval', 'scrape_intervall'));
  daemon.reload();
  await daemon.child.until('the reload is refused', () => daemon.child.log().includes('event=reload_refused'));
  assert.match(daemon.child.log(), /noroshi\.yml:3:\d+: .*scrape_intervall.*scrape_interval/);
  assert.equal(await daemon.metric('noroshi_config_last_reload_successful'), 0);
  target.value = 6;
  await listener.waitFor('an alert under the old configuration', (m) => m.status === 'firing');
  daemon.configure(text.replace('evaluation_interval: 1s', 'evaluation_interval: 2s'));
  daemon.reload();
  await daemon.child.until('the reload is taken', async () => (await daemon.metric('noroshi_config_last_reload_successful')) === 1);
  target.value = 0;
  await listener.waitFor('the resolution after the reload', (m) => m.status === 'resolved');
  await until('one firing only', () => listener.received.filter((m) => m.status === 'firing').length === 1);
});
