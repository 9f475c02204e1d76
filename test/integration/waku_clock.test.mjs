// test/integration/waku_clock.test.mjs - a clock that is wrong makes a sender silent: it is noticed, named and shown.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { GoWaku } from '../peers/lib/go-waku.mjs';
import { config, Daemon, identity, ServiceNode } from '../peers/lib/noroshi.mjs';
import { scratch, until } from '../peers/lib/process.mjs';

/** Debian's libfaketime, wherever this architecture keeps it. */
const faketime = readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'faketime/libfaketime.so.1')).find(existsSync);

test('A clock 30 s ahead: the store refuses by name, the daemon warns and its health says by how much', { timeout: 90_000 }, async (t) => {
  assert.ok(faketime, 'libfaketime is not installed: tools/install-packages.sh test');
  const relay = await GoWaku.start(t, { number: 1, store: false });
  const service = await ServiceNode.start(t, { peers: [relay.address] });
  const to = identity(join(scratch(t), 'owner'));
  const daemon = await Daemon.start(t, config({ to, peers: [service.address, relay.address] }), {
    env: { LD_PRELOAD: faketime, FAKETIME: '+30s', DONT_FAKE_MONOTONIC: '1' },
  });
  await daemon.child.until('it is handed over', () => daemon.child.log().includes('event=handed_over'));
  await until('the store refuses it', async () => (await service.metric('noroshi_waku_served_total{result="clock_off",role="archive"}')) > 0);
  // Judged by what others send: eight messages are enough.
  let n = 0;
  await daemon.child.until('it warns', async () => {
    await relay.publish(`probe ${n++}`);
    return /event=clock_off .*ahead_ms=(29|30)\d{3}/.test(daemon.child.log());
  });
  const health = await daemon.get('/healthz');
  assert.notEqual(health.status, 200);
  assert.match(health.text, /our clock is (29|30)\d{3} ms ahead/);
  const offset = await daemon.metric('noroshi_waku_clock_offset_seconds');
  assert.ok(offset > 25 && offset < 35, String(offset));
});
