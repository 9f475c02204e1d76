// test/integration/waku_peers.test.mjs - relay and lightpush through real go-waku nodes; payloads both ways with js-waku.
import assert from 'node:assert/strict';
import { ECDH } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';

import { contentTopic, GoWaku } from '../peers/lib/go-waku.mjs';
import { decrypt, encrypt, generatePrivateKey, getPublicKey } from '../peers/lib/js-waku.mjs';
import { config, Daemon, identity, Listener } from '../peers/lib/noroshi.mjs';
import { scratch, until } from '../peers/lib/process.mjs';

const hex = (bytes) => Buffer.from(bytes).toString('hex');

test('Relay: go-waku shows the message, and js-waku decrypts what noroshi encrypted', { timeout: 90_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const ownerKey = generatePrivateKey();
  const daemon = await Daemon.start(t, config({ to: hex(getPublicKey(ownerKey)), peers: [waku.address] }));
  const message = await until('the message in go-waku', () => encrypted(waku));
  assert.equal(message.contentTopic, contentTopic);
  assert.equal(message.version, 1);
  assert.ok(Math.abs(Number(BigInt(message.timestamp) / 1_000_000n) - Date.now()) < 20_000, 'the timestamp is in nanoseconds');
  const opened = await decrypt(message, ownerKey);
  assert.ok(opened, 'js-waku decrypts the payload');
  assert.match(Buffer.from(opened.payload).toString(), /noroshi watches/);
  assert.deepEqual(new Uint8Array(opened.signaturePublicKey), uncompressed(identity(daemon.data)));
  assert.equal(await decrypt(message, generatePrivateKey()), undefined, 'nobody else can');
});

/** The first message in go-waku that is not one of the tests' own probes. */
const encrypted = async (waku) => (await waku.messages()).find((m) => !Buffer.from(m.payload, 'base64').toString().startsWith('probe '));

/** noroshi prints public keys in 33 bytes, js-waku wants 65. */
const uncompressed = (key) => new Uint8Array(ECDH.convertKey(Buffer.from(key, 'hex'), 'secp256k1', undefined, undefined, 'uncompressed'));

test('js-waku encrypts, noroshi listen decrypts and names the signer', { timeout: 90_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const between = generatePrivateKey();
  await Daemon.start(t, config({ to: hex(getPublicKey(between)), peers: [waku.address] }));
  const message = await until('the message in go-waku', () => encrypted(waku));
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const listener = new Listener(t, folder, [waku.address]);
  await listener.joined(waku);
  const { payload } = await decrypt(message, between);
  const signer = generatePrivateKey();
  await until('the forwarded message', async () => {
    // Again until the mesh between go-waku and the listener stands; the same id inside, so it is printed once.
    await waku.publish(await encrypt(payload, uncompressed(to), signer));
    return listener.received[0];
  });
  const [received] = listener.received;
  assert.match(received.title, /noroshi watches/);
  assert.deepEqual(uncompressed(received.from), new Uint8Array(getPublicKey(signer)), 'signed by js-waku, not by the daemon');
  assert.equal(listener.received.length, 1);
});

test('Light mode: pushed through go-waku, received by relay on another noroshi', { timeout: 90_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const listener = new Listener(t, folder, [waku.address]);
  await listener.joined(waku);
  const daemon = await Daemon.start(t, config({ to, peers: [waku.address], mode: 'light' }));
  const received = await listener.waitFor('the pushed message', (m) => m.status === 'event');
  assert.equal(received.from, identity(daemon.data));
  // The reader may have it before the answer to the push is back.
  await daemon.child.until('it is handed over', () => new RegExp(`event=handed_over .*by=${waku.peerId}`).test(daemon.child.log()));
});

test('A message crosses two go-waku nodes', { timeout: 90_000 }, async (t) => {
  const first = await GoWaku.start(t, { number: 1 });
  const second = await GoWaku.start(t, { number: 2, peers: [first.address] });
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const listener = new Listener(t, folder, [second.address]);
  await listener.joined(first);
  await Daemon.start(t, config({ to, peers: [first.address] }));
  const received = await listener.waitFor('the message', (m) => m.status === 'event');
  assert.match(received.title, /noroshi watches/);
});

test('A node of another cluster is refused by name', { timeout: 60_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const text = config({ to: identity(join(scratch(t), 'owner')), peers: [waku.address] }).replace('cluster: 16', 'cluster: 17');
  const daemon = await Daemon.start(t, text);
  await daemon.child.until('the refusal', () => /event=peer_refused .*reason=foreign_cluster/.test(daemon.child.log()));
  await daemon.child.until('the parting', async () => (await daemon.metric('noroshi_waku_peers')) === 0);
  assert.deepEqual(await waku.messages(), []);
});

test('What was sent while nobody listened is fetched from the store of go-waku', { timeout: 90_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const daemon = await Daemon.start(t, config({ to, peers: [waku.address] }));
  await daemon.child.until('the message is taken', async () => (await daemon.metric('noroshi_outbox_waiting')) === 0);
  await until('the message in the archive', async () => (await waku.archive()).length > 0);
  await daemon.stop();
  const without = new Listener(t, folder, [waku.address]);
  const listener = new Listener(t, folder, [waku.address], ['--since', '10m']);
  const received = await listener.waitFor('the stored message', (m) => m.status === 'event');
  assert.match(received.title, /noroshi watches/);
  assert.equal(without.received.length, 0, 'without --since nothing older than the start is printed');
});
