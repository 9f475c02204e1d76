// test/differential/queries.mjs - random PromQL: what noroshi evaluates of the grammar, and some of it wrong on purpose.

const names = ['requests_total', 'errors_total', 'temperature', 'load', 'odd', 'latency_seconds_bucket', 'latency_seconds_count', 'latency_seconds_sum', 'missing'];
const labels = ['job', 'code', 'room', 'n', 'le'];
const matchers = ['job="a"', 'job!="a"', 'job=~"a|c"', 'code!~"4.."', 'room="x"', 'n=~"[0-2]"', 'le="1"', 'code=""', 'le!="+Inf"'];
const ranges = ['20s', '1m', '2m', '5m', '10m', '90'];
const elements = ['abs', 'ceil', 'floor', 'exp', 'ln', 'log2', 'log10', 'sqrt', 'sgn', 'sin', 'cos', 'tan', 'asin', 'atan', 'sinh', 'tanh', 'deg', 'rad',
                  'timestamp', 'sort', 'sort_desc', 'absent', 'hour', 'minute', 'day_of_week', 'days_in_month', 'year', 'month', 'day_of_year'];
const overTime = ['rate', 'increase', 'irate', 'delta', 'idelta', 'deriv', 'changes', 'resets', 'avg_over_time', 'min_over_time', 'max_over_time', 'sum_over_time',
                  'count_over_time', 'last_over_time', 'first_over_time', 'present_over_time', 'absent_over_time', 'stddev_over_time', 'stdvar_over_time'];
const folds = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];
const arithmetic = ['+', '-', '*', '/', '%', '^', 'atan2'];
const comparisons = ['==', '!=', '<', '<=', '>', '>='];

/** A query; `end` in seconds is the newest sample's time. */
export function randomQuery(r, end) {
  const list = () => labels.filter(() => r.chance(0.35)).join(', ');
  const selector = () => `${r.one(names)}${r.chance(0.5) ? `{${[r.one(matchers), ...(r.chance(0.2) ? [r.one(matchers)] : [])].join(', ')}}` : ''}`;
  const moved = () => (r.chance(0.12) ? ` offset ${r.one(['1m', '-30s', '7m'])}` : '')
    + (r.chance(0.08) ? ` @ ${r.one([end - 120, end - 600.5, 'start()', 'end()'])}` : '');
  const range = (depth) => (depth > 0 && r.chance(0.25) ? `(${vector(depth - 1)})[${r.one(['2m', '5m'])}:${r.one(['', '15s', '1m'])}]${moved()}` : `${selector()}[${r.one(ranges)}]${moved()}`);
  const grouping = () => r.one(['', '', ` by (${list()})`, ` without (${list()})`]);
  const scalar = (depth) => (depth > 0 && r.chance(0.3) ? r.one([`scalar(${vector(depth - 1)})`, 'time()', 'pi()'])
    : r.one(['0', '1', '2', '-1', '0.5', '100', 'NaN', 'Inf', '1e3', '0x1f', '1m']));
  const quantile = () => r.one(['0', '0.5', '0.9', '1', '-1', '2', 'NaN']);
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
  function vector(depth) {
    if (depth <= 0) return selector() + moved();
    switch (r.below(10)) {
      case 0: return selector() + moved();
      case 1: return `${r.one(elements)}(${vector(depth - 1)})`;
      case 2: case 3: return `${r.one(overTime)}(${range(depth)})`;
      case 4: return `${r.one(folds)}${grouping()} (${vector(depth - 1)})`;
      case 5: return r.one([
        () => `${r.one(['topk', 'bottomk'])}${grouping()} (${r.one(['1', '2', '0', '99'])}, ${vector(depth - 1)})`,
        () => `quantile${grouping()} (${quantile()}, ${vector(depth - 1)})`,
        () => `count_values${grouping()} ("v", ${vector(depth - 1)})`])();
      case 6: case 7: return binary(depth);
      case 8: return r.one([
        () => `histogram_quantile(${quantile()}, ${r.one(['latency_seconds_bucket', 'rate(latency_seconds_bucket[5m])'])})`,
        () => `histogram_quantile(${quantile()}, sum by (le, job) (rate(latency_seconds_bucket[5m])))`,
        () => `quantile_over_time(${quantile()}, ${range(depth)})`,
        () => `predict_linear(${range(depth)}, ${scalar(0)})`])();
      default: return r.one([
        () => `clamp(${vector(depth - 1)}, ${scalar(0)}, ${scalar(0)})`,
        () => `clamp_${r.one(['min', 'max'])}(${vector(depth - 1)}, ${scalar(depth - 1)})`,
        () => `round(${vector(depth - 1)}${r.chance(0.5) ? `, ${scalar(0)}` : ''})`,
        () => `label_replace(${vector(depth - 1)}, "${r.one(labels)}", "$1", "${r.one(labels)}", "${r.one(['(.*)', '(.).*', 'a'])}")`,
        () => `label_join(${vector(depth - 1)}, "v", "-", "${r.one(labels)}", "${r.one(labels)}")`,
        () => `vector(${scalar(depth - 1)})`,
        () => `-(${vector(depth - 1)})`])();
    }
  }
  return r.chance(0.04) ? scalar(2) : vector(1 + r.below(3));
}
