// test/peers/lib/status-peer.mjs - real Status users (status-go's Messenger), and a sender of crafted envelopes made of its parts.
import { join } from 'node:path';

import { Child, freePort, scratch } from './process.mjs';

const program = () => {
  const path = process.env.NOROSHI_STATUS_PEER;
  if (!path) throw new Error('NOROSHI_STATUS_PEER is not set: run the tests through `make interop`');
  return path;
};

/** Each peer has a loopback address of its own: a node of this kind takes at most 5 connections from one address. */
let peers = 0;
const nextHost = () => `127.0.1.${++peers}`;

/** Keys of 32 equal bytes, as in the vectors of the Status tests: users 1, 2, ... */
export const chatKey = (number) => number.toString(16).padStart(2, '0').repeat(32);

/** What both programs have in common: JSON lines in, JSON lines out (test/peers/status-peer/main.go). */
class Speaker {
  async begin(t, name, args, { number, connect = [], folder, host = nextHost(), port, installation, log, ready = 60_000 }) {
    Object.assign(this, { t, name, args, connect, host, installation, log, readyMs: ready });
    this.key = chatKey(number);
    this.port = port ?? await freePort();
    this.folder = folder ?? scratch(t, 'noroshi-status-peer-');
    await this.run();
    return this;
  }

  async run() {
    this.parsed = [];
    this.tag = 0;
    const args = [...this.args, `--key=${this.key}`, `--host=${this.host}`, `--port=${this.port}`, `--data=${join(this.folder, 'data')}`,
      ...this.connect.map((address) => `--connect=${address}`),
      ...(this.installation ? [`--installation=${this.installation}`] : []), ...(this.log ? [`--log=${this.log}`] : [])];
    this.child = new Child(this.t, program(), args, { name: this.name, folder: this.folder, cwd: this.folder, stdin: 'pipe' });
    // Writing to one that has just ended is not an error of the test's own process.
    this.child.process.stdin.on('error', () => {});
    Object.assign(this, await this.until('ready', () => true, this.readyMs));
    this.address = this.addrs.find((a) => a.startsWith(`/ip4/${this.host}/tcp/${this.port}/p2p/`));
  }

  /** All events since the start, oldest first. */
  get events() {
    const { lines } = this.child;
    while (this.parsed.length < lines.length) this.parsed.push(JSON.parse(lines[this.parsed.length]));
    return this.parsed;
  }

  all(type, predicate = () => true) { return this.events.filter((e) => e.event === type && predicate(e)); }

  /** The first event of the type that fits, from number `after` on (`peer.events.length` is now). A user's first copy of a
   *  message may be lost on the way out of status-go v1.1.0, or wait up to 18 s when the other comes online; it is sent again
   *  within 36 s. */
  until(type, predicate = () => true, ms = 60_000, after = 0) {
    const fits = (e) => e.event === type && predicate(e);
    return this.child.until(`an event ${type} that fits ${predicate}`, () => this.events.slice(after).find(fits), ms);
  }

  /** Carries out a command and gives its answer; one that failed throws its reason. */
  async command(what, fields = {}, ms = 30_000) {
    const tag = ++this.tag;
    this.child.process.stdin.write(`${JSON.stringify({ do: what, tag, ...fields })}\n`);
    const isAnswer = (e) => (e.event === 'done' || e.event === 'failed') && e.tag === tag;
    const answer = await this.child.until(`the answer to ${what}`, () => this.events.find(isAnswer), ms);
    if (answer.event === 'failed') throw new Error(`${this.name}: ${what}: ${answer.reason}`);
    return answer;
  }

  /** Connects to a relay; again while libp2p waits after a dial that failed. */
  dial(address) { return this.child.until(`a connection to ${address}`, () => this.command('connect', { address })); }
  /** Waits for `count` relay peers. */
  connected(count = 1, ms = 30_000) {
    return this.child.until(`${count} peers`, () => (this.all('peers').at(-1)?.count ?? 0) >= count, ms);
  }

