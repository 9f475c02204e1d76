// test/integration/status_faults.test.mjs - Status with phones that are off and daemons that are killed: nothing is lost, nothing
// is shown twice. The owner is status-go's Messenger; what it would say again by itself is said by a sender that does not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { GoWaku } from '../peers/lib/go-waku.mjs';
import { sleep, until } from '../peers/lib/process.mjs';
import { allAcknowledged, countPrinted, killed, notified, pair, Pairing, prints, rawScene, reaches, scene, shown, told } from '../peers/lib/status-scene.mjs';

const isRequest = (entry) => entry.type === 5;
const repeats = async (daemon) => (await daemon.metric('noroshi_status_published_total{kind="repeat",result="ok"}')) ?? 0;
const waiting = (daemon) => daemon.metric('noroshi_outbox_waiting');

/** A relay without memory, so that only noroshi itself can bring a message back. */
const forgetfulHub = (t) => GoWaku.start(t, { number: 1, store: false, lightpush: false });

/** All that a user was shown over its restarts. */
function assertEachOnce(events, self, count) {
  const texts = shown(events, self);
  const doubled = [...texts].filter(([, ids]) => ids.size > 1);
  assert.deepEqual(doubled, [], 'one text under two ids');
  const bodies = events.filter((e) => e.event === 'notification' && e.category === 'newMessage' && e.author === self.pubkey).map((n) => n.body);
  assert.equal(new Set(bodies).size, bodies.length, `each notified once: ${JSON.stringify(bodies)}`);
  assert.equal(bodies.length, count, JSON.stringify(bodies));
}

