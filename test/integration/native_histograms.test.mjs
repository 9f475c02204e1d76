// test/integration/native_histograms.test.mjs - what Prometheus's own Go library exposes as protobuf, native histograms among it,
// scraped by noroshi and by a real Prometheus: both answer the same, noroshi also after a kill.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startExposer } from '../peers/lib/exposer.mjs';
import { config, Daemon, identity } from '../peers/lib/noroshi.mjs';
import { scratch, until } from '../peers/lib/process.mjs';
import { startPrometheus } from '../peers/lib/prometheus.mjs';

// A whole minute, some minutes ago: nothing of what is asked lies in the future or before the samples.
const step = 15;
const steps = 20;
const end = Math.floor(Date.now() / 60_000) * 60 - 120;
const start = end - (steps - 1) * step;

/** Each job has a path of its own, which the exposer serves from the first step on. */
const jobs = {
  native: 'scrape_native_histograms: true',
  both: 'scrape_native_histograms: true, always_scrape_classic_histograms: true',
  coarse: 'scrape_native_histograms: true, native_histogram_bucket_limit: 24, native_histogram_min_bucket_factor: 1.2',
  ignored: 'scrape_protocols: [PrometheusProto, PrometheusText0.0.4]',
  text: 'scrape_native_histograms: true, scrape_protocols: [PrometheusText0.0.4]',
};
const targets = (address) => Object.entries(jobs).map(([name, keys]) =>
  `  - { job_name: ${name}, metrics_path: /${name}, ${keys}, static_configs: [ { targets: ["${address}"] } ] }`).join('\n');

const cleanups = [];
const scope = { after: (f) => cleanups.unshift(f) };
after(async () => { for (const cleanup of cleanups) await cleanup(); });

async function ask(url, path, parameters) {
  const form = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
  const answer = await fetch(`${url}${path}`, { method: 'POST', body: form });
  return { status: answer.status, body: await answer.json() };
}

let daemon;
let theirs;
const urls = () => [`http://127.0.0.1:${daemon.port}`, theirs.url];
async function scrapedAll(url) {
  await until(`${url} has all steps of all jobs`, async () => {
    const { body } = await ask(url, '/api/v1/query', { query: 'count_over_time(shop_heat[1h])', time: end });
    const counts = body.data?.result?.map((r) => r.value[1]) ?? [];
    return counts.length === Object.keys(jobs).length && counts.every((n) => n === String(steps));
  }, 90_000);
}
before(async () => {
  const address = await startExposer(scope, { start, step, steps });
  const folder = scratch(scope);
  theirs = await startPrometheus(scope, `global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n${targets(address)}\n`);
  daemon = await Daemon.start(scope, config({ to: identity(join(folder, 'owner')), targets: targets(address) }), { folder });
  for (const url of urls()) await scrapedAll(url);
});

/** Numbers are compared to nine digits; series without regard to their order. */
const number = (text) => (Number.isFinite(Number(text)) ? Number(Number(text).toPrecision(9)) : text);
const sorted = (object) => Object.fromEntries(Object.entries(object).sort());
const histogram = ({ count, sum, buckets = [] }) => ({ count: number(count), sum: number(sum), buckets: buckets.map(([rule, ...rest]) => [rule, ...rest.map(number)]) });
const point = ([at, value]) => [at, typeof value === 'string' ? number(value) : histogram(value)];
const byMetric = (a, b) => (JSON.stringify(a.metric) < JSON.stringify(b.metric) ? -1 : 1);
function canonical({ status, body }) {
  const result = body.data?.result?.map((series) => Object.fromEntries(Object.entries(series)
    .map(([key, value]) => [key, key === 'metric' ? sorted(value) : key.endsWith('s') ? value.map(point) : point(value)])));
  return { status, type: body.data?.resultType, result: result?.sort(byMetric), infos: body.infos, warnings: body.warnings };
}

