// test/differential/queries.mjs - random PromQL: all of the grammar that noroshi evaluates, and some of it wrong on purpose.

const floats = ['requests_total', 'errors_total', 'temperature', 'load', 'odd', 'latency_seconds_bucket', 'latency_seconds_count', 'latency_seconds_sum', 'missing'];
const natives = ['native_seconds', 'native_float', 'native_gauge', 'custom_seconds', 'mixed'];
const labels = ['job', 'code', 'room', 'n', 'le'];
const matchers = ['job="a"', 'job!="a"', 'job=~"a|c"', 'code!~"4.."', 'room="x"', 'n=~"[0-2]"', 'le="1"', 'code=""', 'le!="+Inf"'];
const ranges = ['20s', '1m', '2m', '5m', '10m', '90', '1m30s'];
const elements = ['abs', 'ceil', 'floor', 'exp', 'ln', 'log2', 'log10', 'sqrt', 'sgn', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'asinh', 'acosh',
                  'atanh', 'deg', 'rad', 'timestamp', 'sort', 'sort_desc', 'absent'];
const dates = ['hour', 'minute', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'year', 'month'];
const overTime = ['rate', 'rate', 'increase', 'increase', 'irate', 'delta', 'idelta', 'deriv', 'changes', 'resets', 'avg_over_time', 'min_over_time', 'max_over_time',
                  'sum_over_time', 'count_over_time', 'last_over_time', 'first_over_time', 'present_over_time', 'absent_over_time', 'stddev_over_time', 'stdvar_over_time'];
const ofNatives = ['histogram_count', 'histogram_sum', 'histogram_avg', 'histogram_stddev', 'histogram_stdvar'];
const folds = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];
const arithmetic = ['+', '-', '*', '/', '%', '^', 'atan2'];
const comparisons = ['==', '!=', '<', '<=', '>', '>='];