describe('status-go: faults', { concurrency: 6, timeout: 500_000 }, () => {
  test('status-go: an acknowledgement ends the repeats', { timeout: 200_000 }, async (t) => {
    const world = await scene(t, { number: 33 });
    await pair(world);
    await notified(world.user, world.self, 'noroshi watches');
    await allAcknowledged(world.daemon);
    const before = await repeats(world.daemon);
    await sleep(40_000);  // a repeat comes after 27 to 36 s
    assert.equal(await repeats(world.daemon), before);
    assertEachOnce(world.user.events, world.self, 1);
  });

  test('status-go: the phone is off when the alert goes out: repeated until it is acknowledged, shown once', { timeout: 250_000 }, async (t) => {
    const hub = await forgetfulHub(t);
    const world = await scene(t, { number: 34, hub });
    const { user, daemon, self, target } = world;
    await pair(world);
    await notified(user, self, 'noroshi watches');
    await allAcknowledged(daemon);
    const events = [...user.events];
    await user.kill();
    const before = await repeats(daemon);
    target.value = 9;
    await reaches(daemon, /^FIRING/, 'handed_over');
    const sent = Date.now();
    await sleep(10_000);  // longer than relays keep a message for those that come late
    await user.restart();
    await notified(user, self, 'FIRING TooHigh');
    t.diagnostic(`shown ${((Date.now() - sent) / 1000).toFixed(1)} s after the first copy`);
    assert.ok(await repeats(daemon) > before);
    await reaches(daemon, /^FIRING/, 'delivered');
    await allAcknowledged(daemon);
    assertEachOnce([...events, ...user.events], self, 2);
  });

  test('status-go: the phone dies as it shows the alert: repeated, acknowledged after its restart, shown once', { timeout: 250_000 }, async (t) => {
    const hub = await forgetfulHub(t);
    const world = await scene(t, { number: 35, hub });
    const { user, daemon, self, target } = world;
    await pair(world);
    await notified(user, self, 'noroshi watches');
    target.value = 9;
    await told(user, self, 'FIRING TooHigh');
    await user.kill();
    const events = [...user.events];
    await user.restart();
    await reaches(daemon, /^FIRING/, 'delivered', 120_000);
    await allAcknowledged(daemon);
    const texts = shown([...events, ...user.events], self);
    assert.deepEqual([...texts.values()].map((ids) => ids.size), [1, 1]);
  });

  test('status-go: kill -9 after an alert was committed, before it could be sent', { timeout: 250_000 }, async (t) => {
    const world = await scene(t, { number: 36 });
    const { user, daemon, self, target } = world;
    await pair(world);
    await notified(user, self, 'noroshi watches');
    await allAcknowledged(daemon);
    const events = [...user.events];
    await user.stop();
    target.value = 9;
    await daemon.child.until('the alert waits', async () => (await waiting(daemon)) === 1);
    for (const pause of [0, 400, 1_200]) {
      await daemon.kill();
      await daemon.run();
      await sleep(pause);
    }
    await user.restart();
    await notified(user, self, 'FIRING TooHigh');
    target.value = 0;
    await notified(user, self, 'RESOLVED TooHigh');
    await allAcknowledged(daemon);
    assertEachOnce([...events, ...user.events], self, 3);
  });

  test('status-go: kill -9 between an alert and its acknowledgement, at other moments each time', { timeout: 400_000 }, async (t) => {
    const world = await scene(t, { number: 37 });
    const { user, daemon, self, target } = world;
    await pair(world);
    await notified(user, self, 'noroshi watches');
    // The moment when the user sees it, which is before the acknowledgement is back; and moments around the sending.
    const moments = [() => told(user, self, 'FIRING TooHigh'), () => sleep(1_900), () => sleep(2_300)];
    for (const [round, moment] of moments.entries()) {
      target.value = 10 + round;
      await moment();
      await daemon.kill();
      await daemon.run();
      await notified(user, self, `value ${10 + round}`);
      target.value = 0;
      await until('it has ended', () => user.all('notification', (n) => n.body.includes('RESOLVED')).length === round + 1, 90_000);
    }
    await allAcknowledged(daemon);
    assertEachOnce(user.events, self, 1 + 2 * moments.length);
  });

  test('status-go: kill -9 in the middle of pairing: the owner asks', { timeout: 350_000 }, async (t) => {
    const world = await scene(t, { number: 38 });
    const { user, daemon, self } = world;
    const isPaired = () => user.all('contact', (c) => c.mutual).length > 0;
    const isAsked = async () => isPaired() || (await daemon.metric('noroshi_status_received_total{result="contact_request"}')) > 0;
    await user.contact(self.chat_key, 'it is me');
    await daemon.kill();
    await daemon.run();
    await daemon.child.until('is asked', isAsked, 90_000);
    await daemon.kill();
    await daemon.run();
    await user.mutual(self.pubkey, 120_000);
    await notified(user, self, 'noroshi watches', 120_000);
    await allAcknowledged(daemon);
    assertEachOnce(user.events, self, 1);
  });

  test('status-go: kill -9 in the middle of pairing: the daemon asks, and is accepted while it is down', { timeout: 250_000 }, async (t) => {
    const world = await scene(t, { number: 39 });
    const { user, daemon, self } = world;
    new Pairing(t, daemon, [user.chat_key]);
    const entry = await user.until('activity', isRequest, 90_000);
    await daemon.kill();
    await user.accept(entry.message_id);
    await daemon.run();
    await user.mutual(self.pubkey, 90_000);
    await notified(user, self, 'noroshi watches');
    await allAcknowledged(daemon);
    assertEachOnce(user.events, self, 1);
    assert.equal(user.all('activity', isRequest).filter((e) => e.message_id !== entry.message_id).length, 0, 'asked once');
  });

  test('status-go: a text that comes while the daemon is down is printed once, when it is sent again', { timeout: 250_000 }, async (t) => {
    const world = await scene(t, { number: 40 });
    const { user, daemon, self } = world;
    await pair(world);
    await user.send(self.pubkey, 'before');
    await prints(daemon, user, 'before');
    await killed(daemon);
    const { id } = await user.send(self.pubkey, 'meanwhile');
    await daemon.run();
    await prints(daemon, user, 'meanwhile');
    await user.until('delivered', (d) => d.ids.includes(id), 90_000);
    assert.deepEqual(countPrinted(daemon, user), { before: 1, meanwhile: 1 });
  });

  test('status-go: a text that comes while the daemon is down is printed once, from a store', { timeout: 250_000 }, async (t) => {
    const hub = await GoWaku.start(t, { number: 1 });
    const { raw, daemon, self } = await rawScene(t, { number: 203, hub });
    await daemon.kill();
    const { length } = await hub.archive();
    // Sent once, and never again.
    await raw.send({ to: self.pubkey, body: { text: 'meanwhile' } });
    await until('the store has it', async () => (await hub.archive()).length > length);
    await raw.stop();
    await daemon.run();
    await prints(daemon, raw, 'meanwhile');
    await killed(daemon);
    await daemon.run();
    await sleep(12_000);  // the store is asked twice
    assert.deepEqual(countPrinted(daemon, raw), { meanwhile: 1 });
  });
});
