// test/integration/query_api.test.mjs - the HTTP API beside a real Prometheus: both scrape the same samples and are asked the
// same; and promtool, which takes noroshi for a Prometheus.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { config, Daemon, identity, noroshi } from '../peers/lib/noroshi.mjs';
import { promtool, startPrometheus } from '../peers/lib/prometheus.mjs';
import { scratch, until } from '../peers/lib/process.mjs';

// A whole minute, some minutes ago: nothing of what is asked lies in the future or before the samples.
const end = Math.floor(Date.now() / 60_000) * 60 - 120;
const points = 80;
const step = 15;
const start = end - (points - 1) * step;

/** Series whose values are made of their place: each a line a point, with its time. */
function exposition() {
  const lines = [];
  const add = (name, labels, value) => {
    const text = Object.entries(labels).map(([k, v]) => `${k}="${v}"`).join(',');
    for (let i = 0; i < points; ++i) {
      const v = value(i);
      if (v !== undefined) lines.push(`${name}{${text}} ${v} ${(start + i * step) * 1000}`);
    }
  };
  lines.push('# TYPE requests_total counter');
  for (const [n, method] of ['get', 'post', 'put'].entries()) {
    for (const code of ['200', '500']) add('requests_total', { method, code }, (i) => ((i * (n + 1) * (code === '200' ? 10 : 1)) % 700) + i);
  }
  lines.push('# TYPE temperature gauge');
  for (const room of ['attic', 'cellar', 'kitchen']) add('temperature', { room }, (i) => (20 + Math.sin(i / 7 + room.length) * room.length).toFixed(4));
  lines.push('# TYPE gaps gauge');
  add('gaps', { kind: 'every third' }, (i) => (i % 3 ? undefined : i));
  add('gaps', { kind: 'stops' }, (i) => (i < 20 ? i : undefined));
  lines.push('# TYPE odd gauge');
  for (const [i, value] of ['NaN', '+Inf', '-Inf', '1e-7', '123456789012345680000', '1e21', '-0', '0.1'].entries()) add('odd', { n: String(i) }, () => value);
  lines.push('# TYPE latency_seconds histogram');
  for (const le of ['0.1', '0.5', '1', '+Inf']) add('latency_seconds_bucket', { le }, (i) => Math.floor(i * (le === '+Inf' ? 10 : Number(le) * 8)));
  add('latency_seconds_sum', { path: '/' }, (i) => i * 3.25);
  add('latency_seconds_count', { path: '/' }, (i) => i * 10);
  return `${lines.join('\n')}\n`;
}

