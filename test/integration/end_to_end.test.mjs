// test/integration/end_to_end.test.mjs - node_exporter -> rule -> firing through a real go-waku -> resolved, decrypted by `listen`.
import assert from 'node:assert/strict';
import { createServer as createHttpServer, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { GoWaku } from '../peers/lib/go-waku.mjs';
import { startNodeExporter } from '../peers/lib/node-exporter.mjs';
import { config, Daemon, identity, Listener } from '../peers/lib/noroshi.mjs';
import { freePort, scratch } from '../peers/lib/process.mjs';

const many = 300;
const rule = `
groups:
  - name: sockets
    rules:
      - alert: ManyConnections
        expr: node_sockstat_TCP_inuse > ${many}
        labels: { severity: warning }
        annotations: { summary: "{{ $value }} TCP connections on {{ $labels.instance }}" }
`;

/** Passes scrapes on to node_exporter and notes when an answer with more than \`many\` connections went out. */
async function watchScrapes(t, target) {
  const port = await freePort();
  const seen = { firstAbove: undefined };
  const server = createHttpServer((incoming, outgoing) => {
    const forward = request({ host: '127.0.0.1', port: target, path: incoming.url, headers: { ...incoming.headers, 'accept-encoding': 'identity' } }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
        const body = Buffer.concat(chunks);
        const value = Number(body.toString().match(/^node_sockstat_TCP_inuse (\S+)$/m)?.[1]);
        outgoing.writeHead(answer.statusCode, { 'content-type': answer.headers['content-type'] });
        outgoing.end(body, () => { if (value > many) seen.firstAbove ??= Date.now(); });
      });
    });
    forward.on('error', () => outgoing.destroy());
    incoming.pipe(forward);
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { port, seen };
}

/** Opens `count` TCP connections over loopback; gives a function that closes them. */
async function openConnections(count) {
  const server = createServer();
  const ends = [];
  server.on('connection', (socket) => ends.push(socket.on('error', () => {})));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await Promise.all(Array.from({ length: count }, () => new Promise((done) => {
    const socket = connect(port, '127.0.0.1', done).on('error', () => {});
    ends.push(socket);
  })));
  return () => {
    ends.forEach((socket) => socket.resetAndDestroy());
    server.close();
  };
}

test('A rule on a node_exporter series fires and resolves, decrypted through go-waku', { timeout: 120_000 }, async (t) => {
  const folder = scratch(t);
  const [waku, exporter] = await Promise.all([GoWaku.start(t), startNodeExporter(t)]);
  const scrapes = await watchScrapes(t, exporter.port);
  const owner = join(folder, 'owner');
  const to = identity(owner);
  const listener = new Listener(t, owner, [waku.address]);
  await listener.joined(waku);
  writeFileSync(join(folder, 'rules.yml'), rule);
  const text = config({
    to, peers: [waku.address], rules: join(folder, 'rules.yml'),
    targets: `  - { job_name: node, static_configs: [ { targets: ["127.0.0.1:${scrapes.port}"] } ] }`,
  }).replace('group_wait: 1s', 'group_wait: 0s');
  const daemon = await Daemon.start(t, text);

  const hello = await listener.waitFor('the first message', (m) => m.status === 'event', 30_000);
  assert.match(hello.title, /noroshi watches 1 thing on /);
  assert.equal(hello.from, identity(daemon.data));
  assert.equal(hello.to, to);

  const close = await openConnections(many);
  const firing = await listener.waitFor('the alert', (m) => m.status === 'firing', 30_000);
  const arrived = Date.parse(firing.received_at);
  assert.match(firing.title, /ManyConnections/);
  assert.match(firing.body, /\d+ TCP connections on 127\.0\.0\.1:\d+/);
  assert.equal(firing.labels.alertname, 'ManyConnections');
  assert.match(firing.hash, /^[0-9a-f]{64}$/);
  t.diagnostic(`latency: ${arrived - scrapes.seen.firstAbove} ms from the scrape's answer to the decrypted message ` +
               `(evaluation every 1000 ms), of which ${arrived - Date.parse(firing.sent_at)} ms from sending to decrypted`);

  close();
  const resolved = await listener.waitFor('the resolution', (m) => m.status === 'resolved', 30_000);
  assert.equal(resolved.labels.alertname, 'ManyConnections');
  assert.equal(listener.received.filter((m) => m.status === 'firing').length, 1, 'one message for one alert');
  assert.equal((await daemon.stop()).code, 0);
});
