// bench/exposition.mjs - a server of expositions for bench/metrics.mjs, in a process of its own: 10 targets at /<target>, with
// values that change. Prints its port; the number of series of all targets is the argument.
import { createServer } from 'node:http';

export const targets = 10;
/** Of each name, so many series a target; half of the names are counters. */
const seriesOfName = (series) => series / targets / names;
const names = 100;
const codes = ['200', '404', '500'];

/** The text before each value, and how the value moves. */
function linesOf(target, series) {
  const lines = [];
  for (let name = 0; name < names; ++name) {
    const counter = name % 2 === 0;
    const metric = counter ? `bench_requests_${name}_total` : `bench_queue_length_${name}`;
    lines.push({ text: `# HELP ${metric} Of the bench.\n# TYPE ${metric} ${counter ? 'counter' : 'gauge'}\n` });
    for (let i = 0; i < seriesOfName(series); ++i) {
      const labels = `service="service-${i % 5}",path="/api/v1/items/${i}",code="${codes[i % 3]}",pod="pod-${target}-${i % 7}"`;
      lines.push({ text: `${metric}{${labels}} `, counter, value: counter ? 0 : 50, pace: 1 + ((i * 7 + name) % 90) });
    }
  }
  return lines;
}

function body(lines, seconds) {
  let out = '';
  for (const line of lines) {
    if (line.counter === undefined) out += line.text;
    else if (line.counter) out += `${line.text}${Math.floor(line.pace * seconds)}\n`;
    else {
      line.value += Math.round((Math.random() - 0.5) * 100) / 100;
      out += `${line.text}${line.value.toFixed(2)}\n`;
    }
  }
  return out;
}

if (process.argv[1].endsWith('exposition.mjs')) {
  const series = Number(process.argv[2]);
  const begun = Date.now();
  const lines = Array.from({ length: targets }, (_, target) => linesOf(target, series));
  const server = createServer((request, answer) => {
    const text = body(lines[Number(request.url.slice(1))], (Date.now() - begun) / 1000 + 10);
    answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'content-length': Buffer.byteLength(text) });
    answer.end(text);
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}
