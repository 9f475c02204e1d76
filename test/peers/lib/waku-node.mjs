// test/peers/lib/waku-node.mjs - src/waku's node by itself (test/peers/node): what it receives, unfiltered, and what it says of a publish.
import { resolve } from 'node:path';

import { contentTopic } from './go-waku.mjs';
import { Child } from './process.mjs';

const program = resolve(process.env.NOROSHI_WAKU_NODE ?? 'build/release/test/peers/waku_node');

export class WakuNode {
  /** `key`: private key, hex. `catchUp`: seconds of the past that stores are asked for. */
  static async start(t, peers, { relay = false, key, catchUp, topics = [contentTopic] } = {}) {
    const node = new WakuNode();
    const args = [...(relay ? ['--relay'] : []), ...(key ? ['--key', key] : []), ...(catchUp ? ['--catch-up', String(catchUp)] : []),
                  ...peers.flatMap((peer) => ['--peer', peer]), ...topics.flatMap((topic) => ['--topic', topic])];
    node.child = new Child(t, program, args, { name: 'waku-node', stdin: 'pipe' });
    node.next = 1;
    ({ peer: node.peerId } = await node.child.until('starts', () => node.said.find((line) => line.peer && !line.received)));
    return node;
  }

  get said() { return this.child.lines.map((line) => JSON.parse(line)); }
  /** Messages as bytes in hex, in the order they came. */
  get received() { return this.said.filter((line) => line.received).map((line) => line.received); }

  async ask(what, more = {}) {
    const id = this.next++;
    this.child.process.stdin.write(`${JSON.stringify({ id, do: what, ...more })}\n`);
    return this.child.until(`answers ${what}`, () => this.said.find((line) => line.id === id), 60_000);
  }

  topics(topics) { return this.ask('topics', { topics }); }
  /** {hash, peers}, or {error, retryable}. */
  publish(bytes, more = {}) { return this.ask('publish', { message: Buffer.from(bytes).toString('hex'), ...more }); }

  async metric(series) {
    const { metrics } = await this.ask('metrics');
    const line = metrics.split('\n').find((l) => l.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length + 1));
  }
}
