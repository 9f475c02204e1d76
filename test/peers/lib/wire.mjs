// test/peers/lib/wire.mjs - the bytes of Waku's messages and requests, written and read by hand: no library smooths them.
import { contentTopic, pubsubTopic } from './go-waku.mjs';

export const protocols = {
  pushV3: '/vac/waku/lightpush/3.0.0',
  pushV2: '/vac/waku/lightpush/2.0.0-beta1',
  storeV3: '/vac/waku/store-query/3.0.0',
  filterSubscribe: '/vac/waku/filter-subscribe/2.0.0-beta1',
  filterPush: '/vac/waku/filter-push/2.0.0-beta1',
};

function varint(value) {
  const out = [];
  let rest = BigInt(value);
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
  return Buffer.from(out);
}

const bytes = (value) => (typeof value === 'string' ? Buffer.from(value) : Buffer.from(value));

/** Protobuf of [number, value] pairs in the order given: numbers and booleans as varints, all else as bytes. */
export function encode(fields) {
  return Buffer.concat(fields.filter(([, value]) => value !== undefined).flatMap(([number, value]) => {
    if (typeof value === 'number' || typeof value === 'bigint') return [varint(number << 3), varint(value)];
    if (typeof value === 'boolean') return [varint(number << 3), varint(value ? 1 : 0)];
    const data = bytes(value);
    return [varint((number << 3) | 2), varint(data.length), data];
  }));
}

/** The fields of a protobuf: {number: [values]}; numbers as BigInt, all else as bytes. */
export function decode(data) {
  const out = {};
  let at = 0;
  const next = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
  };
  while (at < data.length) {
    const key = Number(next());
    let value = next();
    if ((key & 7) === 2) {
      const end = at + Number(value);
      value = data.subarray(at, end);
      at = end;
    }
    (out[key >> 3] ??= []).push(value);
  }
  return out;
}

export const framed = (body) => Buffer.concat([varint(body.length), body]);

/** The bodies of length-prefixed frames, as far as they are whole. */
export function frames(data) {
  const out = [];
  for (let at = 0; at < data.length;) {
    let length = 0;
    for (let shift = 0; at < data.length; shift += 7) {
      const byte = data[at++];
      length += (byte & 0x7f) * 2 ** shift;
      if (!(byte & 0x80)) break;
    }
    if (at + length > data.length) break;
    out.push(data.subarray(at, at + length));
    at += length;
  }
  return out;
}

/** A WakuMessage (14/WAKU2-MESSAGE) as every implementation orders its fields. */
export function message(payload, { topic = contentTopic, version = 0, timestamp = BigInt(Date.now()) * 1_000_000n, meta, proof } = {}) {
  return encode([[1, payload], [2, topic], [3, version], [10, timestamp * 2n], [11, meta], [21, proof]]);
}

export const pushRequestV3 = (body, id = 'push') => encode([[1, id], [20, pubsubTopic], [21, body]]);
export const pushRequestV2 = (body, id = 'push') => encode([[1, id], [2, encode([[1, pubsubTopic], [2, body]])]]);
export const subscribeRequest = (topics = [contentTopic], id = 'subscribe') =>
  encode([[1, id], [2, 1], [10, pubsubTopic], ...topics.map((topic) => [11, topic])]);

/** {code, info} of an answer to lightpush 3. */
export function pushAnswerV3(body) {
  const { 10: [code], 11: [info] = [] } = decode(body);
  return { code: Number(code), info: info?.toString() ?? '' };
}

/** {ok, info, id} of an answer to lightpush 2. */
export function pushAnswerV2(body) {
  const { 1: [id] = [], 3: [response] } = decode(body);
  const { 1: [ok] = [0n], 2: [info] = [] } = decode(response);
  return { ok: ok === 1n, info: info?.toString() ?? '', id: id?.toString() };
}

/** Messages of a page of store 3, as the bytes they came in. */
export const storedV3 = (body) => (decode(body)[20] ?? []).map((entry) => decode(entry)[2][0]);
export const storeQueryV3 = (topic = contentTopic, id = 'query') =>
  encode([[1, id], [2, true], [10, pubsubTopic], [11, topic], [52, true], [53, 100]]);
export const filterCode = (body) => Number(decode(body)[10][0]);
