// test/integration/remote_write.test.mjs - a real Prometheus sends what it scrapes of itself to noroshi by remote write, version 1
// and 2, native histograms among it; then both are asked the same.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { config, Daemon, identity } from '../peers/lib/noroshi.mjs';
import { startPrometheus } from '../peers/lib/prometheus.mjs';
import { scratch, sleep } from '../peers/lib/process.mjs';

const queries = ['count by (__name__) ({job="self"})', 'up{job="self"}', 'prometheus_http_requests_total', 'sum by (handler) (rate(prometheus_http_requests_total[5s]))',
                 'histogram_quantile(0.9, sum by (le) (prometheus_http_response_size_bytes_bucket))', 'go_memstats_alloc_bytes', 'max_over_time(go_goroutines[5s])',
                 'prometheus_http_request_duration_seconds', 'rate(prometheus_http_request_duration_seconds[5s])',
                 'histogram_quantile(0.5, sum(prometheus_http_request_duration_seconds))'];

async function ask(url, query, time) {
  const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query, time })}`);
  const { data } = await answer.json();
  // The last digit of a sum is the order of its parts.
  const round = (part) => (Array.isArray(part) ? part.map(round) : typeof part === 'string' ? Number(part).toPrecision(9) : part);
  return data.result.map(({ metric, value, histogram }) => {
    const [at, what] = value ?? histogram;
    return [JSON.stringify(Object.entries(metric).sort()), at, value ? round(what) : { ...what, count: round(what.count), sum: round(what.sum), buckets: round(what.buckets ?? []) }];
  }).sort(([a], [b]) => (a < b ? -1 : 1));
}

for (const message of ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request']) {
  test(`Prometheus sends ${message}, and noroshi answers as it does`, async (t) => {
    const folder = scratch(t);
    const ours = await Daemon.start(t, config({ to: identity(join(folder, 'owner')) }), { http: ', remote_write: true' });
    const url = `http://127.0.0.1:${ours.port}`;
    const theirs = await startPrometheus(t, `
global: { scrape_interval: 1s, scrape_timeout: 1s, scrape_native_histograms: true, always_scrape_classic_histograms: true }
scrape_configs:
  - { job_name: self, static_configs: [ { targets: ["OWN"] } ] }
remote_write:
  - url: ${url}/api/v1/write
    protobuf_message: ${message}
    send_native_histograms: true
    authorization: { credentials_file: ${JSON.stringify(join(ours.data, 'api.token'))} }
    queue_config: { batch_send_deadline: 200ms }
`);
    // Its sender reads the log from the start first, which takes it five seconds.
    const value = async (query, time) => (await ask(url, query, time))[0]?.[2];
    await theirs.child.until('has sent some seconds of it', async () => await value('count_over_time(up{job="self"}[1m]) > 6', Date.now() / 1000), 60_000);
    const time = Math.floor(Date.now() / 1000) - 1;
    await theirs.child.until('has sent what comes after', async () => Number(await value('timestamp(up{job="self"})', time + 30)) > time, 60_000);
    await sleep(500);
    for (const query of queries) {
      const [a, b] = await Promise.all([url, theirs.url].map((u) => ask(u, query, time)));
      assert.ok(b.length > 0, query);
      assert.deepEqual(a, b, query);
    }
    assert.doesNotMatch((await ours.get('/metrics')).text, /noroshi_remote_write_dropped_total\S+ [1-9]/);
  });
}

test('Without the token, without the key in the configuration, or as JSON nothing is taken', async (t) => {
  const folder = scratch(t);
  const to = identity(join(folder, 'owner'));
  const on = await Daemon.start(t, config({ to }), { http: ', remote_write: true' });
  const off = await Daemon.start(t, config({ to }));
  const status = async (daemon, type) => (await fetch(`http://127.0.0.1:${daemon.port}/api/v1/write`, { method: 'POST', body: 'x', headers: { 'content-type': type } })).status;
  assert.equal(await status(on, 'application/x-protobuf'), 401);
  assert.equal(await status(on, 'application/json'), 415);
  assert.equal(await status(off, 'application/json'), 404);
});
