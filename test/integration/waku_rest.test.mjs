// test/integration/waku_rest.test.mjs - go-waku as noroshi's node: the daemon and a reader drive it through its REST API.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { contentTopic, GoWaku } from '../peers/lib/go-waku.mjs';
import { config, Daemon, identity, Listener, noroshi, ServiceNode } from '../peers/lib/noroshi.mjs';
import { freePort, scratch, sleep, until } from '../peers/lib/process.mjs';

const lines = (daemon, event) => daemon.child.log().split('\n').filter((l) => l.includes(`event=${event} `));
/** The daemon's log line of an event; undefined while there is none. */
const line = (daemon, event) => lines(daemon, event)[0];
const waku = async (daemon) => JSON.parse((await daemon.get('/healthz')).text).parts.find((p) => p.name === 'waku');

/** Waits until what `from` publishes reaches `to`: meshes form some heartbeats after a connection. */
async function meshed(from, to) {
  await until('gossip flows', async () => {
    await from.publish('probe');
    await sleep(100);
    return (await to.messages()).length > 0;
  });
}

test('REST: go-waku relays what the daemon hands it, and receipts come back through its cache', { timeout: 60_000 }, async (t) => {
  const archive = await GoWaku.start(t, { number: 2 });
  const own = await GoWaku.start(t, { number: 1, peers: [archive.address], store: false, collect: false });
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const listener = new Listener(t, folder, [archive.address]);
  await listener.joined(archive);
  await meshed(own, archive);
  const daemon = await Daemon.start(t, config({ to, rest: own.url }));
  const received = await listener.waitFor('the message', (m) => m.status === 'event');
  assert.equal(received.from, identity(daemon.data));
  await daemon.child.until('it is delivered', () => line(daemon, 'delivered'));
  assert.match(line(daemon, 'handed_over'), new RegExp(`by=${own.peerId}`));
  assert.match(line(daemon, 'delivered'), new RegExp(`by=${to}`));
  assert.match(line(daemon, 'rest_subscribed'), /way=relay/);
  assert.equal(await daemon.metric('noroshi_waku_published_total{mode="rest",result="handed_over"}'), 1);
  assert.equal((await waku(daemon)).ok, true);
  const kept = (await archive.archive()).filter((m) => m.contentTopic === contentTopic && m.version === 1);
  assert.ok(kept.some((m) => m.payload.length > 300), 'the archive of another go-waku has it');
});

test('REST: a message that nobody reads is stored, says the archive of a peer of go-waku', { timeout: 60_000 }, async (t) => {
  const archive = await GoWaku.start(t, { number: 2 });
  const own = await GoWaku.start(t, { number: 1, peers: [archive.address], store: false, collect: false });
  await meshed(own, archive);
  const daemon = await Daemon.start(t, config({ to: identity(join(scratch(t), 'owner')), rest: own.url }));
  await daemon.child.until('it is stored', () => line(daemon, 'stored'));
  assert.match(line(daemon, 'stored'), new RegExp(`by=${archive.peerId}`));
});

test('REST: a store of version 3 is asked by way of go-waku', { timeout: 60_000 }, async (t) => {
  const service = await ServiceNode.start(t);
  const own = await GoWaku.start(t, { number: 1, peers: [service.address], store: false, collect: false });
  const daemon = await Daemon.start(t, config({ to: identity(join(scratch(t), 'owner')), rest: own.url }));
  await daemon.child.until('it is stored', () => line(daemon, 'stored'));
  assert.match(line(daemon, 'stored'), new RegExp(`by=${service.address.split('/').at(-1)}`));
});

