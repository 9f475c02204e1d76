// test/integration/waku_delivery.test.mjs - how far a message got: handed over, stored, delivered; and back from a loss.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { GoWaku } from '../peers/lib/go-waku.mjs';
import { config, Daemon, identity, Listener, noroshi, ServiceNode } from '../peers/lib/noroshi.mjs';
import { scratch, sleep, until } from '../peers/lib/process.mjs';

const peerId = (address) => address.split('/').at(-1);
/** The daemon's log line of an event; undefined while there is none. */
const line = (daemon, event) => daemon.child.log().split('\n').find((l) => l.includes(`event=${event} `));

test('Light: pushed to one go-waku, stored says another, delivered says the owner by light listen', { timeout: 120_000 }, async (t) => {
  const pusher = await GoWaku.start(t, { number: 1, store: false });
  const second = await GoWaku.start(t, { number: 2, peers: [pusher.address], lightpush: false });
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const listener = new Listener(t, folder, [second.address, pusher.address], ['--light']);
  await listener.child.until('is subscribed', () => listener.child.log().includes('event=filter_subscribed'));
  const daemon = await Daemon.start(t, config({ to, peers: [pusher.address, second.address], mode: 'light' }));
  const received = await listener.waitFor('the message', (m) => m.status === 'event');
  assert.equal(received.from, identity(daemon.data));
  await daemon.child.until('it is delivered', () => line(daemon, 'delivered'));
  assert.match(line(daemon, 'handed_over'), new RegExp(`by=${pusher.peerId}`));
  assert.match(line(daemon, 'delivered'), new RegExp(`by=${to}`));
  assert.equal(await daemon.metric('noroshi_outbox_unconfirmed'), 0);
});

test('Light: a message that nobody reads is stored, by a store that did not take it', { timeout: 120_000 }, async (t) => {
  const pusher = await GoWaku.start(t, { number: 1, store: false });
  const keeper = await GoWaku.start(t, { number: 2, peers: [pusher.address], lightpush: false });
  const to = identity(join(scratch(t), 'owner'));
  const daemon = await Daemon.start(t, config({ to, peers: [pusher.address, keeper.address], mode: 'light' }));
  await daemon.child.until('it is stored', () => line(daemon, 'stored'));
  assert.match(line(daemon, 'handed_over'), new RegExp(`by=${pusher.peerId}`));
  assert.match(line(daemon, 'stored'), new RegExp(`by=${keeper.peerId}`));
  const envelope = line(daemon, 'stored').match(/envelope=([0-9a-f]{64})/)[1];
  const traced = noroshi(['waku', 'trace', envelope, '--peer', keeper.address]);
  assert.equal(traced.status, 0, traced.stdout + traced.stderr);
  assert.match(traced.stdout, /^found /);
});

test('Light: the heartbeat goes out through one go-waku and comes back through another', { timeout: 90_000 }, async (t) => {
  const first = await GoWaku.start(t, { number: 1 });
  const second = await GoWaku.start(t, { number: 2, peers: [first.address], lightpush: false });
  const daemon = await Daemon.start(t, config({ to: identity(join(scratch(t), 'owner')), peers: [first.address, second.address], mode: 'light' }));
  await daemon.child.until('the beat is back', () => line(daemon, 'heartbeat'), 60_000);
  assert.match(line(daemon, 'heartbeat'), new RegExp(`through ${first.peerId}, back through ${second.peerId}`));
  assert.equal(await daemon.metric('noroshi_waku_heartbeat_ok'), 1);
});

test('Relay: stored by a noroshi service node, asked by hash', { timeout: 120_000 }, async (t) => {
  const service = await ServiceNode.start(t);
  const to = identity(join(scratch(t), 'owner'));
  const daemon = await Daemon.start(t, config({ to, peers: [service.address] }));
  await daemon.child.until('it is stored', () => line(daemon, 'stored'));
  assert.match(line(daemon, 'stored'), new RegExp(`by=${peerId(service.address)}`));
});

test('A peer that takes pushes and drops them is found out, and another takes the message', { timeout: 120_000 }, async (t) => {
  // Alone, it says "taken" to every push and passes on to nobody: a service node without other relays.
  const liar = await ServiceNode.start(t, { extra: ['--role', 'lightpush', '--alone'] });
  const keeper = await GoWaku.start(t, { number: 1 });
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const listener = new Listener(t, folder, [keeper.address]);
  await listener.joined(keeper);
  const daemon = await Daemon.start(t, config({ to, peers: [liar.address], mode: 'light' }));
  await daemon.child.until('the liar takes it', () => line(daemon, 'handed_over'));
  await daemon.stop();
  // With an honest peer beside the liar: the store does not have it, so it goes out again.
  daemon.configure(config({ to, peers: [liar.address, keeper.address], mode: 'light' }));
  await daemon.run();
  const lost = await daemon.child.until('the loss is noticed', () => line(daemon, 'lost'), 60_000);
  // Beside it there is the message about the new configuration, which both peers get.
  const [, id] = lost.match(/ message=(\w+) /);
  const received = await listener.waitFor('the message', (m) => m.id === id);
  assert.match(received.title, /noroshi watches/);
  const said = (event) => daemon.child.log().split('\n').find((l) => l.includes(`event=${event} message=${id} `));
  assert.match(await daemon.child.until('it is handed over again', () => said('handed_over')), new RegExp(`by=${keeper.peerId}`), 'the liar is replaced');
  await daemon.child.until('it is delivered', () => said('delivered'));
  await sleep(100);
  assert.equal(listener.received.filter((m) => m.id === received.id).length, 1, 'the reader sees it once');
});

test('The only peer restarts five times: nothing is lost', { timeout: 180_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const listener = new Listener(t, folder, [waku.address], ['--light']);
  const text = config({ to, peers: [waku.address], mode: 'light' });
  const daemon = await Daemon.start(t, text);
  await listener.waitFor('the first message', (m) => m.status === 'event');
  for (let round = 1; round <= 5; ++round) {
    await waku.kill();
    // A changed configuration is announced at the next start, while the peer is away.
    await daemon.stop();
    daemon.configure(`${text}# ${round}\n`);
    await daemon.run();
    await waku.restart();
    await until(`message ${round + 1}`, () => listener.received.length === round + 1, 60_000);
  }
});
