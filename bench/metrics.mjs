// bench/metrics.mjs - the metric engine beside Prometheus and VictoriaMetrics: all scrape one server at the same time. Run by
// bench/run.mjs, or alone: `node bench/metrics.mjs [ingest10k] [rules] [ingest100k] [--only noroshi]`; prints a table.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request, Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { freePort, sleep, until } from '../test/peers/lib/process.mjs';
import { targets } from './exposition.mjs';

const parts = { ingest10k: { series: 10_000, interval: 1 }, rules: { series: 10_000, interval: 1, rules: 1_000 }, ingest100k: { series: 100_000, interval: 5 } };
const warmSeconds = 25;
const seconds = 40;
const ruleInterval = 5;
const queryTimes = 150;

const arguments_ = process.argv.slice(2);
const onlyAt = arguments_.indexOf('--only');
const only = onlyAt < 0 ? undefined : arguments_[onlyAt + 1];
const wanted = Object.keys(parts).filter((part) => !Object.keys(parts).some((p) => arguments_.includes(p)) || arguments_.includes(part));

const last = (script) => execFileSync(script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim().split('\n').at(-1);
const folder = mkdtempSync(join(tmpdir(), 'noroshi-metrics-'));
const children = new Set();
process.on('exit', () => {
  children.forEach((child) => child.kill('SIGKILL'));
  rmSync(folder, { recursive: true, force: true });
});

/** User and system time of all threads that live, in seconds. */
const cpuSeconds = (pid) => readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0) / 1e9;
/** Resident memory in MB of 10^6 bytes. */
const residentMb = (pid) => (Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+)/m)[1]) * 1024) / 1e6;

const scrapeConfigs = (port, { interval }, off) => `scrape_configs:
${Array.from({ length: targets }, (_, n) => `- job_name: job-${n}
  ${off}
  metrics_path: /${n}
  static_configs: [{ targets: ["127.0.0.1:${port}"], labels: { instance: "bench-${n}:9100" } }]`).join('\n')}
`;

/** Rules as people write them; each fifth of a kind. Alerts that are true for many series, so that ALERTS is written, stay pending. */
function ruleFile(count) {
  const rules = [];
  for (let i = 0; rules.length < count; ++i) {
    const counter = `bench_requests_${(i * 2) % 100}_total`;
    const gauge = `bench_queue_length_${(i * 2 + 1) % 100}`;
    rules.push({ record: `service:requests:rate1m_${i}`, expr: `sum by (service) (rate(${counter}[1m]))` },
               { record: `pod:queue:max_${i}`, expr: `max by (pod) (${gauge})` },
               { alert: `ManyErrors${i}`, expr: `sum by (service) (rate(${counter}{code="500"}[1m])) / sum by (service) (rate(${counter}[1m])) > 0.9`, for: '1m' },
               { alert: `QueueLong${i}`, expr: `${gauge}{service="service-${i % 5}"} > 40`, for: '2h' },
               { alert: `Busy${i}`, expr: `rate(${counter}[1m]) > 1e6`, for: '1m' });
  }
  const text = ({ expr, ...rest }) => `  - { ${Object.entries(rest).map(([k, v]) => `${k}: "${v}"`).join(', ')}, expr: '${expr}' }`;
  const groups = Array.from({ length: count / 100 }, (_, g) => `- name: group-${g}\n  rules:\n${rules.slice(g * 100, g * 100 + 100).map(text).join('\n')}`);
  return `groups:\n${groups.join('\n')}\n`;
}

