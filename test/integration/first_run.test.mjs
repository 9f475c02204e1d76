// test/integration/first_run.test.mjs - `noroshi run` without a configuration, its files, its own endpoints, its budgets.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { startNodeExporter } from '../peers/lib/node-exporter.mjs';
import { config, Daemon, identity, noroshi, program } from '../peers/lib/noroshi.mjs';
import { Child, residentBytes, scratch, sleep } from '../peers/lib/process.mjs';

const start = (t, data, args = []) =>
  new Child(t, program, ['run', '--log-level', 'info', '--data', data, ...args], { name: 'noroshi' });
const said = (child, what, ms) => child.until(`prints ${what}`, () => child.lines.find((line) => what.test(line)), ms);

test('Without a configuration: the first message in the terminal, again after a restart, clean end on Ctrl-C', { timeout: 60_000 }, async (t) => {
  const data = join(scratch(t), 'data');
  for (let round = 0; round < 2; ++round) {
    const begun = Date.now();
    const child = start(t, data);
    await said(child, /noroshi watches \d+ things on /, 10_000);
    t.diagnostic(`${Date.now() - begun} ms from start ${round + 1} to the first decrypted message`);
    await said(child, /decrypted; signed by 0[23][0-9a-f]{64}/);
    child.signal('SIGINT');
    assert.deepEqual(await child.ended, { code: 0, signal: null });
  }
});

test('Keys and database are for their owner alone', { timeout: 30_000 }, async (t) => {
  const data = join(scratch(t), 'data');
  const child = start(t, data);
  await said(child, /noroshi watches/);
  const mode = (path) => (statSync(path).mode & 0o777).toString(8);
  assert.equal(mode(data), '700');
  const files = readdirSync(data);
  assert.ok(files.includes('identity.key') && files.includes('node.key') && files.includes('noroshi.db'), files.join());
  for (const file of files) assert.equal(mode(join(data, file)), file === 'tsdb' ? '700' : '600', file);
  const secret = readFileSync(join(data, 'identity.key'), 'utf8').trim();
  assert.match(secret, /^[0-9a-f]{64}$/);
  assert.ok(!child.log().includes(secret), 'no key in the log');
  assert.ok(!readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').includes(secret));
  // The process is not dumpable: its memory is root's, which only a superuser may read.
  assert.equal(statSync(`/proc/${child.pid}/mem`).uid, 0);
});

test('A key file that others can read is refused', async (t) => {
  const data = join(scratch(t), 'data');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(join(data, 'identity.key'), `${'11'.repeat(32)}\n`, { mode: 0o644 });
  const { status, stderr } = noroshi(['id', '--data', data]);
  assert.equal(status, 1);
  assert.match(stderr, /identity\.key.*(others|mode|chmod)/);
});

test('id prints the same identity each time, with a QR code unless told not to', async (t) => {
  const data = join(scratch(t), 'data');
  const first = noroshi(['id', '--data', data]);
  assert.equal(first.status, 0);
  assert.match(first.stdout, /[▀▄█]/);
  const id = first.stdout.trim().split(/\s+/).at(-1);
  assert.match(id, /^0[23][0-9a-f]{64}$/);
  const text = noroshi(['id', '--data', data, '--no-qr']).stdout;
  assert.match(text, new RegExp(`^url +https://status\\.app/u#(zQ3sh\\w{44})\nchat key +\\1\nid +${id}\n$`));
  assert.equal(identity(data), id);
});

test('Two daemons do not share a data folder', { timeout: 30_000 }, async (t) => {
  const data = join(scratch(t), 'data');
  const child = start(t, data);
  await said(child, /noroshi watches/);
  const second = noroshi(['run', '--data', data]);
  assert.equal(second.status, 1);
  assert.match(second.stderr, /another noroshi uses .*--data/);
});

test('check config names file, line, column and the nearest key, and ends with 1', async (t) => {
  const folder = scratch(t);
  const file = join(folder, 'noroshi.yml');
  writeFileSync(file, `global: { scrape_intervall: 15s }
scrape_configs:
  - job_name: node
    scrape_interval: fast
    static_configs: [ { targets: [ "127.0.0.1:9100" ] } ]
receivers:
  - name: phone
  - name: phone
rule_files: [ missing.yml ]
`);
  const { status, stderr } = noroshi(['check', 'config', file]);
  assert.equal(status, 1);
  assert.match(stderr, /noroshi\.yml:1:11: .*scrape_intervall.*scrape_interval/);
  assert.match(stderr, /noroshi\.yml:4:22: .*scrape_interval.*duration/);
  assert.match(stderr, /noroshi\.yml:8:11: .*duplicate.*"phone".*line 7/);
  assert.match(stderr, /noroshi\.yml:9:15: .*missing\.yml/);
  const good = join(folder, 'good.yml');
  writeFileSync(good, config({ to: identity(join(folder, 'owner')) }));
  assert.deepEqual([noroshi(['check', 'config', good]).status, noroshi(['run', '--config', file, '--data', join(folder, 'd')]).status], [0, 1]);
  assert.equal(noroshi(['check', 'config', join(folder, 'none.yml')]).status, 1);
});

test('check rules names the place of a PromQL fault', async (t) => {
  const file = join(scratch(t), 'rules.yml');
  writeFileSync(file, 'groups:\n  - name: a\n    rules:\n      - alert: X\n        expr: up{job=~"("} == 0\n      - alert: Y\n        expr: sum by (a up)\n');
  const { status, stderr } = noroshi(['check', 'rules', file]);
  assert.equal(status, 1);
  assert.match(stderr, /rules\.yml:5:\d+: .*groups\[0\] \("a"\).rules\[0\] \("X"\)/);
  assert.match(stderr, /rules\.yml:7:\d+: .*groups\[0\] \("a"\).rules\[1\] \("Y"\)/);
});

const get = (port, path, headers = {}, method = 'GET') => new Promise((done, fail) => {
  request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
    let text = '';
    answer.on('data', (chunk) => { text += chunk; }).on('end', () => done({ status: answer.statusCode, text, headers: answer.headers }));
  }).on('error', fail).end();
});

