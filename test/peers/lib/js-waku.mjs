// test/peers/lib/js-waku.mjs - js-waku's payload encryption, from the packages that tools/peers/install-js.sh installed.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { cluster, contentTopic, pubsubTopic, shard } from './go-waku.mjs';

const folder = process.env.NOROSHI_JS_PEERS;
if (!folder) throw new Error('NOROSHI_JS_PEERS is not set: run the tests through `make interop`');
const js = await import(pathToFileURL(join(folder, 'exports.mjs')).href);

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