/** What is particular of each program: its command and configuration. */
const programs = {
  prometheus: {
    command: (at) => [join(last('tools/peers/build-prometheus.sh'), 'prometheus'), `--config.file=${at.file}`, `--storage.tsdb.path=${at.data}`,
                      `--web.listen-address=127.0.0.1:${at.port}`, '--log.level=error'],
    config: (at, part) => global(part) + rulesOf(at, part) + (part.port ? scrapeConfigs(part.port, part, 'enable_compression: false') : ''),
    ready: '/-/ready',
  },
  victoriametrics: {
    command: (at) => [last('tools/peers/build-victoriametrics.sh'), `-promscrape.config=${at.file}`, `-storageDataPath=${at.data}`,
                      `-httpListenAddr=127.0.0.1:${at.port}`, '-loggerLevel=ERROR', '-search.latencyOffset=0s', '-search.disableCache'],
    config: (at, part) => `global: { scrape_interval: ${part.interval}s }\n${part.port ? scrapeConfigs(part.port, part, 'disable_compression: true') : 'scrape_configs: []\n'}`,
    ready: '/health',
  },
  noroshi: {
    command: (at) => [resolve(process.env.NOROSHI_BIN ?? 'build/noroshi'), 'run', '--config', at.file, '--data', at.data, '--log-level', 'error'],
    config: (at, part) => `http: { port: ${at.port} }
host: { enabled: false }
receivers: [{ name: owner, waku_configs: [{ to: "${owner()}" }] }]
waku: { cluster: 99, shards: [1] }
${global(part)}${rulesOf(at, part)}${part.port ? scrapeConfigs(part.port, part, 'enable_compression: false') : ''}`,
    ready: '/healthz',
  },
};
const global = ({ interval }) => `global: { scrape_interval: ${interval}s, scrape_timeout: ${interval}s, evaluation_interval: ${ruleInterval}s }\n`;
const rulesOf = (at, { rules }) => {
  const file = join(at.data, '..', 'rules.yml');
  writeFileSync(file, rules ? ruleFile(rules) : 'groups: []\n');
  return `rule_files: [${JSON.stringify(file)}]\n`;
};
let ownerKey;
function owner() {
  ownerKey ??= JSON.parse(execFileSync(resolve(process.env.NOROSHI_BIN ?? 'build/noroshi'), ['id', '--json', '--data', join(folder, 'owner')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).id;
  return ownerKey;
}

async function start(name, part) {
  const at = { name, port: await freePort(), folder: mkdtempSync(join(folder, `${name}-`)) };
  at.data = join(at.folder, 'data');
  at.file = join(at.folder, 'config.yml');
  mkdirSync(at.data, { mode: 0o700 });
  writeFileSync(at.file, programs[name].config(at, part));
  const [command, ...args] = programs[name].command(at);
  at.child = spawn(command, args, { stdio: ['ignore', 'ignore', process.env.BENCH_LOG ? 'inherit' : 'ignore'], cwd: at.folder });
  children.add(at.child);
  at.url = `http://127.0.0.1:${at.port}`;
  await until(`${name} is ready`, async () => (await fetch(at.url + programs[name].ready)).ok, 60_000);
  return at;
}
async function stop(at) {
  const ended = new Promise((done) => at.child.on('close', done));
  at.child.kill('SIGKILL');
  await ended;
  children.delete(at.child);
}

async function exposition(series) {
  const child = spawn('node', ['bench/exposition.mjs', String(series)], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const port = await new Promise((done) => child.stdout.once('data', (data) => done(Number(data))));
  return { child, port };
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const ask = (at, path, parameters) => new Promise((done, fail) => {
  const call = request(`${at.url}${path}?${new URLSearchParams(parameters)}`, { agent, headers: { 'accept-encoding': 'identity' } }, (answer) => {
    const chunks = [];
    answer.on('data', (chunk) => chunks.push(chunk));
    answer.on('end', () => (answer.statusCode === 200 ? done(Buffer.concat(chunks)) : fail(new Error(`${at.name}: ${answer.statusCode} ${Buffer.concat(chunks)}`))));
  });
  call.on('error', fail);
  call.end();
});
const queries = { raw: 'bench_queue_length_51', rate: 'rate(bench_requests_50_total[30s])', topk: 'topk(5, rate(bench_requests_50_total[30s]))' };

/** Milliseconds of processor time a query, over HTTP; the answers' sizes are compared. */
async function timeQueries(at, end, shapes) {
  const out = {};
  for (const [name, query] of Object.entries(queries)) {
    const parameters = { query, start: end - 30, end, step: 2 };
    const { data } = JSON.parse(await ask(at, '/api/v1/query_range', parameters));
    const shape = `${data.result.length} series, ${data.result.reduce((n, s) => n + s.values.length, 0)} points`;
    (shapes[name] ??= {})[at.name] = shape;
    for (let i = 0; i < 20; ++i) await ask(at, '/api/v1/query_range', parameters);
    const before = cpuSeconds(at.child.pid);
    for (let i = 0; i < queryTimes; ++i) await ask(at, '/api/v1/query_range', parameters);
    out[name] = ((cpuSeconds(at.child.pid) - before) / queryTimes) * 1e3;
  }
  return out;
}

const rows = [];
function row(name, unit, target, values) {
  rows.push({ name: `${name}, ${unit}`, target, ...values });
}
const by = (programs_, value) => Object.fromEntries(programs_.map((at) => [at.name, value(at)]));

async function idleMemory(names) {
  const idle = {};
  for (const name of names) {
    const at = await start(name, { interval: 1 });
    await sleep(4_000);
    idle[name] = residentMb(at.child.pid);
    await stop(at);
  }
  return idle;
}

async function measure(partName, idle, plain) {
  const part = { ...parts[partName] };
  const names = Object.keys(idle).filter((name) => !part.rules || name !== 'victoriametrics');
  const server = await exposition(part.series);
  part.port = server.port;
  const all = await Promise.all(names.map((name) => start(name, part)));
  const most = by(all, () => 0);
  const watch = setInterval(() => all.forEach((at) => { most[at.name] = Math.max(most[at.name], residentMb(at.child.pid)); }), 250);
  await sleep(warmSeconds * 1000);
  const before = by(all, (at) => cpuSeconds(at.child.pid));
  await sleep(seconds * 1000);
  const used = by(all, (at) => cpuSeconds(at.child.pid) - before[at.name]);
  clearInterval(watch);
  const samples = (part.series * seconds) / part.interval;
  const shapes = {};
  if (part.rules) {
    const evaluations = (part.rules * seconds) / ruleInterval;
    const base = plain ?? by(all, () => 0);
    row('1,000 rules every 5 s', 'ms CPU an evaluation', 10, by(all, (at) => ((used[at.name] - base[at.name]) / evaluations) * 1e3));
    row('1,000 rules every 5 s', 'MB over idle', undefined, by(all, (at) => most[at.name] - idle[at.name]));
  } else {
    const what = `ingest ${part.series / 1000}k series at ${part.interval} s`;
    row(what, 'us CPU a sample', 7, by(all, (at) => (used[at.name] / samples) * 1e6));
    row(what, 'MB over idle', part.series === 10_000 ? 5 : 4, by(all, (at) => most[at.name] - idle[at.name]));
    const end = Math.floor(Date.now() / 1000) - 4;
    server.child.kill();  // whoever is asked now does nothing else
    await sleep(3_000);
    const answers = {};
    for (const at of all) answers[at.name] = await timeQueries(at, end, shapes);
    for (const query of Object.keys(queries)) row(`query_range ${query}, ${part.series / 1000}k`, 'ms CPU', 3, by(all, (at) => answers[at.name][query]));
  }
  server.child.kill();
  for (const at of all) await stop(at);
  for (const [query, shape] of Object.entries(shapes)) {
    if (shape.prometheus && shape.noroshi !== shape.prometheus) console.log(`  NOT THE SAME ANSWER: ${query}: ${JSON.stringify(shape)}`);
  }
  return used;
}

const number = (value) => (value === undefined ? '-' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3));
const cells = (texts) => texts.map((text) => text.padStart(16)).join('');
const idle = await idleMemory(Object.keys(programs).filter((name) => !only || name === only));
row('idle', 'MB resident', undefined, idle);
let plain;
for (const part of wanted) {
  const used = await measure(part, idle, plain);
  if (part === 'ingest10k') plain = used;
}
console.log(`${'beside Prometheus 3.16.0 and VictoriaMetrics 1.151.0'.padEnd(50)}${cells(['Prometheus', 'VictoriaMetrics', 'noroshi', 'Prom./noroshi', 'VM/noroshi', 'aimed at'])}`);
for (const { name, target, prometheus, victoriametrics, noroshi } of rows) {
  const ratio = (peer) => (peer === undefined || noroshi === undefined ? '-' : number(peer / noroshi));
  console.log(`${name.padEnd(50)}${cells([number(prometheus), number(victoriametrics), number(noroshi), ratio(prometheus), ratio(victoriametrics), target ? String(target) : '-'])}`);
}
process.exit(0);
