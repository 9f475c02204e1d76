// test/integration/waku_matrix.test.mjs - topics that change, duplicates, oversize, proofs and rate limits, with real go-waku and js-waku.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { contentTopic, GoWaku, pubsubTopic } from '../peers/lib/go-waku.mjs';
import { JsWaku } from '../peers/lib/js-waku.mjs';
import { ServiceNode } from '../peers/lib/noroshi.mjs';
import { sleep, until } from '../peers/lib/process.mjs';
import { WakuNode } from '../peers/lib/waku-node.mjs';
import { decode, filterCode, message, protocols, pushAnswerV2, pushAnswerV3, pushRequestV2, pushRequestV3, storedV3, storeQueryV3,
         subscribeRequest } from '../peers/lib/wire.mjs';

const later = '/noroshi/1/later/proto';
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const payload = (encoded) => decode(Buffer.from(encoded, 'hex'))[1][0].toString();
const payloads = (node) => node.received.map(payload);
const ours = (messages, text) => messages.filter((m) => Buffer.from(m.payload, 'base64').toString() === text).length;
const subscribed = (node) => node.metric('noroshi_waku_filter_peers');

/** Our service node in a mesh with a go-waku relay; `ws` is its address for js-waku's defaults. */
async function network(t) {
  const relay = await GoWaku.start(t, { number: 1 });
  const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'];
  const service = await ServiceNode.start(t, { peers: [relay.address], listen });
  await service.child.until('is in the mesh', async () => (await service.metric(`noroshi_waku_mesh_peers{pubsub_topic="${pubsubTopic}"}`)) > 0);
  const isWs = (address) => address.includes('/ws/');
  return { relay, service, address: service.addresses.find((a) => !isWs(a)), ws: service.addresses.find(isWs) };
}

/** go-waku takes one lightpush request a second from a peer. */
const push = async (from, body) => {
  await sleep(1_100);
  const answer = pushAnswerV2(await from.raw(protocols.pushV2, pushRequestV2(body)));
  assert.ok(answer.ok, answer.info);
};

/** The limit of filter is the same, and something of js-waku may have taken the first one. */
const subscribe = (peer) => until('it is subscribed', async () => {
  await sleep(1_100);
  return filterCode(await peer.raw(protocols.filterSubscribe, subscribeRequest())) === 200;
});

test('Light mode with go-waku: a topic named later is received with what came before, one given up is not', { timeout: 120_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const sender = await JsWaku.start(t, waku.address, { tcp: true });
  const node = await WakuNode.start(t, [waku.address], { catchUp: 600 });
  await until('it is subscribed', async () => (await subscribed(node)) === 1);
  await push(sender, message('before it was named', { topic: later }));
  await push(sender, message('first'));
  await until('the first', () => payloads(node).includes('first'));
  await node.topics([contentTopic, later]);
  await until('what the store kept', () => payloads(node).includes('before it was named'));
  await until('it is subscribed anew', async () => (await subscribed(node)) === 1);
  await push(sender, message('live', { topic: later }));
  await until('the live one', () => payloads(node).includes('live'));
  await node.topics([later]);
  await until('it is given up', async () => (await node.metric('noroshi_waku_filter_requests_total{act="unsubscribe",result="ok"}')) === 1);
  await push(sender, message('nobody reads it'));
  await push(sender, message('last', { topic: later }));
  await until('the last', () => payloads(node).includes('last'));
  assert.deepEqual(payloads(node), ['first', 'before it was named', 'live', 'last']);
  assert.equal(await node.metric('noroshi_waku_received_total{result="not_asked_for",way="filter"}'), 0, 'go-waku pushes it no more');
});

test('Duplicates: from two go-waku filters and from a store, a message is given once', { timeout: 90_000 }, async (t) => {
  const first = await GoWaku.start(t, { number: 1 });
  const second = await GoWaku.start(t, { number: 2, peers: [first.address] });
  const sender = await JsWaku.start(t, first.address, { tcp: true });
  const node = await WakuNode.start(t, [first.address, second.address], { catchUp: 600 });
  await until('it is subscribed at both', async () => (await subscribed(node)) === 2);
  const duplicates = () => node.metric('noroshi_waku_received_total{result="duplicate",way="filter"}');
  let sent = 0;
  await until('both push it', async () => {
    // Again until the mesh of the two stands.
    await push(sender, message(`number ${++sent}`));
    return (await duplicates()) > 0;
  });
  const known = node.received.length;
  assert.equal(known, sent);
  const asked = await node.metric('noroshi_waku_catch_ups_total{result="ok"}');
  await node.topics([]);
  await node.topics([contentTopic]);
  await until('the stores are asked', async () => (await node.metric('noroshi_waku_catch_ups_total{result="ok"}')) >= asked + 2);
  assert.deepEqual(payloads(node), Array.from({ length: sent }, (_, n) => `number ${n + 1}`));
});

