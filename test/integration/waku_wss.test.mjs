// test/integration/waku_wss.test.mjs - a real go-waku behind TLS: its certificate is believed when its root is, and not else.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import { cluster, GoWaku } from '../peers/lib/go-waku.mjs';
import { noroshi } from '../peers/lib/noroshi.mjs';
import { freePort, scratch } from '../peers/lib/process.mjs';

/** A certificate of a name that is its own root. */
function certificateOf(t, name) {
  const folder = scratch(t, 'noroshi-tls-');
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', certificate,
                           '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
               { stdio: 'pipe' });
  return { certificate, key };
}

test('go-waku over /wss by its name: believed with its root, refused without it and under another name', { timeout: 60_000 }, async (t) => {
  const { certificate, key } = certificateOf(t, 'localhost');
  const port = await freePort();
  const relay = await GoWaku.start(t, {
    extra: ['--websocket-secure-support', '--websocket-address=127.0.0.1', `--websocket-secure-port=${port}`,
            `--websocket-secure-cert-path=${certificate}`, `--websocket-secure-key-path=${key}`],
  });
  const ask = (host, roots) => noroshi(
    ['waku', 'peers', '--json', '--timeout', '5', '--cluster', String(cluster), '--log-level', 'info', '--peer', `${host}/tcp/${port}/wss/p2p/${relay.peerId}`],
    { env: { ...process.env, ...roots } });
  const believed = ask('/dns4/localhost', { SSL_CERT_FILE: certificate });
  assert.equal(believed.status, 0, believed.stderr);
  assert.equal(JSON.parse(believed.stdout)[0].agent, 'go-waku');
  for (const refused of [ask('/dns4/localhost', {}), ask('/ip4/127.0.0.1', { SSL_CERT_FILE: certificate })]) {
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /event=dial_failed .*reason=certificate/);
  }
});
