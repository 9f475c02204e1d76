// tools/run-tests.mjs - builds and runs the test groups, prints a line a group and a last line "N passed, N failed".
//   node tools/run-tests.mjs all | unit | interop | conformance | fuzz [seconds] | soak [seed]
// A group that cannot run counts as failed, by name: nothing is skipped.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname ?? new URL('..', import.meta.url).pathname, import.meta.dirname ? '..' : '');
const results = join(root, 'build', 'test-results');
const jobs = Number(process.env.NOROSHI_JOBS ?? availableParallelism());
const minutes = [];
let passed = 0;
let failed = 0;

/** Runs a command; gives its exit code and output. */
function run(command, args, { env = {}, timeoutMinutes = 60 } = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const chunks = [];
    const take = (chunk) => chunks.push(chunk);
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = setTimeout(() => {
      take(`\n${command}: stopped after ${timeoutMinutes} minutes\n`);
      try { process.kill(-child.pid, 'SIGKILL'); } catch { /* it has ended */ }
    }, timeoutMinutes * 60_000);
    const end = (code) => {
      clearTimeout(timer);
      done({ code, output: Buffer.concat(chunks.map((c) => Buffer.from(c))).toString() });
    };
    child.on('error', (error) => { take(`${error.message}\n`); end(127); });
    child.on('close', (code, signal) => end(code ?? 128 + (signal ? 1 : 0)));
  });
}

const tail = (text, lines = 60) => text.trimEnd().split('\n').slice(-lines).join('\n');

/** One group: counts, a line, and the minutes it took. `body` gives {passed, failed, detail?}. */
async function group(name, body) {
  const start = Date.now();
  let outcome;
  try {
    outcome = await body();
  } catch (error) {
    outcome = { passed: 0, failed: 1, detail: error.stack };
  }
  const took = (Date.now() - start) / 60_000;
  minutes.push([name, took]);
  passed += outcome.passed;
  failed += outcome.failed;
  if (outcome.failed && outcome.detail) console.log(outcome.detail);
  console.log(`${outcome.failed ? 'FAIL' : 'ok  '} ${name}: ${outcome.passed} passed, ${outcome.failed} failed (${took.toFixed(1)} min)`);
}

/** A step that builds: it counts only when it fails. */
async function build(name, command, args, options) {
  await group(name, async () => {
    const { code, output } = await run(command, args, options);
    return { passed: 0, failed: code === 0 ? 0 : 1, detail: tail(output) };
  });
}

const preset = (name) => join(root, 'build', name);

async function buildPreset(name, targets) {
  await build(`build ${name}`, 'bash', ['-c',
    `[ -f build/${name}/build.ninja ] || cmake --preset ${name} -Wno-dev || exit 1; ` +
    `cmake --build build/${name} --target ${targets} -- -j${jobs}`]);
}

async function unit() {
  await buildPreset('asan', 'unit_tests fuzz_targets promql_conformance');
  const folder = join(preset('asan'));
  const names = existsSync(folder) ? readdirSync(folder).filter((n) => n.startsWith('unit_') && statSync(join(folder, n)).isFile()) : [];
  const expected = readdirSync(join(root, 'test/unit'));
  for (const missing of expected.filter((n) => !names.includes(`unit_${n}`))) {
    await group(`unit ${missing}`, async () => ({ passed: 0, failed: 1, detail: `unit_${missing} was not built` }));
  }
  for (const name of names) {
    await group(`unit ${name.slice(5)} (ASan+UBSan)`, async () => {
      const file = join(results, `${name}.json`);
      rmSync(file, { force: true });
      const { code, output } = await run(join(folder, name), [`--gtest_output=json:${file}`, '--gtest_brief=1'], {
        env: { ASAN_OPTIONS: 'detect_stack_use_after_return=1', UBSAN_OPTIONS: 'print_stacktrace=1' }, timeoutMinutes: 10 });
      if (!existsSync(file)) return { passed: 0, failed: 1, detail: tail(output) };
      const { tests, failures, disabled } = JSON.parse(readFileSync(file));
      const crashed = code !== 0 && failures === 0 ? 1 : 0;
      return { passed: tests - failures - disabled, failed: failures + disabled + crashed + (tests === 0 ? 1 : 0), detail: tail(output) };
    });
  }
}

