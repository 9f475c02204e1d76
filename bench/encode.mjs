// bench/encode.mjs - signing, encrypting and encoding notifications beside go-waku's encoder; rows as bench/relay.mjs.
import { execFileSync } from 'node:child_process';

const rounds = 5;
const seconds = '0.5';

const once = (program, bytes) => JSON.parse(execFileSync(program, [String(bytes), seconds], { encoding: 'utf8' }));
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

for (const bytes of [400, 4_000]) {
  const own = [];
  const peer = [];
  for (let i = 0; i < rounds; ++i) {  // in turns, so that other work of the machine meets both
    own.push(once(process.env.NOROSHI_ENCODE, bytes));
    peer.push(once(process.env.NOROSHI_GO_ENCODE, bytes));
  }
  const whole = median(own.map((o) => o.per_cpu_second));
  const curve = median(own.map((o) => o.curve_per_cpu_second));
  console.log(JSON.stringify({ name: `encode, ${bytes} bytes: notifications a CPU-second`, better: 'more', peer: median(peer.map((p) => p.per_cpu_second)), own: whole }));
  // What the encoder adds to the curve's three operations, as a part of these.
  console.log(JSON.stringify({ name: `encode, ${bytes} bytes: all but the curve, to the curve`, better: 'less', own: curve / whole - 1 }));
}