test('Duplicates: a message pushed twice to noroshi by go-waku and js-waku is stored once, and pushed to subscribers once', { timeout: 90_000 }, async (t) => {
  const { relay, address, ws } = await network(t);
  const go = await GoWaku.start(t, { number: 2, through: address });
  const js = await JsWaku.start(t, ws);
  const subscriber = await JsWaku.start(t, address, { tcp: true });
  const pushed = await subscriber.rawPushes();
  await subscribe(subscriber);
  await until('go-waku subscribes', async () => (await go.subscribe()).statusDesc === 'OK');
  const twice = GoWaku.message('twice by go-waku', 0);
  for (let n = 0; n < 2; ++n) {
    await until('the push is taken', () => go.rest('/lightpush/v1/message', { method: 'POST', body: { pubsubTopic, message: twice } }));
  }
  const bytes = message('twice by js-waku');
  const codes = [];
  for (let n = 0; n < 2; ++n) codes.push(pushAnswerV3(await js.raw(protocols.pushV3, pushRequestV3(bytes))));
  assert.equal(codes[0].code, 200, codes[0].info);
  assert.equal(codes[1].code, 420);
  assert.match(codes[1].info, /duplicate/);
  const version2 = pushAnswerV2(await js.raw(protocols.pushV2, pushRequestV2(bytes)));
  assert.ok(version2.ok, 'version 2 has no other word for it');
  await until('a last one, after which nothing is on its way', async () => {
    await js.raw(protocols.pushV3, pushRequestV3(message('last')));
    return pushed.some((body) => decode(body)[1][0].toString() === 'last');
  });
  const texts = pushed.map((body) => decode(body)[1][0].toString());
  for (const text of ['twice by go-waku', 'twice by js-waku']) {
    assert.equal(texts.filter((one) => one === text).length, 1, `${text} at the subscriber`);
    assert.equal((await js.stored()).filter((one) => one === text).length, 1, `${text} in the store`);
    assert.equal(ours(await relay.archive(), text), 1, `${text} at the relay`);
  }
  const filtered = await go.filtered();
  assert.deepEqual(['twice by go-waku', 'twice by js-waku'].map((text) => ours(filtered, text)), [1, 1], 'at the filter client of go-waku');
});

test('Oversize: noroshi refuses 150 KB of js-waku and go-waku by name, and serves them on', { timeout: 90_000 }, async (t) => {
  const { relay, address, ws } = await network(t);
  const go = await GoWaku.start(t, { number: 2, through: address });
  const js = await JsWaku.start(t, ws);
  const large = 'x'.repeat(150_000);
  const refused = await js.push(large);
  assert.equal(refused.successes.length, 0);
  assert.equal(refused.failures.length, 1);
  const version3 = pushAnswerV3(await js.raw(protocols.pushV3, pushRequestV3(message(large))));
  assert.equal(version3.code, 413);
  assert.match(version3.info, /^too_large/);
  const version2 = pushAnswerV2(await js.raw(protocols.pushV2, pushRequestV2(message(large))));
  assert.equal(version2.ok, false);
  assert.match(version2.info, /^too_large/);
  await assert.rejects(go.lightpush(large, 0), /too_large/);
  assert.equal((await js.push('small by js-waku')).successes.length, 1);
  await until('a small one of go-waku', () => go.lightpush('small by go-waku', 0));
  const relayed = [];
  await until('the small ones at the relay', async () => {
    relayed.push(...await relay.messages());
    return ours(relayed, 'small by js-waku') && ours(relayed, 'small by go-waku');
  });
  assert.equal(relayed.length, 2, 'and nothing else');
});

test('Oversize: our own is refused before go-waku sees it, and the next one is not lost', { timeout: 60_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const node = await WakuNode.start(t, [waku.address]);
  await until('it is subscribed', async () => (await subscribed(node)) === 1);
  for (const relay of [false, true]) {
    const publisher = relay ? await WakuNode.start(t, [waku.address], { relay: true }) : node;
    const refused = await publisher.publish(message('x'.repeat(141_000)));
    assert.match(refused.error, /^too_large: \d+ bytes, at most 140000 are published/);
    assert.equal(refused.retryable, false);
    for (const text of ['x'.repeat(139_800), 'small']) {
      await until('the next one is taken', async () => (await publisher.publish(message(`${relay} ${text}`))).peers?.length > 0);
    }
  }
  const relayed = [];
  await until('all four at go-waku', async () => relayed.push(...await waku.messages()) && relayed.length >= 4);
  assert.match(waku.child.log(), /published|publish/i);
  assert.doesNotMatch(waku.child.log(), /message size exceeds/, 'nothing too large came to it');
});