/** The failed tests of a TAP report, each with what it says of its error; before it what its file said when that broke. */
const failures = (tap) => [...tap.matchAll(/(?:^# .*\n)*^ *not ok .*\n(?: *---\n[^]*?\n *\.\.\.$)?/gm)].map(([text]) => text).join('\n');

/** Runs node's test runner over files and counts from its TAP report; each test's name gives a PASS or FAIL line. */
async function nodeTests(name, files, { netns = false, env = {}, lines = false } = {}) {
  await group(name, async () => {
    // js-waku leaves sockets and timers behind, which would keep a file's process alive after its last test. The report
    // goes to standard output: a file would be cut off by the forced end.
    const args = ['--test', '--test-force-exit', '--test-concurrency=1', '--test-reporter=tap', ...files];
    const command = netns ? 'tools/peers/in-netns.sh' : 'node';
    const { code, output: tap } = await run(command, netns ? ['node', ...args] : args, { env, timeoutMinutes: 40 });
    writeFileSync(join(results, `${name.replaceAll(' ', '-')}.tap`), tap);
    const count = (word) => Number(tap.match(new RegExp(`^# ${word} (\\d+)$`, 'm'))?.[1] ?? 0);
    const bad = count('fail') + count('cancelled') + count('skipped') + count('todo');
    if (lines) {
      for (const [, not, test] of tap.matchAll(/^ *(not )?ok \d+ - (.*?)(?: # .*)?$/gm)) console.log(`${not ? 'FAIL' : 'PASS'} ${test}`);
    }
    // Without its last lines the report was cut off.
    return { passed: count('pass'), failed: bad || (code === 0 && count('pass') ? 0 : 1), detail: failures(tap) || tail(tap) };
  });
}

const testFiles = (folder) => readdirSync(join(root, folder)).filter((n) => n.endsWith('.test.mjs')).sort().map((n) => join(folder, n));

async function release() {
  await build('build release', 'tools/build.sh', [], { env: { NINJA_FLAGS: `-j${jobs}` } });
}

async function peers() {
  await build('build go-waku (cached)', 'tools/peers/build-go-waku.sh', []);
  await build('build status-peer (cached)', 'tools/peers/build-status-peer.sh', []);
  await build('build Prometheus (cached)', 'tools/peers/build-prometheus.sh', []);
  await build('build the exposer (cached)', 'tools/peers/build-exposer.sh', []);
  await build('install js-waku (cached)', 'tools/peers/install-js.sh', []);
}

/** The path that a script of tools/peers prints last. */
const pathFrom = async (script) => (await run(`tools/peers/${script}`, [])).output.trim().split('\n').at(-1);

async function interop() {
  await build('build the attackers', 'tools/peers/build-hostile.sh', []);
  await build('build the bare node', 'cmake', ['--build', 'build/release', '--target', 'waku_node']);
  const [js, waku, hostile] = [await pathFrom('install-js.sh'), await pathFrom('build-go-waku.sh'), await pathFrom('build-hostile.sh')];
  const [status, prometheus] = [await pathFrom('build-status-peer.sh'), await pathFrom('build-prometheus.sh')];
  const exposer = await pathFrom('build-exposer.sh');
  const env = { NOROSHI_JS_PEERS: js, NOROSHI_GO_WAKU: waku, NOROSHI_STATUS_PEER: status, NOROSHI_HOSTILE: hostile,
                NOROSHI_PROMETHEUS: prometheus, NOROSHI_EXPOSER: exposer, NOROSHI_BIN: join(root, 'build/noroshi') };
  await nodeTests('interop with real peers', testFiles('test/integration'), { netns: true, env, lines: true });
  await differential(1_500, 1);
}

/** Random series and queries to noroshi and to a real Prometheus; differences are kept in build/test-results. */
async function differential(queries, seed) {
  const prometheus = await pathFrom('build-prometheus.sh');
  await group(`${queries} random queries beside Prometheus`, async () => {
    const { code, output } = await run('tools/peers/in-netns.sh', ['node', 'test/differential/run.mjs', '--seed', String(seed), '--queries', String(queries),
      '--findings', join(results, 'differential.json')], { env: { NOROSHI_PROMETHEUS: prometheus, NOROSHI_BIN: join(root, 'build/noroshi') } });
    console.log(`     ${tail(output, 1)}`);
    const [, asked, differences] = output.match(/^(\d+) queries, .*, (\d+) differences$/m) ?? [];
    const failed = asked === undefined ? 1 : Number(differences);
    return { passed: asked === undefined ? 0 : Number(asked) - failed, failed: failed + (code !== 0 && !failed ? 1 : 0), detail: tail(output) };
  });
}

async function conformance() {
  await buildPreset('asan', 'promql_conformance');
  await group('promql own corpus', async () => {
    const { code, output } = await run(join(preset('asan'), 'promql_conformance'), ['test/corpus/promql']);
    return count(code, output);
  });
  // With the options its files are written for all of upstream's corpus passes; without them a Prometheus fails some itself.
  const corpus = await run('tools/conformance-corpus.sh', []);
  const folder = corpus.output.trim().split('\n').at(-1);
  for (const [flag, least, mayFail] of [['--upstream', 2434, false], ['--stock', 2034, true]]) {
    await group(`promql upstream's corpus (${flag})`, async () => {
      const { code, output } = await run(join(preset('asan'), 'promql_conformance'), [flag, folder]);
      console.log(tail(output, 2).replace('\n', '; '));
      const found = count(code, output);
      const bad = mayFail ? 0 : found.failed;
      return { ...found, failed: bad + (found.passed < least ? 1 : 0) };
    });
  }
}

function count(code, output) {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  const [, good, bad] = last.match(/^(\d+) passed, (\d+) failed/) ?? [];
  if (good === undefined) return { passed: 0, failed: 1, detail: tail(output) };
  return { passed: Number(good), failed: Number(bad) + (code !== 0 && Number(bad) === 0 ? 1 : 0), detail: tail(output) };
}

async function fuzz(seconds) {
  await buildPreset('asan', 'fuzz_targets');
  const folder = preset('asan');
  const names = existsSync(folder) ? readdirSync(folder).filter((n) => n.startsWith('fuzz_') && statSync(join(folder, n)).isFile()) : [];
  const sources = readdirSync(join(root, 'test/fuzz')).filter((n) => n.endsWith('_fuzz.cpp'));
  await group(`fuzz (${seconds} s each)`, async () => {
    const outcome = { passed: 0, failed: Math.max(0, sources.length - names.length), detail: '' };
    const queue = [...names];
    const worker = async () => {
      for (let name = queue.shift(); name; name = queue.shift()) {
        const scratch = mkdtempSync(join(tmpdir(), 'noroshi-fuzz-'));
        const corpus = join(root, 'test/fuzz/corpus', name.slice(5));
        const { code, output } = await run(join(folder, name), [`-max_total_time=${seconds}`, '-rss_limit_mb=2048', '-timeout=10',
          '-print_final_stats=1', `-artifact_prefix=${results}/${name}-`, scratch, ...(existsSync(corpus) ? [corpus] : [])], { timeoutMinutes: 60 });
        rmSync(scratch, { recursive: true, force: true });
        const executions = Number(output.match(/stat::number_of_executed_units: (\d+)/)?.[1] ?? 0);
        const ok = code === 0 && executions > 0;
        outcome[ok ? 'passed' : 'failed'] += 1;
        console.log(`     ${ok ? 'ok  ' : 'FAIL'} ${name.slice(5)}: ${executions} executions`);
        if (!ok) outcome.detail += tail(output, 40);
      }
    };
    await Promise.all(Array.from({ length: jobs }, worker));
    return outcome;
  });
}

async function rust() {
  await group('p2p crate (cargo test)', async () => {
    const { code, output } = await run('bash', ['-c',
      'cd p2p && env -u CFLAGS -u CXXFLAGS CARGO_TARGET_DIR=../build/cargo-test cargo test --locked --quiet --features test-hooks -- --test-threads=1'], { timeoutMinutes: 40 });
    let good = 0;
    let bad = 0;
    for (const [, p, f] of output.matchAll(/test result: \w+\. (\d+) passed; (\d+) failed/g)) { good += Number(p); bad += Number(f); }
    return { passed: good, failed: bad + (code !== 0 && bad === 0 ? 1 : 0) + (good + bad === 0 && code === 0 ? 1 : 0), detail: tail(output) };
  });
}

async function all() {
  await peers();
  await release();
  await nodeTests('architecture', testFiles('test/architecture'));
  await unit();
  await rust();
  await conformance();
  await interop();
  await fuzz(20);
}

const [what = 'all', argument] = process.argv.slice(2);
mkdirSync(results, { recursive: true });
const groups = { all, unit, rust, conformance, fuzz: () => fuzz(Number(argument ?? 20)),
  interop: async () => { await peers(); await release(); await interop(); },
  soak: async () => { await peers(); await release(); await differential(20_000, Number(argument ?? 1)); } };
if (!groups[what]) {
  console.error(`usage: node tools/run-tests.mjs ${Object.keys(groups).join('|')}`);
  process.exit(2);
}
await groups[what]();
writeFileSync(join(results, 'minutes.md'), '| group | minutes |\n|---|---|\n' + minutes.map(([n, m]) => `| ${n} | ${m.toFixed(1)} |\n`).join(''));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
