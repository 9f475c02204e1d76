// test/integration/status_peer.test.mjs - the Status peers of the tests among themselves, so that a later failure is noroshi's.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { RawSender, StatusPeer } from '../peers/lib/status-peer.mjs';

// Activity centre: 5 is a contact request. Content types: 1 text, 7 image, 11 contact request.
const isRequest = (entry) => entry.type === 5;

/** Two users who are contacts of each other. */
async function pair(t, first = {}, second = {}) {
  const a = await StatusPeer.start(t, { number: 17, name: 'first-user', ...first });
  const b = await StatusPeer.start(t, { number: 34, name: 'second-user', connect: [a.address], ...second });
  await Promise.all([a.connected(), b.connected()]);
  const request = await b.contact(a.chat_key, 'it is me');
  const entry = await a.until('activity', isRequest);
  assert.deepEqual([entry.author, entry.message_id, entry.text], [b.pubkey, request.id, 'it is me']);
  await a.accept(entry.message_id);
  await Promise.all([a.mutual(b.pubkey), b.mutual(a.pubkey)]);
  return [a, b];
}

test('Status peers: pair, text, reply, react, edit, delete, image; each text raises a notification', { timeout: 180_000 }, async (t) => {
  const [a, b] = await pair(t);
  assert.equal(a.chat_key, 'zQ3shjyJXUaRJC2GC43mX8aPrUhoTdoiongXhZjsdTzPKYZUM', 'the key of 32 bytes 0x11');

  const { id } = await b.send(a.chat_key, 'hello');
  const [text, notification] = await Promise.all([a.text(b.pubkey, 'hello'), a.until('notification', (n) => n.body === 'hello')]);
  assert.equal(text.id, id);
  assert.deepEqual([notification.category, notification.title, notification.author], ['newMessage', 'second-user', b.pubkey]);
  await b.until('delivered', (d) => d.ids.includes(id));

  await a.reply(b.pubkey, id, 'hello too');
  const reply = await b.text(a.pubkey, 'hello too');
  assert.equal(reply.response_to, id);
  await b.until('notification', (n) => n.body === 'hello too' && n.title === 'first-user');

  const reaction = await a.react(b.pubkey, id, 2);
  await b.until('reaction', (r) => r.message_id === id && r.from === a.pubkey && r.type === 2 && !r.retracted);
  await a.unreact(reaction.id);
  await b.until('reaction', (r) => r.message_id === id && r.retracted);

  await b.edit(id, 'hello again');
  const edited = await a.until('message', (m) => m.id === id && m.text === 'hello again');
  assert.ok(edited.edited_at > 0);
  await b.delete(id);
  await a.until('removed', (r) => r.id === id);

  // Larger than a message may be: it travels in segments.
  const file = join(a.folder, 'image.png');
  writeFileSync(file, Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(1_200_000)]));
  const image = await b.image(a.chat_key, file, { text: 'look' });
  const seen = await a.until('message', (m) => m.id === image.id);
  assert.deepEqual([seen.content_type, seen.image_bytes, seen.image_format], [7, 1_200_008, 1]);
});

test('Status peers: a user goes on after a restart, and hears what was sent meanwhile', { timeout: 180_000 }, async (t) => {
  const [a, b] = await pair(t);
  assert.deepEqual(await a.stop(), { code: 0, signal: null });
  const { id } = await b.send(a.chat_key, 'are you there?');
  await a.restart();
  await b.dial(a.address);
  assert.deepEqual((await a.contacts()).map((c) => [c.id, c.mutual]), [[b.pubkey, true]]);
  const text = await a.text(b.pubkey, 'are you there?');
  assert.equal(text.id, id);
  await b.until('delivered', (d) => d.ids.includes(id));
});

test('Status peers: who hears contacts only does not hear a stranger', { timeout: 180_000 }, async (t) => {
  const [a, b] = await pair(t);
  await a.contactsOnly(true);
  const stranger = await StatusPeer.start(t, { number: 51, name: 'a-stranger', connect: [a.address] });
  await stranger.connected();
  const { id } = await stranger.contact(a.chat_key, 'let me in');
  // It was decrypted and acknowledged, and dropped after that.
  await stranger.until('delivered', (d) => d.ids.includes(id));
  await b.send(a.chat_key, 'from a contact');
  await a.text(b.pubkey, 'from a contact');
  assert.deepEqual(a.all('message', (m) => m.from === stranger.pubkey), []);
});

