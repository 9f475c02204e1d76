// test/integration/status_pair.test.mjs - two noroshi daemons become Status contacts over Waku and tell each other things.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { cluster, shard } from '../peers/lib/go-waku.mjs';
import { Daemon, noroshi, program } from '../peers/lib/noroshi.mjs';
import { Child, scratch, until } from '../peers/lib/process.mjs';
import { rule, valueTarget } from '../peers/lib/value-target.mjs';

/** The chat key of a data folder, made when missing. */
function chatKey(data) {
  const { status, stdout, stderr } = noroshi(['id', '--json', '--data', data]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout).chat_key;
}

const yaml = ({ to, peers = [], listen = ['/ip4/127.0.0.1/tcp/0'], target, rules, name = 'phone' }) => `
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
host: { enabled: false }
${target ? `scrape_configs: [ { job_name: fake, static_configs: [ { targets: ["${target}"] } ] } ]` : ''}
${rules ? `rule_files: [${JSON.stringify(rules)}]` : ''}
route: { receiver: ${name}, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers: [ { name: ${name}, status_configs: [ { to: "${to}" } ] } ]
waku: { cluster: ${cluster}, shards: [${shard}], listen: ${JSON.stringify(listen)}, peers: ${JSON.stringify(peers)} }
`;

/** A daemon in Status. `folder` holds its data, so that its key is known before it starts. */
class Side {
  constructor(t, name) {
    this.t = t;
    this.folder = scratch(t, `noroshi-${name}-`);
    this.data = join(this.folder, 'data');
    this.key = chatKey(this.data);
  }
  async start(text) {
    this.daemon = await Daemon.start(this.t, text, { folder: this.folder });
    return this.daemon;
  }
  /** Lines that it printed about texts from others. */
  get replies() { return this.daemon.child.lines.filter((line) => line.startsWith('reply from ')); }
  pair(...args) {
    return new Child(this.t, program, ['pair', '--json', '--data', this.data, '--config', join(this.folder, 'noroshi.yml'), ...args],
                     { name: 'pair', folder: this.folder });
  }
  history() {
    const { status, stdout, stderr } = noroshi(['history', '--json', '--data', this.data, '--config', join(this.folder, 'noroshi.yml')]);
    assert.equal(status, 0, stderr);
    return stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }
  list() {
    const { status, stdout, stderr } = noroshi(['pair', 'list', '--json', '--data', this.data, '--config', join(this.folder, 'noroshi.yml')]);
    assert.equal(status, 0, stderr);
    return stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }
  post(path, body, headers = {}) {
    return fetch(`http://127.0.0.1:${this.daemon.port}/api/v1/status/${path}`,
                 { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
  }
}

const events = (child) => child.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
const event = (child, name) => child.until(`says ${name}`, () => events(child).find((e) => e.event === name), 60_000);

test('Two daemons pair: one asks, the other lets it in; alerts arrive, are acknowledged and are edited when over', { timeout: 180_000 }, async (t) => {
  const [alice, bob] = [new Side(t, 'alice'), new Side(t, 'bob')];
  const target = await valueTarget(t);
  const rules = join(alice.folder, 'rules.yml');
  writeFileSync(rules, rule);
  await alice.start(yaml({ to: bob.key, target: target.address, rules }));
  // Bob's own receiver is somebody else: he knows nothing of Alice before she asks.
  const stranger = new Side(t, 'stranger').key;
  await bob.start(yaml({ to: stranger, peers: [await alice.daemon.address()], name: 'nobody' }));

  // At first Bob only looks: at a terminal, agreeing to nobody of that key.
  const looks = new Child(t, program, ['pair', '--yes', 'none', '--data', bob.data, '--config', bob.daemon.file], { name: 'looks', folder: bob.folder });
  await until('bob lets requests in', async () => JSON.parse((await bob.daemon.get('/api/v1/status')).text).pairing_open);
  assert.ok(looks.lines.includes(bob.key) && looks.lines.includes(`https://status.app/u#${bob.key}`));
  const text = 'it is me\n\u001b[31mred\u202e';
  const asks = alice.pair(bob.key, '--timeout', '90s', '--text', text);
  await looks.until('shows the request in a line, harmless', () => looks.lines.includes('  text: it is me\\n\\x1b[31mred\\u202e'));
  assert.equal((await looks.stop()).code, 1);

  // Who was not answered still asks.
  const waits = bob.pair('--yes', alice.key.slice(0, 10), '--timeout', '90s', '--role', 'operator');
  const own = await event(waits, 'identity');
  assert.equal(own.chat_key, bob.key);
  assert.equal(own.url, `https://status.app/u#${bob.key}`);
  const request = await event(waits, 'request');
  assert.equal(request.from, alice.key);
  assert.equal(request.text, text);
  assert.equal(request.name, 'noroshi');
  assert.equal((await event(asks, 'paired')).with, bob.key);
  assert.equal((await event(waits, 'paired')).with, alice.key);
  assert.equal((await asks.ended).code, 0, asks.log());
  assert.equal((await waits.ended).code, 0, waits.log());

  const [contact] = bob.list().filter((c) => c.chat_key === alice.key);
  assert.deepEqual([contact.mutual, contact.role, contact.receiver], [true, 'operator', '']);
  const [other] = alice.list();
  assert.deepEqual([other.chat_key, other.mutual, other.receiver], [bob.key, true, 'phone']);

  // What waited for the pairing was sent the moment it was made.
  const hello = await until('the first message', () => bob.replies.find((line) => line.includes('noroshi watches')));
  assert.ok(hello.startsWith(`reply from ${alice.key} (unpaired): noroshi watches 1 thing on `), hello);
  assert.ok(hello.includes('\\n1 scrape targets'), 'a text is one line, whatever is in it');
  bob.daemon.configure(yaml({ to: alice.key, peers: [await alice.daemon.address()] }));
  bob.daemon.reload();
  await bob.daemon.child.until('reloads', () => bob.daemon.child.log().includes('event=reloaded'));
  target.value = 9;
  const alert = await until('the alert', () => bob.replies.find((line) => line.includes('FIRING') && line.includes('value 9')));
  assert.ok(alert.startsWith(`reply from ${alice.key} (phone): FIRING`), alert);
  target.value = 0;
  await until('the resolution', () => bob.replies.find((line) => line.includes('RESOLVED')));
  assert.equal(bob.replies.filter((line) => line.includes('FIRING')).length, 1, 'one message for one alert, and its edit is no text');

  const history = await until('all are delivered', () => {
    const rows = alice.history();
    return rows.length === 3 && rows.every((row) => row.state === 'delivered') && rows;
  });
  assert.deepEqual(history.map((row) => row.status), ['resolved', 'firing', 'event']);
  for (const row of history) {
    assert.ok(Date.parse(row.times.handed_over) >= Date.parse(row.created_at), row.title);
    assert.ok(Date.parse(row.times.delivered) >= Date.parse(row.times.handed_over), row.title);
    assert.equal(row.times.answered, null);
  }
  assert.equal(history[0].replaces, history[1].id);
  const { text: metrics } = await alice.daemon.get('/metrics');
  assert.match(metrics, /^noroshi_outbox_stage_seconds_count\{receiver="phone",stage="delivered"\} 3$/m);
  const health = JSON.parse((await alice.daemon.get('/healthz')).text);
  assert.equal(health.parts.find((part) => part.name === 'status').ok, true);
  t.diagnostic(`from made to acknowledged: ${history.map((row) => row.after_seconds.delivered).join(', ')} s`);
});

test('A receiver that is asked by the daemon of its own configuration accepts at once; a restart keeps both', { timeout: 180_000 }, async (t) => {
  const [alice, bob] = [new Side(t, 'alice'), new Side(t, 'bob')];
  await alice.start(yaml({ to: bob.key }));
  await bob.start(yaml({ to: alice.key, peers: [await alice.daemon.address()] }));
  const asks = alice.pair(bob.key, '--timeout', '90s');
  assert.equal((await event(asks, 'paired')).with, bob.key);
  await until('each has the first message of the other', () => alice.replies.length > 0 && bob.replies.length > 0);
  assert.ok(bob.replies[0].startsWith(`reply from ${alice.key} (phone): noroshi watches`), bob.replies[0]);
  await until('it is acknowledged', () => alice.history()[0].state === 'delivered');

  await until('it is acknowledged', () => alice.history()[0].state === 'delivered');
  assert.equal((await alice.daemon.stop()).code, 0);
  const offline = alice.list();
  assert.deepEqual(offline.map((c) => [c.chat_key, c.mutual, c.receiver]), [[bob.key, true, 'phone']]);
  assert.equal(alice.history()[0].state, 'delivered');
  const disk = readFileSync(join(alice.data, 'noroshi.db')).toString('latin1');
  assert.ok(!disk.includes(readFileSync(join(alice.data, 'identity.key'), 'latin1').trim()));
});

test('Without a daemon `pair` works by itself, and the daemon that starts later is paired', { timeout: 180_000 }, async (t) => {
  const [alice, bob] = [new Side(t, 'alice'), new Side(t, 'bob')];
  await bob.start(yaml({ to: alice.key }));
  const text = yaml({ to: bob.key, listen: [], peers: [await bob.daemon.address()] });
  writeFileSync(join(alice.folder, 'noroshi.yml'), text);
  const asks = alice.pair(bob.key, '--timeout', '90s');
  assert.equal((await event(asks, 'paired')).with, bob.key);
  assert.equal((await asks.ended).code, 0, asks.log());
  await alice.start(text);
  await until('the first message', () => bob.replies.find((line) => line.startsWith(`reply from ${alice.key} (phone): noroshi watches`)), 60_000);

  const gone = noroshi(['pair', 'remove', bob.key, '--data', alice.data, '--config', join(alice.folder, 'noroshi.yml')]);
  assert.equal(gone.status, 0, gone.stderr);
  assert.match(gone.stderr, /it is the receiver "phone" of the configuration still/);
  await until('bob sees that it is over', () => bob.list().some((c) => c.chat_key === alice.key && !c.mutual));
});

test('The API takes writes with the token only; the token is private', { timeout: 60_000 }, async (t) => {
  const alice = new Side(t, 'alice');
  await alice.start(yaml({ to: new Side(t, 'bob').key }));
  const file = join(alice.data, 'api.token');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const authorization = `Bearer ${readFileSync(file, 'utf8').trim()}`;
  assert.equal((await alice.post('pairing', { open: true })).status, 401);
  assert.equal((await alice.post('pairing', { open: true }, { authorization: 'Bearer wrong' })).status, 401);
  assert.equal((await alice.post('pairing', { open: true }, { authorization, origin: 'http://evil.example' })).status, 403);
  assert.equal((await alice.post('pairing', { open: true }, { authorization })).status, 200);
  assert.equal(JSON.parse((await alice.daemon.get('/api/v1/status')).text).pairing_open, true);
  const { status, stderr } = noroshi(['pair', '--timeout', '1s', '--yes', '--json', '--data', alice.data, '--config', alice.daemon.file]);
  assert.equal(status, 1);
  assert.match(stderr, /nobody asked within 1s/);
  assert.equal(JSON.parse((await alice.daemon.get('/api/v1/status')).text).pairing_open, false, 'whoever opened it closed it');
  const health = JSON.parse((await alice.daemon.get('/healthz')).text);
  assert.match(health.parts.find((part) => part.name === 'status').detail, /not paired, run `noroshi pair`: phone/);
});