/** Gives each reader the samples once, then nothing: a second reading of them would be out of order. */
async function startExporter(t) {
  const body = exposition();
  const served = new Set();
  const server = createServer((request, answer) => {
    const reader = request.headers['user-agent'].split('/')[0];
    answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
    answer.end(served.has(reader) ? '' : body);
    served.add(reader);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return `127.0.0.1:${server.address().port}`;
}

const job = (address) => `  - { job_name: fixture, static_configs: [ { targets: ["${address}"], labels: { site: home } } ] }`;
const rules = `
groups:
  - name: own
    interval: 1s
    rules:
      - alert: Hot
        expr: temperature{room="attic"} > -100
        labels: { severity: page }
        annotations: { summary: "{{ $value }} degrees" }
      - record: job:temperature:max
        expr: max by(job) (temperature)
`;

const cleanups = [];
const scope = { after: (f) => cleanups.unshift(f) };
after(async () => { for (const cleanup of cleanups) await cleanup(); });

let ours;
let theirs;
before(async () => {
  const address = await startExporter(scope);
  const folder = scratch(scope);
  const file = join(folder, 'rules.yml');
  writeFileSync(file, rules);
  const global = 'global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }';
  theirs = await startPrometheus(scope, `${global}\nrule_files: [${JSON.stringify(file)}]\nscrape_configs:\n${job(address)}\n`);
  ours = await Daemon.start(scope, config({ to: identity(join(folder, 'owner')), targets: job(address), rules: file }));
  ours.url = `http://127.0.0.1:${ours.port}`;
  for (const url of [ours.url, theirs.url]) {
    await until(`${url} has the samples`, async () => {
      const { body } = await ask(url, '/api/v1/query', { query: 'count({job="fixture",site="home",__name__!~"up|scrape_.+"})', time: end });
      return body.data?.result?.[0]?.value?.[1] === String(6 + 3 + 1 + 8 + 4 + 2);
    });
  }
});

async function ask(url, path, parameters, method = 'GET') {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((v) => [name, String(v)]));
  const form = new URLSearchParams(pairs);
  const answer = await fetch(`${url}${path}${method === 'GET' ? `?${form}` : ''}`, method === 'GET' ? {} : { method, body: form });
  const text = await answer.text();
  try {
    return { status: answer.status, body: JSON.parse(text) };
  } catch {
    throw new Error(`${url}${path}?${form}: ${answer.status} ${text.slice(0, 300)}`);
  }
}

/** Texts of numbers are compared as numbers, to nine digits; series without regard to their order. */
const number = (text) => (Number.isFinite(Number(text)) ? Number(Number(text).toPrecision(9)) : text);
const point = ([at, value]) => [at, number(value)];
const byMetric = (a, b) => (JSON.stringify(a.metric) < JSON.stringify(b.metric) ? -1 : 1);
const sorted = (object) => Object.fromEntries(Object.entries(object).sort());
function canonical({ status, body }) {
  const { data } = body;
  if (!data?.resultType) return { status, body: { status: body.status, errorType: body.errorType, data } };
  const result = ['scalar', 'string'].includes(data.resultType) ? point(data.result)
    : data.result.map(({ metric, value, values }) => ({ metric: sorted(metric), ...(value ? { value: point(value) } : { values: values.map(point) }) })).sort(byMetric);
  return { status, body: { status: body.status, data: { resultType: data.resultType, result } } };
}

const fixture = '{job="fixture"}';
const queries = [
  '1', '-1.5e-9', '"text"', 'NaN', 'time()', 'pi()', 'vector(3)', 'scalar(temperature{room="attic"})', 'scalar(temperature)',
  'temperature', 'temperature{room=~"a.*|c.*"}', 'temperature{room!="attic"}', 'temperature offset 5m', `temperature @ ${end - 60}`,
  `temperature @ ${end} offset 1m`, 'nothing', 'absent(nothing{a="b"})', 'absent(temperature)', 'odd', 'gaps', 'requests_total[1m]',
  'rate(requests_total[2m])', 'increase(requests_total{code="500"}[5m])', 'irate(requests_total[1m])', 'sum by(method) (rate(requests_total[5m]))',
  'sum(requests_total)', 'avg without(code) (requests_total)', 'count by(code) (requests_total)', 'max(temperature)', 'min by(room) (temperature)',
  'stddev(temperature)', 'quantile(0.9, temperature)', 'topk(2, temperature)', 'bottomk(1, temperature)', 'count_values("v", requests_total{code="500"})',
  'group(requests_total)', 'requests_total / on(method,code) requests_total', 'requests_total{code="500"} / ignoring(code) requests_total{code="200"}',
  'requests_total / on(method) group_left sum by(method) (requests_total)', 'temperature > 20', 'temperature > bool 20', 'temperature and on(room) (temperature > 20)',
  'temperature or requests_total', 'temperature unless temperature{room="attic"}', '-temperature', 'temperature % 7', '2 ^ temperature', 'abs(-temperature)',
  'round(temperature, 0.5)', 'clamp(temperature, 18, 21)', 'avg_over_time(temperature[5m])', 'max_over_time(gaps[10m])', 'sum_over_time(temperature[5m:30s])',
  'quantile_over_time(0.5, temperature[5m])', 'stddev_over_time(temperature[5m])', 'changes(requests_total[5m])', 'resets(requests_total[15m])',
  'delta(temperature[5m])', 'deriv(temperature[5m])', 'predict_linear(temperature[5m], 600)', 'last_over_time(gaps[10m])', 'present_over_time(gaps[1m])',
  'absent_over_time(gaps{kind="stops"}[1m])', 'histogram_quantile(0.9, sum by(le) (rate(latency_seconds_bucket[5m])))',
  'rate(latency_seconds_sum[5m]) / rate(latency_seconds_count[5m])', 'label_replace(temperature, "floor", "$1", "room", "(.).*")',
  'label_join(temperature, "both", "-", "room", "site")', 'sort_desc(temperature)', 'timestamp(temperature)', 'hour(vector(time()))', 'day_of_week(vector(1700000000))',
];

test('Instant queries give what Prometheus gives', async () => {
  for (const query of queries) {
    for (const time of [end, end - 7, start]) {
      const [a, b] = await Promise.all([ours.url, theirs.url].map((url) => ask(url, '/api/v1/query', { query, time })));
      assert.equal(b.status, 200, `${query}: ${JSON.stringify(b.body)}`);
      assert.deepEqual(canonical(a), canonical(b), `${query} at ${time}`);
    }
  }
});

test('Range queries give what Prometheus gives', async () => {
  for (const query of queries.filter((q) => !['"text"', 'requests_total[1m]'].includes(q))) {
    const parameters = { query, start: start - 30.5, end: end + 60, step: '1m' };
    const [a, b] = await Promise.all([ours.url, theirs.url].map((url) => ask(url, '/api/v1/query_range', parameters, 'POST')));
    assert.equal(b.status, 200, `${query}: ${JSON.stringify(b.body)}`);
    assert.deepEqual(canonical(a), canonical(b), query);
  }
});

test('The text of every number and time is the same, byte for byte', async () => {
  for (const query of ['odd', 'temperature', '1e-7', '-0', '1e21', '123456789012345680000']) {
    const parameters = { query, start: end - 10.125, end, step: 3.375 };
    const [a, b] = await Promise.all([ours.url, theirs.url].map((url) => ask(url, '/api/v1/query_range', parameters)));
    assert.deepEqual(a.body.data.result.sort(byMetric), b.body.data.result.sort(byMetric), query);
  }
});

const faults = [
  ['/api/v1/query', {}], ['/api/v1/query', { query: 'sum(' }], ['/api/v1/query', { query: 'up', time: 'x' }], ['/api/v1/query', { query: 'up', timeout: 'x' }],
  ['/api/v1/query', { query: 'up', timeout: '-1' }], ['/api/v1/query', { query: 'up', limit: '-1' }], ['/api/v1/query', { query: 'up', limit: 'x' }],
  ['/api/v1/query', { query: 'up', lookback_delta: 'x' }], ['/api/v1/query', { query: 'requests_total + on(site) requests_total', time: end }],
  ['/api/v1/query', { query: 'label_replace(temperature, "room", "", "room", ".*")', time: end }],
  ['/api/v1/query_range', { query: 'up', start: 2, end: 1, step: 1 }], ['/api/v1/query_range', { query: 'up', start: 1, end: 2, step: 0 }],
  ['/api/v1/query_range', { query: 'up', start: 1, end: 2, step: -1 }], ['/api/v1/query_range', { query: 'up', start: 1, end: 2, step: 'x' }],
  ['/api/v1/query_range', { query: 'up', start: 1, end: 2, step: '1e300' }], ['/api/v1/query_range', { query: 'up', end: 2, step: 1 }],
  ['/api/v1/query_range', { query: 'up', start: 'x', end: 2, step: 1 }], ['/api/v1/query_range', { query: 'up', start: 0, end: 11001, step: 1 }],
  ['/api/v1/query_range', { query: 'up[5m]', start: 0, end: 1, step: 1 }], ['/api/v1/query_range', { query: '"a"', start: 0, end: 1, step: 1 }],
  ['/api/v1/series', {}], ['/api/v1/series', { 'match[]': '{x=~".*"}' }], ['/api/v1/series', { 'match[]': 'up', start: 'x' }],
  ['/api/v1/series', { 'match[]': 'up', limit: 'x' }], ['/api/v1/labels', { 'match[]': '{x=~".*"}' }], ['/api/v1/label/job/values', { 'match[]': '{x=~".*"}' }],
  ['/api/v1/rules', { type: 'x' }],
];
// Where the wording is the parser's or the evaluator's, only its kind is compared.
const ownWords = /parse error|match|duplicate|labelset/;

test('What is wrong has the same code, type and words', async () => {
  for (const [path, parameters] of faults) {
    const [a, b] = await Promise.all([ours.url, theirs.url].map((url) => ask(url, path, parameters)));
    const what = `${path} ${JSON.stringify(parameters)}`;
    assert.notEqual(b.status, 200, what);
    assert.deepEqual([a.status, a.body.status, a.body.errorType], [b.status, b.body.status, b.body.errorType], `${what}: ${a.body.error} / ${b.body.error}`);
    if (!ownWords.test(b.body.error)) assert.equal(a.body.error, b.body.error, what);
  }
});

test('Series, label names and label values are the same', async () => {
  const match = `{__name__!~"up|scrape_.+|ALERTS.*|job:.+",job="fixture"}`;
  const calls = [
    ['/api/v1/series', { 'match[]': ['temperature', 'requests_total{code="500"}', 'temperature{room="attic"}'], start, end }],
    ['/api/v1/series', { 'match[]': match, start, end }], ['/api/v1/labels', { 'match[]': match, start, end }], ['/api/v1/labels', { 'match[]': ['odd', 'gaps'] }],
    ['/api/v1/label/__name__/values', { 'match[]': match }], ['/api/v1/label/room/values', {}], ['/api/v1/label/U__room/values', {}],
    ['/api/v1/label/method/values', { 'match[]': 'requests_total{code="200"}', limit: 2 }], ['/api/v1/label/none/values', {}], ['/api/v1/labels', { 'match[]': 'odd', limit: 1 }],
  ];
  for (const [path, parameters] of calls) {
    const [a, b] = await Promise.all([ours.url, theirs.url].map((url) => ask(url, path, parameters)));
    const order = (list) => list.map((x) => (typeof x === 'string' ? x : JSON.stringify(sorted(x)))).sort();
    assert.equal(b.status, 200);
    assert.deepEqual(order(a.body.data), order(b.body.data), `${path} ${JSON.stringify(parameters)}`);
    assert.deepEqual(a.body.warnings, b.body.warnings, `${path} ${JSON.stringify(parameters)}`);
  }
});

/** The same object with what may differ taken out: times of work, what noroshi does not measure, and options that it has not. */
function shape(value, without) {
  if (Array.isArray(value)) return value.map((v) => shape(v, without));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !without.includes(key)).sort().map(([key, v]) => [key, shape(v, without)]));
}

