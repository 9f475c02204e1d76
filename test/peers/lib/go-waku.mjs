// test/peers/lib/go-waku.mjs - a real go-waku node, driven through its REST API; it runs in an empty folder of its own.
import { Child, freePort, scratch } from './process.mjs';

export const cluster = 16;
export const shard = 32;
export const pubsubTopic = `/waku/2/rs/${cluster}/${shard}`;
export const contentTopic = '/noroshi/1/alerts/proto';

const program = () => {
  const path = process.env.NOROSHI_GO_WAKU;
  if (!path) throw new Error('NOROSHI_GO_WAKU is not set: run the tests through `make interop`');
  return path;
};

/** Keys end in the number, so that a node keeps its peer id over a restart. */
const nodeKey = (number) => number.toString(16).padStart(64, 'a0');

export class GoWaku {
  /** `number`: which node of the test, from 1. `through`: the address of a service node, of which this one is a light
   *  client; else it is a relay that serves filter, lightpush and store itself. `collect`: its cache collects messages
   *  for `messages`; a node that noroshi drives collects for noroshi. */
  static async start(t, { number = 1, peers = [], relay = true, store = true, lightpush = true, collect = true, through, ports, log = 'DEBUG', extra = [] } = {}) {
    const node = new GoWaku();
    node.t = t;
    node.folder = scratch(t, 'noroshi-go-waku-');
    node.number = number;
    node.peers = peers;
    node.relay = relay && !through;
    node.collect = collect;
    node.through = through;
    node.log = log;
    node.extra = extra;
    node.served = { store, lightpush };
    node.ports = ports ?? { tcp: await freePort(), rest: await freePort() };
    await node.run();
    return node;
  }

  async run() {
    const { tcp, rest } = this.ports;
    const args = [
      '--address=127.0.0.1', `--tcp-port=${tcp}`, `--ext-multiaddr=/ip4/127.0.0.1/tcp/${tcp}`,
      `--nodekey=${nodeKey(this.number)}`, `--cluster-id=${cluster}`, `--pubsub-topic=${pubsubTopic}`,
      `--relay=${this.relay}`, '--min-relay-peers-to-publish=0', ...this.roles(),
      '--rest', '--rest-admin', `--rest-port=${rest}`, '--ip-colocation-limit=0', '--circuit-relay=false',
      `--log-level=${this.log}`, ...this.peers.map((peer) => `--staticnode=${peer}`),
      ...this.extra,
    ];
    this.child = new Child(this.t, program(), args, { cwd: this.folder, name: `go-waku-${this.number}`, folder: this.folder });
    await this.child.until('its REST API answers', async () => (await this.rest('/debug/v1/info')).listenAddresses);
    const { listenAddresses } = await this.rest('/debug/v1/info');
    this.address = listenAddresses.find((a) => a.startsWith(`/ip4/127.0.0.1/tcp/${tcp}/p2p/`));
    this.peerId = this.address.split('/').at(-1);
    if (this.relay && this.collect) await this.rest('/relay/v1/subscriptions', { method: 'POST', body: [pubsubTopic] });
  }

  roles() {
    const node = this.through;
    return node ? [`--staticnode=${node}`, `--filternode=${node}`, `--lightpushnode=${node}`, `--storenode=${node}`]
      : ['--filter', ...(this.served.lightpush ? ['--lightpush'] : []),
         ...(this.served.store ? ['--store', '--store-message-db-url=sqlite3://store.db'] : [])];
  }

  /** Of its REST API. */
  get url() { return `http://127.0.0.1:${this.ports.rest}`; }

  async rest(path, { method = 'GET', body } = {}) {
    const answer = await fetch(`${this.url}${path}`, {
      method, body: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`go-waku ${method} ${path}: ${answer.status} ${text}`);
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  /** Messages relayed since the last call. */
  async messages() {
    return (await this.rest(`/relay/v1/messages/${encodeURIComponent(pubsubTopic)}`)) ?? [];
  }

  /** All messages of its archive, oldest first: also those that came before anybody asked. */
  async archive() {
    const answer = await this.rest(`/store/v1/messages?pubsubTopic=${encodeURIComponent(pubsubTopic)}&pageSize=100&ascending=true`);
    return answer.messages ?? [];
  }

  static message(payload, version = 1) {
    return { payload: Buffer.from(payload).toString('base64'), contentTopic, version, timestamp: Date.now() * 1_000_000 };
  }

  async publish(payload, version) {
    return this.rest(`/relay/v1/messages/${encodeURIComponent(pubsubTopic)}`, { method: 'POST', body: GoWaku.message(payload, version) });
  }

  // What a light client does through its service node.
  async subscribe() {
    return this.rest('/filter/v2/subscriptions', { method: 'POST', body: { requestId: 'subscribe', pubsubTopic, contentFilters: [contentTopic] } });
  }
  async ping() { return this.rest('/filter/v2/subscriptions/ping'); }
  /** Messages pushed by filter since the last call. */
  async filtered() {
    return (await this.rest(`/filter/v2/messages/${encodeURIComponent(pubsubTopic)}/${encodeURIComponent(contentTopic)}`)) ?? [];
  }
  async lightpush(payload, version) {
    return this.rest('/lightpush/v1/message', { method: 'POST', body: { pubsubTopic, message: GoWaku.message(payload, version) } });
  }
  /** A query of store version 3 of another node. */
  async stored(address, query = {}) {
    const parameters = new URLSearchParams({ peerAddr: address, pubsubTopic, contentTopics: contentTopic, includeData: 'true', ascending: 'true', ...query });
    return this.rest(`/store/v3/messages?${parameters}`);
  }

  async connectedPeers() {
    const peers = await this.rest('/admin/v1/peers');
    return (peers ?? []).filter((p) => JSON.stringify(p).includes('true'));
  }

  kill() { return this.child.kill(); }
  /** The same node again: key, ports and archive stay. */
  restart() { return this.run(); }
}