test('Own endpoints: metrics and health for loopback, foreign Host and Origin refused', { timeout: 30_000 }, async (t) => {
  const daemon = await Daemon.start(t, config({ to: identity(join(scratch(t), 'owner')), host: 'true' }));
  const own = `127.0.0.1:${daemon.port}`;
  const health = await get(daemon.port, '/healthz', { host: own });
  assert.ok([200, 503].includes(health.status));
  assert.deepEqual(Object.keys(JSON.parse(health.text)), ['status', 'parts']);
  const metrics = await get(daemon.port, '/metrics', { host: own });
  assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  assert.match(metrics.text, /^# TYPE noroshi_rules_evaluations_total counter$/m);
  assert.equal((await get(daemon.port, '/metrics', { host: 'evil.example' })).status, 421);
  assert.equal((await get(daemon.port, '/metrics', { host: own, origin: 'http://evil.example' })).status, 403);
  assert.equal((await get(daemon.port, '/metrics', { host: own }, 'POST')).status, 405);
  assert.equal((await get(daemon.port, '/nothing', { host: own })).status, 404);
});

test('The built-in host collector names its series as node_exporter does', { timeout: 30_000 }, async (t) => {
  const exporter = await startNodeExporter(t);
  const theirs = new Set((await (await fetch(exporter.url)).text()).split('\n').filter((l) => l && !l.startsWith('#')).map((l) => l.split(/[{ ]/)[0]));
  const names = noroshi(['check', 'host']).stdout.trim().split('\n').map((l) => l.split(/[{ ]/)[0]);
  assert.ok(new Set(names).size >= 30, `${new Set(names).size} names`);
  assert.deepEqual([...new Set(names)].filter((name) => !theirs.has(name)), []);
});

test('Budgets: 25 MB stripped, 200 ms to start, 30 MB resident when idle', { timeout: 60_000 }, async (t) => {
  const size = statSync(program).size;
  assert.ok(existsSync(`${program}.debug`), 'the symbols are beside it');
  const data = join(scratch(t), 'data');
  const child = start(t, data);
  const begun = Date.now();
  await child.until('is started', () => child.log().includes('event=started version='));
  const started = Date.now() - begun;
  await said(child, /noroshi watches/);
  await sleep(8_000);
  const resident = residentBytes(child.pid);
  t.diagnostic(`${(size / 1e6).toFixed(1)} MB stripped, ${started} ms to start, ${(resident / 1e6).toFixed(1)} MB resident with two Waku nodes`);
  assert.ok(size <= 25e6);
  assert.ok(resident <= 30e6, `${resident} bytes resident`);
});
