// test/integration/rule_tests.test.mjs - tests of rules given to noroshi and to promtool: the same verdict each.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

import { noroshi } from '../peers/lib/noroshi.mjs';
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