test('Rules, alerts and targets are told alike', async () => {
  const now = ['evaluationTime', 'lastEvaluation', 'activeAt', 'lastScrape', 'lastScrapeDuration', 'globalUrl', 'groupNextToken', 'scrapeInterval', 'scrapeTimeout',
               'value', 'summary', '__always_scrape_classic_histograms__', '__convert_classic_histograms_to_nhcb__', '__scrape_native_histograms__'];
  for (const url of [ours.url, theirs.url]) {
    await until(`${url} has evaluated`, async () => (await ask(url, '/api/v1/rules', {})).body.data.groups[0].rules.every((r) => r.health === 'ok'));
  }
  const calls = [['/api/v1/rules', {}], ['/api/v1/rules', { type: 'alert' }], ['/api/v1/rules', { type: 'record' }], ['/api/v1/rules', { 'rule_name[]': 'Hot' }],
                 ['/api/v1/rules', { 'rule_group[]': 'none' }], ['/api/v1/alerts', {}], ['/api/v1/targets', {}], ['/api/v1/targets', { state: 'dropped' }],
                 ['/api/v1/scrape_pools', {}], ['/api/v1/alertmanagers', {}]];
  for (const [path, parameters] of calls) {
    const [a, b] = await Promise.all([ours.url, theirs.url].map((url) => ask(url, path, parameters)));
    assert.deepEqual(shape(a.body, now), shape(b.body, now), `${path} ${JSON.stringify(parameters)}`);
  }
});

