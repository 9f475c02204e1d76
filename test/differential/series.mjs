// test/differential/series.mjs - random series, and the remote write request (1.0) that carries them.
import { double, field, packed, real, signed, text, varint, whole, zigzag } from './protobuf.mjs';

function histogramMessage(at, h) {
  const side = (spans, numbers, deltas, counts) => Buffer.concat([
    ...h[spans].map(({ offset, length }) => field(numbers[0], Buffer.concat([signed(1, offset), whole(2, length)]))),
    h.float ? packed(numbers[2], h[counts], double) : packed(numbers[1], h[deltas], zigzag)]);
  return Buffer.concat([
    h.float ? real(2, h.count) : whole(1, h.count), real(3, h.sum), signed(4, h.schema), real(5, h.zeroThreshold),
    h.float ? real(7, h.zeroCount) : whole(6, h.zeroCount),
    side('negativeSpans', [8, 9, 10], 'negativeDeltas', 'negative'), side('positiveSpans', [11, 12, 13], 'positiveDeltas', 'positive'),
    whole(14, h.hint), whole(15, at), packed(16, h.bounds, double)]);
}

/** WriteRequest of version 1. Values are numbers, 'stale' or histograms; a run of one kind is an entry of its own. */
export function writeRequest(series) {
  const out = [];
  for (const { labels, samples } of series) {
    const names = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => field(1, Buffer.concat([text(1, name), text(2, value)])));
    const kind = ([, value]) => typeof value === 'object';
    for (let from = 0; from < samples.length;) {
      let to = from;
      while (to < samples.length && kind(samples[to]) === kind(samples[from])) ++to;
      out.push(field(1, Buffer.concat([...names, ...samples.slice(from, to).map(([at, value]) => (typeof value === 'object'
        ? field(4, histogramMessage(at, value))
        : field(2, Buffer.concat([real(1, value), varint(2 * 8), varint(at)]))))])));
      from = to;
    }
  }
  return Buffer.concat(out);
}

/** Counts by bucket index as spans and what they hold. */
function layout(counts) {
  const indices = [...counts.keys()].sort((a, b) => a - b);
  const spans = [];
  let next = 0;
  for (const index of indices) {
    if (spans.length && index === next) ++spans.at(-1).length;
    else spans.push({ offset: index - (spans.length ? next : 0), length: 1 });
    next = index + 1;
  }
  const list = indices.map((index) => counts.get(index));
  return { spans, list, deltas: list.map((n, i) => n - (i ? list[i - 1] : 0)) };
}

/** A native histogram that grows: call it for the next one. */
function growing(r, { schema, float, gauge, bounds = [], signs = 2 }) {
  // Neither side is ever without a bucket: an empty one is told apart from one whose buckets are empty, and which of both it is
  // depends on the chunk in which Prometheus keeps the histogram.
  const none = () => [new Map([[0, 1]]), new Map(signs === 2 ? [[0, 1]] : []), 0, signs === 2 ? 0 : 5];
  let [positive, negative, zero, sum] = none();
  // Below every bucket: Prometheus counts a bucket twice that a wider zero bucket of another series takes in, at another resolution.
  let zeroThreshold = schema === -53 ? 0 : r.one([0, 1e-9, 1e-7]);
  let fineness = schema;
  return () => {
    if (r.chance(gauge ? 0.2 : 0.03)) [positive, negative, zero, sum] = none();
    if (schema !== -53 && r.chance(0.02)) {  // a change of resolution or zero bucket is a restart too
      [positive, negative, zero, sum] = none();
      fineness = Math.max(-4, Math.min(8, schema + r.one([-1, 0, 1])));
      zeroThreshold = r.one([zeroThreshold, 1e-7]);
    }
    for (let n = r.below(4); n > 0; --n) {
      const more = float ? r.below(8) / 4 + 0.25 : 1 + r.below(3);
      const side = signs === 2 && r.chance(0.3) ? negative : positive;
      const index = schema === -53 ? r.below(bounds.length + 1) : r.below(12) - 4;
      if (schema !== -53 && r.chance(0.15)) { zero += more; continue; }
      side.set(index, (side.get(index) ?? 0) + more);
      sum += (side === negative ? -1 : 1) * more * (index + 5);
    }
    const [p, n] = [layout(positive), layout(negative)];
    const count = [...p.list, ...n.list, zero].reduce((a, b) => a + b, 0);
    return { float, schema: schema === -53 ? schema : fineness, zeroThreshold, zeroCount: zero, count, sum, hint: gauge ? 3 : 0, bounds,
             positiveSpans: p.spans, positiveDeltas: p.deltas, positive: p.list, negativeSpans: n.spans, negativeDeltas: n.deltas, negative: n.list };
  };
}
const staleHistogram = { float: true, schema: 0, zeroThreshold: 0, zeroCount: 0, count: 0, sum: 'stale', hint: 0, bounds: [], positiveSpans: [], positive: [],
                         negativeSpans: [], negative: [] };

/** Series with samples in (start, end], milliseconds: counters that restart, gauges, odd values, gaps, ends, classic and native histograms. */
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
  const add = (labels, ats, value, marker = 'stale') => {
    const ends = r.chance(0.25) ? start + r.below(end - start) : end + 1;
    const samples = ats.map((at, i) => [at, at > ends && r.chance(0.1) ? marker : value(i)]);
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
    const values = [NaN, Infinity, -Infinity, 0, -0, 1, 1e308, -1e9, 3e-308, 0.1,  // no subnormal one: Go's log10 of those is wrong
      2 ** 53 + 2];
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
  const native = (labels, options) => add(labels, times(), growing(r, options), staleHistogram);
  for (const job of ['a', 'b']) {
    for (const code of ['200', '500']) native({ __name__: 'native_seconds', job, code }, { schema: r.one([0, 1, 1, 3]), float: false });
    native({ __name__: 'native_float', job }, { schema: r.one([-1, 0, 2]), float: true });
    native({ __name__: 'native_gauge', job }, { schema: r.one([0, 1]), float: true, gauge: true });
    native({ __name__: 'custom_seconds', job }, { schema: -53, float: job === 'b', bounds: r.one([[0.1, 1, 2.5], [0.1, 1, 2.5], [1, 10]]), signs: 1 });
    const [histogram, number] = [growing(r, { schema: 0, float: false }), counter()];
    let is = true;
    add({ __name__: 'mixed', job }, times(), () => { is = r.chance(0.1) ? !is : is; return is ? histogram() : number(); });
  }
  // In order of their labels: where Prometheus goes by the order of arrival, it is ours.
  const pairs = (labels) => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)).flat();
  const before = (a, b) => { const i = a.findIndex((part, n) => part !== b[n]); return i < 0 ? -1 : a[i] < b[i] ? -1 : 1; };
  return out.sort((a, b) => before(pairs(a.labels), pairs(b.labels)));
}
