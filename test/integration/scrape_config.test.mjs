// test/integration/scrape_config.test.mjs - the same scrape_configs to noroshi and to a real Prometheus, beside the same targets:
// relabelling by every action, limits, names, credentials, files and URLs of targets. The series of both must be the same.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startNodeExporter } from '../peers/lib/node-exporter.mjs';
import { config, Daemon, identity } from '../peers/lib/noroshi.mjs';
import { startPrometheus } from '../peers/lib/prometheus.mjs';
import { scratch, until } from '../peers/lib/process.mjs';

const text = 'text/plain; version=0.0.4';
const openmetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const bodies = {
  '/plain': [text, `# HELP requests_total All of them.
# TYPE requests_total counter
requests_total{code="200",path="/a",method="GET"} 1
requests_total{code="500",path="/b",method="Post"} 2
requests_total{code="404",path="",method="put",job="mine",instance="me"} 3
# TYPE latency histogram
latency_bucket{le="1"} 1
latency_bucket{le="2.50"} 2
latency_bucket{le="+Inf"} 3
latency_sum 4
latency_count 3
# TYPE temperature gauge
temperature{room="Attic",floor="3",same="Attic"} 20
temperature{room="cellar",floor="0",same="Attic"} 10
temperature{room="Küche",floor="1",exported_job="x",job="y"} 15
`],
  '/old': [text, 'dated{n="1"} 1 1700000000000\ndated{n="2"} 2\n'],
  '/names': [text, '{"with.dot","label.dot"="a b"} 1\n{"ключ"} 2\nplain 3\n'],
  '/open': [openmetrics, `# TYPE hits counter
hits_total{a="b"} 1 # {trace="x"} 1
hits_created{a="b"} 1.5
# TYPE latency histogram
latency_bucket{le="1"} 1
latency_bucket{le="+Inf"} 3
latency_sum 4
latency_count 3
# TYPE build info
build_info{version="1"} 1
# EOF
`],
  '/many': [text, Array.from({ length: 50 }, (_, i) => `many{n="${i}"} ${i}`).join('\n') + '\n'],
  '/labels': [text, 'wide{a="1",b="2",c="3",d="4",e="5"} 1\n'],
  '/long_name': [text, `a{${'n'.repeat(60)}="1"} 1\n`],
  '/long_value': [text, `a{n="${'v'.repeat(60)}"} 1\n`],
  '/untyped': ['application/unknown', 'told 1\n'],
  '/broken': [text, 'told 1\ntold{ 2\n'],
  '/hex': [text, 'told 0x1p3\n'],
};

const cleanups = [];
const scope = { after: (f) => cleanups.unshift(f) };
after(async () => { for (const cleanup of cleanups) await cleanup(); });

let folder;
let address;
let ours;
let theirs;
let discovered = [];