const both = 'shop_both_seconds{job="native"}';
const balance = 'shop_balance{job="native"}';
const queries = [
  ...Object.keys(jobs).map((job) => `{job="${job}"}`), both, balance, `${both}[2m]`, `${balance}[2m]`, `rate(${both}[2m])`, `increase(${balance}[3m])`, `irate(${both}[1m])`,
  `delta(shop_gauge_histogram{job="native"}[2m])`, `rate(shop_fractions{job="native"}[2m])`, `resets(${balance}[5m])`, `changes(${both}[5m])`,
  `sum(rate(${both}[2m]))`, `avg(${both})`, `histogram_quantile(0.9, rate(${both}[2m]))`, `histogram_quantile(0.1, ${balance})`,
  `histogram_count(${both})`, `histogram_sum(rate(${balance}[2m]))`, `histogram_avg(${both})`, `histogram_fraction(-1, 1, ${balance})`, `histogram_stddev(${both})`,
  `histogram_count(rate(${both}[2m]))`, `${both} + ${both}`, `${balance} * 3`, `count_over_time(${balance}[5m])`, `sum_over_time(${both}[1m])`,
  `avg_over_time(${balance}[2m])`, `last_over_time(${both}[2m])`, `timestamp(${balance})`, `max_over_time(${both}[2m])`, `absent(${balance})`,
  'histogram_quantile(0.9, sum by(le) (rate(shop_classic_seconds_bucket{job="native"}[2m])))', 'sum by(job) (histogram_count({__name__="shop_balance"}))',
  'histogram_quantile(0.5, sum by(le,job) (rate(shop_both_seconds_bucket[2m])))', 'histogram_count(increase({__name__="shop_balance",job="coarse"}[5m]))',
];

async function compare() {
  for (const query of queries) {
    for (const time of [end, end - 7, start + 9 * step, start + 10 * step]) {
      const [a, b] = await Promise.all(urls().map((url) => ask(url, '/api/v1/query', { query, time })));
      assert.equal(b.status, 200, `${query}: ${JSON.stringify(b.body)}`);
      assert.deepEqual(canonical(a), canonical(b), `${query} at ${time}`);
    }
    if (query.endsWith(']')) continue;
    const [a, b] = await Promise.all(urls().map((url) => ask(url, '/api/v1/query_range', { query, start: start - 30, end: end + 60, step: 20 })));
    assert.equal(b.status, 200, `${query}: ${JSON.stringify(b.body)}`);
    assert.deepEqual(canonical(a), canonical(b), `${query} as a range`);
  }
}

test('The exposer gave native histograms, and each job took of them what it was told to', async () => {
  const names = async (job) => (await ask(urls()[0], '/api/v1/query', { query: `count by(__name__) ({job="${job}"})`, time: end })).body.data.result.map((r) => r.metric.__name__);
  const natives = async (job) => (await ask(urls()[0], '/api/v1/query', { query: `{job="${job}"}`, time: end })).body.data.result.filter((r) => r.histogram).length;
  assert.equal(await natives('native'), 5);
  assert.equal((await names('native')).includes('shop_both_seconds_bucket'), false);
  assert.equal(await natives('both'), 5);
  assert.ok((await names('both')).includes('shop_both_seconds_bucket'));
  for (const job of ['ignored', 'text']) {
    assert.equal(await natives(job), 0);
    assert.ok((await names(job)).includes('shop_both_seconds_bucket'));
  }
  const wide = (await ask(urls()[0], '/api/v1/query', { query: '{job="coarse"}', time: end })).body.data.result.map((r) => r.histogram?.[1].buckets?.length ?? 0);
  assert.ok(Math.max(...wide) <= 25 && Math.max(...wide) > 5, `${wide}`);
});

test('Queries over native histograms give what Prometheus gives', async () => compare());

test('They give the same after kill -9: histograms are on disk', async () => {
  await until('the log is written', async () => (await daemon.metric('noroshi_tsdb_log_written_bytes')) > 0);
  const written = await daemon.metric('noroshi_tsdb_log_written_bytes');
  await until('and written again', async () => (await daemon.metric('noroshi_tsdb_log_written_bytes')) > written, 60_000);
  await daemon.kill();
  await daemon.run();
  await compare();
});
