// test/peers/lib/exposer.mjs - metrics of Prometheus's own Go library, built by tools/peers/build-exposer.sh.
import { Child } from './process.mjs';

const program = process.env.NOROSHI_EXPOSER;
if (!program) throw new Error('NOROSHI_EXPOSER is not set: run the tests through `make interop`');

/** A running exposer of `steps` steps from `start` (Unix seconds) on, `step` seconds each; its host:port. */
export async function startExposer(t, { start, step, steps }) {
  const child = new Child(t, program, [`-start=${start}`, `-step=${step}s`, `-steps=${steps}`], { name: 'exposer' });
  return child.until('listens', () => child.lines[0]);
}
