// test/integration/scrape_auth.test.mjs - targets behind TLS and credentials: certificates of a root made here, a certificate
// asked of the scraper, passwords and tokens in files that change; no secret shows up in the log or the API.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';

import { config, Daemon, identity } from '../peers/lib/noroshi.mjs';
import { scratch, until } from '../peers/lib/process.mjs';

/** A root and certificates of it, as files `<name>.pem` and `<name>.key` in `folder`. */
function makeCertificates(folder) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'root.key', '-out', 'root.pem', '-subj', '/CN=test root', '-days', '2');
  for (const [name, names] of Object.entries({ server: 'DNS:exporter.test,IP:127.0.0.1', client: 'DNS:noroshi.test', other: 'DNS:other.test' })) {
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}\n`);
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-out', `${name}.pem`,
      '-days', '2', '-extfile', `${name}.ext`);
  }
  openssl('req', '-x509', ...key, '-keyout', 'stranger.key', '-out', 'stranger.pem', '-subj', '/CN=stranger', '-days', '2');
}

async function listen(t, server) {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return server.address().port;
}

/** 401 unless the request proves itself; what was asked is kept by path. */
const exposition = (asked, allowed) => (request, answer) => {
  (asked[request.url] ??= []).push(request);
  if (!allowed(request)) return answer.writeHead(401).end();
  answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
  return answer.end('told 1\n');
};

test('Targets behind TLS and credentials', { timeout: 120_000 }, async (t) => {
  const folder = scratch(t);
  makeCertificates(folder);
  const file = (name) => join(folder, name);
  const pem = (name) => readFileSync(file(name), 'utf8');
  const asked = {};
  const tls = { key: pem('server.key'), cert: pem('server.pem'), ca: pem('root.pem') };
  const plain = await listen(t, createHttps(tls, exposition(asked, () => true)));
  const mutual = await listen(t, createHttps({ ...tls, requestCert: true, rejectUnauthorized: true },
    exposition(asked, (r) => r.socket.getPeerCertificate().subject?.CN === 'client')));
  const old = await listen(t, createHttps({ ...tls, maxVersion: 'TLSv1.2' }, exposition(asked, () => true)));
  const expected = { '/basic': `Basic ${Buffer.from('me:first password').toString('base64')}`, '/bearer': 'Bearer first-token', '/token': 'Token inline-token' };
  const guarded = await listen(t, createHttp(exposition(asked, (r) => {
    const headers = r.url === '/headers' ? r.headersDistinct['x-own']?.join() === 'one,inline-header,file-header' : true;
    return headers && (!(r.url in expected) || r.headers.authorization === expected[r.url]);
  })));
  const elsewhere = await listen(t, createHttp(exposition(asked, () => true)));
  const redirects = await listen(t, createHttp((request, answer) => {
    const host = request.url === '/same' ? '127.0.0.1' : 'localhost';
    answer.writeHead(307, { location: `http://${host}:${elsewhere}/after${request.url.slice(1)}` }).end();
  }));
  writeFileSync(file('password'), 'first password\n');
  writeFileSync(file('token'), 'first-token');
  writeFileSync(file('header'), 'file-header\n');
  const job = (name, port, options) => `  - { job_name: ${name}, static_configs: [ { targets: ["127.0.0.1:${port}"] } ], ${options} }`;
  const inline = (name) => JSON.stringify(pem(name));
  const secrets = ['first password', 'second password', 'first-token', 'inline-token', 'inline-header', 'file-header', pem('client.key').split('\n')[1]];
  const basic = `basic_auth: { username: me, password_file: ${file('password')} }`;
  const up = {
    known: [plain, `scheme: https, tls_config: { ca_file: ${file('root.pem')} }`],
    inline: [plain, `scheme: https, tls_config: { ca: ${inline('root.pem')} }`],
    named: [plain, `scheme: https, tls_config: { ca_file: ${file('root.pem')}, server_name: exporter.test }`],
    anyone: [plain, 'scheme: https, tls_config: { insecure_skip_verify: true }'],
    mutual: [mutual, `scheme: https, tls_config: { ca_file: ${file('root.pem')}, cert_file: ${file('client.pem')}, key_file: ${file('client.key')} }`],
    mutual_inline: [mutual, `scheme: https, tls_config: { ca_file: ${file('root.pem')}, cert: ${inline('client.pem')}, key: ${inline('client.key')} }`],
    basic: [guarded, `metrics_path: /basic, ${basic}`],
    bearer: [guarded, `metrics_path: /bearer, bearer_token_file: ${file('token')}`],
    token: [guarded, 'metrics_path: /token, authorization: { type: Token, credentials: inline-token }'],
    headers: [guarded, `metrics_path: /headers, http_headers: { X-Own: { values: [one], secrets: [inline-header], files: [${file('header')}] } }`],
    same: [redirects, `metrics_path: /same, ${basic}`],
    away: [redirects, `metrics_path: /away, ${basic}`],
  };
  const down = {
    unknown: [plain, 'scheme: https', /tls: .*(verif|certificate)/],
    misnamed: [plain, `scheme: https, tls_config: { ca_file: ${file('root.pem')}, server_name: other.test }`, /tls: .*(verif|certificate)/],
    other_root: [plain, `scheme: https, tls_config: { ca_file: ${file('stranger.pem')} }`, /tls: .*(verif|certificate)/],
    anonymous: [mutual, `scheme: https, tls_config: { ca_file: ${file('root.pem')} }`, /./],
    stranger: [mutual, `scheme: https, tls_config: { ca_file: ${file('root.pem')}, cert_file: ${file('stranger.pem')}, key_file: ${file('stranger.key')} }`, /./],
    mismatch: [mutual, `scheme: https, tls_config: { ca_file: ${file('root.pem')}, cert_file: ${file('client.pem')}, key_file: ${file('other.key')} }`, /expected the PEM key of cert/],
    too_old: [old, `scheme: https, tls_config: { ca_file: ${file('root.pem')}, min_version: TLS13 }`, /tls: /],
    wrong: [guarded, 'metrics_path: /basic, basic_auth: { username: me, password: wrong }', /401/],
    missing: [guarded, `metrics_path: /bearer, bearer_token_file: ${file('nowhere')}`, /authorization.credentials_file: .*nowhere/],
    unmoved: [redirects, 'metrics_path: /same, follow_redirects: false', /307/],
  };
  const targets = Object.entries({ ...up, ...down }).map(([name, [port, options]]) => job(name, port, options)).join('\n');
  const daemon = await Daemon.start(t, config({ to: identity(file('owner')), targets }));
  const url = `http://127.0.0.1:${daemon.port}`;
  const states = async () => {
    const { data } = await (await fetch(`${url}/api/v1/targets`)).json();
    return Object.fromEntries(data.activeTargets.map((target) => [target.scrapePool, target]));
  };
  // A busy machine may miss a scrape, never all.
  for (const name of Object.keys(up)) await until(`${name} is up`, async () => { const state = (await states())[name]; return state.health === 'up' || Promise.reject(new Error(state.lastError)); });
  for (const [name, [, , reason]] of Object.entries(down)) {
    await until(`${name} is down for its reason`, async () => { const state = (await states())[name]; return state.health === 'down' && reason.test(state.lastError) || Promise.reject(new Error(state.lastError)); });
  }
  assert.equal(asked['/aftersame'][0].headers.authorization, expected['/basic'], 'the same host is trusted');
  assert.equal(asked['/afteraway'][0].headers.authorization, undefined, 'another host is not');

  await t.test('A changed password, token or certificate counts at the next scrape', async () => {
    expected['/basic'] = `Basic ${Buffer.from('me:second password').toString('base64')}`;
    await until('basic is down', async () => (await states()).basic.health === 'down');
    writeFileSync(file('password'), 'second password');
    await until('basic is up', async () => (await states()).basic.health === 'up');
    writeFileSync(file('client.pem'), pem('other.pem'));
    writeFileSync(file('client.key'), pem('other.key'));
    await until('mutual is down', async () => (await states()).mutual.health === 'down');
    assert.match((await states()).mutual.lastError, /401/, 'it shows the new certificate');
  });

  const shown = [daemon.child.log(), JSON.stringify(await states()), await (await fetch(`${url}/metrics`)).text()].join('\n');
  for (const secret of secrets) assert.ok(!shown.includes(secret), `${secret} is shown`);
});
