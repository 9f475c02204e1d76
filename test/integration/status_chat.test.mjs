// test/integration/status_chat.test.mjs - the daemon and its owner's Status: pairing, alerts that notify, replies, reactions, history.
// The owner is status-go's Messenger. The tests have nothing to do with each other and run side by side.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { GoWaku } from '../peers/lib/go-waku.mjs';
import { config, identity, noroshi } from '../peers/lib/noroshi.mjs';
import { scratch } from '../peers/lib/process.mjs';
import { allAcknowledged, countPrinted, history, notified, pair, Pairing, prints, reaches, scene, shown, told } from '../peers/lib/status-scene.mjs';

const isRequest = (entry) => entry.type === 5;
const stages = ['handed_over', 'stored', 'delivered', 'answered'];

/** An alert fires and ends: two notifications, the second a reply to the first, whose text changes. */
async function alertAndItsEnd({ user, self, target }) {
  target.value = 9;
  const [alert, notification] = await Promise.all([told(user, self, 'FIRING TooHigh'), notified(user, self, 'FIRING TooHigh')]);
  assert.match(alert.text, /value 9/);
  assert.deepEqual([notification.category, notification.title], ['newMessage', 'noroshi']);
  assert.match(notification.body, /value 9/);
  target.value = 0;
  const [over] = await Promise.all([told(user, self, 'RESOLVED TooHigh'), notified(user, self, 'RESOLVED TooHigh')]);
  assert.equal(over.response_to, alert.id);
  const edited = await user.until('message', (m) => m.id === alert.id && m.text.startsWith('[over] FIRING TooHigh'), 90_000);
  assert.ok(edited.edited_at > 0);
}

const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

