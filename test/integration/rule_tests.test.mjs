// test/integration/rule_tests.test.mjs - tests of rules given to noroshi and to promtool: the same verdict each.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { noroshi } from '../peers/lib/noroshi.mjs';
import { scratch } from '../peers/lib/process.mjs';
import { promtool, upstreamFolder as upstream, yamlFiles } from '../peers/lib/prometheus.mjs';

const own = resolve('test/corpus/rule_tests');
const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const verdict = ({ status }) => (status === 0 ? 'ok' : `refused (${status})`);

/** Runs both and compares; gives the common exit code. */
function same(args, what) {
  const ours = noroshi(args);
  const theirs = promtool(args);
  assert.equal(verdict(ours), verdict(theirs), `${what}\nnoroshi: ${ours.stdout}${ours.stderr}\npromtool: ${theirs.stdout}${theirs.stderr}`);
  return theirs.status;
}

for (const file of yamlFiles(own)) {
  test(`Tests of rules: ${file.slice(own.length + 1)}`, { timeout: 60_000 }, async (t) => {
    same(['test', 'rules', file], file);
    const names = [...readFileSync(file, 'utf8').matchAll(/^ +(?:- )?name: (.*)$/gm)].map((m) => m[1]);
    const seen = { 0: 0, 1: 0 };
    for (const name of names) seen[same(['test', 'rules', '--run', `^${escaped(name)}$`, file], `${file}: ${name}`)] += 1;
    t.diagnostic(`${seen[0]} tests that pass, ${seen[1]} that fail`);
  });
}

test("Tests of rules: upstream's own", { timeout: 120_000 }, async (t) => {
  const seen = { 0: 0, 1: 0 };
  for (const file of yamlFiles(upstream('cmd/promtool/testdata'))) {
    if (!/^(tests|rule_files|promql_expr_test):/m.test(readFileSync(file, 'utf8'))) continue;
    seen[same(['test', 'rules', file], file)] += 1;
    seen[same(['test', 'rules', '--ignore-unknown-fields', file], `--ignore-unknown-fields ${file}`)] += 1;
  }
  t.diagnostic(`${seen[0]} runs that pass, ${seen[1]} that fail`);
  assert.ok(seen[0] >= 10 && seen[1] >= 5);
});

/** Each suite's counts, and its tests with whether they failed. */
const results = (path) => [...readFileSync(path, 'utf8').matchAll(/<testsuite name="([^"]*)" tests="(\d+)" failures="(\d+)" errors="(\d+)"([^]*?)<\/testsuite>/g)]
  .map(([, name, tests, failures, errors, inner]) => ({ name, tests, failures, errors,
    cases: [...inner.matchAll(/<testcase name="([^"]*)">([^]*?)<\/testcase>/g)].map(([, title, body]) => [title.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)), body.includes('<failure')]) }));

test('Tests of rules: results as JUnit XML', { timeout: 60_000 }, (t) => {
  const folder = scratch(t);
  const files = ['alerts.yml', 'late.yml'].map((name) => join(own, name));
  const [theirs, ours] = [promtool, noroshi].map((program, i) => {
    const path = join(folder, `${i}.xml`);
    program(['test', 'rules', '--junit', path, ...files]);
    return results(path);
  });
  assert.deepEqual(ours, theirs);
  assert.equal(ours.length, 2);
  assert.ok(ours[0].cases.some(([, failed]) => failed) && ours[0].cases.some(([, failed]) => !failed));
  const odd = join(folder, 'odd.yml');
  writeFileSync(odd, 'tests: [{name: "a<b>&\\"c\\u0001", promql_expr_test: [{expr: "vector(1)", eval_time: 0, exp_samples: []}]}]\n');
  noroshi(['test', 'rules', '--junit', join(folder, 'odd.xml'), odd]);
  assert.match(readFileSync(join(folder, 'odd.xml'), 'utf8'), /testcase name="a&lt;b&gt;&amp;&quot;c\?"/);
  assert.equal(noroshi(['test', 'rules', '--junit', '/nowhere/x.xml', files[1]]).status, 1);
});

/** Every point behind the start, as "series value@seconds": promtool's window leaves the start out. */
function points(program, file) {
  const { stderr } = program(['test', 'rules', '--debug', file]);
  if (program === noroshi) {
    return stderr.split('\n').flatMap((line) => {
      const [, name, labels, values] = line.match(/^debug: [^:]*: ([^{ ]*)(?:\{(.*)\})? (.*)$/) ?? [];
      const series = `{${[name && `__name__="${name}"`, labels].filter(Boolean).join(', ')}}`;
      return (values ?? '').split(' ').filter((point) => point && !point.startsWith('stale') && !point.endsWith('@0')).map((point) => `${series} ${point}`);
    }).sort();
  }
  let series = '';
  return stderr.split('\n').flatMap((line) => {
    const [, value, at] = line.match(/^(\S+) @\[(\d+)\]$/) ?? [];
    series = line.match(/^(\{.*\}) =>$/)?.[1] ?? series;
    return value === undefined ? [] : [`${series} ${value}@${Number(at) / 1000}`];
  }).sort();
}

test('Tests of rules: --debug shows all series', { timeout: 60_000 }, (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'rules.yml'), 'groups: [{name: g, rules: [{record: twice, expr: m * 2}, {alert: High, expr: twice > 4, for: 1m, labels: {s: p}}]}]\n');
  const file = join(folder, 'tests.yml');
  writeFileSync(file, `rule_files: [rules.yml]
tests:
- name: numbers
  input_series: [{series: 'm{a="b", c="d e"}', values: '1+1x5 _ 2.5 stale'}, {series: other, values: '-1x3'}]
  promql_expr_test: [{expr: 'm', eval_time: 9m, exp_samples: []}]
`);
  const [theirs, ours] = [promtool, noroshi].map((program) => points(program, file));
  assert.deepEqual(ours, theirs);
  t.diagnostic(`${ours.length} points`);
  assert.ok(ours.length > 20);
});
