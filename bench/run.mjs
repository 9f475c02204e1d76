// bench/run.mjs - `make bench`: size, start-up, memory and processor time of noroshi without a configuration, and the time
// from a scrape to the decrypted message through a real go-waku. It prints numbers and judges none.
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
const last = (script) => execFileSync(script, [], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim().split('\n').at(-1);
const env = { ...process.env, NOROSHI_JS_PEERS: last('tools/peers/install-js.sh'), NOROSHI_GO_WAKU: last('tools/peers/build-go-waku.sh') };
const report = execFileSync('tools/peers/in-netns.sh', ['node', '--test', '--test-reporter=tap', 'test/integration/end_to_end.test.mjs'], { encoding: 'utf8', env });
console.log(report.match(/latency: .*/)?.[0] ?? 'latency: the end-to-end test did not print it');
