// test/integration/otlp.test.mjs - OpenTelemetry's SDK sends its metrics by OTLP to noroshi and to a real Prometheus, the same bytes to
// both; then both are asked the same.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';

import { config, Daemon, identity } from '../peers/lib/noroshi.mjs';
import { startPrometheus } from '../peers/lib/prometheus.mjs';
import { freePort, scratch } from '../peers/lib/process.mjs';

const { openTelemetry } = await import(pathToFileURL(join(process.env.NOROSHI_JS_PEERS, 'exports.mjs')).href);
const { AggregationType, MeterProvider, OTLPMetricExporter, PeriodicExportingMetricReader, resourceFromAttributes } = await openTelemetry();
const path = '/api/v1/otlp/v1/metrics';

/** A program that measures: every kind of instrument, with names, units and attributes that Prometheus has to translate. */
function instruments(exporter) {
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', 'service.namespace': 'web', 'service.instance.id': 'i-1', 'host.name': 'here', 'process.command_args': ['a', '"b"'], '1.zone': 3 }),
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    views: [{ instrumentName: 'payload', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }] });
  const meter = provider.getMeter('test');
  const requests = meter.createCounter('http.server.requests', { unit: '{request}' });
  const bytes = meter.createCounter('disk.io', { unit: 'By/s' });
  const queue = meter.createUpDownCounter('queue.length', { unit: '1' });
  const duration = meter.createHistogram('http.server.duration', { unit: 'ms' });
  const payload = meter.createHistogram('payload', { unit: 'By' });
  meter.createObservableGauge('room/temperature', { unit: 'Cel' }).addCallback((result) => result.observe(21.5, { room: 'attic', 'a.b': 'x', 'a/b': 'y' }));
  meter.createObservableGauge('memory.usage', { unit: '1' }).addCallback((result) => result.observe(0.25, { _pool: 'heap', ok: true, share: 1e-7 }));
  return { provider, measure(n) {
    for (let i = 0; i < n; ++i) {
      requests.add(1, { 'http.method': i % 2 ? 'GET' : 'POST', code: 200 });
      bytes.add(1.5);
      queue.add(i % 3 ? 2 : -1);
      duration.record(i * 7, { route: '/a' });
      payload.record(2 ** (i % 9) + i, { route: '/a' });
      if (i % 5 === 0) payload.record(0, { route: '/zero' });
    }
  } };
}

async function ask(url, query, time) {
  const { data, error } = await (await fetch(`${url}/api/v1/query?${new URLSearchParams({ query, time })}`)).json();
  assert.ok(data, `${query}: ${error}`);
  return data.result.map(({ metric, ...rest }) => [JSON.stringify(Object.entries(metric).sort()), rest]).sort(([a], [b]) => (a < b ? -1 : 1));
}

test('What an OpenTelemetry SDK sends becomes the series that Prometheus makes of it', async (t) => {
  const folder = scratch(t);
  const ours = await Daemon.start(t, config({ to: identity(join(folder, 'owner')) }), { http: ', otlp: true' });
  const theirs = await startPrometheus(t, 'global: { evaluation_interval: 1s }\n', ['--web.enable-otlp-receiver']);
  const url = `http://127.0.0.1:${ours.port}`;
  const token = readFileSync(join(ours.data, 'api.token'), 'utf8').trim();
  const answers = [];
  const port = await freePort();
  const both = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const headers = { 'content-type': request.headers['content-type'], 'content-encoding': request.headers['content-encoding'] };
    for (const to of [url, theirs.url]) {
      const answer = await fetch(to + path, { method: 'POST', body, headers: { ...headers, authorization: `Bearer ${token}` } });
      answers.push([answer.status, await answer.text()]);
    }
    response.writeHead(answers.at(-2)[0], { 'content-type': 'application/x-protobuf' }).end(answers.at(-2)[1]);
  }).listen(port, '127.0.0.1');
  t.after(() => both.close());
  const { provider, measure } = instruments(new OTLPMetricExporter({ url: `http://127.0.0.1:${port}`, compression: 'gzip' }));
  for (const n of [10, 25, 3]) {
    measure(n);
    await provider.forceFlush();
  }
  await provider.shutdown();
  assert.ok(answers.length >= 6);
  assert.deepEqual(new Set(answers.map(([status, body]) => `${status} ${body}`)), new Set(['200 ']));
  const time = Date.now() / 1000;
  const all = await ask(theirs.url, '{job="web/shop"}', time);
  for (const name of ['http_server_requests_total', 'disk_io_bytes_per_second_total', 'queue_length', 'http_server_duration_milliseconds_bucket', 'payload_bytes',
                      'room_temperature_celsius', 'memory_usage_ratio', 'target_info']) {
    assert.ok(all.some(([labels]) => labels.includes(`["__name__","${name}"]`)), `${name} is not among ${all.map(([labels]) => labels)}`);
  }
  for (const query of ['{job="web/shop"}', '{job="web/shop"}[5m]', 'count by (__name__, job, instance) ({job=~".+"})', 'histogram_quantile(0.9, payload_bytes)',
                       'histogram_quantile(0.9, http_server_duration_milliseconds_bucket)', 'http_server_requests_total * on (job, instance) group_left (host_name) target_info']) {
    const [a, b] = await Promise.all([url, theirs.url].map((u) => ask(u, query, time)));
    assert.ok(b.length > 0, query);
    assert.deepEqual(a, b, query);
  }
});

test('Delta is refused by name, and without the token or the key in the configuration nothing is taken', async (t) => {
  const folder = scratch(t);
  const to = identity(join(folder, 'owner'));
  const on = await Daemon.start(t, config({ to }), { http: ', otlp: true' });
  const off = await Daemon.start(t, config({ to }));
  const url = `http://127.0.0.1:${on.port}${path}`;
  const headers = { authorization: `Bearer ${readFileSync(join(on.data, 'api.token'), 'utf8').trim()}` };
  const delta = 0;  // the exporter's preference
  const { provider, measure } = instruments(new OTLPMetricExporter({ url, headers, temporalityPreference: delta }));
  measure(4);
  await provider.forceFlush();
  await provider.shutdown();
  assert.ok(await on.metric('noroshi_otlp_dropped_total{reason="delta"}') > 0);
  const stored = await ask(`http://127.0.0.1:${on.port}`, 'count by (__name__) ({job="web/shop"})', Date.now() / 1000);
  assert.ok(stored.some(([labels]) => labels.includes('room_temperature_celsius')) && !stored.some(([labels]) => labels.includes('payload')), JSON.stringify(stored));
  const status = async (daemon, type, extra = {}) => (await fetch(`http://127.0.0.1:${daemon.port}${path}`, { method: 'POST', body: 'x', headers: { 'content-type': type, ...extra } })).status;
  assert.equal(await status(on, 'application/x-protobuf'), 401);
  assert.equal(await status(on, 'application/x-protobuf', headers), 400);
  assert.equal(await status(on, 'application/json', headers), 415);
  assert.equal(await status(off, 'application/json', headers), 404);
});