async function serve() {
  const server = createServer((request, answer) => {
    const url = new URL(request.url, 'http://x');
    if (url.pathname === '/sd') {
      answer.writeHead(200, { 'content-type': 'application/json' });
      return answer.end(JSON.stringify(discovered));
    }
    if (url.pathname === '/guarded' && request.headers.authorization !== `Basic ${Buffer.from('me:secret').toString('base64')}`) {
      return answer.writeHead(401).end();
    }
    if (url.pathname === '/asked') {
      answer.writeHead(200, { 'content-type': text });
      return answer.end([...url.searchParams].map(([k, v], i) => `asked{name="${k}",value="${v}",place="${i}"} 1\n`).join(''));
    }
    const [type, body] = bodies[url.pathname] ?? bodies['/plain'];
    answer.writeHead(200, { 'content-type': type });
    return answer.end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  scope.after(() => { server.closeAllConnections(); server.close(); });
  return `127.0.0.1:${server.address().port}`;
}

/** Each a job of its own. Several targets at one address are told apart by labels. */
function jobs(exporter, changed = false) {
  const targets = (labels = '{}', ...more) => `static_configs: [ { targets: ["${address}"], labels: ${labels} }${more.map((l) => `, { targets: ["${address}"], labels: ${l} }`).join('')} ]`;
  const three = targets('{ zone: a, env: Prod, __meta_team: red, __meta_rank: "1" }', '{ zone: b, env: prod, __meta_team: blue, __meta_rank: "2" }', '{ zone: c, env: test, team: c }');
  const target = (rules) => `relabel_configs: [ ${rules.join(', ')} ], ${three}`;
  const sample = (rules, path = '/plain') => `metrics_path: ${path}, metric_relabel_configs: [ ${rules.join(', ')} ], ${targets()}`;
  return Object.entries({
    defaults: targets('{ site: home }'),
    job_label: targets('{ job: other, instance: mine }'),
    node: `static_configs: [ { targets: ["${exporter}"] } ]`,
    honest: `honor_labels: true, ${targets('{ exported_job: z }')}`,
    own_times: `metrics_path: /old, ${targets()}`,
    our_times: `metrics_path: /old, honor_timestamps: false, ${targets()}`,
    params: `metrics_path: /asked, params: { b: [x, y], a: ["1 2"], c: [""] }, relabel_configs: [ { source_labels: [job], target_label: __param_b } ], ${targets()}`,
    t_replace: target([`{ source_labels: [zone, env], separator: "-", regex: "(.)-(?P<env>.+)", target_label: "both_\${1}", replacement: "$env:$1" }`]),
    t_replace_delete: target(['{ source_labels: [zone], regex: "a|b", target_label: env, replacement: "" }']),
    t_replace_self: target(['{ target_label: __metrics_path__, replacement: /open }', '{ source_labels: [__scheme__, __metrics_path__], target_label: where }']),
    t_unnamed_group: target(['{ source_labels: [zone], regex: "(.)", target_label: x, replacement: "$1x$$$1${3}y" }']),
    t_keep: target(['{ action: keep, source_labels: [zone], regex: "a|c" }']),
    t_drop: target(['{ action: drop, source_labels: [env], regex: "[Pp]rod" }']),
    t_keepequal: target(['{ action: keepequal, source_labels: [zone], target_label: team }']),
    t_dropequal: target(['{ action: dropequal, source_labels: [zone], target_label: team }']),
    t_hashmod: target(['{ action: hashmod, source_labels: [zone, env], modulus: 7, target_label: shard }', '{ action: hashmod, source_labels: [zone], modulus: 1000000007, target_label: big }']),
    t_labelmap: target(['{ action: labelmap, regex: "__meta_(.+)" }', '{ action: labelmap, regex: "(en)v", replacement: "x_${1}" }']),
    t_labeldrop: target(['{ action: labeldrop, regex: "zo.e" }', '{ source_labels: [env], target_label: instance }']),
    t_labelkeep: target(['{ action: labelkeep, regex: "__.+|env|job" }']),
    t_lowercase: target(['{ action: lowercase, source_labels: [env, zone], target_label: low }']),
    t_uppercase: target(['{ action: uppercase, source_labels: [env], target_label: env }']),
    t_merged: target(['{ action: labeldrop, regex: "zone|env|team" }']),
    t_broken: target(['{ source_labels: [zone], regex: a, target_label: __address__, replacement: "" }', '{ source_labels: [zone], regex: b, target_label: __scrape_timeout__, replacement: 1h }']),
    t_slash: target(['{ source_labels: [zone], regex: "a|b", target_label: __address__, replacement: "http://x/y" }']),
    t_times: target(['{ source_labels: [zone], regex: a, target_label: __scrape_interval__, replacement: 0s }', '{ source_labels: [zone], regex: b, target_label: __scrape_interval__, replacement: 2s }']),
    t_none: target(['{ action: drop }']),
    s_replace: sample(['{ source_labels: [__name__, room], regex: "temperature;(.+)", target_label: "room_${1}", replacement: "yes" }', '{ source_labels: [code], regex: "(.).*", target_label: class, replacement: "${1}xx" }']),
    s_rename: sample(['{ source_labels: [__name__], regex: "(.*)_total", target_label: __name__, replacement: "$1" }']),
    s_keep: sample(['{ action: keep, source_labels: [__name__], regex: "temperature|latency_.*" }']),
    s_drop: sample(['{ action: drop, source_labels: [code, method], regex: "200;.*" }']),
    s_keepequal: sample(['{ action: keepequal, source_labels: [room], target_label: same }']),
    s_dropequal: sample(['{ action: dropequal, source_labels: [room], target_label: same }']),
    s_hashmod: sample(['{ action: hashmod, source_labels: [__name__, room, code], modulus: 16, target_label: part }', '{ action: drop, source_labels: [part], regex: "[0-7]" }']),
    s_labelmap: sample(['{ action: labelmap, regex: "(room|code)", replacement: "my_$1" }']),
    s_labeldrop: sample(['{ action: labeldrop, regex: "floor|same|job" }']),
    s_labelkeep: sample(['{ action: labelkeep, regex: "__name__|room|code|le|job|instance" }']),
    s_lowercase: sample(['{ action: lowercase, source_labels: [method, room], target_label: low }']),
    s_uppercase: sample(['{ action: uppercase, source_labels: [room], target_label: room }']),
    s_instance: sample(['{ source_labels: [__name__], target_label: instance, replacement: "all" }']),
    s_unnamed: sample(['{ target_label: __name__, replacement: "" }']),
    sample_limit: `metrics_path: /many, sample_limit: 49, ${targets()}`,
    sample_limit_met: `metrics_path: /many, sample_limit: 50, ${targets()}`,
    sample_limit_after: `metrics_path: /many, sample_limit: 10, metric_relabel_configs: [ { action: keep, source_labels: [n], regex: "." } ], ${targets()}`,
    label_limit: `metrics_path: /labels, label_limit: 7, ${targets()}`,
    label_limit_met: `metrics_path: /labels, label_limit: 8, ${targets()}`,
    label_name_limit: `metrics_path: /long_name, label_name_length_limit: 59, ${targets()}`,
    label_name_limit_met: `metrics_path: /long_name, label_name_length_limit: 60, ${targets()}`,
    label_value_limit: `metrics_path: /long_value, label_value_length_limit: 59, ${targets()}`,
    label_value_limit_met: `metrics_path: /long_value, label_value_length_limit: 60, ${targets()}`,
    body_limit: `metrics_path: /many, body_size_limit: 512B, ${targets()}`,
    target_limit: `target_limit: 2, ${three}`,
    target_limit_met: `target_limit: 3, ${three}`,
    open: `metrics_path: /open, ${targets()}`,
    untyped: `metrics_path: /untyped, ${targets()}`,
    fallback: `metrics_path: /untyped, fallback_scrape_protocol: PrometheusText0.0.4, ${targets()}`,
    broken: `metrics_path: /broken, ${targets()}`,
    hexadecimal: `metrics_path: /hex, ${targets()}`,
    utf8: `metrics_path: /names, ${targets()}`,
    legacy: `metrics_path: /names, metric_name_validation_scheme: legacy, ${targets()}`,
    guarded: `metrics_path: /guarded, basic_auth: { username: me, password: secret }, ${targets()}`,
    unguarded: `metrics_path: /guarded, ${targets()}`,
    files: `file_sd_configs: [ { files: ["${folder}/sd/*.json", "${folder}/sd/c.yml"], refresh_interval: 1s } ], relabel_configs: [ { source_labels: [__meta_filepath], regex: ".*/(.+)", target_label: file } ]`,
    urls: `http_sd_configs: [ { url: "http://${address}/sd", refresh_interval: 1s } ], relabel_configs: [ { source_labels: [__meta_url], regex: ".*/(.+)", target_label: url }, { action: drop, source_labels: [n], regex: "3" } ]`,
    changing: `${targets()}, relabel_configs: [ { target_label: version, replacement: "${changed ? 'second' : 'first'}" } ], metric_relabel_configs: [ { action: drop, source_labels: [__name__], regex: "${changed ? 'temperature' : 'requests_total'}" } ]`,
  }).map(([name, rest]) => `  - { job_name: ${name}, ${rest} }`).join('\n');
}

const global = 'global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }';
const forPrometheus = (text) => `${global}\nscrape_configs:\n${text}\n`;

/** In place of the old one at once, as whoever writes such files should do it. */
function write(name, content) {
  writeFileSync(join(folder, 'sd', 'new'), content);
  renameSync(join(folder, 'sd', 'new'), join(folder, 'sd', name));
}

let exporter;
before(async () => {
  folder = scratch(scope);
  mkdirSync(join(folder, 'sd'));
  address = await serve();
  exporter = (await startNodeExporter(scope)).address;
  write('a.json', JSON.stringify([{ targets: [address], labels: { n: '1', __metrics_path__: '/open' } }, { targets: [address, 'localhost:1'], labels: { n: '2' } }]));
  write('b.json', '[]');
  write('c.yml', `- targets: ["${address}"]\n  labels: { n: yes, "label.dot": x }\n`);
  discovered = [{ targets: [address], labels: { n: '1' } }, { targets: [address], labels: { n: '2' } }, { targets: [address], labels: { n: '3' } }];
  const text = jobs(exporter);
  theirs = await startPrometheus(scope, forPrometheus(text));
  ours = await Daemon.start(scope, config({ to: identity(join(folder, 'owner')), targets: text }), { log: 'warn', wait: false });
  ours.url = `http://127.0.0.1:${ours.port}`;
  await until('noroshi answers', async () => (await fetch(`${ours.url}/-/ready`)).ok);
});

async function query(url, text, time) {
  const answer = await fetch(`${url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: text, ...(time ? { time } : {}) }) });
  const { data, error } = await answer.json();
  if (error) throw new Error(`${url} ${text}: ${error}`);
  return data.result;
}
const name = (metric) => JSON.stringify(Object.entries(metric).sort());
const series = async (url, job) => (await query(url, `{__name__=~".+"${job ? `,job="${job}"` : ''}}`))
  .map(({ metric }) => name(metric)).sort();
const values = async (url, text) => (await query(url, text)).map(({ metric, value }) => `${name(metric)} ${value[1]}`).sort();

/** Asks both until they say the same; after that it fails with the difference. */
async function same(what, ask) {
  const both = () => Promise.all([ours.url, theirs.url].map(ask));
  await until(what, async () => { const [a, b] = await both(); return b.length > 0 && JSON.stringify(a) === JSON.stringify(b); }, 40_000).catch(async () => {
    const [a, b] = await both();
    assert.deepEqual({ onlyNoroshi: a.filter((x) => !b.includes(x)).slice(0, 40), onlyPrometheus: b.filter((x) => !a.includes(x)).slice(0, 40) }, { onlyNoroshi: [], onlyPrometheus: [] }, what);
    assert.fail(`${what}: never the same at one time`);
  });
  return (await both())[0];
}

test('The series are the same', { timeout: 120_000 }, async (t) => {
  const all = await same('series', (url) => series(url));
  t.diagnostic(`${all.length} series of ${new Set(all.map((s) => /\["job","([^"]*)"\]/.exec(s)?.[1])).size} jobs`);
  assert.ok(all.length > 1_000, `${all.length} series`);
});

test('Which targets are up is the same, and what their scrapes count', { timeout: 120_000 }, async () => {
  const up = await same('up', (url) => values(url, 'up'));
  assert.ok(up.length > 90, `${up.length} targets`);
  await same('samples of bodies', (url) => values(url, 'scrape_samples_scraped{job!~"node|broken|.*_limit|s_unnamed|legacy"}'));
  await same('samples after relabelling', (url) => values(url, 'scrape_samples_post_metric_relabeling{job=~"s_[^u].*|defaults|honest|open|utf8|files|urls"}'));
});

test('Values and types are the same', { timeout: 60_000 }, async () => {
  await same('values', (url) => values(url, '{__name__=~"requests.*|latency.*|temperature|dated|asked|many|wide|hits.*|build_info|told|plain|with.dot"}'));
  const metadata = async (url) => Object.entries((await (await fetch(`${url}/api/v1/metadata`)).json()).data).map(([family, list]) => `${family} ${JSON.stringify(list.map(({ type, help, unit }) => [type, help, unit]).sort())}`).sort();
  await same('metadata', metadata);
  const ofTarget = async (url) => (await (await fetch(`${url}/api/v1/targets/metadata?${new URLSearchParams({ match_target: '{job="defaults"}' })}`)).json()).data.map((m) => JSON.stringify([name(m.target), m.metric, m.type, m.help, m.unit])).sort();
  await same('metadata of a target', ofTarget);
});

test('Files and URLs that change give other targets; those that are gone end their series', { timeout: 120_000 }, async () => {
  write('a.json', JSON.stringify([{ targets: [address], labels: { n: '4' } }]));
  write('b.json', JSON.stringify([{ targets: [address], labels: { n: '5' } }]));
  discovered = [{ targets: [address], labels: { n: '2', added: 'yes' } }, { targets: [address], labels: { n: '6' } }];
  await until('the new ones are there', async () => (await query(theirs.url, 'up{job=~"files|urls",n=~"4|5|6"}')).length === 3);
  await until('the old ones are gone', async () => (await query(theirs.url, 'up{job=~"files|urls",n=~"1"}')).length === 0);
  await same('series of files', (url) => series(url, 'files'));
  await same('series of URLs', (url) => series(url, 'urls'));
  write('a.json', '[{"targets": [');
  write('c.yml', '- target: [x]\n');
  await ours.child.until('it says so', () => /event=discovery_failed .*a\.json/.test(ours.child.log()) && /event=discovery_failed .*c\.yml/.test(ours.child.log()));
  await new Promise((done) => setTimeout(done, 3_000));
  const kept = await same('series of files', (url) => series(url, 'files'));
  assert.ok(kept.some((s) => s.includes('["n","4"]')) && kept.some((s) => s.includes('["n","yes"]')), 'broken files keep what they gave last');
  assert.match((await ours.get('/healthz')).text, /"discovery"[^]*2 cannot be read/);
});

test('A reload takes the new relabelling and keeps what was', { timeout: 120_000 }, async () => {
  const before = Date.now() / 1000;
  const added = await values(ours.url, 'sum_over_time(scrape_series_added{job="defaults"}[1h])');
  const text = jobs(exporter, true);
  ours.configure(config({ to: identity(join(folder, 'owner')), targets: text }));
  writeFileSync(theirs.file, forPrometheus(text));
  ours.reload();
  theirs.child.signal('SIGHUP');
  await until('the second version', async () => (await query(ours.url, 'temperature{job="changing"}')).length === 0 && (await query(ours.url, 'requests_total{job="changing",version="second"}')).length === 3);
  const now = await same('series', (url) => series(url, 'changing'));
  assert.ok(now.every((s) => !s.includes('first')), 'the series of before have ended');
  assert.equal((await query(ours.url, 'temperature{job="changing",version="first"}', before - 1)).length, 3, 'and are still there for who looks back');
  assert.deepEqual(await values(ours.url, 'sum_over_time(scrape_series_added{job="defaults"}[1h])'), added, 'an unchanged job went on undisturbed');
  await same('all series', (url) => series(url));
});
