// test/peers/js/exports.mjs - what the tests use of js-waku; it is copied beside the installed packages, which it finds there.
// js-waku asks for Node 22, of which it needs this one function.
Promise.withResolvers ??= function withResolvers() {
  let resolve;
  let reject;
  const promise = new Promise((yes, no) => { resolve = yes; reject = no; });
  return { promise, resolve, reject };
};

export const ecies = await import('@waku/message-encryption/ecies');
export const { generatePrivateKey, getPublicKey } = await import('@waku/message-encryption');
export const { createRoutingInfo } = await import('@waku/utils');
export const { messageHash } = await import('@waku/message-hash');
export const { createLightNode, createEncoder, createDecoder } = await import('@waku/sdk');
export const { yamux } = await import('@chainsafe/libp2p-yamux');
export const { tcp } = await import('@libp2p/tcp');
export const { privateKeyFromRaw } = await import('@libp2p/crypto/keys');
export const { multiaddr } = await import('@multiformats/multiaddr');

export const { EnrDecoder } = await import('@waku/enr');
export const { keccak_256 } = await import('@noble/hashes/sha3.js');
export const secp256k1 = await import('@noble/secp256k1');

/** OpenTelemetry's metrics SDK and its exporter, loaded when they are wanted: the other tests do without. */
export const openTelemetry = async () => ({ ...await import('@opentelemetry/sdk-metrics'), ...await import('@opentelemetry/resources'),
  ...await import('@opentelemetry/exporter-metrics-otlp-proto') });
