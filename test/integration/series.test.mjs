// test/integration/series.test.mjs - series on disk: kill -9, a clean end, a damaged log; a rule sees what was scraped before.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { config, Daemon, identity, noroshi } from '../peers/lib/noroshi.mjs';
import { scratch, until } from '../peers/lib/process.mjs';
import { targets, valueTarget } from '../peers/lib/value-target.mjs';

// Only samples of before a restart can make these fire: the target is gone by then.
const rules = `
groups:
  - name: before
    rules:
      - alert: Many
        expr: count_over_time(fake_value[10m]) > 0
        annotations: { summary: "count {{ $value }} of {{ $labels.instance }}" }
      - alert: Newest
        expr: max_over_time(fake_value[10m]) > 0
        annotations: { summary: "newest {{ $value }}" }
`;

/** A daemon that scrapes, each second, how many seconds the target has been there; until `scrapes` are done. */
async function scraped(t, scrapes) {
  const folder = scratch(t);
  const target = await valueTarget(t);
  const begun = Date.now();
  const ticking = setInterval(() => { target.value = (Date.now() - begun) / 1000; }, 50);
  t.after(() => clearInterval(ticking));
  const parts = { to: identity(join(folder, 'owner')), targets: targets(target) };
  const daemon = await Daemon.start(t, config(parts), { folder, log: 'info' });
  await until(`${scrapes} scrapes`, () => target.scrapes >= scrapes, 60_000);
  /** Ends the target, and what the daemon is started with next has the rules. */
  const end = () => {
    clearInterval(ticking);
    const age = (Date.now() - begun) / 1000;
    target.server.closeAllConnections();
    target.server.close();
    writeFileSync(join(folder, 'rules.yml'), rules);
    daemon.configure(config({ ...parts, rules: join(folder, 'rules.yml') }));
    return { age, scrapes: target.scrapes };
  };
  return { daemon, end, series: join(daemon.data, 'tsdb') };
}

/** The number behind `word` in a message that fired. */
async function told(daemon, word) {
  const found = await daemon.child.until(`tells the ${word}`, () => {
    const { stdout } = noroshi(['history', '--json', '--data', daemon.data, '--config', daemon.file]);
    return stdout.match(new RegExp(`${word} ([0-9.]+)`));
  });
  return Number(found[1]);
}

test('kill -9: what was scraped up to 10 s before is there, and a rule sees it', { timeout: 120_000 }, async (t) => {
  const { daemon, end, series } = await scraped(t, 15);
  await daemon.kill();
  const { age, scrapes } = end();
  assert.equal((statSync(series).mode & 0o777).toString(8), '700');
  for (const file of readdirSync(series)) assert.equal((statSync(join(series, file)).mode & 0o777).toString(8), '600', file);
  await daemon.run();
  const [newest, count] = [await told(daemon, 'newest'), await told(daemon, 'count')];
  t.diagnostic(`${count} of ${scrapes} scrapes are there; the newest is ${(age - newest).toFixed(1)} s older than the kill`);
  assert.ok(age - newest <= 10, `lost ${age - newest} s`);
  assert.ok(count >= scrapes - 10 && count <= scrapes, `${count} of ${scrapes}`);
  assert.ok((await daemon.metric('noroshi_tsdb_replayed_samples')) >= count);
});

test('A clean end loses nothing; a damaged log is set aside, and the rest serves', { timeout: 120_000 }, async (t) => {
  const { daemon, end, series } = await scraped(t, 10);
  await daemon.stop();
  const { scrapes } = end();
  const [segment] = readdirSync(series).filter((name) => name.endsWith('.wal'));
  const content = readFileSync(join(series, segment));
  content[content.length >> 1] ^= 1;
  await daemon.run();
  // The last scrape may have been on its way.
  assert.ok(await told(daemon, 'count') >= scrapes - 1);
  await daemon.stop();
  writeFileSync(join(series, segment), content);
  await daemon.run();
  assert.equal(await daemon.metric('noroshi_tsdb_damaged_parts'), 1);
  assert.ok((await daemon.metric('noroshi_tsdb_replayed_samples')) > 0);
  assert.ok(readdirSync(series).includes(`${segment}.damaged`));
  assert.match(daemon.child.log(), new RegExp(`event=file_damaged file=${segment}`));
});