test('REST: go-waku without relay pushes and subscribes through its service node', { timeout: 60_000 }, async (t) => {
  const service = await GoWaku.start(t, { number: 1, store: false });  // or the receipt might come from its archive
  const own = await GoWaku.start(t, { number: 2, through: service.address });
  await until('they are connected', async () => (await own.connectedPeers()).length > 0);
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const listener = new Listener(t, folder, [service.address]);
  await listener.joined(service);
  const daemon = await Daemon.start(t, config({ to, rest: own.url }));
  await daemon.child.until('it is delivered', () => line(daemon, 'delivered'));
  assert.match(line(daemon, 'rest_subscribed'), /way=filter/);
  assert.ok((await daemon.metric('noroshi_waku_received_total{result="accepted",way="rest_filter"}')) >= 1, 'the receipt came by filter');
});

test('REST: go-waku restarts: it is subscribed to anew, and a receipt of the time in between is fetched', { timeout: 60_000 }, async (t) => {
  const archive = await GoWaku.start(t, { number: 2 });
  const own = await GoWaku.start(t, { number: 1, peers: [archive.address], store: false, collect: false });
  await meshed(own, archive);
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const daemon = await Daemon.start(t, config({ to, rest: own.url }));
  await daemon.child.until('it is handed over', () => line(daemon, 'handed_over'));
  await own.kill();
  await daemon.child.until('the daemon notices', () => line(daemon, 'rest_down'));
  assert.equal((await waku(daemon)).ok, false);
  assert.match((await waku(daemon)).detail, /host_down/);
  // The reader gets the message from the archive, where its receipt stays too.
  const listener = new Listener(t, folder, [archive.address], ['--since', '1h']);
  await listener.waitFor('the message', (m) => m.status === 'event');
  await until('the archive has the receipt', async () =>
    (await archive.archive()).some((m) => m.contentTopic !== contentTopic));
  assert.equal(line(daemon, 'delivered'), undefined);
  await own.restart();
  await daemon.child.until('it is delivered', () => line(daemon, 'delivered'));
  assert.equal(lines(daemon, 'rest_subscribed').length, 2);
  // And what comes from now on.
  const live = 'noroshi_waku_received_total{result="not_asked_for",way="rest_relay"}';
  const before = (await daemon.metric(live)) ?? 0;
  await until('gossip reaches the daemon', async () => {
    await archive.publish('probe');
    return (await daemon.metric(live)) > before;
  });
});

test('REST: go-waku is down when the daemon starts: the message waits, and goes when it is there', { timeout: 60_000 }, async (t) => {
  const ports = { tcp: await freePort(), rest: await freePort() };
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const daemon = await Daemon.start(t, config({ to, rest: `http://127.0.0.1:${ports.rest}` }));
  await daemon.child.until('the daemon tries', () => line(daemon, 'rest_down'));
  assert.match((await waku(daemon)).detail, /host_down/);
  assert.equal(line(daemon, 'handed_over'), undefined);
  const own = await GoWaku.start(t, { ports, collect: false });
  await daemon.child.until('it is handed over', () => line(daemon, 'handed_over'));
  assert.equal(lines(daemon, 'rest_down').length, 1, 'told once a minute at most');
  const listener = new Listener(t, folder, [own.address], ['--since', '1h']);
  const received = await listener.waitFor('the message', (m) => m.status === 'event');
  assert.match(received.title, /noroshi watches/);
});

test('REST: listen reads through go-waku, and its receipts go out through it', { timeout: 60_000 }, async (t) => {
  const relay = await GoWaku.start(t, { number: 1 });
  const own = await GoWaku.start(t, { number: 2, peers: [relay.address], store: false, collect: false });
  await meshed(own, relay);
  const folder = join(scratch(t), 'owner');
  const to = identity(folder);
  const listener = new Listener(t, folder, [], ['--rest', own.url]);
  await listener.child.until('is subscribed', () => listener.child.log().includes('event=rest_subscribed'));
  const daemon = await Daemon.start(t, config({ to, peers: [relay.address] }));
  await listener.waitFor('the message', (m) => m.status === 'event');
  await daemon.child.until('it is delivered', () => line(daemon, 'delivered'));
  const both = noroshi(['listen', '--rest', own.url, '--peer', relay.address]);
  assert.notEqual(both.status, 0);
});
