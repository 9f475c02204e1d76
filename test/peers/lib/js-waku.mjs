// test/peers/lib/js-waku.mjs - js-waku's light node and payload encryption, from the packages that tools/peers/install-js.sh installed.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { cluster, contentTopic, pubsubTopic, shard } from './go-waku.mjs';
import { until } from './process.mjs';
import { decode, frames, framed, protocols } from './wire.mjs';

const folder = process.env.NOROSHI_JS_PEERS;
if (!folder) throw new Error('NOROSHI_JS_PEERS is not set: run the tests through `make interop`');
export const js = await import(pathToFileURL(join(folder, 'exports.mjs')).href);

export const { generatePrivateKey, getPublicKey, messageHash } = js;
const routingInfo = js.createRoutingInfo({ clusterId: cluster }, { shardId: shard });

/** Decrypts a message as go-waku's REST API gives it; undefined when js-waku cannot. */
export async function decrypt(message, privateKey) {
  const decoder = js.ecies.createDecoder(contentTopic, routingInfo, privateKey);
  return decoder.fromProtoObj(pubsubTopic, {
    payload: new Uint8Array(Buffer.from(message.payload, 'base64')),
    contentTopic: message.contentTopic,
    version: message.version,
    timestamp: BigInt(message.timestamp),
  });
}

/** An encrypted and signed payload, as bytes. */
export async function encrypt(payload, publicKey, sigPrivKey) {
  const encoder = js.ecies.createEncoder({ contentTopic, routingInfo, publicKey, sigPrivKey });
  return (await encoder.toProtoObj({ payload })).payload;
}

/** A js-waku light node that is connected with `address`. Its defaults are WebSocket and mplex; `tcp` gives it TCP and yamux.
 *  `key`: private key of secp256k1 in hex, for a peer id that another program has too. */
export class JsWaku {
  static async start(t, address, { tcp = false, cluster: clusterId = cluster, autosharding, key } = {}) {
    const self = new JsWaku();
    // With autosharding the content topic decides on the shard.
    const networkConfig = autosharding ? { clusterId, numShardsInCluster: autosharding } : { clusterId };
    self.routingInfo = js.createRoutingInfo(networkConfig, autosharding ? { contentTopic } : { shardId: shard });
    const libp2p = { filterMultiaddrs: false, hideWebSocketInfo: true, ...(key ? { privateKey: js.privateKeyFromRaw(Buffer.from(key, 'hex')) } : {}),
                     ...(tcp ? { transports: [js.tcp()], streamMuxers: [js.yamux()] } : {}) };
    self.node = await js.createLightNode({
      networkConfig, defaultBootstrap: false,
      discovery: { dns: false, peerExchange: false, peerCache: false }, libp2p,
    });
    t.after(() => self.node.stop());
    await self.node.start();
    self.address = js.multiaddr(address);
    await self.reconnect();
    self.encoder = js.createEncoder({ contentTopic, routingInfo: self.routingInfo });
    self.decoder = js.createDecoder(contentTopic, self.routingInfo);
    self.received = [];
    await until('js-waku has identified the node', async () => {
      const peers = await self.node.libp2p.peerStore.all();
      return peers.some((peer) => peer.protocols.length > 3);
    });
    return self;
  }

  async reconnect() { return (this.connection = await this.node.libp2p.dial(this.address)); }
  get muxer() { return this.connection.multiplexer; }
  subscribe() { return this.node.filter.subscribe([this.decoder], (message) => this.received.push(Buffer.from(message.payload).toString())); }
  /** Through lightpush, version 3 unless `legacy`. */
  push(payload, { legacy = false } = {}) {
    return this.node.lightPush.send(this.encoder, { payload: Buffer.from(payload) }, { useLegacy: legacy, autoRetry: false });
  }
  /** One request on a stream of its own, past js-waku; the one frame of the answer. */
  async raw(protocol, body) {
    const stream = await this.node.libp2p.dialProtocol(this.address, protocol, { signal: AbortSignal.timeout(10_000) });
    const timer = setTimeout(() => stream.abort(new Error(`no answer on ${protocol}`)), 10_000);
    try {
      await stream.sink([framed(body)]);
      let got = Buffer.alloc(0);
      for await (const part of stream.source) {
        got = Buffer.concat([got, part.subarray()]);
        const [answer] = frames(got);
        if (answer) return answer;
      }
      throw new Error(`the stream of ${protocol} ended without an answer`);
    } finally {
      clearTimeout(timer);
    }
  }
  /** Filter pushes from now on, as the bytes of their messages, past js-waku. */
  async rawPushes() {
    const pushed = [];
    await this.node.libp2p.unhandle(protocols.filterPush);
    await this.node.libp2p.handle(protocols.filterPush, async ({ stream }) => {
      const parts = [];
      for await (const part of stream.source) parts.push(part.subarray());
      pushed.push(...frames(Buffer.concat(parts)).map((push) => decode(push)[1][0]));
      await stream.close();
    }, { maxInboundStreams: 100 });
    return pushed;
  }
  /** Payloads that the store has, in the order given. */
  async stored(options = {}) {
    const out = [];
    await this.node.store.queryWithOrderedCallback([this.decoder], (message) => { out.push(Buffer.from(message.payload).toString()); }, options);
    return out;
  }
}
