// test/peers/lib/dns-tree.mjs - a signed node list (EIP-1459) by js libraries, served by a real name server on loopback.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Child, freePort, scratch } from './process.mjs';
import { js } from './js-waku.mjs';

const base32 = (bytes) => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...bytes].map((b) => b.toString(2).padStart(8, '0')).join('');
  return bits.match(/.{1,5}/g).map((five) => digits[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
};
const keccak = (text) => js.keccak_256(new TextEncoder().encode(text));
const hash = (text) => base32(keccak(text).slice(0, 16));

/** The texts of a tree by name, and its link. `records`: "enr:..". `key`: 64 hex digits. */
export async function signTree(domain, records, key) {
  const texts = {};
  const add = (text) => { texts[`${hash(text)}.${domain}`] = text; return hash(text); };
  const branch = (children) => add(`enrtree-branch:${children.join(',')}`);
  const root = `enrtree-root:v1 e=${branch(records.map(add))} l=${branch([])} seq=1`;
  const [signature, recovery] = await js.secp256k1.sign(keccak(root), key, { recovered: true, der: false });
  texts[domain] = `${root} sig=${Buffer.from([...signature, recovery]).toString('base64url')}`;
  return { texts, link: `enrtree://${base32(js.secp256k1.getPublicKey(key, true))}@${domain}` };
}

/** dnsmasq with these TXT records and nothing else; gives "ip:port". A TXT record has parts of at most 255 bytes. */
export async function startNameServer(t, texts, { port } = {}) {
  const on = port ?? await freePort();
  // Quotes keep the commas of a branch in one text; they are read in a file alone.
  const file = join(scratch(t), 'dnsmasq.conf');
  writeFileSync(file, Object.entries(texts).map(([name, text]) =>
    `txt-record=${[name, ...text.match(/.{1,200}/g).map((part) => `"${part}"`)].join(',')}\n`).join(''));
  const child = new Child(t, 'dnsmasq', ['--no-daemon', '--no-resolv', '--no-hosts', `--conf-file=${file}`, '--user=root', '--pid-file=',
    '--bind-interfaces', '--listen-address=127.0.0.1', `--port=${on}`], { name: 'dnsmasq' });
  await child.until('is ready', () => /started, version/.test(child.log()));
  return { address: `127.0.0.1:${on}`, child };
}