describe('status-go: the daemon and its owner', { concurrency: 6, timeout: 400_000 }, () => {
  for (const contactsOnly of [false, true]) {
    const who = contactsOnly ? 'an owner who hears contacts only' : 'the owner';
    test(`status-go: ${who} adds the daemon: an alert and its end raise notifications`, { timeout: 200_000 }, async (t) => {
      const world = await scene(t, { number: contactsOnly ? 18 : 17, user: { contactsOnly } });
      await pair(world);
      await notified(world.user, world.self, 'noroshi watches');
      await alertAndItsEnd(world);
    });
  }

  test('status-go: `noroshi pair` shows who asks and accepts; named as a receiver it is told', { timeout: 200_000 }, async (t) => {
    const world = await scene(t, { number: 19 });
    const { user, daemon, self, text } = world;
    // Nobody of Status is in the configuration yet.
    daemon.configure(text.replace('status_configs', 'waku_configs').replace(user.chat_key, identity(join(scratch(t), 'reader'))));
    daemon.reload();
    await daemon.child.until('is reloaded', () => daemon.child.log().includes('event=reloaded'));
    const pairing = new Pairing(t, daemon, ['--yes']);
    const shows = await pairing.until('identity');
    assert.deepEqual([shows.chat_key, shows.url], [self.chat_key, self.url]);
    await user.contact(self.chat_key, 'it is me');
    assert.deepEqual(await pairing.until('request'), { event: 'request', from: user.chat_key, name: 'owner-19', text: 'it is me' });
    assert.deepEqual(await pairing.until('paired'), { event: 'paired', with: user.chat_key });
    assert.equal((await pairing.child.ended).code, 0);
    await user.mutual(self.pubkey);
    await user.send(self.pubkey, 'not yet a receiver');
    await prints(daemon, user, 'not yet a receiver', { receiver: 'unpaired' });
    daemon.configure(text);
    daemon.reload();
    world.target.value = 9;
    await notified(user, self, 'FIRING TooHigh');
  });

  test('status-go: `noroshi pair KEY` asks: a contact request is shown, accepted, and alerts notify', { timeout: 200_000 }, async (t) => {
    const world = await scene(t, { number: 20 });
    const { user, daemon, self } = world;
    const pairing = new Pairing(t, daemon, [user.chat_key]);
    const entry = await user.until('activity', isRequest, 90_000);
    assert.deepEqual([entry.author, entry.name], [self.pubkey, 'noroshi']);
    assert.match(entry.text, /noroshi would like to send you its alerts/);
    await user.accept(entry.message_id);
    assert.deepEqual(await pairing.until('paired'), { event: 'paired', with: user.chat_key });
    await user.mutual(self.pubkey);
    await alertAndItsEnd(world);
  });

  test('status-go: `noroshi pair` without a daemon; the daemon finds the contact', { timeout: 200_000 }, async (t) => {
    const { user, daemon, self } = await scene(t, { number: 21 });
    await daemon.stop();
    const pairing = new Pairing(t, daemon);
    await pairing.until('identity');
    await user.contact(self.chat_key, 'it is me');
    assert.deepEqual(await pairing.until('paired', 90_000), { event: 'paired', with: user.chat_key });
    assert.equal((await pairing.child.ended).code, 0);
    await daemon.run();
    await user.mutual(self.pubkey, 90_000);
    await notified(user, self, 'noroshi watches');
  });

  test('status-go: who hears contacts only is not reached by asking, and noroshi says that it waits', { timeout: 200_000 }, async (t) => {
    const world = await scene(t, { number: 22, user: { contactsOnly: true } });
    const { user, daemon, self } = world;
    const pairing = new Pairing(t, daemon, [user.chat_key], '15s');
    assert.notEqual((await pairing.child.ended).code, 0);
    assert.match(pairing.child.log(), /has not accepted within 15s/);
    const list = noroshi(['pair', 'list', '--json', '--config', daemon.file, '--data', daemon.data]);
    const contact = JSON.parse(list.stdout);
    assert.deepEqual([contact.chat_key, contact.mutual, contact.asked_by_us], [user.chat_key, false, true]);
    assert.match((await daemon.get('/healthz')).text, /not paired/);
    assert.match((await history(daemon)).at(-1).last_error, /^not_paired: .*noroshi pair/);
    // It was decrypted and acknowledged, and dropped after that.
    await allAcknowledged(daemon);
    assert.deepEqual(user.all('activity'), []);
    assert.deepEqual(user.all('message', (m) => m.from === self.pubkey), []);
    await pair(world);
    await notified(user, self, 'noroshi watches');
  });

  test('status-go: a reply is printed, a thumb up on an alert is an answer', { timeout: 200_000 }, async (t) => {
    const world = await scene(t, { number: 23 });
    const { user, daemon, self, target } = world;
    await pair(world);
    target.value = 9;
    const alert = await told(user, self, 'FIRING TooHigh');
    await reaches(daemon, /^FIRING/, 'delivered');
    // Reactions travel without acknowledgement: a person whose thumb is lost sees nothing happen, too, and taps again.
    for (let tries = 0; tries < 4; ++tries) {
      const { id } = await user.react(self.pubkey, alert.id, 2);
      if (await reaches(daemon, /^FIRING/, 'answered', 10_000).catch(() => undefined)) break;
      await user.unreact(id);
    }
    await reaches(daemon, /^FIRING/, 'answered', 1_000);
    target.value = 0;
    const over = await told(user, self, 'RESOLVED TooHigh');
    await user.reply(self.pubkey, over.id, 'well done');
    await prints(daemon, user, 'well done');
    await reaches(daemon, /^RESOLVED/, 'answered');
    await user.send(self.pubkey, 'two\nlines, \u001b[31mred\u202e');
    await prints(daemon, user, 'two\\nlines, \\x1b[31mred\\u202e');
    assert.ok(Object.values(countPrinted(daemon, user)).every((times) => times === 1));
  });

  test('status-go: an image of 1.2 MB in segments: its text is printed, and it is acknowledged', { timeout: 200_000 }, async (t) => {
    const world = await scene(t, { number: 24 });
    const { user, daemon, self } = world;
    await pair(world);
    const file = join(user.folder, 'image.png');
    writeFileSync(file, Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(1_200_000)]));
    const { id } = await user.image(self.pubkey, file, { text: 'look' });
    await prints(daemon, user, 'look');
    await user.until('delivered', (d) => d.ids.includes(id), 90_000);
    assert.ok(await daemon.metric('noroshi_status_received_total{result="segment"}') > 0);
  });

  test('status-go: the owner sees the name and the picture of the configuration', { timeout: 200_000 }, async (t) => {
    const file = join(scratch(t), 'picture');
    writeFileSync(file, picture);
    const world = await scene(t, { number: 26, status: `{ display_name: barn-alarm, picture: ${JSON.stringify(file)} }` });
    const { user, self } = world;
    await pair(world);
    const { title } = await notified(user, self, 'noroshi watches');
    assert.equal(title, 'barn-alarm');
    await user.until('contact', (c) => c.id === self.pubkey && c.name === 'barn-alarm' && c.images > 0, 90_000);
  });

  test('status-go: the owner ends the contact: alerts wait; they come when he adds the daemon again', { timeout: 250_000 }, async (t) => {
    const world = await scene(t, { number: 27 });
    const { user, daemon, self, target } = world;
    await pair(world);
    await notified(user, self, 'noroshi watches');
    await user.retract(self.chat_key);
    await daemon.child.until('has heard it', async () => /not paired/.test((await daemon.get('/healthz')).text), 90_000);
    target.value = 9;
    await daemon.child.until('the alert waits', async () => (await history(daemon))[0].last_error.startsWith('not_paired'));
    const { length } = user.events;
    await user.contact(self.chat_key, 'again');
    await user.until('contact', (c) => c.id === self.pubkey && c.mutual, 90_000, length);
    await notified(user, self, 'FIRING TooHigh');
  });

  for (const mode of ['light', 'rest']) {
    const how = mode === 'light' ? 'a light daemon, by filter and lightpush of go-waku' : "a daemon whose node is go-waku's REST API";
    test(`status-go: ${how}: paired, told, answered`, { timeout: 200_000 }, async (t) => {
      const hub = await GoWaku.start(t, { number: 1, collect: mode === 'light' });
      const world = await scene(t, { number: mode === 'light' ? 28 : 29, hub, mode, rest: mode === 'rest' ? hub.url : undefined });
      const { user, daemon, self } = world;
      await pair(world);
      await alertAndItsEnd(world);
      await user.send(self.pubkey, 'well done');
      await prints(daemon, user, 'well done');
      await allAcknowledged(daemon);
    });
  }

  test('status-go: history: handed over, stored, delivered, answered, each with its time', { timeout: 200_000 }, async (t) => {
    const hub = await GoWaku.start(t, { number: 1 });
    const world = await scene(t, { number: 25, hub });
    const { user, daemon, self, target } = world;
    await pair(world);
    await reaches(daemon, /noroshi watches/, 'delivered');
    // With the phone off a message gets as far as the store.
    await user.stop();
    target.value = 9;
    await reaches(daemon, /^FIRING/, 'stored');
    await user.restart();
    const alert = await told(user, self, 'FIRING TooHigh');
    await reaches(daemon, /^FIRING/, 'delivered');
    await user.reply(self.pubkey, alert.id, 'I see');
    await reaches(daemon, /^FIRING/, 'answered');
    const said = noroshi(['history', '--json', '--config', daemon.file, '--data', daemon.data]);
    assert.equal(said.status, 0, said.stderr);
    const message = said.stdout.trim().split('\n').map((line) => JSON.parse(line)).find((m) => m.title.startsWith('FIRING'));
    const times = [message.created_at, ...stages.map((stage) => message.times[stage])];
    assert.ok(times.every(Boolean), JSON.stringify(message));
    assert.deepEqual(times, [...times].sort());
    for (const stage of stages) {
      assert.ok(await daemon.metric(`noroshi_outbox_stage_seconds_count{receiver="phone",stage="${stage}"}`) >= 1, stage);
    }
    assert.deepEqual([...shown(user.events, self).values()].map((ids) => ids.size), [1]);
  });
});
