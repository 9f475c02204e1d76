// test/integration/waku_serve.test.mjs - `noroshi waku serve` as the service node of real light clients: go-waku and js-waku.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { GoWaku, pubsubTopic } from '../peers/lib/go-waku.mjs';
import { JsWaku } from '../peers/lib/js-waku.mjs';
import { identity, Listener, noroshi, ServiceNode } from '../peers/lib/noroshi.mjs';
import { freePort, scratch, until } from '../peers/lib/process.mjs';

const text = (message) => Buffer.from(message.payload, 'base64').toString();
const some = async (messages, payload) => (await messages).some((m) => text(m) === payload);

/** A relay of go-waku and our service node beside it, in one mesh. */
async function network(t, options = {}) {
  const relay = await GoWaku.start(t, { number: 1 });
  const service = await ServiceNode.start(t, { peers: [relay.address], ...options });
  await until('the service node is in the mesh', async () => (await service.metric(`noroshi_waku_mesh_peers{pubsub_topic="${pubsubTopic}"}`)) > 0);
  return { relay, service };
}

test('go-waku as a light client: filter, lightpush 2 and store 3 of noroshi', { timeout: 120_000 }, async (t) => {
  const { relay, service } = await network(t);
  const client = await GoWaku.start(t, { number: 2, through: service.address });
  await until('go-waku subscribes', async () => (await client.subscribe()).statusDesc === 'OK');
  await relay.publish('from the relay', 0);
  await until('the filtered message', () => some(client.filtered(), 'from the relay'));
  await until('the push is taken', () => client.lightpush('from the light client', 0));
  await until('the pushed message at the relay', () => some(relay.messages(), 'from the light client'));
  await until('its ping is answered', async () => (await client.ping()).statusDesc === 'OK');
  const answer = await until('both in the store', async () => {
    const found = await client.stored(service.address);
    return found.messages?.length >= 2 && found;
  });
  assert.deepEqual(answer.messages.map((m) => text(m.message)), ['from the relay', 'from the light client']);
  const page = await client.stored(service.address, { pageSize: 1 });
  assert.equal(text(page.messages[0].message), 'from the relay');
  const next = await client.stored(service.address, { pageSize: 1, cursor: page.pagination_cursor.replaceAll('+', '-').replaceAll('/', '_') });
  assert.equal(text(next.messages[0].message), 'from the light client');
  const newest = await client.stored(service.address, { pageSize: 1, ascending: 'false' });
  assert.equal(text(newest.messages[0].message), 'from the light client');
});

for (const [name, options, listen] of [['TCP and yamux', { tcp: true }, '/ip4/127.0.0.1/tcp/0'],
                                       ['WebSocket and mplex, its defaults', {}, '/ip4/127.0.0.1/tcp/0/ws']]) {
  test(`js-waku as a light client over ${name}: filter, lightpush 3 and 2, store 3 of noroshi`, { timeout: 120_000 }, async (t) => {
    const { relay, service } = await network(t, { listen: [listen] });
    const client = await JsWaku.start(t, service.address, options);
    assert.equal(client.muxer, options.tcp ? '/yamux/1.0.0' : '/mplex/6.7.0');
    await until('js-waku subscribes', () => client.subscribe());
    await relay.publish('from the relay', 0);
    await until('the filtered message', () => client.received.includes('from the relay'));
    const pushed = await client.push('by version 3');
    assert.equal(pushed.successes.length, 1, JSON.stringify(pushed.failures));
    await until('the pushed message at the relay', () => some(relay.messages(), 'by version 3'));
    const legacy = await client.push('by version 2', { legacy: true });
    assert.equal(legacy.successes.length, 1, JSON.stringify(legacy.failures));
    await until('the second at the relay', () => some(relay.messages(), 'by version 2'));
    const stored = await until('all three in the store', async () => {
      const found = await client.stored();
      return found.length >= 3 && found;
    });
    assert.deepEqual(stored, ['from the relay', 'by version 3', 'by version 2']);
  });
}

