// test/peers/lib/value-target.mjs - a target whose one value the test sets, and the rule that watches it.
import { createServer } from 'node:http';

export const rule = `
groups:
  - name: fake
    rules:
      - alert: TooHigh
        expr: fake_value > 5
        annotations: { summary: "value {{ $value }}" }
`;

/** What the value must provoke cannot be had from real software on demand. */
export async function valueTarget(t) {
  const target = { value: 0, scrapes: 0 };
  const server = createServer((_, answer) => {
    target.scrapes += 1;
    answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(`fake_value ${target.value}\n`);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  target.server = server;
  target.address = `127.0.0.1:${server.address().port}`;
  return target;
}

/** Its line under scrape_configs. */
export const targets = ({ address }) => `  - { job_name: fake, static_configs: [ { targets: ["${address}"] } ] }`;
