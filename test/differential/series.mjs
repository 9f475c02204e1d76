// test/differential/series.mjs - random series, and the remote write request (1.0) that carries them.

const stale = Buffer.from('020000000000f07f', 'hex');  // the NaN that ends a series, little endian

const varint = (n) => {
  const out = [];
  let rest = BigInt(n);
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  return Buffer.from([...out, Number(rest)]);
};
const field = (number, body) => Buffer.concat([varint(number * 8 + 2), varint(body.length), body]);
const text = (number, value) => field(number, Buffer.from(value));
function real(number, value) {
  const bytes = Buffer.alloc(8);
  if (value === 'stale') stale.copy(bytes); else bytes.writeDoubleLE(value);
  return Buffer.concat([varint(number * 8 + 1), bytes]);
}

/** WriteRequest of version 1. */
export function writeRequest(series) {
  return Buffer.concat(series.map(({ labels, samples }) => field(1, Buffer.concat([
    ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => field(1, Buffer.concat([text(1, name), text(2, value)]))),
    ...samples.map(([at, value]) => field(2, Buffer.concat([real(1, value), varint(2 * 8), varint(at)]))),
  ]))));
}

/** A block of snappy that compresses nothing: literals of at most 64 KiB. */
export function snappy(plain) {
  const parts = [varint(plain.length)];
  for (let at = 0; at < plain.length; at += 65536) {
    const piece = plain.subarray(at, at + 65536);
    parts.push(Buffer.from([61 << 2, (piece.length - 1) & 255, (piece.length - 1) >> 8]), piece);
  }
  return Buffer.concat(parts);
}

/** Series with samples in (start, end], milliseconds: counters that restart, gauges, odd values, gaps, ends, classic histograms. */
export function randomSeries(r, start, end) {
  const out = [];
  const times = () => {
    const step = r.one([5_000, 15_000, 15_000, 30_000, 60_000]);
    const late = r.below(step);
    const gap = r.chance(0.3) ? 0.3 : 0;
    const list = [];
    for (let at = start + late; at <= end; at += step) if (!r.chance(gap)) list.push(at);
    return list;
  };
  const add = (labels, ats, value) => {
    const ends = r.chance(0.25) ? start + r.below(end - start) : end + 1;
    const samples = ats.map((at, i) => [at, at > ends && r.chance(0.1) ? 'stale' : value(i)]);
    out.push({ labels, samples });
  };
  const counter = () => {
    let value = r.below(1_000);
    const growth = r.one([0, 1, 10, 1_000.5]);
    return () => { value = r.chance(0.03) ? r.below(5) : value + r.next() * growth; return value; };
  };
  for (const name of ['requests_total', 'errors_total']) {
    for (const job of ['a', 'b']) for (const code of ['200', '404', '500']) if (r.chance(0.8)) add({ __name__: name, job, code }, times(), counter());
  }
  for (const name of ['temperature', 'load']) {
    for (const job of ['a', 'b', 'c']) for (const room of ['x', 'y']) if (r.chance(0.8)) {
      const size = r.one([1, 100, 1e-6, 1e9]);
      add({ __name__: name, job, room }, times(), () => (r.next() - 0.5) * size);
    }
  }
  for (let n = 0; n < 6; ++n) {
    const values = [NaN, Infinity, -Infinity, 0, -0, 1, 1e308, -1e308, 5e-324, 0.1, 2 ** 53 + 2];
    add({ __name__: 'odd', n: String(n) }, times(), () => r.one(n < 3 ? values : [0, 1, 2, -1]));
  }
  for (const job of ['a', 'b']) {
    const ats = times();
    const bounds = ['0.1', '0.5', '1', '2.5', '+Inf'];
    const rows = [];
    const counts = bounds.map(() => 0);
    for (const _ of ats) {
      if (r.chance(0.02)) counts.fill(0);
      for (let i = r.below(bounds.length), hits = r.below(5); i < bounds.length; ++i) counts[i] += hits;
      rows.push([...counts]);
    }
    bounds.forEach((le, b) => add({ __name__: 'latency_seconds_bucket', job, le }, ats, (i) => rows[i][b]));
    add({ __name__: 'latency_seconds_count', job }, ats, (i) => rows[i].at(-1));
    add({ __name__: 'latency_seconds_sum', job }, ats, (i) => rows[i].at(-1) * 0.7);
  }
  return out;
}
