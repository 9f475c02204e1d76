// test/peers/lib/status-scene.mjs - a Status user, a daemon that tells him of alerts, and what the tests ask of the two.
import { ECDH } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { config, Daemon, identities, program } from './noroshi.mjs';
import { Child, scratch } from './process.mjs';
import { RawSender, StatusPeer } from './status-peer.mjs';
import { rule, targets, valueTarget } from './value-target.mjs';

/** Who a daemon is in Status: `chat_key` (zQ3sh...), `url`, and `pubkey` (0x04...), the id of its contact. */
export function statusIdentity(folder) {
  const { id, chat_key, url } = identities(folder);
  return { chat_key, url, pubkey: `0x${ECDH.convertKey(id, 'secp256k1', 'hex', 'hex', 'uncompressed')}` };
}

/** A daemon that tells `to` when the value is above 5. */
export async function alarm(t, { to, peers, ...more }) {
  const folder = scratch(t);
  writeFileSync(join(folder, 'rules.yml'), rule);
  const target = await valueTarget(t);
  const text = config({ to, peers: peers.map((peer) => peer.address), rules: join(folder, 'rules.yml'), targets: targets(target), ...more });
  const daemon = await Daemon.start(t, text);
  return { daemon, target, self: statusIdentity(daemon.data), text };
}

/** A user and the daemon that tells him. The daemon dials the user; with `hub` both meet at that relay. */
export async function scene(t, { number, hub, user: options = {}, ...more }) {
  const user = await StatusPeer.start(t, { number, name: `owner-${number}`, connect: hub ? [hub.address] : [], ...options });
  const made = await alarm(t, { to: user.chat_key, peers: [hub ?? user], ...more });
  await user.connected();
  return { user, ...made };
}

/** The user adds the daemon, which knows him by its configuration. */
export async function pair({ user, self }) {
  await user.contact(self.chat_key, 'it is me');
  await user.mutual(self.pubkey);
}

/** A crafting contact of the daemon, who acknowledges what comes; with `second` there is another one. They are dialled by
 *  the daemon, or meet it at `hub`. */
export async function rawScene(t, { number = 201, bundle = false, second = false, hub, ...more } = {}) {
  const start = (n) => RawSender.start(t, { number: n, ack: true, connect: hub ? [hub.address] : [] });
  const senders = await Promise.all(second ? [start(number), start(number + 1)] : [start(number)]);
  const [to, ...also] = senders.map((sender) => sender.chat_key);
  const made = await alarm(t, { to, also, peers: hub ? [hub] : senders, ...more });
  const meet = async (sender) => {
    await sender.connected();
    await sender.send(request(made.self, { bundle }));
    return sender.received('ACCEPT_CONTACT_REQUEST');
  };
  const [accepted] = await Promise.all(senders.map(meet));
  return { raw: senders[0], second: senders[1], accepted, ...made };
}

export const request = (self, more = {}, text = 'add me') =>
  ({ to: self.pubkey, body: { text, content_type: 'CONTACT_REQUEST', display_name: 'raw-sender' }, ...more });

/** A running `noroshi pair --json`; `arguments_` are its others. */
export class Pairing {
  constructor(t, daemon, arguments_ = [], timeout = '90s') {
    const args = ['pair', ...arguments_, '--json', '--timeout', timeout, '--config', daemon.file, '--data', daemon.data];
    this.child = new Child(t, program, args, { name: 'pair', folder: daemon.folder });
  }

  get events() { return this.child.lines.map((line) => JSON.parse(line)); }
  until(event, ms = 60_000) {
    return this.child.until(`says ${event}`, () => this.events.find((e) => e.event === event), ms);
  }
}

/** Kills the daemon, but not between a line and the note that it was printed: that line comes again, since none may be lost. */
export async function killed(daemon) {
  await daemon.child.until('has noted what it printed', async () => !(await daemon.metric('noroshi_status_events_waiting')));
  await daemon.kill();
}

/** Kills the daemon and starts it again; waits until `peer`, whom it dials, has it back. */
export async function restarted(daemon, peer) {
  await killed(daemon);
  await peer.child.until('has lost the daemon', () => peer.all('peers').at(-1).count === 0);
  await daemon.run();
  await peer.connected();
}

/** Messages of the daemon as its API has them, the newest first. */
export const history = async (daemon) => JSON.parse((await daemon.get('/api/v1/messages?limit=100')).text).messages;

/** Waits until the newest message whose title fits has come that far. */
export const reaches = (daemon, title, state, ms = 90_000) =>
  daemon.child.until(`${title} is ${state}`, async () => (await history(daemon)).find((m) => title.test(m.title) && m.state === state), ms);

/** Waits until everything sent is acknowledged. */
export const allAcknowledged = (daemon, ms = 90_000) =>
  daemon.child.until('all is acknowledged', async () => (await daemon.metric('noroshi_status_unacknowledged')) === 0, ms);

/** Waits for a line of a Status user; the first copy of a real user's text may be lost and comes again within 36 s. */
export async function prints(daemon, from, text, { receiver = 'phone', ms = 90_000 } = {}) {
  const line = `reply from ${from.chat_key} (${receiver}): ${text}`;
  await daemon.child.until(`prints ${JSON.stringify(line)}`, () => daemon.printed.includes(line), ms);
}

/** How often each line was printed since the first start. */
export function countPrinted(daemon, from, receiver = 'phone') {
  const head = `reply from ${from.chat_key} (${receiver}): `;
  const counts = {};
  for (const line of daemon.printed.filter((l) => l.startsWith(head))) counts[line.slice(head.length)] = (counts[line.slice(head.length)] ?? 0) + 1;
  return counts;
}

/** Texts of the daemon that a user was shown: ids by text, over all the given events. */
export function shown(events, self) {
  const texts = new Map();
  for (const e of events.filter((m) => m.event === 'message' && m.from === self.pubkey && m.content_type === 1)) {
    texts.set(e.text, (texts.get(e.text) ?? new Set()).add(e.id));
  }
  return texts;
}

/** Waits for a text of the daemon that begins so. */
export const told = (user, self, begin, ms = 90_000) =>
  user.until('message', (m) => m.from === self.pubkey && m.text.startsWith(begin), ms);
/** Waits for a notification on the user's screen. */
export const notified = (user, self, text, ms = 90_000) =>
  user.until('notification', (n) => n.author === self.pubkey && n.body.includes(text), ms);
