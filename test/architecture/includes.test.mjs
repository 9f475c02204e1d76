// test/architecture/includes.test.mjs - compares every #include of src/ with the table of allowed arrows.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const src = new URL('../../src/', import.meta.url).pathname;

// What each folder may include beside itself. Adding a row is a decision: docs/ARCHITECTURE.md explains the arrows.
const allowed = {
  base: [],
  model: ['base'],
  config: ['base', 'model'],
  store: ['base', 'model'],
  tsdb: ['base', 'model'],
  waku: ['base', 'model'],
  status: ['base', 'model', 'waku'],
  promql: ['base', 'model', 'tsdb'],
  collect: ['base', 'model', 'tsdb'],
  rules: ['base', 'model', 'tsdb', 'promql', 'store', 'config'],
  notify: ['base', 'model', 'store'],
  deliver: ['base', 'model', 'store', 'waku', 'status'],
  api: ['base', 'model', 'tsdb', 'promql', 'collect', 'rules'],
  daemon: ['base', 'model', 'config', 'store', 'tsdb', 'waku', 'status', 'promql', 'collect', 'rules', 'notify', 'deliver', 'api'],
  cli: ['base', 'model', 'waku', 'status', 'deliver', 'api', 'daemon'],
};

// Libraries that stay in the folder that wraps them.
const wrapped = [
  [/^<boost\/(asio\/(?!awaitable|any_io_executor)|beast)/, (file) => file.startsWith('base/') || file.startsWith('store/'), 'Asio and Beast'],
  [/^<(sqlite3|SQLiteCpp)/, (file) => file.startsWith('store/') || file.startsWith('waku/service/archive'), 'SQLite'],
  [/^<yaml-cpp/, (file) => file.startsWith('config/'), 'yaml-cpp'],
  [/^<re2\//, (file) => file.startsWith('model/') || file.startsWith('promql/') || file.startsWith('rules/'), 'RE2'],
  [/^<(openssl|sodium|secp256k1|cryptopp|crypto\+\+)/, (file) => file.startsWith('base/'), 'cryptography'],
  [/^<brotli/, (file) => file.startsWith('base/net/brotli'), 'brotli'],
  [/^<snappy/, (file) => file.startsWith('base/net/snappy'), 'snappy'],
  [/^<spdlog/, (file) => file === 'base/log.cpp', 'spdlog'],
  [/^<CLI\//, (file) => file.startsWith('cli/'), 'CLI11'],
  [/noroshi_p2p\.h/, (file) => file.startsWith('waku/rust_'), 'the C ABI of the libp2p host'],
  [/noroshi_words\.h/, (file) => file === 'cli/rust_words.cpp', 'the C ABI of key backups'],
];

const folders = readdirSync(src, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name);
const files = readdirSync(src, { recursive: true }).filter((f) => /\.[ch]pp$/.test(f));
const includesOf = (file) => [...readFileSync(join(src, file), 'utf8').matchAll(/^\s*#\s*include\s+(["<][^">]+[">])/gm)].map((m) => m[1]);

/** Headers that a folder offers to others: the PUBLIC list of its CMakeLists.txt. */
function publicHeaders(folder) {
  const text = readFileSync(join(src, folder, 'CMakeLists.txt'), 'utf8');
  const list = text.match(/noroshi_library\(\s*\w+\s+PUBLIC([^A-Z)]*)/)?.[1] ?? '';
  return list.split(/\s+/).filter(Boolean);
}

test('every folder of src/ stands in the table', () => {
  assert.deepEqual(folders.filter((f) => !(f in allowed)), []);
});

test('every include follows an allowed arrow to a public header', () => {
  const faults = [];
  for (const file of files) {
    const own = file.split('/')[0];
    for (const include of includesOf(file).filter((i) => i[0] === '"')) {
      const path = include.slice(1, -1);
      const other = path.split('/')[0];
      if (!folders.includes(other) || other === own) continue;
      if (!allowed[own].includes(other)) faults.push(`${file}: ${own} may not include ${other} (${path})`);
      else if (!publicHeaders(other).includes(path.slice(other.length + 1))) faults.push(`${file}: ${path} is not a public header of ${other}`);
    }
  }
  assert.deepEqual(faults, []);
});

test('the declared dependencies of each folder are the allowed arrows', () => {
  const faults = [];
  for (const folder of folders) {
    const text = readFileSync(join(src, folder, 'CMakeLists.txt'), 'utf8');
    const deps = (text.match(/noroshi_library\([^)]*?\bDEPS\s+([a-z0-9_\s]+)/)?.[1] ?? '').split(/\s+/).filter(Boolean);
    for (const dep of deps) if (!allowed[folder].includes(dep)) faults.push(`src/${folder}/CMakeLists.txt: ${folder} -> ${dep}`);
  }
  assert.deepEqual(faults, []);
});

test('libraries are included only where they are wrapped', () => {
  const faults = [];
  for (const file of files) {
    for (const include of includesOf(file)) {
      for (const [pattern, may, name] of wrapped) if (pattern.test(include) && !may(file)) faults.push(`${file}: ${name} (${include})`);
    }
  }
  assert.deepEqual(faults, []);
});

test('each file begins with its path and one sentence', () => {
  const faults = files.filter((file) => !readFileSync(join(src, file), 'utf8').startsWith(`// src/${file} - `));
  assert.deepEqual(faults, []);
});

test('no file of src/ is longer than 500 lines', () => {
  const faults = files.filter((file) => readFileSync(join(src, file), 'utf8').split('\n').length > 501);
  assert.deepEqual(faults, []);
});

test('no path of a machine and no unfinished mark is in the sources', () => {
  const faults = [];
  for (const file of files) {
    for (const [i, line] of readFileSync(join(src, file), 'utf8').split('\n').entries()) {
      if (/\b(TODO|FIXME|XXX)\b|\/home\/|\/root\//.test(line)) faults.push(`${file}:${i + 1}`);
    }
  }
  assert.deepEqual(faults, []);
});
