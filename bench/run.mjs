// bench/run.mjs - `make bench`: size, start-up, memory and processor time of noroshi without a configuration, the time from a
// scrape to the decrypted message through a real go-waku, and tables beside go-waku, Prometheus and VictoriaMetrics. It prints
// numbers and judges none.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = 'build/noroshi';
const starts = 11;
const idleSeconds = 30;

function start(data) {
  const begun = process.hrtime.bigint();
  const child = spawn(program, ['run', '--data', data], { stdio: ['ignore', 'pipe', 'ignore'] });
  const first = new Promise((done) => child.stdout.once('data', () => done(Number(process.hrtime.bigint() - begun) / 1e6)));
  const ended = new Promise((done) => child.on('close', done));
  return { child, first, stop: () => { child.kill('SIGINT'); return ended; } };
}

const status = (pid, key) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`^${key}:\\s+(\\d+)`, 'm'))[1]);
/** Seconds of processor time, user and system. */
function processorSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
}

const data = mkdtempSync(join(tmpdir(), 'noroshi-bench-'));
try {
  console.log(`size, stripped: ${(statSync(program).size / 1e6).toFixed(1)} MB`);
  const times = [];
  for (let i = 0; i < starts; ++i) {
    const run = start(data);
    times.push(await run.first);
    await run.stop();
  }
  times.sort((a, b) => a - b);
  console.log(`start to first decrypted message: median ${times[starts >> 1].toFixed(0)} ms, slowest ${times.at(-1).toFixed(0)} ms of ${starts}`);
  const run = start(data);
  await run.first;
  const before = processorSeconds(run.child.pid);
  await new Promise((done) => setTimeout(done, idleSeconds * 1000));
  const used = processorSeconds(run.child.pid) - before;
  console.log(`idle with two Waku nodes, host collector and rules every 5 s: ${(status(run.child.pid, 'VmRSS') / 1000).toFixed(1)} MB resident, ` +
              `${((used / idleSeconds) * 100).toFixed(2)} % of one processor, ${status(run.child.pid, 'Threads')} threads`);
  await run.stop();
} finally {
  rmSync(data, { recursive: true, force: true });
}
const last = (script, args = []) => execFileSync(script, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim().split('\n').at(-1);
const env = {
  ...process.env, NOROSHI_JS_PEERS: last('tools/peers/install-js.sh'), NOROSHI_GO_WAKU: last('tools/peers/build-go-waku.sh'),
  NOROSHI_GO_ENCODE: last('tools/peers/build-go-waku.sh', ['encode']),
  NOROSHI_ENCODE: 'build/release/bench/bench_encode', NOROSHI_FLOOD: 'build/release/cargo/release/examples/flood',
};
const inNamespace = (...command) => execFileSync('tools/peers/in-netns.sh', ['node', ...command], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'inherit'] });
const report = inNamespace('--test', '--test-force-exit', '--test-reporter=tap', 'test/integration/end_to_end.test.mjs');
console.log(report.match(/latency: .*/)?.[0] ?? 'latency: the end-to-end test did not print it');

const build = { stdio: ['ignore', 'ignore', 'inherit'] };
execFileSync('cmake', ['--build', 'build/release', '--target', 'bench_encode', '--', '--quiet'], build);
execFileSync('cargo', ['build', '--locked', '--release', '--quiet', '--example', 'flood', '--manifest-path', 'p2p/Cargo.toml'],
             { ...build, env: { ...process.env, CFLAGS: undefined, CXXFLAGS: undefined, CARGO_TARGET_DIR: 'build/release/cargo' } });
const number = (value) => (value === undefined ? '-' : value >= 100 ? value.toFixed(0) : value.toFixed(2));
/** How many times better; below 1 is worse. */
const ratio = ({ better, peer, own }) => (peer === undefined ? undefined : better === 'more' ? own / peer : peer / own);
console.log(`${'beside go-waku v0.10.0'.padEnd(56)} ${['times better', 'go-waku', 'noroshi'].map((text) => text.padStart(13)).join('')}`);
for (const script of ['bench/encode.mjs', 'bench/relay.mjs']) {
  for (const line of inNamespace(script).trim().split('\n')) {
    const row = JSON.parse(line);
    console.log(`${row.name.padEnd(56)} ${[ratio(row), row.peer, row.own].map((value) => number(value).padStart(13)).join('')}`);
  }
}
for (const script of ['tools/peers/build-prometheus.sh', 'tools/peers/build-victoriametrics.sh']) last(script);  // with the network
process.stdout.write(inNamespace('bench/metrics.mjs'));
