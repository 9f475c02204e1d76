// test/differential/run.mjs - random series by remote write to noroshi and to a real Prometheus, then random queries to both.
//   node test/differential/run.mjs [--seed N] [--queries N] [--findings FILE]
//   node test/differential/run.mjs --seed N --end SECONDS --ask QUERY --time SECONDS   one query over a seed's series, both answers
// Each difference is printed with its seed and query; the same seed gives the same series and queries. The last line counts.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { config, Daemon, identity } from '../peers/lib/noroshi.mjs';
import { startPrometheus } from '../peers/lib/prometheus.mjs';
import { scratch } from '../peers/lib/process.mjs';
import { difference } from './compare.mjs';
import { snappy } from './protobuf.mjs';
import { randomQuery } from './queries.mjs';
import { random } from './random.mjs';
import { randomSeries, writeRequest } from './series.mjs';

const { values: options } = parseArgs({ options: { seed: { type: 'string', default: '1' }, queries: { type: 'string', default: '1500' }, findings: { type: 'string' },
  end: { type: 'string' }, ask: { type: 'string', multiple: true }, time: { type: 'string' } } });
const perSeed = 500;  // queries over one set of series

async function send(url, body, token) {
  const answer = await fetch(`${url}/api/v1/write`, { method: 'POST', body, headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0', ...(token ? { authorization: `Bearer ${token}` } : {}) } });
  if (answer.status !== 204) throw new Error(`${url} answered ${answer.status} to a write: ${await answer.text()}`);
}

async function ask(url, path, parameters) {
  const answer = await fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams(parameters) });
  return { status: answer.status, body: await answer.json() };
}

const cleanups = [];
const scope = { after: (f) => cleanups.unshift(f) };
const findings = [];
let asked = 0;
let failed = 0;

/** Series of one seed, alone in both stores, and queries over them. */
async function round(seed, queries) {
  const r = random(seed);
  const folder = scratch(scope);
  const theirs = await startPrometheus(scope, 'global: { evaluation_interval: 1s }\n', ['--web.enable-remote-write-receiver']);
  const daemon = await Daemon.start(scope, config({ to: identity(join(folder, 'owner')) }), { http: ', remote_write: true', log: 'info' });
  const ours = `http://127.0.0.1:${daemon.port}`;
  // The samples are given times of now: both refuse what is too old.
  const end = options.end ? Number(options.end) * 1000 : Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
  const body = snappy(writeRequest(randomSeries(r, end - 1_500_000, end)));
  await send(theirs.url, body);
  await send(ours, body, readFileSync(join(daemon.data, 'api.token'), 'utf8').trim());
  for (const query of options.ask ?? []) {
    for (const [who, url] of [['noroshi', ours], ['Prometheus', theirs.url]]) {
      console.log(`${query}\n  ${who}: ${JSON.stringify((await ask(url, '/api/v1/query', { query, time: options.time })).body)}`);
    }
  }
  for (let i = 0; i < queries; ++i) {
    const query = randomQuery(r, end / 1000);
    const instant = r.chance(0.5);
    const at = end / 1000 - r.below(1_400);
    const parameters = instant ? { query, time: at } : { query, start: at - r.below(600), end: at, step: r.one([15, 30, 60, 7.5]) };
    const path = instant ? '/api/v1/query' : '/api/v1/query_range';
    const [a, b] = await Promise.all([ask(ours, path, parameters), ask(theirs.url, path, parameters)]);
    ++asked;
    failed += b.status === 200 ? 0 : 1;
    const what = difference(a, b, query);
    if (what) {
      findings.push({ seed, end: end / 1000, what, path, parameters, noroshi: a, prometheus: b });
      console.log(`DIFFERENCE seed=${seed} end=${end / 1000} ${what}: ${path} ${JSON.stringify(parameters)}\n  noroshi    ${JSON.stringify(a.body).slice(0, 400)}\n  Prometheus ${JSON.stringify(b.body).slice(0, 400)}`);
    }
  }
  await daemon.stop();
  await theirs.child.stop();
}

try {
  const wanted = Number(options.queries);
  if (options.ask) await round(Number(options.seed), 0);
  else for (let seed = Number(options.seed); asked < wanted; ++seed) await round(seed, Math.min(perSeed, wanted - asked));
} finally {
  for (const cleanup of cleanups) await cleanup();
}
if (options.findings) writeFileSync(options.findings, `${JSON.stringify(findings, null, 1)}\n`);
console.log(`${asked} queries, ${failed} of them errors in Prometheus, ${findings.length} differences`);
process.exit(findings.length ? 1 : 0);