  /** Ends it politely, by the end of its standard input. */
  async stop(ms = 20_000) {
    this.child.process.stdin.end();
    const timer = setTimeout(() => this.child.signal('SIGKILL'), ms);
    const end = await this.child.ended;
    clearTimeout(timer);
    return end;
  }
  kill() { return this.child.kill(); }
  /** The same user again: key, address and databases stay; its events begin anew. */
  restart() { return this.run(); }
}

/** A Status user. `pubkey` (0x04..., also the id of its contact and of the chat with it), `compressed` and `chat_key` (zQ3sh...)
 *  are its identity, `address` is where its relay node listens. */
export class StatusPeer extends Speaker {
  /** `number` makes its key. `accept`: takes every contact request. `echo`: answers texts. `contactsOnly`: hears nobody else.
   *  `store`: serves the archive of the shard. `connect`: addresses of relays to dial. */
  static start(t, { number = 1, name = `user-${number}`, accept, echo, contactsOnly, store, extra = [], ...options } = {}) {
    const args = [...(name ? [`--name=${name}`] : []), ...(accept ? ['--accept'] : []), ...(echo ? ['--echo'] : []),
      ...(contactsOnly ? ['--contacts-only'] : []), ...(store ? ['--store'] : []), ...extra];
    return new StatusPeer().begin(t, `status-peer-${number}`, args, { number, ...options });
  }

  // Each gives {id}: of the message, the request or the reaction.
  contact(to, text = 'please add me') { return this.command('contact', { to, text }); }
  accept(id) { return this.command('accept', { id }); }
  decline(id) { return this.command('decline', { id }); }
  retract(to) { return this.command('retract', { to }); }
  send(to, text) { return this.command('send', { to, text }); }
  reply(to, id, text) { return this.command('send', { to, text, response_to: id }); }
  /** 1 love, 2 thumbs up, 3 thumbs down, 4 laugh, 5 sad, 6 angry. */
  react(to, id, type) { return this.command('react', { to, id, type }); }
  unreact(id) { return this.command('unreact', { id }); }
  edit(id, text) { return this.command('edit', { id, text }); }
  delete(id) { return this.command('delete', { id }); }
  /** As it is, or with `adjust` made small as the app does. */
  image(to, file, { text = '', adjust = false } = {}) { return this.command('image', { to, file, text, adjust }); }
  async filters() { return (await this.command('filters')).filters; }
  async contacts() { return (await this.command('contacts')).contacts; }
  async message(id) { return (await this.command('message', { id })).message; }
  contactsOnly(on) { return this.command('contacts_only', { on }); }

  /** Waits until both have each other as contacts. */
  mutual(pubkey, ms) { return this.until('contact', (c) => c.id === pubkey && c.mutual, ms); }
  /** A text from another user. */
  text(from, text, ms) { return this.until('message', (m) => m.from === from && m.text === text, ms); }
}

/** Publishes what an order says, right or wrong (test/peers/status-peer/craft.go), and shows each layer of what comes for its key. */
export class RawSender extends Speaker {
  /** `watch`: public keys whose contact-code and negotiated topics are read too. `ack`: acknowledges all messages. */
  static start(t, { number = 201, watch = [], ack, extra = [], ...options } = {}) {
    const args = ['raw', ...watch.map((key) => `--watch=${key}`), ...(ack ? ['--ack'] : []), ...extra];
    return new RawSender().begin(t, `raw-sender-${number}`, args, { number, ...options });
  }

  /** One or more messages; gives {messages: [{id, mvds_id, envelopes}], sent: [{envelope, hash, bytes, duplicate}]}. */
  send(messages, { order, pauseMs } = {}) {
    return this.command('send', { messages: [messages].flat(), order, pause_ms: pauseMs }, 60_000);
  }

  /** An envelope with a message of the type. */
  received(type, predicate = () => true, ms) {
    return this.until('received', (e) => e.messages?.some((m) => m.type === type) && predicate(e), ms);
  }
}
