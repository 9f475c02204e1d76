// test/integration/status_hostile.test.mjs - Status envelopes that are wrong, forged, repeated or too many: each is counted by its
// reason, none is printed, and the next honest text arrives. What is crafted is made of status-go's own parts.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';

import { residentBytes } from '../peers/lib/process.mjs';
import { chatKey, RawSender } from '../peers/lib/status-peer.mjs';
import { countPrinted, history, Pairing, prints, rawScene, reaches, request, restarted } from '../peers/lib/status-scene.mjs';

const received = async (daemon, result) => (await daemon.metric(`noroshi_status_received_total{result="${result}"}`)) ?? 0;
const stranger = chatKey(77);
const MiB = 1024 * 1024;

/** What is done to a text, and the word under which it is counted. */
const wrong = (self, second) => ({
  unsigned: [{ waku_key: 'none' }, 'unsigned'],
  stranger: [{ waku_key: stranger, app_key: stranger }, 'unknown_sender'],
  envelopeOfAStranger: [{ waku_key: stranger }, 'unknown_sender'],
  wordOfAStranger: [{ app_key: stranger }, 'other_signer'],
  envelopeOfAContact: [{ waku_key: second.key }, 'other_group'],
  unsignedWord: [{ app_key: 'none' }, 'bad_signature'],
  changedWord: [{ damage: [{ layer: 'application', flip: -20 }] }, 'other_signer'],
  noEncryption: [{ encryption: 'none' }, 'not_encrypted'],
  publicText: [{ encryption: 'public' }, 'not_encrypted'],
  brokenEncryption: [{ damage: [{ layer: 'protocol', keep: 60 }] }, 'not_encrypted'],
  brokenMvds: [{ damage: [{ layer: 'mvds', keep: -1 }] }, 'malformed'],
  ahead: [{ clock_ahead_ms: 200_000 }, 'clock_ahead'],
  foreign: [{ seal_to: second.pubkey }, 'foreign'],
  cut: [{ damage: [{ layer: 'payload', keep: -1 }] }, 'foreign'],
  short: [{ damage: [{ layer: 'payload', keep: 100 }] }, 'too_short'],
  turned: [{ damage: [{ layer: 'payload', flip: -1 }] }, 'foreign'],
  noise: [{ payload_hex: randomBytes(400).toString('hex') }, 'foreign'],
  noTime: [{ no_timestamp: true }, 'no_timestamp'],
  group: [{ body: { text: 'group', message_type: 'PRIVATE_GROUP' } }, 'bad_kind'],
  empty: [{ body: { text: '  ' } }, 'bad_text'],
  wrongHash: [{ pad_bytes: 3_000, segments: { bytes: 2_000, hash: '11'.repeat(32) } }, 'bad_hash'],
  wrongIndex: [{ segments: { bytes: 100_000, count: 2, index: 2 } }, 'bad_segment'],
  badClock: [{ body: { text: 'clock', clock: '18446744073709551615' } }, 'bad_clock'],
});

