// test/integration/rule_files.test.mjs - rule files given to noroshi and to promtool: the same verdict each.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { noroshi } from '../peers/lib/noroshi.mjs';
import { scratch } from '../peers/lib/process.mjs';
import { promtool, upstreamFolder as upstream, yamlFiles } from '../peers/lib/prometheus.mjs';
import { files, rules } from './rule_cases.mjs';

const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Which files of a folder promtool, or noroshi, refuses: from one run over all of them. */
function refused(program, paths, args) {
  const out = program(['check', 'rules', ...args, ...paths]);
  return { status: out.status, files: new Set(paths.filter((path) => program === promtool
    ? new RegExp(`Checking ${escaped(path)}\n(?!  SUCCESS)`).test(out.stdout)
    : !out.stdout.includes(`${path}: ok`))) };
}

/** What the two do not agree on, by the text of the file. */
function differences(paths, theirs, ours) {
  return paths.filter((p) => theirs.files.has(p) !== ours.files.has(p))
    .map((p) => `promtool ${theirs.files.has(p) ? 'refuses' : 'takes'}: ${readFileSync(p, 'utf8')}`);
}

test('Rule files: single rules and whole files', { timeout: 120_000 }, async (t) => {
  const folder = scratch(t);
  const paths = [...rules.map((rule) => `groups:\n- name: g\n  rules:\n  - ${rule.replace(/\n/g, '\n    ')}\n`), ...files].map((text, i) => {
    const path = join(folder, `${i}.yml`);
    writeFileSync(path, text);
    return path;
  });
  const [theirs, ours] = [promtool, noroshi].map((program) => refused(program, paths, ['--lint=none']));
  assert.deepEqual(differences(paths, theirs, ours), []);
  assert.equal(ours.status, theirs.status);
  t.diagnostic(`${paths.length} files, ${theirs.files.size} of them refused`);
  assert.ok(theirs.files.size > 100 && theirs.files.size < paths.length - 100);
});

test("Rule files: upstream's own", { timeout: 60_000 }, async (t) => {
  const paths = ['cmd/promtool/testdata', 'model/rulefmt/testdata', 'rules/fixtures'].flatMap((folder) => yamlFiles(upstream(folder)));
  for (const args of [['--lint=none'], ['--lint=none', '--ignore-unknown-fields']]) {
    const [theirs, ours] = [promtool, noroshi].map((program) => refused(program, paths, args));
    assert.deepEqual(differences(paths, theirs, ours).map((text) => text.slice(0, 400)), []);
    t.diagnostic(`${args.join(' ')}: ${paths.length} files, ${theirs.files.size} of them refused`);
  }
});

test('Rule files: exit codes of lint', { timeout: 60_000 }, async (t) => {
  const folder = scratch(t);
  const names = { good: 'groups: [{name: g, rules: [{record: a, expr: up}]}]', bad: 'groups: [{name: ""}]',
    twice: 'groups: [{name: g, rules: [{record: a, expr: up}, {record: a, expr: up}]}]' };
  const path = (name) => join(folder, `${name}.yml`);
  for (const [name, text] of Object.entries(names)) writeFileSync(path(name), text);
  for (const lint of ['none', 'all', 'duplicate-rules']) {
    for (const fatal of [[], ['--lint-fatal']]) {
      for (const chosen of [['good'], ['bad'], ['twice'], ['good', 'twice'], ['bad', 'twice'], ['twice', 'good']]) {
        const args = ['check', 'rules', `--lint=${lint}`, ...fatal, ...chosen.map(path)];
        assert.equal(noroshi(args).status, promtool(args).status, args.join(' '));
      }
    }
  }
  assert.equal(noroshi(['check', 'rules', '--lint-fatal', path('twice')]).status, 3);
});

test('Rule files: hints do not change the verdict', { timeout: 30_000 }, async (t) => {
  const folder = scratch(t);
  const file = join(folder, 'rules.yml');
  writeFileSync(file, 'groups:\n- name: g\n  rules:\n  - {alert: A, expr: count(up) == 0}\n');
  const { status, stdout, stderr } = noroshi(['check', 'rules', file]);
  assert.equal(status, 0);
  assert.match(stdout, /ok, 1 groups, 1 rules/);
  assert.match(stderr, /hint: .*rules\.yml:4:\d+: .*never gives a result/);
  const { status: piped } = noroshi(['check', 'rules'], { input: 'groups: [{name: ""}]' });
  assert.equal(piped, 1);
});
