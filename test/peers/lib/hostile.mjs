// test/peers/lib/hostile.mjs - the crowd of p2p/examples/hostile, that tools/peers/build-hostile.sh built.
import { Child } from './process.mjs';

const program = process.env.NOROSHI_HOSTILE;
if (!program) throw new Error('NOROSHI_HOSTILE is not set: run the tests through `make interop`');

/** The crowd on `address` for `seconds`, only that of `kind` when it is given; begun when this returns. */
export async function attack(t, address, seconds, kind) {
  const child = new Child(t, program, [address, String(seconds), ...(kind ? [kind] : [])], { name: 'hostile' });
  await child.until('attacks', () => child.lines.includes('attacking'));
  return {
    get over() { return child.end !== undefined; },
    /** What was done: {connections, ..}. */
    async result() {
      await child.ended;
      return JSON.parse(child.lines.at(-1));
    },
  };
}
