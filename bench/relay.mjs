// bench/relay.mjs - the relay path beside go-waku's: messages a CPU-second and resident memory under one load, idle memory.
// Run by bench/run.mjs in the peers' network namespace; prints one JSON row a line: {name, peer, own, better}.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

import { GoWaku, pubsubTopic } from '../test/peers/lib/go-waku.mjs';
import { ServiceNode } from '../test/peers/lib/noroshi.mjs';
import { sleep } from '../test/peers/lib/process.mjs';

const bytes = 1_000;
// A steady stream far above what a shard carries, and as fast as the nodes take it.
const loads = [{ name: '500/s', rate: 500, count: 5_000 }, { name: '2000/s', rate: 2_000, count: 20_000 }, { name: 'flood', rate: 0, count: 50_000 }];

const cleanups = [];
const t = { after: (work) => cleanups.push(work) };

/** Megabytes (10^6) of a line of /proc/PID/status, which is in units of 1024 bytes. */
const megabytes = (pid, key) => (Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`^${key}:\\s+(\\d+)`, 'm'))[1]) * 1024) / 1e6;
const memory = (pid) => ({ resident: megabytes(pid, 'VmRSS'), anonymous: megabytes(pid, 'RssAnon') });

/** User and system time of all threads that live, to the nanosecond. */
function cpuSeconds(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0) / 1e9;
}

function flood(address, { count, rate }) {
  return new Promise((done, fail) => {
    const child = spawn(process.env.NOROSHI_FLOOD, [address, count, bytes, pubsubTopic, rate].map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => { text += chunk; });
    child.on('error', fail);
    child.on('close', (code) => (code === 0 ? done(JSON.parse(text)) : fail(new Error(`flood ended with ${code}`))));
  });
}

/** A new node for each load, so that none carries another's caches. */
async function measure(start, load) {
  const node = await start();
  const { pid } = node.child;
  await sleep(3_000);  // what start-up leaves behind has gone when it goes at all
  const idle = memory(pid);
  const most = { ...idle };
  const watch = setInterval(() => {
    const now = memory(pid);
    for (const key of Object.keys(most)) most[key] = Math.max(most[key], now[key]);
  }, 100);
  const before = cpuSeconds(pid);
  const { sent, received } = await flood(node.address, load);
  const cpu = cpuSeconds(pid) - before;
  clearInterval(watch);
  await node.kill();
  if (received < sent * 0.99) throw new Error(`${load.name}: ${received} of ${sent} messages were passed on`);
  return { rate: received / cpu, idle, most };
}

const row = (name, better, peer, own) => console.log(JSON.stringify({ name, better, peer, own }));
const noroshi = () => ServiceNode.start(t, { log: 'error', extra: ['--role', 'filter', '--role', 'lightpush', '--gossip-rate', '0'] });
const goWaku = () => GoWaku.start(t, { store: false, log: 'ERROR' });

try {
  for (const load of loads) {
    const own = await measure(noroshi, load);
    const peer = await measure(goWaku, load);
    if (load === loads[0]) {
      row('relay, idle: resident MB', 'less', peer.idle.resident, own.idle.resident);
      row('relay, idle: anonymous MB', 'less', peer.idle.anonymous, own.idle.anonymous);
    }
    row(`relay, ${load.name}: messages a CPU-second`, 'more', peer.rate, own.rate);
    row(`relay, ${load.name}: resident MB at most`, 'less', peer.most.resident, own.most.resident);
    row(`relay, ${load.name}: anonymous MB at most`, 'less', peer.most.anonymous, own.most.anonymous);
  }
} finally {
  for (const work of cleanups.reverse()) await work();
}
process.exit(0);
