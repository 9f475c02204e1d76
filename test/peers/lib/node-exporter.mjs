// test/peers/lib/node-exporter.mjs - Debian's prometheus-node-exporter on a port of loopback.
import { Child, freePort } from './process.mjs';

export async function startNodeExporter(t) {
  const port = await freePort();
  const child = new Child(t, 'prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${port}`], { name: 'node_exporter' });
  const url = `http://127.0.0.1:${port}/metrics`;
  await child.until('answers', async () => (await fetch(url)).ok);
  return { child, port, url, address: `127.0.0.1:${port}` };
}