test('Proofs: messages with and without proof and meta pass through noroshi untouched: relay, filter, store', { timeout: 90_000 }, async (t) => {
  const { relay, address, ws } = await network(t);
  const behind = await GoWaku.start(t, { number: 2, peers: [address] });
  const sender = await JsWaku.start(t, relay.address, { tcp: true });
  const subscriber = await JsWaku.start(t, ws);
  const farther = await JsWaku.start(t, behind.address, { tcp: true });
  const [pushed, pushedBehind] = [await subscriber.rawPushes(), await farther.rawPushes()];
  for (const one of [subscriber, farther]) await subscribe(one);
  let probes = 0;
  await until('the mesh stands', async () => {
    await push(sender, message(`probe ${++probes}`));
    return pushedBehind.length > 0;
  });
  const proof = randomBytes(300);
  const sent = [message('neither'), message('with meta', { meta: randomBytes(64) }), message('with proof', { proof }),
                message('with both', { meta: randomBytes(1), proof, version: 1 })];
  for (const body of sent) await push(sender, body);
  const whole = (found) => sent.map(hex).every((body) => found.map(hex).includes(body));
  await until('byte for byte at the filter subscriber', () => whole(pushed));
  await until('byte for byte in our store', async () => whole(storedV3(await subscriber.raw(protocols.storeV3, storeQueryV3()))));
  await until('byte for byte at a subscriber of go-waku behind us', () => whole(pushedBehind));
});

/** Takes each token of go-waku's limit for this peer id as soon as there is one, until what it gives is called. */
function takeAllTokens(t, peer, protocol) {
  let on = true;
  t.after(() => { on = false; });
  const ended = (async () => {
    while (on) {
      const stream = await peer.node.libp2p.dialProtocol(peer.address, protocol).catch(() => undefined);
      stream?.abort(new Error('enough'));
      await sleep(20);
    }
  })();
  return async () => {
    on = false;
    await ended;
  };
}

test('Rate limit of go-waku: lightpush says so, noroshi backs off and delivers through another', { timeout: 90_000 }, async (t) => {
  const strict = await GoWaku.start(t, { number: 1 });
  const other = await GoWaku.start(t, { number: 2, peers: [strict.address] });
  // go-waku counts by peer id: a second program with our key takes what is ours.
  const key = hex(randomBytes(32));
  const twin = await JsWaku.start(t, strict.address, { tcp: true, key });
  const node = await WakuNode.start(t, [strict.address, other.address], { key });
  assert.equal(twin.node.libp2p.peerId.toString(), node.peerId);
  await until('it is subscribed at both', async () => (await subscribed(node)) === 2);
  takeAllTokens(t, twin, protocols.pushV2);
  const limited = () => node.metric('noroshi_waku_lightpush_requests_total{result="rate_limited"}');
  let sent = 0;
  const took = [];
  while (sent < 20 && !(await limited())) {
    const done = await node.publish(message(`number ${++sent}`));
    assert.ok(done.peers, done.error);
    took.push(done.peers);
  }
  assert.ok(await limited(), 'go-waku said so');
  assert.deepEqual(took.at(-1), [other.peerId], 'the other one took it');
  const before = await limited();
  const begun = Date.now();
  const next = await node.publish(message('right after'));
  assert.deepEqual(next.peers, [other.peerId]);
  assert.ok((await limited()) <= before + 1, 'it is not asked in a storm');
  await until('what was sent is at the strict one too', async () => {
    const archive = await strict.archive();
    return ours(archive, 'right after') === 1 && ours(archive, `number ${sent}`) === 1;
  });
  t.diagnostic(`limited after ${sent} pushes; the next one took ${Date.now() - begun} ms`);
});

test('Rate limit of go-waku: filter says so, noroshi waits and is subscribed in the end', { timeout: 90_000 }, async (t) => {
  const strict = await GoWaku.start(t, { number: 1 });
  const key = hex(randomBytes(32));
  const twin = await JsWaku.start(t, strict.address, { tcp: true, key });
  const stop = takeAllTokens(t, twin, protocols.filterSubscribe);
  const node = await WakuNode.start(t, [strict.address], { key });
  await until('go-waku says so', async () => (await node.metric('noroshi_waku_filter_requests_total{act="subscribe",result="rate_limited"}')) > 0);
  await stop();
  await until('it is subscribed', async () => (await subscribed(node)) === 1, 60_000);
  assert.equal(await node.metric('noroshi_waku_filter_requests_total{act="subscribe",result="failed"}'), 0);
});