test('The service node restarts: its archive is kept, go-waku, js-waku and noroshi are subscribed again', { timeout: 120_000 }, async (t) => {
  const listen = [`/ip4/127.0.0.1/tcp/${await freePort()}`];
  const { relay, service } = await network(t, { listen });
  const folder = join(scratch(t), 'owner');
  identity(folder);
  const ours = new Listener(t, folder, [service.address], ['--light']);
  const go = await GoWaku.start(t, { number: 2, through: service.address });
  const js = await JsWaku.start(t, service.address, { tcp: true });
  await until('js-waku subscribes', () => js.subscribe());
  await until('go-waku subscribes', async () => (await go.subscribe()).statusDesc === 'OK');
  await until('noroshi subscribes', () => ours.child.log().includes('event=filter_subscribed'));
  await relay.publish('before', 0);
  await until('the message', () => js.received.includes('before'));

  assert.deepEqual(await service.stop(), { code: 0, signal: null });
  await service.run();
  await service.child.until('noroshi subscribes by itself', async () => (await service.metric('noroshi_waku_filter_subscribers')) >= 1);
  await until('go-waku subscribes anew', async () => (await go.subscribe()).statusDesc === 'OK');
  await until('js-waku is connected again', async () => js.reconnect());
  await until('js-waku subscribes anew', () => js.subscribe());
  await until('the service node is in the mesh', async () => (await service.metric(`noroshi_waku_mesh_peers{pubsub_topic="${pubsubTopic}"}`)) > 0);
  await relay.publish('after', 0);
  await until('the message at js-waku', () => js.received.includes('after'));
  await until('the message at go-waku', () => some(go.filtered(), 'after'));
  await until('noroshi gets it', () => (ours.child.log().match(/event=message_passed_over/g) ?? []).length >= 2);
  await until('both in the store', async () => (await js.stored()).join() === 'before,after');
});

test('js-waku places its topic by autosharding: noroshi keeps it on the same shard', { timeout: 90_000 }, async (t) => {
  const service = await ServiceNode.start(t, { listen: ['/ip4/127.0.0.1/tcp/0/ws'], cluster: 2, extra: ['--autosharding', '8', '--alone'] });
  const client = await JsWaku.start(t, service.address, { cluster: 2, autosharding: 8 });
  await until('js-waku subscribes', () => client.subscribe());
  const pushed = await client.push('by content topic');
  assert.equal(pushed.successes.length, 1, JSON.stringify(pushed.failures));
  await until('it comes back by filter', () => client.received.includes('by content topic'));
  const stored = await until('it is in the store', async () => (await client.stored()).length > 0 && client.stored());
  assert.deepEqual(stored, ['by content topic']);
  assert.equal(client.routingInfo.pubsubTopic, '/waku/2/rs/2/1');
});

test('waku peers names a peer and what it speaks; waku trace says which store has a message', { timeout: 90_000 }, async (t) => {
  const { relay, service } = await network(t);
  const listed = noroshi(['waku', 'peers', '--json', '--peer', service.address, '--peer', relay.address]);
  assert.equal(listed.status, 0, listed.stderr);
  const peers = JSON.parse(listed.stdout);
  assert.deepEqual(peers.map((p) => p.agent).sort(), ['go-waku', 'noroshi']);
  assert.ok(peers.every((p) => p.protocols.some((id) => id.includes('/store'))));
  const absent = noroshi(['waku', 'peers', '--timeout', '1', '--peer', service.address.replace(/tcp\/\d+/, 'tcp/1')]);
  assert.equal(absent.status, 1);
  assert.match(absent.stderr, /no answer: /);
  const none = noroshi(['waku', 'trace', '00'.repeat(32), '--peer', service.address, '--peer', relay.address]);
  assert.equal(none.status, 1);
  assert.equal(none.stdout.match(/not_found/g)?.length, 2, none.stdout + none.stderr);
});
