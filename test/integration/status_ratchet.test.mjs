// test/integration/status_ratchet.test.mjs - Status with and without forward secrecy: X3DH, the double ratchet, negotiated topics.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { GoWaku } from '../peers/lib/go-waku.mjs';
import { until } from '../peers/lib/process.mjs';
import { StatusPeer } from '../peers/lib/status-peer.mjs';
import { allAcknowledged, countPrinted, killed, notified, pair, Pairing, prints, rawScene, reaches, scene, shown, told } from '../peers/lib/status-scene.mjs';

const on = '{ ratchet: true }';
const isText = (text) => (e) => e.messages.some((m) => m.body?.text?.startsWith(text));

/** The topic that only these two know, once the user listens to it. */
async function negotiatedTopic(user, self) {
  const isIt = (filter) => filter.negotiated && filter.listen && filter.chat.includes(self.pubkey);
  const { topic } = await user.child.until('a negotiated topic', async () => (await user.filters()).find(isIt));
  return topic;
}

describe('status-go: the ratchet', { concurrency: 6, timeout: 400_000 }, () => {
  test('status-go: with the ratchet: alerts on the negotiated topic, replies; both restart in between', { timeout: 300_000 }, async (t) => {
    const hub = await GoWaku.start(t, { number: 1 });
    const world = await scene(t, { number: 49, hub, status: on });
    const { user, daemon, self, target } = world;
    /** How many envelopes went to the topic that only these two read, and to the one that every 5,000th reads. */
    const envelopes = async (...topics) => {
      const all = await hub.archive();
      return topics.map((topic) => all.filter((m) => m.contentTopic === topic).length);
    };
    await pair(world);
    await notified(user, self, 'noroshi watches');
    await allAcknowledged(daemon);
    await user.send(self.pubkey, 'one');
    await prints(daemon, user, 'one');
    const topic = await negotiatedTopic(user, self);
    const { topic: shared } = (await user.filters()).find((f) => f.listen && /^contact-discovery-\d+$/.test(f.chat));

    await user.stop();
    const [secretBefore, sharedBefore] = await envelopes(topic, shared);
    target.value = 9;
    await reaches(daemon, /^FIRING/, 'stored');
    const [secretAfter, sharedAfter] = await envelopes(topic, shared);
    assert.ok(secretAfter > secretBefore);
    assert.equal(sharedAfter, sharedBefore);
    await daemon.stop();
    await user.restart();
    await daemon.run();
    const alert = await told(user, self, 'FIRING TooHigh');
    await reaches(daemon, /^FIRING/, 'delivered');
    await user.reply(self.pubkey, alert.id, 'two');
    await prints(daemon, user, 'two');

    await killed(daemon);
    await user.send(self.pubkey, 'three');
    await daemon.run();
    await prints(daemon, user, 'three');
    target.value = 0;
    await notified(user, self, 'RESOLVED TooHigh');
    await allAcknowledged(daemon);
    assert.deepEqual(countPrinted(daemon, user), { one: 1, two: 1, three: 1 });
    assert.deepEqual([...shown(user.events, self).values()].map((ids) => ids.size).filter((n) => n > 1), []);
  });

  test('status-go: both ask at once, with the ratchet', { timeout: 250_000 }, async (t) => {
    const { user, daemon, self, target } = await scene(t, { number: 50, status: on });
    const pairing = new Pairing(t, daemon, [user.chat_key]);
    await Promise.all([pairing.until('identity'), user.contact(self.chat_key, 'it is me')]);
    await pairing.until('paired', 90_000);
    await user.mutual(self.pubkey, 90_000);
    target.value = 9;
    // Both begin to talk at once, too.
    await Promise.all([user.send(self.pubkey, 'both at once'), told(user, self, 'FIRING TooHigh')]);
    await prints(daemon, user, 'both at once');
    await allAcknowledged(daemon);
  });

  test('status-go: the ratchet turned off again: what the owner still sends by it is read', { timeout: 300_000 }, async (t) => {
    const world = await scene(t, { number: 51, status: on });
    const { user, daemon, self, text } = world;
    await pair(world);
    await user.send(self.pubkey, 'by the ratchet');
    await prints(daemon, user, 'by the ratchet');
    await negotiatedTopic(user, self);
    await daemon.stop();
    daemon.configure(text.replace(`status: ${on}`, ''));
    await daemon.run();
    await user.send(self.pubkey, 'still by the ratchet');
    await prints(daemon, user, 'still by the ratchet');
    // The changed configuration is announced.
    await until('two announcements', () => user.all('notification', (n) => n.body.includes('noroshi watches')).length === 2, 90_000);
  });

  for (const status of [undefined, on]) {
    const how = status ? 'with the ratchet' : 'without the ratchet';
    test(`status-go: two devices of one owner are told, ${how}`, { timeout: 250_000 }, async (t) => {
      const number = status ? 52 : 53;
      const { user, daemon, self, target } = await scene(t, { number, status });
      // The devices are not paired with each other: each adds the daemon.
      const tablet = await StatusPeer.start(t, { number, name: 'a-tablet', installation: 'tablet', connect: [user.address] });
      await tablet.connected();
      await pair({ user, self });
      await pair({ user: tablet, self });
      target.value = 9;
      await Promise.all([user, tablet].map((device) => notified(device, self, 'FIRING TooHigh')));
      await tablet.send(self.pubkey, 'from the tablet');
      await prints(daemon, user, 'from the tablet');
      await user.send(self.pubkey, 'from the phone');
      await prints(daemon, user, 'from the phone');
      target.value = 0;
      await Promise.all([user, tablet].map((device) => notified(device, self, 'RESOLVED TooHigh')));
      await allAcknowledged(daemon);
    });
  }

  test('status-go: X3DH until the first answer, then the ratchet; texts out of order and from before a restart', { timeout: 250_000 }, async (t) => {
    const { raw, daemon, self, target, accepted } = await rawScene(t, { number: 205, bundle: true, status: on });
    assert.deepEqual([accepted.topic, accepted.encryption, accepted.bundles], ['negotiated', 'x3dh', 1]);
    const ratchet = (text) => ({ to: self.pubkey, encryption: 'ratchet', topic: 'negotiated', body: { text } });
    await raw.send(['one', 'two', 'three', 'four'].map(ratchet), { order: [2, 0, 3, 1] });
    for (const text of ['one', 'two', 'three', 'four']) await prints(daemon, raw, text);
    target.value = 9;
    const alert = await raw.received('CHAT_MESSAGE', isText('FIRING TooHigh'));
    assert.deepEqual([alert.topic, alert.encryption], ['negotiated', 'ratchet']);
    // The second of these comes when the daemon has been killed and started: the key that was skipped is on disk.
    const late = raw.send(['five', 'six', 'seven'].map(ratchet), { order: [2, 1], pauseMs: 15_000 });
    await prints(daemon, raw, 'seven');
    await killed(daemon);
    await daemon.run();
    await late;
    await prints(daemon, raw, 'six');
    await raw.send(['eight', 'nine'].map(ratchet), { order: [1, 0] });
    for (const text of ['nine', 'eight']) await prints(daemon, raw, text);
    assert.deepEqual(countPrinted(daemon, raw), { one: 1, two: 1, three: 1, four: 1, seven: 1, six: 1, eight: 1, nine: 1 });
  });

  test('status-go: without the ratchet no bundle is sent, and who sends one is answered without it', { timeout: 250_000 }, async (t) => {
    const { raw, daemon, self, target, accepted } = await rawScene(t, { number: 206, bundle: true });
    assert.deepEqual([accepted.topic, accepted.encryption, accepted.bundles], ['partitioned', 'dh', 0]);
    target.value = 9;
    const alert = await raw.received('CHAT_MESSAGE', isText('FIRING TooHigh'));
    assert.deepEqual([alert.topic, alert.encryption, alert.bundles, alert.version, alert.mvds], ['partitioned', 'dh', 0, 1, true]);
    await raw.send({ to: self.pubkey, bundle: true, body: { text: 'seen' } });
    await prints(daemon, raw, 'seen');
  });
});