/** A query; `end` in seconds is the newest sample's time. */
export function randomQuery(r, end) {
  const list = () => labels.filter(() => r.chance(0.35)).join(', ');
  const select = (name) => `${name}${r.chance(0.4) ? `{${[r.one(matchers), ...(r.chance(0.2) ? [r.one(matchers)] : [])].join(', ')}}` : ''}`;
  const selector = () => (r.chance(0.04) ? r.one(['{job="a"}', '{__name__=~"requests.*|load"}', '{__name__=~"native_.*"}', '{"temperature", room="x"}'])
    : select(r.one(r.chance(0.3) ? natives : floats)));
  const moved = () => {
    const parts = [r.chance(0.12) ? ` offset ${r.one(['1m', '-30s', '7m'])}` : '', r.chance(0.08) ? ` @ ${r.one([end - 120, end - 600.5, 'start()', 'end()'])}` : ''];
    return (r.chance(0.5) ? parts : parts.reverse()).join('');
  };
  const rangeOf = (depth, inner) => (depth > 0 && r.chance(0.25) ? `(${vector(depth - 1)})[${r.one(['2m', '5m', '90s'])}:${r.one(['', '15s', '1m'])}]${moved()}`
    : `${inner()}[${r.one(ranges)}]${moved()}`);
  const range = (depth) => rangeOf(depth, selector);
  const grouping = () => r.one(['', '', ` by (${list()})`, ` without (${list()})`]);
  /** The clause stands before or behind what is aggregated. */
  const aggregate = (name, inside) => { const clause = grouping(); return r.chance(0.5) ? `${name}${clause} (${inside})` : `${name}(${inside})${clause}`; };
  const scalar = (depth) => (depth > 0 && r.chance(0.3) ? r.one([`scalar(${vector(depth - 1)})`, 'time()', 'pi()', `(${scalar(depth - 1)} ${r.one(arithmetic)} ${scalar(depth - 1)})`,
                                                                 `(${scalar(depth - 1)} ${r.one(comparisons)} bool ${scalar(depth - 1)})`, `-(${scalar(depth - 1)})`])
    : r.one(['0', '1', '2', '-1', '0.5', '100', 'NaN', 'Inf', '-Inf', '1e3', '0x1f', '1m', '1_000']));
  const quantile = () => r.one(['0', '0.5', '0.9', '0.99', '1', '-1', '2', 'NaN']);
  const native = (depth) => (r.chance(0.15) ? vector(depth - 1) : r.one([
    () => select(r.one(natives)) + moved(), () => `${r.one(['rate', 'increase', 'delta', 'irate', 'sum_over_time', 'avg_over_time', 'last_over_time'])}(${rangeOf(depth, () => select(r.one(natives)))})`,
    () => aggregate(r.one(['sum', 'avg']), select(r.one(natives))), () => aggregate('sum', `rate(${select(r.one(natives))}[${r.one(ranges)}])`),
    () => `(${select(r.one(natives))}) ${r.one(['+', '-', '*', '/'])} ${r.one([scalar(0), `(${select(r.one(natives))})`])}`,
    () => `(${select(r.one(natives))}) ${r.one(['</', '>/'])} ${r.one(['0', '1', '-1', '0.5', '3', 'Inf', 'NaN'])}`])());
  function matching(set) {
    const on = r.one(['', '', ` on (${list()})`, ` ignoring (${list()})`]);
    return on + (on && !set && r.chance(0.4) ? r.one([' group_left', ' group_right', ' group_left (room)', ' group_right (code)']) : '');
  }
  function binary(depth) {
    const set = r.chance(0.2);
    const compares = !set && r.chance(0.4);
    const operator = set ? r.one(['and', 'or', 'unless']) : compares ? r.one(comparisons) + (r.chance(0.4) ? ' bool' : '') : r.one(arithmetic);
    if (!set && r.chance(0.45)) return r.chance(0.5) ? `(${vector(depth - 1)}) ${operator} ${scalar(depth - 1)}` : `${scalar(depth - 1)} ${operator} (${vector(depth - 1)})`;
    return `(${vector(depth - 1)}) ${operator}${matching(set)} (${vector(depth - 1)})`;
  }
  /** Dates only of what Go's conversion to a whole number defines: it makes of NaN and of what is huge what the machine happens to make of it. */
  const date = (depth) => `${r.one(dates)}(${r.one([() => '', () => `vector(${r.one(['time()', '0', '951782400', '-86401', '4102444799'])})`, () => `timestamp(${selector()}${moved()})`,
    () => `(${vector(depth - 1)}) > -1e10 < 1e10`])()})`;
  function vector(depth) {
    if (depth <= 0) return selector() + moved();
    switch (r.below(12)) {
      case 0: return selector() + moved();
      case 1: return r.chance(0.2) ? date(depth) : `${r.one(elements)}(${vector(depth - 1)})`;
      case 2: case 3: return `${r.one(overTime)}(${range(depth)})`;
      case 4: return aggregate(r.one(folds), vector(depth - 1));
      case 5: return r.one([
        () => aggregate(r.one(['topk', 'bottomk']), `${r.one(['1', '2', '0', '99', '-1', '1.9', scalar(1)])}, ${vector(depth - 1)}`),
        () => aggregate('quantile', `${quantile()}, ${vector(depth - 1)}`),
        // Not of sums: their last digit is the order of their parts, which Prometheus leaves to chance.
        () => aggregate('count_values', `"${r.one(['v', 'job'])}", ${r.one([selector() + moved(), `round(${vector(depth - 1)}, 0.01)`, `count_over_time(${range(depth)})`])}`)])();
      case 6: case 7: return binary(depth);
      case 8: return r.one([
        () => `histogram_quantile(${quantile()}, ${r.one(['latency_seconds_bucket', 'rate(latency_seconds_bucket[5m])'])})`,
        () => `histogram_quantile(${quantile()}, ${aggregate('sum', 'rate(latency_seconds_bucket[5m])')})`,
        () => `histogram_fraction(${r.one(['0', '-Inf', '0.3'])}, ${r.one(['1', '0.7', 'Inf'])}, rate(latency_seconds_bucket[5m]))`,
        () => `quantile_over_time(${quantile()}, ${range(depth)})`,
        () => `predict_linear(${range(depth)}, ${scalar(0)})`])();
      case 9: case 10: return r.one([
        () => native(depth), () => `${r.one(ofNatives)}(${native(depth)})`, () => `histogram_quantile(${quantile()}, ${native(depth)})`,
        () => `histogram_fraction(${r.one(['0', '-Inf', '-2', '0.3'])}, ${r.one(['1', '0.7', 'Inf', '4'])}, ${native(depth)})`])();
      default: return r.one([
        () => `clamp(${vector(depth - 1)}, ${scalar(0)}, ${scalar(0)})`,
        () => `clamp_${r.one(['min', 'max'])}(${vector(depth - 1)}, ${scalar(depth - 1)})`,
        () => `round(${vector(depth - 1)}${r.chance(0.5) ? `, ${scalar(0)}` : ''})`,
        () => `label_replace(${vector(depth - 1)}, "${r.one([...labels, 'v', '__name__'])}", "${r.one(['$1', '', 'x', '$2-${1}'])}", "${r.one(labels)}", "${r.one(['(.*)', '(.).*', 'a', '(['])}")`,
        () => `label_join(${vector(depth - 1)}, "${r.one(['v', 'job'])}", "-", "${r.one(labels)}", "${r.one(labels)}")`,
        () => `vector(${scalar(depth - 1)})`,
        () => `-(${vector(depth - 1)})`])();
    }
  }
  function any() {
    if (r.chance(0.03)) return scalar(2);
    if (r.chance(0.02)) return range(1);
    if (r.chance(0.005)) return r.one(['"text"', "'it'", '`raw\\n`']);
    return vector(1 + r.below(3));
  }
  // Prometheus reads timestamp(x offset 5m @ t) at t and fetches what is five minutes before; whether a histogram equals the one
  // before it depends on the chunks in which it keeps them; in which order classic histograms and counted values come, so that topk
  // keeps one of equal ones, is that of a hash table.
  const isChance = (query) => /timestamp\(+[^()]*(offset \S+ @|@ \S+ offset)/.test(query) || /changes\(.*(native|custom|mixed|__name__|\{)/.test(query)
    // The last digit of a large number decides on its sine.
    || /\b(sin|cos|tan)\(.*(\^|exp|sinh|cosh|\*|odd|atan|acos|asin|deg|e9)/.test(query)
    || /(topk|bottomk)\b.*(histogram_(quantile|fraction)|count_values)/.test(query);
  for (;;) {
    const query = any();
    if (!isChance(query)) return query;
  }
}
