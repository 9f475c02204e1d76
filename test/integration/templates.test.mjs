// test/integration/templates.test.mjs - templates expanded by noroshi and by promtool, in rule tests: the same text each.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { noroshi } from '../peers/lib/noroshi.mjs';
import { scratch } from '../peers/lib/process.mjs';
import { promtool } from '../peers/lib/prometheus.mjs';
import { different, parsed, series, templates } from './template_cases.mjs';

/** The text of a Go literal without its quotes. */
function unquoted(text) {
  const bytes = [];
  const push = (s) => bytes.push(...Buffer.from(s));
  for (const [, escape, plain] of text.matchAll(/\\(x..|u....|U........|.)|([^\\]+)/gs)) {
    if (plain !== undefined) push(plain);
    else if (escape[0] === 'x') bytes.push(parseInt(escape.slice(1), 16));
    else if (/^[uU]./.test(escape)) push(String.fromCodePoint(parseInt(escape.slice(1), 16)));
    else push({ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }[escape] ?? escape);
  }
  return Buffer.from(bytes).toString();
}

/** What each alert's annotation became, from tests that expect nothing: both print what they got. */
function expanded(program, file) {
  const { stdout, stderr } = program(['test', 'rules', file]);
  const found = (stdout + stderr).matchAll(/alertname="C(\d+)"(?:(?!alertname=)[^])*?out="((?:[^"\\]|\\.)*)"/g);
  return new Map([...found].map(([, number, text]) => [Number(number), unquoted(text)]));
}

test('Templates: the same text', { timeout: 120_000 }, (t) => {
  const folder = scratch(t);
  const cases = templates.map((c) => (Array.isArray(c) ? c : ['m', c]));
  const [rules, tests] = ['rules.yml', 'tests.yml'].map((name) => join(folder, name));
  writeFileSync(rules, `groups:\n- name: g\n  rules:\n${cases.map(([expr, text], i) =>
    `  - {alert: C${i}, expr: ${JSON.stringify(expr)}, annotations: {out: ${JSON.stringify(`|${text}|`)}}}`).join('\n')}\n`);
  writeFileSync(tests, `rule_files: [rules.yml]
tests:
- external_labels: {site: home}
  external_url: http://host:9090/prefix
  input_series:
${series.map(([name, value]) => `  - {series: ${JSON.stringify(name)}, values: ${JSON.stringify(`${value} ${value}`)}}`).join('\n')}
  alert_rule_test:
${cases.map((_, i) => `  - {eval_time: 1m, alertname: C${i}, exp_alerts: []}`).join('\n')}
`);
  const [theirs, ours] = [promtool, noroshi].map((program) => expanded(program, tests));
  assert.equal(theirs.size, cases.length);
  const known = (text) => different.find(([part]) => text.includes(part))?.[1];
  const wrong = cases.map(([expr, text], i) => ({ case: i, expr, text, theirs: theirs.get(i), ours: ours.get(i) })).filter((c) => c.theirs !== c.ours);
  assert.deepEqual(wrong.filter((c) => !known(c.text)), []);
  assert.deepEqual(different.map(([, reason]) => reason).filter((reason) => !wrong.some((c) => known(c.text) === reason)), [],
    'differences that are gone: take them off the list');
  const failed = [...theirs.values()].filter((text) => text.includes('<error expanding template')).length;
  t.diagnostic(`${cases.length} templates, ${failed} of them fail; ${wrong.length} differ, for ${different.length} known reasons`);
  assert.ok(failed > 80 && failed < cases.length - 80);
});

test('Templates: the same refused', { timeout: 120_000 }, (t) => {
  const folder = scratch(t);
  const paths = parsed.map((text, i) => {
    const path = join(folder, `${i}.yml`);
    writeFileSync(path, `groups: [{name: g, rules: [{alert: A, expr: up, annotations: {x: ${JSON.stringify(text)}}}]}]\n`);
    return path;
  });
  const theirs = promtool(['check', 'rules', '--lint=none', ...paths]).stdout;
  const ours = noroshi(['check', 'rules', '--lint=none', ...paths]).stdout;
  const taken = paths.map((path) => [theirs.includes(`Checking ${path}\n  SUCCESS`), ours.includes(`${path}: ok`)]);
  assert.deepEqual(parsed.filter((_, i) => taken[i][0] !== taken[i][1]), []);
  const refused = taken.filter(([good]) => !good).length;
  t.diagnostic(`${parsed.length} templates, ${refused} of them refused`);
  assert.ok(refused > 60 && refused < parsed.length - 30);
});