describe('status-go: hostile envelopes', { concurrency: 3, timeout: 400_000 }, () => {
  test('status-go: unsigned, forged, damaged, unencrypted, of tomorrow, foreign: counted, not printed; then an honest text', { timeout: 250_000 }, async (t) => {
    const { raw, second, daemon, self, target } = await rawScene(t, { number: 201, second: true });
    target.value = 9;
    const alert = await raw.received('CHAT_MESSAGE', (e) => e.messages.some((m) => m.body?.text?.startsWith('FIRING')));
    await reaches(daemon, /^FIRING/, 'delivered');
    const [{ id }] = alert.messages;

    const cases = Object.entries(wrong(self, second));
    const texts = cases.map(([name, [how]]) => ({ to: self.pubkey, body: { text: name, response_to: id }, ...how }));
    // A thumb for another chat, and one of somebody else, are no answer to the alert.
    const thumb = (how) => ({ to: self.pubkey, type: 'EMOJI_REACTION', mvds: false, body: { message_id: id, type: 'THUMBS_UP', ...how.body }, ...how.rest });
    const thumbs = [thumb({ body: { chat_id: second.pubkey } }), thumb({ rest: { app_key: stranger } })];
    const expected = { other_chat: 1, other_signer: 1 };
    for (const [, [, reason]] of cases) expected[reason] = (expected[reason] ?? 0) + 1;
    const before = Object.fromEntries(await Promise.all(Object.keys(expected).map(async (reason) => [reason, await received(daemon, reason)])));

    await raw.send([...texts, ...thumbs]);
    for (const [reason, count] of Object.entries(expected)) {
      await daemon.child.until(`${count} are counted as ${reason}`, async () => (await received(daemon, reason)) - before[reason] >= count, 30_000);
    }
    await raw.send({ to: self.pubkey, clock_ahead_ms: 60_000, body: { text: 'a minute ahead' } });
    await prints(daemon, raw, 'a minute ahead');
    await raw.send({ to: self.pubkey, body: { text: 'honest' } });
    await prints(daemon, raw, 'honest');
    for (const [reason, count] of Object.entries(expected)) {
      assert.equal((await received(daemon, reason)) - before[reason], count, reason);
    }
    assert.deepEqual(countPrinted(daemon, raw), { 'a minute ahead': 1, honest: 1 });
    assert.deepEqual(countPrinted(daemon, second, 'also-1'), {});
    assert.equal(daemon.printed.length, 2, daemon.printed.join('\n'));
    const [firing] = (await history(daemon)).filter((m) => m.title.startsWith('FIRING'));
    assert.deepEqual([firing.state, firing.times.answered], ['delivered', null]);
  });

  test('status-go: a contact request that anybody could have read is not shown, an encrypted one is', { timeout: 200_000 }, async (t) => {
    const { daemon, raw, self } = await rawScene(t, { number: 207 });
    const other = await RawSender.start(t, { number: 209, connect: [raw.address] });
    await other.connected();
    const pairing = new Pairing(t, daemon, ['--yes', other.chat_key]);
    await pairing.until('identity');
    await daemon.child.until('requests are let in', async () => JSON.parse((await daemon.get('/api/v1/status')).text).pairing_open);
    await other.send(['public', 'none'].map((encryption) => request(self, { encryption }, encryption)));
    await daemon.child.until('both are counted', async () => (await received(daemon, 'not_encrypted')) === 2);
    await other.send({ to: self.pubkey, body: { text: 'a text of a stranger' } });
    await daemon.child.until('the text is counted', async () => (await received(daemon, 'not_allowed')) === 1);
    await other.send(request(self, {}, 'encrypted'));
    await pairing.until('paired');
    assert.deepEqual(pairing.events.filter((e) => e.event === 'request').map((e) => e.text), ['encrypted']);
    assert.deepEqual(daemon.printed, []);
  });

  test('status-go: segments that never become whole, 60 MB of them, cost bounded memory', { timeout: 300_000 }, async (t) => {
    const { raw, daemon, self } = await rawScene(t, { number: 211 });
    const before = residentBytes(daemon.child.pid);
    const after = [];
    for (let round = 0; round < 12; ++round) {
      const large = { to: self.pubkey, body: { text: 'never whole' }, pad_bytes: 5_000_000, segments: { bytes: 700_000 } };
      await raw.send(large, { order: [0, 1, 2, 3, 4, 5, 6] });
      await daemon.child.until('all came', async () => (await received(daemon, 'segment')) === 7 * (round + 1));
      after.push(residentBytes(daemon.child.pid));
    }
    const inMiB = (bytes) => (bytes / MiB).toFixed(1);
    t.diagnostic(`resident: ${inMiB(before)} MiB before, then ${after.map(inMiB).join(' ')}`);
    // Of one sender 8 MiB are kept; the rest is room of allocators and what libp2p keeps for peers that come late.
    assert.ok(Math.max(...after) - before < 64 * MiB);
    await raw.send({ to: self.pubkey, body: { text: 'whole' }, pad_bytes: 5_000, segments: { bytes: 1_000, parity: 1 } }, { order: [5, 3, 3, 0, 2, 6, 1, 4] });
    await prints(daemon, raw, 'whole');
    assert.deepEqual(countPrinted(daemon, raw), { whole: 1 });
  });

  test('status-go: version 0, one envelope twice, one text in another envelope: each text once, also after a restart', { timeout: 250_000 }, async (t) => {
    const { raw, daemon, self } = await rawScene(t, { number: 213 });
    await raw.send({ to: self.pubkey, version: 0, body: { text: 'version 0' } });
    await prints(daemon, raw, 'version 0');
    // Same clock, same time: the same bytes are signed, so that it is the same message.
    const now = Date.now();
    const same = (more = {}) => ({ to: self.pubkey, mvds_seconds: Math.floor(now / 1000), body: { text: 'once', clock: String(now), timestamp: String(now) }, ...more });
    const { messages: [first] } = await raw.send(same(), { order: [0, 0, { envelope: 0, later_ms: 1 }] });
    const acknowledged = (times) => raw.child.until(`is acknowledged ${times} times`, () => raw.all('received', (e) => e.acks?.includes(first.mvds_id)).length >= times);
    await prints(daemon, raw, 'once');
    await acknowledged(1);
    const { messages } = await raw.send([same(), same({ mvds_seconds: 1 }), same({ mvds: false }), same({ version: 0 })]);
    assert.deepEqual(messages.map((m) => m.id), Array(4).fill(first.id));
    await daemon.child.until('they are counted', async () => (await received(daemon, 'duplicate')) === 4);
    assert.ok(await received(daemon, 'duplicate_envelope') >= 1);
    await restarted(daemon, raw);
    await raw.send([same(), { to: self.pubkey, body: { text: 'the end' } }]);
    await prints(daemon, raw, 'the end');
    assert.equal(await received(daemon, 'duplicate'), 1);
    assert.deepEqual(countPrinted(daemon, raw), { 'version 0': 1, once: 1, 'the end': 1 });
    // Whoever repeats has not heard the acknowledgement.
    await acknowledged(2);
  });
});
