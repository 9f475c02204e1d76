// test/peers/lib/noroshi.mjs - the program under test: `run` with a configuration, `listen`, `id`, `check`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { Child, freePort, scratch, sleep } from './process.mjs';
import { cluster, shard } from './go-waku.mjs';

export const program = resolve(process.env.NOROSHI_BIN ?? 'build/noroshi');

/** Runs a short command; gives {status, stdout, stderr}. */
export function noroshi(args, options = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000, ...options });
  return { status, stdout, stderr };
}

/** What `noroshi id` says of a data folder; the identity is made when missing. */
export function identities(folder) {
  return JSON.parse(execFileSync(program, ['id', '--json', '--data', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}
export const identity = (folder) => identities(folder).id;

/** A running daemon. `configure(parts)` writes noroshi.yml; parts are YAML texts, in the order given. */
export class Daemon {
  static async start(t, config, { folder, wait = true, log = 'debug', env = {}, args = [], http = '' } = {}) {
    const daemon = new Daemon();
    daemon.args = args;
    daemon.http = http;  // further keys of `http`, each behind a comma
    daemon.t = t;
    daemon.children = [];
    daemon.env = env;
    daemon.log = log;
    daemon.folder = folder ?? scratch(t, 'noroshi-daemon-');
    daemon.data = join(daemon.folder, 'data');
    mkdirSync(daemon.data, { recursive: true, mode: 0o700 });
    daemon.file = join(daemon.folder, 'noroshi.yml');
    daemon.port = await freePort();
    daemon.configure(config);
    await daemon.run(wait);
    return daemon;
  }

  configure(config) { writeFileSync(this.file, `http: { port: ${this.port}${this.http} }\n${config}`); }

  async run(wait = true) {
    this.child = new Child(this.t, program, ['run', '--config', this.file, '--data', this.data, '--log-level', this.log, ...this.args],
                           { name: 'noroshi', folder: this.folder, env: this.env });
    this.children.push(this.child);
    if (wait) await this.child.until('is started', () => this.child.log().includes('event=started version='));
  }

  reload() { this.child.signal('SIGHUP'); }
  kill() { return this.child.kill(); }
  stop() { return this.child.stop(); }

  /** Lines of standard output since the first start. */
  get printed() { return this.children.flatMap((child) => child.lines); }

  async get(path) {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  /** A number from its own /metrics; labels as they are printed, e.g. `up_total{a="b"}`. */
  async metric(series) {
    const { text } = await this.get('/metrics');
    const line = text.split('\n').find((l) => l.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  /** The address under which others reach its Waku node. */
  async address() {
    const pattern = /event=listening address=(\S+)/;
    return this.child.until('listens', () => this.child.log().match(pattern)?.[1]);
  }
}

/** A running `noroshi waku serve`. */
export class ServiceNode {
  static async start(t, { peers = [], listen = ['/ip4/127.0.0.1/tcp/0'], extra = [], folder, log = 'debug', cluster: id = cluster } = {}) {
    const node = new ServiceNode();
    node.cluster = id;
    node.t = t;
    node.log = log;
    node.peers = peers;
    node.extra = extra;
    node.folder = folder ?? scratch(t, 'noroshi-serve-');
    node.data = join(node.folder, 'data');
    node.http = await freePort();
    node.listen = listen;
    await node.run();
    return node;
  }

  async run() {
    const args = ['waku', 'serve', '--data', this.data, '--log-level', this.log, '--cluster', String(this.cluster), '--shard', String(shard),
                  '--http', String(this.http)];
    const repeated = [...this.listen.flatMap((a) => ['--listen', a]), ...this.peers.flatMap((a) => ['--peer', a])];
    this.child = new Child(this.t, program, [...args, ...repeated, ...this.extra], { name: 'serve', folder: this.folder });
    const addresses = await this.child.until('listens', () => this.child.lines.length >= this.listen.length && this.child.lines);
    this.addresses = addresses.slice(0, this.listen.length);
    [this.address] = this.addresses;
  }

  kill() { return this.child.kill(); }
  stop() { return this.child.stop(); }

  /** A number from its /metrics; undefined when there is no such series. */
  async metric(series) {
    const text = await (await fetch(`http://127.0.0.1:${this.http}/metrics`)).text();
    const line = text.split('\n').find((l) => l.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }
}

/** A running `noroshi listen --json`. */
export class Listener {
  constructor(t, data, peers, extra = []) {
    const args = ['listen', '--json', '--data', data, '--log-level', 'debug', '--cluster', String(cluster), '--shard', String(shard)];
    this.child = new Child(t, program, [...args, ...peers.flatMap((peer) => ['--peer', peer]), ...extra], { name: 'listen' });
  }

  /** Waits until what `waku` relays arrives: gossip meshes form some heartbeats after the connection. */
  async joined(waku) {
    const deadline = Date.now() + 30_000;
    while (!this.child.log().includes('event=message_passed_over')) {
      if (Date.now() > deadline) throw new Error(`listen has not joined:\n${this.child.log().slice(-2000)}`);
      await waku.publish(`probe ${Date.now()}`);
      await sleep(200);
    }
  }

  get received() { return this.child.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)); }

  /** The first notification that `matches`. */
  waitFor(what, matches, ms) {
    return this.child.until(what, () => this.received.find(matches), ms);
  }
}

/** The sections that most tests share. Times are short, so that a test takes seconds. `to`: a chat key of Status (zQ3sh...), or
 *  the public key of a `listen`; `also`: chat keys of further receivers, to whom nothing is routed. */
export function config({ to, also = [], status, peers = [], mode = 'relay', listen = [], rest, targets = '', rules = '', host = 'false' }) {
  const receiver = (name, key) => `
  - name: ${name}
    ${key.startsWith('zQ3sh') ? 'status_configs' : 'waku_configs'}:
      - to: "${key}"`;
  return `
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
host: { enabled: ${host}, interval: 1s }
${targets ? `scrape_configs:\n${targets}` : ''}
${rules ? `rule_files: [${JSON.stringify(rules)}]` : ''}
route: { receiver: phone, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h }
receivers:${receiver('phone', to)}${also.map((key, i) => receiver(`also-${i + 1}`, key)).join('')}
${status ? `status: ${status}` : ''}
waku:
  mode: ${rest ? 'rest' : mode}
  cluster: ${cluster}
  shards: [${shard}]
  ${rest ? `rest: "${rest}"` : `listen: ${JSON.stringify(listen)}\n  peers: ${JSON.stringify(peers)}`}
`;
}
