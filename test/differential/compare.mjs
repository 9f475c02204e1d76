// test/differential/compare.mjs - what differs between two answers of the query API.

let tolerance = 1e-9;

function sameNumber(a, b) {
  const [x, y] = [Number(a), Number(b)];
  if (!Number.isFinite(x) || !Number.isFinite(y)) return a === b;
  return Math.abs(x - y) <= tolerance * Math.max(Math.abs(x), Math.abs(y));
}
const samePoint = ([t, v], [u, w]) => t === u && (typeof v === 'object' ? sameHistogram(v, w) : typeof w !== 'object' && sameNumber(v, w));
/** Nothing times NaN is NaN: there are as many such buckets as empty ones, and those depend on the chunk in which Prometheus keeps it. */
function sameHistogram(a, b) {
  const [x, y] = [a, b].map(({ buckets = [] }) => buckets.filter(([, , , count]) => count !== 'NaN'));
  return typeof b === 'object' && sameNumber(a.count, b.count) && sameNumber(a.sum, b.sum) && x.length === y.length
    && x.every((bucket, i) => bucket.every((part, n) => sameNumber(part, y[i][n])));
}
const key = ({ metric }) => JSON.stringify(Object.entries(metric).sort());
/** Warnings and infos by kind, each once, without their places. What Prometheus tells by chance is left out: how many samples a forced
 *  monotonicity was of (its count doubles with each merge and overflows), and which of several faults of one operator (only that of
 *  the last pair of a step). Its lists are cut after ten. */
function kinds({ warnings = [], infos = [] }) {
  if (warnings.length >= 10 || infos.length >= 10) return undefined;
  const texts = [...warnings, ...infos].map((text) => text.replace(/ \(\d+:\d+\)$/, '').replace(/over -?\d+ samples/, '')
    .replace(/^PromQL (warning|info): (incompatible (sample types|bucket layout) encountered for binary operator|conflicting counter resets during histogram (addition|subtraction)|mismatched custom buckets were reconciled during (addition|subtraction)).*/, 'fault of an operator'));
  return [...new Set(texts)].sort().join('\n');
}

/** What differs, or undefined, of two answers to `query`. */
export function difference(a, b, query) {
  // The C library and Go's disagree on last digits, of which a spread or a slope of almost equal values is made.
  tolerance = /stddev|stdvar|deriv|predict_linear/.test(query) && /\^|exp|ln|log|sin|cos|tan/.test(query) ? 1e-5 : 1e-9;
  const ordered = /^sort(_desc)?\(/.test(query);  // then the order of an instant vector's values counts too
  if (a.status !== b.status || a.body.errorType !== b.body.errorType) return 'status';
  if (a.status !== 200) return undefined;
  const [x, y] = [a.body.data, b.body.data];
  if (x.resultType !== y.resultType) return 'type';
  if (x.resultType === 'scalar') return samePoint(x.result, y.result) ? undefined : 'value';
  if (x.resultType === 'string') return x.result[1] === y.result[1] ? undefined : 'value';
  if (x.result.length !== y.result.length) return 'number of series';
  const order = (list) => list.toSorted((p, q) => (key(p) < key(q) ? -1 : 1));
  const [left, right] = [order(x.result), order(y.result)];
  for (let i = 0; i < left.length; ++i) {
    if (key(left[i]) !== key(right[i])) return 'labels';
    for (const [one, many] of [['value', 'values'], ['histogram', 'histograms']]) {
      const [p, q] = [left[i], right[i]].map((s) => s[many] ?? (s[one] ? [s[one]] : []));
      if (p.length !== q.length) return `number of ${many}`;
      if (!p.every((point, n) => samePoint(point, q[n]))) return one;
    }
  }
  if (ordered && x.resultType === 'vector' && !x.result.every((s, i) => samePoint(s.value, y.result[i].value))) return 'order';
  const [told, expected] = [kinds(a.body), kinds(b.body)];
  return told !== undefined && expected !== undefined && told !== expected ? 'warnings' : undefined;
}
