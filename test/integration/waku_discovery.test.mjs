// test/integration/waku_discovery.test.mjs - peers that nobody named: DNS lists, discv5 and peer exchange with go-waku, records with js-waku.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { signTree, startNameServer } from '../peers/lib/dns-tree.mjs';
import { cluster, GoWaku, shard } from '../peers/lib/go-waku.mjs';
import { js } from '../peers/lib/js-waku.mjs';
import { noroshi, ServiceNode } from '../peers/lib/noroshi.mjs';
import { freePort, until } from '../peers/lib/process.mjs';

const peerId = (address) => address.split('/').at(-1);
const discv5 = async () => ['--discv5-discovery', `--discv5-udp-port=${await freePort()}`];
const recordOf = async (waku) => (await waku.rest('/debug/v1/info')).enrUri;
/** Our service node with discv5; its own record is in its log once the socket is open. */
async function withDiscv5(t, bootstrap = [], extra = []) {
  const node = await ServiceNode.start(t, { extra: ['--discv5', `127.0.0.1:0`, ...bootstrap.flatMap((enr) => ['--bootstrap', enr]), ...extra] });
  node.record = await node.child.until('discv5 runs', () => [...node.child.log().matchAll(/event=discv5_listening .*record=(enr:\S+)/g)].at(-1)?.[1]);
  return node;
}
const connectedTo = async (node, id) => (await node.child.log()).includes(`event=peer_connected peer=${id}`);

test('DNS: a signed node list leads to go-waku, and go-waku reads the same list', { timeout: 90_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const { texts, link } = await signTree('nodes.noroshi.test', [await recordOf(waku)], '11'.repeat(32));
  const server = await startNameServer(t, texts, { port: 53 });
  const found = noroshi(['waku', 'peers', '--json', '--dns', link, '--resolver', server.address, '--timeout', '3']);
  assert.equal(found.status, 0, found.stderr);
  assert.deepEqual(JSON.parse(found.stdout).map((p) => [p.peer, p.agent]), [[waku.peerId, 'go-waku']]);
  const other = await GoWaku.start(t, { number: 2, extra: ['--dns-discovery', `--dns-discovery-url=${link}`, '--dns-discovery-name-server=127.0.0.1'] });
  await until('go-waku takes it from the list', async () => (await other.connectedPeers()).some((p) => JSON.stringify(p).includes(waku.peerId)));
});

test('DNS: a list that another key signed is refused by name', { timeout: 60_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const forged = await signTree('nodes.noroshi.test', [await recordOf(waku)], '22'.repeat(32));
  const honest = await signTree('nodes.noroshi.test', [], '11'.repeat(32));
  const server = await startNameServer(t, forged.texts);
  const found = noroshi(['waku', 'peers', '--json', '--dns', honest.link, '--resolver', server.address, '--timeout', '1', '--log-level', 'warn']);
  assert.deepEqual(JSON.parse(found.stdout), []);
  assert.match(found.stderr, /event=dns_tree_failed .*reason=bad_signature/);
});

test('discv5: noroshi finds go-waku, go-waku finds noroshi and each other through it', { timeout: 120_000 }, async (t) => {
  const first = await GoWaku.start(t, { number: 1, extra: await discv5() });
  const node = await withDiscv5(t, [await recordOf(first)]);
  await until('noroshi is connected with the node it found', () => connectedTo(node, first.peerId));
  const second = await GoWaku.start(t, { number: 2, extra: [...await discv5(), `--discv5-bootstrap-node=${node.record}`] });
  await until('go-waku is connected with noroshi', async () => (await second.connectedPeers()).some((p) => JSON.stringify(p).includes(peerId(node.address))), 60_000);
  await until('noroshi is connected with the second', () => connectedTo(node, second.peerId), 60_000);
  for (const name of ['nodes', 'sessions_total', 'queries_total']) {
    await until(`noroshi_waku_discv5_${name}`, async () => (await node.metric(`noroshi_waku_discv5_${name}`)) > 0);
  }
});

test('discv5: three nodes of noroshi find each other, and the book brings them together again', { timeout: 120_000 }, async (t) => {
  const first = await withDiscv5(t);
  const second = await withDiscv5(t, [first.record]);
  const third = await withDiscv5(t, [first.record]);
  await until('second and third meet', async () => (await connectedTo(second, peerId(third.address))) || connectedTo(third, peerId(second.address)), 60_000);
  const address = third.address;
  await third.stop();
  third.extra = third.extra.slice(0, 2);  // without the bootstrap record
  await third.run();
  assert.equal(peerId(third.address), peerId(address));
  await until('the book leads it back', () => connectedTo(third, peerId(first.address)), 60_000);
});

test('Peer exchange: go-waku tells noroshi of another, and noroshi tells go-waku', { timeout: 120_000 }, async (t) => {
  const first = await GoWaku.start(t, { number: 1, extra: [...await discv5(), '--peer-exchange'] });
  const second = await GoWaku.start(t, { number: 2, extra: [...await discv5(), `--discv5-bootstrap-node=${await recordOf(first)}`] });
  const learner = await ServiceNode.start(t, { peers: [first.address], extra: ['--peer-exchange'] });
  await until('noroshi is connected with the second', () => connectedTo(learner, second.peerId), 60_000);
  assert.ok(await learner.metric('noroshi_waku_records_total{result="new",source="peer_exchange"}') >= 1);
  const third = await GoWaku.start(t, { number: 3, extra: ['--peer-exchange', `--peer-exchange-node=${learner.address}`, `--staticnode=${learner.address}`] });
  await until('go-waku asks noroshi', async () => (await learner.metric('noroshi_waku_served_total{result="ok",role="peer_exchange"}')) >= 1, 60_000);
  await until('go-waku takes the records it got', () => /connecting to newly discovered peers.*"count": ?[1-9]/.test(third.child.log()));
});

test('js-waku reads the node record of noroshi', { timeout: 60_000 }, async (t) => {
  const node = await withDiscv5(t);
  const record = await js.EnrDecoder.fromString(node.record);
  assert.equal(String(record.peerId), peerId(node.address));
  assert.deepEqual(record.shardInfo, { clusterId: cluster, shards: [shard] });
  assert.deepEqual(record.waku2, { relay: true, store: true, filter: true, lightPush: true });
  assert.equal(record.ip, '127.0.0.1');
  assert.equal(record.tcp, Number(node.address.match(/tcp\/(\d+)/)[1]));
});

test('waku ping measures the way to go-waku and says when nobody is there', { timeout: 60_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const good = noroshi(['waku', 'ping', '--peer', waku.address]);
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, new RegExp(`^${waku.peerId} \\d+\\.\\d\\d ms go-waku\\n$`));
  const bad = noroshi(['waku', 'ping', '--timeout', '1', '--peer', waku.address.replace(/tcp\/\d+/, 'tcp/1')]);
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /no answer: /);
});