test('Raw sender: its contact request is taken, its texts are notified, in order or not, whole or in segments', { timeout: 180_000 }, async (t) => {
  const user = await StatusPeer.start(t, { number: 17, name: 'first-user', accept: true });
  const raw = await RawSender.start(t, { connect: [user.address], ack: true });
  await Promise.all([user.connected(), raw.connected()]);
  const to = user.pubkey;
  const { messages: [request] } = await raw.send({ to, body: { text: 'add me', content_type: 'CONTACT_REQUEST', display_name: 'raw-sender' } });
  const entry = await user.until('activity', isRequest);
  assert.deepEqual([entry.message_id, entry.name], [request.id, 'raw-sender']);
  // What a client without bundles gets: everything by Diffie-Hellman alone, on its own partitioned topic.
  const accepted = await raw.received('ACCEPT_CONTACT_REQUEST');
  assert.deepEqual([accepted.from, accepted.topic, accepted.encryption, accepted.version, accepted.mvds], [to, 'partitioned', 'dh', 1, true]);
  assert.equal(accepted.messages.find((m) => m.type === 'ACCEPT_CONTACT_REQUEST').body.id, request.id);
  await raw.until('received', (e) => e.acks?.includes(request.mvds_id));

  const whole = (text) => ({ to, body: { text } });
  const { messages } = await raw.send([whole('one'), whole('two'), { ...whole('three'), pad_bytes: 5000, segments: { bytes: 1000, parity: 1 } }],
                                      { order: [1, 0, 6, 4, 4, 8, 7, 2, 3] });
  assert.deepEqual(messages.at(-1).envelopes, [2, 9], 'six segments, of which number 5 is lost, and their parity');
  for (const text of ['one', 'two', 'three']) await user.until('notification', (n) => n.body === text && n.title === 'raw-sender');

  await user.send(raw.pubkey, 'answer');
  const answer = await raw.received('CHAT_MESSAGE', (e) => e.messages.some((m) => m.body.text === 'answer'));
  await user.until('delivered', (d) => d.ids.includes(answer.messages[0].id));
});

test('Raw sender: the ratchet, its messages out of order', { timeout: 180_000 }, async (t) => {
  const user = await StatusPeer.start(t, { number: 17, name: 'first-user', accept: true });
  const raw = await RawSender.start(t, { watch: [user.pubkey], connect: [user.address], ack: true });
  await Promise.all([user.connected(), raw.connected()]);
  const to = user.pubkey;
  await raw.send({ to, bundle: true, body: { text: 'add me', content_type: 'CONTACT_REQUEST', display_name: 'raw-sender' } });
  // Our bundle is answered on the negotiated topic, by X3DH.
  const accepted = await raw.received('ACCEPT_CONTACT_REQUEST');
  assert.deepEqual([accepted.topic, accepted.encryption], ['negotiated', 'x3dh']);
  const ratchet = (text) => ({ to, encryption: 'ratchet', topic: 'negotiated', body: { text } });
  await raw.send(['one', 'two', 'three', 'four'].map(ratchet), { order: [2, 0, 3, 1] });
  for (const text of ['one', 'two', 'three', 'four']) await user.until('notification', (n) => n.body === text);
});

test('Raw sender: what is wrong is not taken by a real user, and what stands behind it is', { timeout: 180_000 }, async (t) => {
  const user = await StatusPeer.start(t, { number: 17, name: 'first-user', accept: true });
  const raw = await RawSender.start(t, { connect: [user.address] });
  await Promise.all([user.connected(), raw.connected()]);
  const to = user.pubkey;
  const text = (text, wrong = {}) => ({ to, body: { text }, ...wrong });
  await raw.send({ to, body: { text: 'add me', content_type: 'CONTACT_REQUEST', display_name: 'raw-sender' } });
  await user.mutual(raw.pubkey);
  const wrong = {
    version: { version: 0 },
    unsigned: { waku_key: 'none' },
    ahead: { clock_ahead_ms: 200_000 },
    cut: { damage: [{ layer: 'payload', keep: 100 }] },
    turned: { damage: [{ layer: 'payload', flip: -1 }] },
    forged: { damage: [{ layer: 'application', flip: -20 }] },
    foreign: { seal_to: raw.pubkey },
    half: { pad_bytes: 4000, segments: { bytes: 1000 } },
  };
  const { sent } = await raw.send(Object.entries(wrong).map(([name, how]) => text(name, how)), { order: [0, 1, 2, 3, 4, 5, 6, 7, 8] });
  assert.equal(new Set(sent.map((s) => s.hash)).size, sent.length);
  // Another key signs: taken, but as the other's word.
  const other = '33'.repeat(32);
  await raw.send([text('not mine', { app_key: other }), text('good', { encryption: 'public' }), text('good too', { encryption: 'none', mvds: false })]);
  await user.text(raw.pubkey, 'good');
  await user.text(raw.pubkey, 'good too');
  const { from } = await user.until('message', (m) => m.text === 'not mine');
  assert.notEqual(from, raw.pubkey);
  const { sent: twice } = await raw.send(text('twice'), { order: [0, 0, { envelope: 0, later_ms: 1 }] });
  assert.deepEqual(twice.map((s) => s.duplicate), [false, true, false]);
  await user.text(raw.pubkey, 'twice');
  await raw.send(text('the end'));
  await user.text(raw.pubkey, 'the end');
  const heard = user.all('message', (m) => m.from === raw.pubkey && m.content_type === 1).map((m) => m.text);
  assert.deepEqual(heard.sort(), ['good', 'good too', 'the end', 'twice']);
});
