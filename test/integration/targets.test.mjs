// test/integration/targets.test.mjs - targets that misbehave: `up 0` with a named reason, and nothing else is disturbed.
// The misbehaving servers are fakes: real software does none of this on demand. The one beside them is a real node_exporter.
import assert from 'node:assert/strict';
import { createServer as createHttp } from 'node:http';
import { createServer } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { GoWaku } from '../peers/lib/go-waku.mjs';
import { startNodeExporter } from '../peers/lib/node-exporter.mjs';
import { config, Daemon, identity, Listener } from '../peers/lib/noroshi.mjs';
import { freePort, residentBytes, scratch } from '../peers/lib/process.mjs';

const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n';

/** Each answers a connection in its own bad way; `reason` is what noroshi must call it. */
const faults = {
  hangs: { reason: /timeout|timed out|deadline/i, serve: () => {} },
  huge: {
    reason: /body_size_limit|too large|limit/i,
    serve: (socket) => {
      socket.write(`${head}Content-Length: 1073741824\r\n\r\n`);
      const line = Buffer.from('huge_series 1\n'.repeat(4096));
      const pour = () => { while (!socket.destroyed && socket.write(line)); };
      socket.on('drain', pour);
      pour();
    },
  },
  endless: {
    reason: /body_size_limit|too large|limit/i,
    serve: (socket) => {
      socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
      const body = 'endless_series 1\n'.repeat(4096);
      const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;
      const pour = () => { while (!socket.destroyed && socket.write(chunk)); };
      socket.on('drain', pour);
      pour();
    },
  },
  binary: {
    reason: /.+/,
    serve: (socket) => { const body = Buffer.from([...Array(2000).keys()].map((i) => (i * 37) % 256)); socket.end(Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`), body])); },
  },
  noise: { reason: /.+/, serve: (socket) => socket.end(Buffer.from([0xff, 0xfe, 0x00, 0x01, 0x0a])) },
  early: { reason: /closed|end of|partial|eof|reset/i, serve: (socket) => socket.end(`${head}Content-Length: 1000\r\n\r\nearly_series 1\n`) },
  status500: { reason: /500/, serve: (socket) => socket.end('HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops') },
  redirect: { options: 'follow_redirects: false, ', reason: /30[12]|redirect/i, serve: (socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n') },
};

async function serveFault(t, { serve }) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.once('data', () => serve(socket));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { sockets.forEach((s) => s.destroy()); server.close(); });
  return server.address().port;
}

/** Twice as many series at each scrape, from 1,000 to 5 millions, then the most for ever. */
async function serveDoubling(t) {
  let count = 500;
  const server = createHttp((request, answer) => {
    count = Math.min(count * 2, 5_000_000);
    answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
    let next = 0;
    const pour = () => {
      while (next < count) {
        let lines = '';
        for (const end = Math.min(next + 4096, count); next < end; ++next) lines += `doubling{n="${next}"} 1\n`;
        if (!answer.write(lines)) return answer.once('drain', pour);
      }
      return answer.end();
    };
    answer.on('error', () => {});
    pour();
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { port: server.address().port, count: () => count };
}

test('A target that doubles its series up to five millions is stopped by name, and harms no other', { timeout: 180_000 }, async (t) => {
  const folder = scratch(t);
  const doubling = await serveDoubling(t);
  const beside = await startNodeExporter(t);
  // The other one may be late on a busy machine: it has five seconds.
  const job = (name, address) => `  - { job_name: ${name}, ${name === 'beside' ? 'scrape_interval: 5s, scrape_timeout: 5s, ' : ''}static_configs: [ { targets: ["${address}"] } ] }`;
  const targets = [job('doubling', `127.0.0.1:${doubling.port}`), job('beside', beside.address)].join('\n');
  const daemon = await Daemon.start(t, config({ to: identity(join(folder, 'owner')), targets }));
  const ask = async (query) => {
    const answer = await (await fetch(`http://127.0.0.1:${daemon.port}/api/v1/query?${new URLSearchParams({ query })}`)).json();
    if (!answer.data) throw new Error(`${query}: ${answer.error}`);
    return answer.data.result;
  };
  const value = async (query) => (await ask(query))[0]?.value[1];
  const line = await daemon.child.until('it is stopped', () => daemon.child.log().match(/event=target_down job=doubling .*series_limit.*/)?.[0]);
  assert.match(line, /more than 100000 series/);
  await daemon.child.until('it has five millions', () => doubling.count() === 5_000_000);
  const before = residentBytes(daemon.child.pid);
  await new Promise((done) => setTimeout(done, 10_000));
  const resident = residentBytes(daemon.child.pid);
  t.diagnostic(`resident: ${(before / 1048576).toFixed(1)} MiB, ten scrapes later ${(resident / 1048576).toFixed(1)} MiB`);
  assert.ok(resident < 600 * 1048576, 'memory is bounded');
  assert.ok(resident < before + 100 * 1048576, 'and does not grow');
  assert.equal(await value('up{job="doubling"}'), '0');
  assert.equal(await value('up{job="beside"}'), '1');
  assert.equal(await value('min_over_time(up{job="beside"}[1m])'), '1');
  assert.equal(await value('doubling{n="1"}'), undefined);
  assert.match(await (await fetch(`http://127.0.0.1:${daemon.port}/metrics`)).text(), /noroshi_scrape_failures_total\{reason="series_limit"\} [1-9]/);
  assert.match(await (await fetch(`http://127.0.0.1:${daemon.port}/healthz`)).text(), /1 down/);
});

test('Targets that misbehave are down by name, and the good one is not disturbed', { timeout: 120_000 }, async (t) => {
  const waku = await GoWaku.start(t);
  const exporter = await startNodeExporter(t);
  const folder = scratch(t);
  const ports = { refused: await freePort() };
  for (const [name, fault] of Object.entries(faults)) ports[name] = await serveFault(t, fault);
  const jobs = Object.entries(ports).map(([name, port]) =>
    `  - { job_name: ${name}, ${faults[name]?.options ?? ''}body_size_limit: 4MB, static_configs: [ { targets: ["127.0.0.1:${port}"] } ] }`);
  jobs.push(`  - { job_name: good, static_configs: [ { targets: ["${exporter.address}"] } ] }`);
  writeFileSync(join(folder, 'rules.yml'), `
groups:
  - name: targets
    rules:
      - alert: TargetDown
        expr: up == 0
      - alert: GoodIsThere
        expr: up{job="good"} == 1 and on (instance) node_time_seconds
`);
  const owner = join(folder, 'owner');
  const to = identity(owner);
  const listener = new Listener(t, owner, [waku.address]);
  await listener.joined(waku);
  const text = config({ to, peers: [waku.address], targets: jobs.join('\n'), rules: join(folder, 'rules.yml') })
    .replace('group_by: [alertname]', 'group_by: [alertname, job]');
  const daemon = await Daemon.start(t, text);
  const down = (job) => daemon.child.log().match(new RegExp(`event=target_down job=${job} .*`))?.[0];
  for (const name of Object.keys(ports)) {
    const line = await daemon.child.until(`${name} is down`, () => down(name));
    const reason = faults[name]?.reason ?? /refused/i;
    assert.match(line.split('error=')[1], reason, `${name}: ${line}`);
    await listener.waitFor(`the alert of ${name}`, (m) => m.labels.alertname === 'TargetDown' && m.labels.job === name);
  }
  await listener.waitFor('the good target', (m) => m.labels.alertname === 'GoodIsThere');
  assert.equal(down('good'), undefined);
  const resident = residentBytes(daemon.child.pid);
  t.diagnostic(`resident after all of them: ${(resident / 1048576).toFixed(1)} MiB`);
  assert.ok(resident < 150 * 1048576, 'a body over its limit is not kept in memory');
});
