// test/differential/protobuf.mjs - protocol buffers and snappy written by hand: what remote write and OTLP requests are made of.

export const varint = (n) => {
  const out = [];
  let rest = BigInt.asUintN(64, BigInt(n));
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  return Buffer.from([...out, Number(rest)]);
};
export const zigzag = (n) => varint((BigInt(n) << 1n) ^ (BigInt(n) >> 63n));
export const field = (number, body) => Buffer.concat([varint(number * 8 + 2), varint(body.length), body]);
export const text = (number, value) => field(number, Buffer.from(value));
export const whole = (number, value) => Buffer.concat([varint(number * 8), varint(value)]);
export const signed = (number, value) => Buffer.concat([varint(number * 8), zigzag(value)]);

const stale = Buffer.from('020000000000f07f', 'hex');  // the NaN that ends a series, little endian
export function double(value) {
  if (value === 'stale') return stale;
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}
export function fixed64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
const eight = (write) => (number, value) => Buffer.concat([varint(number * 8 + 1), write(value)]);
export const real = eight(double);
export const fixed = eight(fixed64);
/** A packed list; nothing for an empty one. */
export const packed = (number, values, write) => (values.length ? field(number, Buffer.concat(values.map(write))) : Buffer.alloc(0));

/** A block of snappy that compresses nothing: literals of at most 64 KiB. */
export function snappy(plain) {
  const parts = [varint(plain.length)];
  for (let at = 0; at < plain.length; at += 65536) {
    const piece = plain.subarray(at, at + 65536);
    parts.push(Buffer.from([61 << 2, (piece.length - 1) & 255, (piece.length - 1) >> 8]), piece);
  }
  return Buffer.concat(parts);
}