test('promtool takes noroshi for a Prometheus', async () => {
  const both = (args) => [ours.url, theirs.url].map((url) => promtool(args.map((a) => (a === 'URL' ? url : a))));
  const lines = ({ status, stdout, stderr }) => {
    assert.equal(status, 0, stderr);
    // The last digit of a sum is the order of its parts.
    return stdout.trim().split('\n').map((line) => line.replace(/=> (\S+) @/, (_, value) => `=> ${number(value)} @`)).sort();
  };
  const times = ['--start', String(start), '--end', String(end)];
  for (const args of [
    ['query', 'instant', '--time', String(end), 'URL', `sum by(method) (rate(requests_total${fixture}[5m]))`],
    ['query', 'range', ...times, '--step', '1m', 'URL', 'temperature{room="attic"}'],
    ['query', 'series', ...times, '--match', 'temperature', 'URL'],
    ['query', 'labels', ...times, 'URL', 'room'],
  ]) {
    const [a, b] = both(args);
    assert.deepEqual(lines(a), lines(b), args.join(' '));
  }
  assert.equal(promtool(['check', 'healthy', `--url=${ours.url}`]).status, 0);
  assert.equal(promtool(['check', 'ready', `--url=${ours.url}`]).status, 0);
});

test('noroshi query prints tables, asks any Prometheus, and fails with what the server says', async () => {
  const query = (args) => noroshi(['query', ...args, '--data', ours.data]);
  const own = query(['temperature', '--time', String(end), '-c', ours.file]);
  const other = query(['temperature', '--time', String(end), '--url', `${theirs.url}/`]);
  assert.equal(own.status, 0, own.stderr);
  assert.deepEqual(own.stdout.trim().split('\n').sort(), other.stdout.trim().split('\n').sort());
  assert.match(own.stdout, /^temperature\{instance="127\.0\.0\.1:\d+", job="fixture", room="attic", site="home"\}  +[\d.]+$/m);
  const range = query(['sum(temperature)', '--start', String(end - 60), '--end', String(end), '--step', '30s', '-c', ours.file]);
  assert.equal(range.stdout.trim().split('\n').length, 4, range.stdout + range.stderr);
  assert.equal(JSON.parse(query(['1+1', '--json', '-c', ours.file]).stdout).data.result[1], '2');
  const wrong = query(['sum(', '-c', ours.file]);
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /parse error/);
  assert.equal(query(['1', '--start', '1', '-c', ours.file]).status, 2);
});

test('A page of another site, a foreign name and a body that is no form are refused', async () => {
  const url = `${ours.url}/api/v1/query`;
  const status = async (options) => (await fetch(url, options)).status;
  assert.equal(await status({ method: 'POST', body: new URLSearchParams({ query: '1' }) }), 200);
  assert.equal(await status({ method: 'POST', body: new URLSearchParams({ query: '1' }), headers: { origin: 'http://evil.example' } }), 403);
  assert.equal(await status({ method: 'POST', body: '{"query":"1"}', headers: { 'content-type': 'application/json' } }), 415);
  assert.equal((await ask(ours.url, '/api/v1/status/buildinfo', {})).body.data.version, '3.16.0');
});
