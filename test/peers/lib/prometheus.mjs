// test/peers/lib/prometheus.mjs - a real Prometheus and promtool, built by tools/peers/build-prometheus.sh.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Child, freePort, scratch } from './process.mjs';

const folder = process.env.NOROSHI_PROMETHEUS;
if (!folder) throw new Error('NOROSHI_PROMETHEUS is not set: run the tests through `make interop`');

/** A running Prometheus with this configuration, in which OWN is its own address; `url` is its API's, `file` its configuration. */
export async function startPrometheus(t, config, args = []) {
  const data = scratch(t, 'noroshi-prometheus-');
  const file = join(data, 'prometheus.yml');
  const port = await freePort();
  writeFileSync(file, config.replaceAll('OWN', `127.0.0.1:${port}`));
  const child = new Child(t, join(folder, 'prometheus'), [`--config.file=${file}`, `--storage.tsdb.path=${join(data, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`, ...args], { name: 'prometheus', cwd: data });
  const url = `http://127.0.0.1:${port}`;
  await child.until('is ready', async () => (await fetch(`${url}/-/ready`)).ok);
  return { url, child, file };
}

/** What promtool says; {status, stdout, stderr}. */
export function promtool(args) {
  const { status, stdout, stderr } = spawnSync(join(folder, 'promtool'), args, { encoding: 'utf8', timeout: 30_000 });
  return { status, stdout, stderr };
}

/** A folder of the Go module that both were built from: upstream's own test data. */
export const upstreamFolder = (name) => join(execFileSync('go', ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', 'github.com/prometheus/prometheus'],
  { cwd: 'test/peers/prometheus', encoding: 'utf8' }).trim(), name);
export const yamlFiles = (path) => readdirSync(path).filter((f) => /\.ya?ml$/.test(f)).map((f) => join(path, f));
