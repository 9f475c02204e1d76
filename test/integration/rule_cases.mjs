// test/integration/rule_cases.mjs - single rules and rule files whose verdict by promtool 3.16 is easily got wrong.

/** Keys of one rule each; `alert: A` and `expr: up` stand before them unless the case has its own. */
export const rules = [
  // names
  'alert: A\nexpr: up', 'record: a\nexpr: up', 'expr: up', 'alert: A\nrecord: a\nexpr: up', 'alert: ""\nexpr: up', 'record: ""\nexpr: up',
  'alert: ""\nrecord: a\nexpr: up', 'alert: A\nrecord: ""\nexpr: up', 'alert: null\nrecord: a\nexpr: up', 'alert: 5\nexpr: up',
  'alert: [A]\nexpr: up', 'alert: "a b"\nexpr: up', 'record: "a b"\nexpr: up', 'record: "a{}"\nexpr: up', 'record: "a{b=\'c\'}"\nexpr: up',
  'record: "é"\nexpr: up', 'record: a-b\nexpr: up', 'alert: A\nalert: B\nexpr: up', 'alert: A',
  // expressions
  ...['', 'up', '1', '1 > 2', '1 > bool 2', '"text"', 'up[5m]', 'up[5m:]', 'sum{} + offset', 'rate(up[300]) > 1h', 'label_join(up,"a","-")',
    '{"a.b",x="y"} > 1', 'up @ -5', 'topk(0.5, up)', 'rate(up[2*5m])', '{x=~".*"}', '{x=~".+"}', 'sum(up) OFFSET 5m', 'up OFFSET 5m', 'on{}',
    'RATE(up[5m])', 'SUM(up)', 'up[0m]', 'up[300] == 1', 'mad_over_time(up[5m])', 'up{__name__="x"}', 'a and 1', 'a * on(x) group_left(x) b',
    'a * on(x) group_left(y) b', 'up{a="b",}', 'up{,}', 'up{a=b}', 'up{a=~"("}', 'sum by (a up)', 'sum by (a,) (up)', 'sum(up) by (a)',
    'a == on(x) b', 'a or on(x) group_left b', 'nope(up)', 'rate(up)', 'rate(up[5m] offset 1m)', 'rate(up[5m]) offset 1m', 'up offset -5m',
    'up @ end()', 'up @ nope', 'quantile(2, up)', 'absent(up)', 'histogram_quantile(0.9, up)', 'time()', 'vector(1)', 'scalar(up)', '-up', '--up',
    '1 + + 1', 'up unless up', 'up == bool 1', 'up and bool up', 'count_values("a b", up)', 'count_values("", up)', 'label_replace(up,"a","b","c","(")',
    'label_replace(up,"a b","b","c","d")', '0x1F', '1e3', '1_000', '.5', '5.', 'Inf', 'NaN', 'nan', '1h', '5m30s', 'up # comment', '# comment',
    'up > 1 > 2', '(up', 'up)', 'up{}', '{}', '{__name__=""}', '{__name__="up"}', 'min_over_time(rate(up[5m])[30m:1m])', 'up[5m:1m]', 'up[5m:0s]',
    'sort_by_label(up, "a")', 'info(up)', 'limitk(1, up)', 'double_exponential_smoothing(up[5m], 0.5, 0.5)', 'holt_winters(up[5m], 0.5, 0.5)',
    'atan2(1, 2)', 'up atan2 up', 'group(up)', 'start()', 'end()', 'up{a="\\u00e9"}', "up{a='b'}", 'up{a=`b`}', '{"up"}', '{"up", "up"}',
    'foo{"bar"}', 'up offset 1m offset 2m', 'up @ 1 @ 2', 'year()', 'day_of_year()', 'day_of_year(1)', 'round(up, 0.1)', 'clamp(up, 1, 2)',
  ].map((expr) => `alert: A\nexpr: ${JSON.stringify(expr)}`),
  'alert: A\nexpr: null', 'alert: A\nexpr: [up]', 'alert: A\nexpr: 1',
  // durations
  ...['for', 'keep_firing_for'].flatMap((key) => ['0', '"0"', '0s', '90', '1.5d', '1d12h', '5m', '""', 'null', '-5m', '5m5m', '5s1m', '1y', '500y', '1ms', 'soon', '[5m]', '5 m']
    .map((value) => `alert: A\nexpr: up\n${key}: ${value}`)),
  'record: a\nexpr: up\nfor: 5m', 'record: a\nexpr: up\nfor: 0s', 'record: a\nexpr: up\nkeep_firing_for: 5m', 'record: a\nexpr: up\nkeep_firing_for: 0',
  // labels and annotations
  ...['labels', 'annotations'].flatMap((key) => ['{x: null}', '{x: ""}', '{x: 1, y: yes, z: 1.0}', '{"a b": x}', '{"": x}', '{"é": x}', '{a-b: x}', '{__name__: x}', '{alertname: x}',
    '[]', '[x]', '{}', 'null', 'text', '{x: [y]}', '{x: {y: z}}', '{x: y, x: z}', '{1: x}', '{x: "{{ $labels.a }}"}', '{x: "{{ $value | humanize }}"}', '{x: "{{ nope }}"}', '{x: "{{ nope"}',
    '{x: "{{ .Labels.a }}"}', '{x: "{{ .Nope }}"}', '{x: "{{ $nope }}"}', '{x: "{{ if }}"}', '{x: "{{ if true }}a{{ end }}"}', '{x: "{{ if true }}a"}', '{x: "{{ end }}"}',
    '{x: "{{ range query \\"up\\" }}{{ .Value }}{{ else }}none{{ end }}"}', '{x: "{{ query \\"up[\\" }}"}', '{x: "{{ with $labels }}{{ .a }}{{ end }}"}', '{x: "{{/* comment */}}"}',
    '{x: "{{- 1 -}}"}', '{x: "{{ humanize }}"}', '{x: "{{ printf \\"%.2f\\" $value }}"}', '{x: "{{ $x := 1 }}{{ $x }}"}', '{x: "{{ break }}"}', '{x: "}}"}', '{x: "{ {"}',
    '{x: "{{ $value | }}"}', '{x: "{{ ($value) }}"}', '{x: "{{ 0x10 }} {{ \'a\' }} {{ `b` }} {{ nil }}"}', '{x: "{{ $labels.a.b }}"}', '{x: "{{ externalURL }}{{ pathPrefix }}"}',
    '{x: "{{ graphLink \\"up\\" }} {{ tableLink \\"up\\" }}"}', '{x: "{{ strvalue . }} {{ args 1 2 }} {{ safeHtml \\"a\\" }}"}', '{x: "{{ toTime $value }}"}', '{x: "{{ now }}"}',
    '{x: "{{ parseDurationTime \\"5m\\" }} {{ urlQueryEscape \\"a\\" }}"}', '{x: "{{ html \\"a\\" }} {{ js \\"a\\" }} {{ urlquery \\"a\\" }} {{ slice \\"abc\\" 1 }} {{ call . }}"}',
    '{x: "{{ else }}"}', '{x: "{{ if 1 }}a{{ else if 2 }}b{{ else }}c{{ end }}"}', '{x: "{{ with 1 }}{{ else with 2 }}{{ end }}"}', '{x: "{{ \\"unclosed }}"}', '{x: "{{ 1a }}"}',
    '{x: "{{ define \\"t\\" }}a{{ end }}{{ template \\"t\\" }}"}', '{x: "{{ template \\"nope\\" }}"}', '{x: "{{ block \\"t\\" . }}a{{ end }}"}', '{x: "{{ define \\"t\\" }}a"}',
    '{x: "{{ define }}{{ end }}"}', '{x: "{{ if true }}{{ define \\"t\\" }}{{ end }}{{ end }}"}']
    .flatMap((value) => [`alert: A\nexpr: up\n${key}: ${value}`, `record: a\nexpr: up\n${key}: ${value}`])),
  // keys
  'alert: A\nexpr: up\nfro: 5m', 'alert: A\nexpr: up\nExpr: up',
];

/** Whole files. */
export const files = [
  '', 'groups:', 'groups: []', 'groups: {}', 'groups: text', '[]', 'text', '{}', 'null', '# comment', 'gruops: []', 'groups: []\ngroups: []', '---\ngroups: []\n---\ngroups: text',
  'groups: []\n...\n', ...['{name: g}', '{name: g, rules: }', '{name: g, rules: []}', '{name: g, rules: {}}', '{name: ""}', '{rules: []}', '{name: null}', '{name: 5}', '{name: [g]}', '{name: g, name: g}',
    '{name: g, interval: 0}', '{name: g, interval: 0s}', '{name: g, interval: 5}', '{name: g, interval: 30s}', '{name: g, interval: ""}', '{name: g, interval: null}',
    '{name: g, limit: 0}', '{name: g, limit: -1}', '{name: g, limit: 10}', '{name: g, limit: ten}', '{name: g, limit: 1.5}', '{name: g, limit: -1.7}', '{name: g, limit: 1e3}', '{name: g, limit: 0x10}', '{name: g, limit: 1_000}', '{name: g, limit: 1e30}', '{name: g, limit: .inf}', '{name: g, limit: 0o17}', '{name: g, limit: 08}', '{name: g, limit: +5}', '{name: g, limit: true}', '{name: g, limit: null}', '{name: g, limit: "10"}',
    '{name: g, query_offset: 0}', '{name: g, query_offset: 1m}', '{name: g, query_offset: -1m}', '{name: g, query_offset: null}', '{name: g, labels: {a: b}}', '{name: g, labels: {__name__: b}}',
    '{name: g, labels: {"": b}}', '{name: g, labels: {a: "{{ nope }}"}, rules: [{alert: A, expr: up}]}', '{name: g, labels: []}', '{name: g, partial_response_strategy: warn}', '{name: g}\n- {name: g}',
    '{name: g}\n- {name: h}', 'text', 'null', '[]', '{name: g, rules: [null]}', '{name: g, rules: [text]}',
    '{name: g, rules: [{record: a, expr: up}, {record: a, expr: up}]}', '{name: g, rules: [{record: a, expr: up}, {record: a, expr: up, labels: {x: y}}]}',
    '{name: g, rules: [{record: a, expr: up}]}\n- {name: h, rules: [{record: a, expr: down}]}', '{name: g, rules: [{alert: a, expr: up}, {record: a, expr: up}]}',
    '{name: g, labels: {x: y}, rules: [{record: a, expr: up}, {record: a, expr: up, labels: {x: y}}]}',
    '{name: g, rules: [{record: a, expr: up}, {record: a, expr: up, labels: {x: ""}}]}'].map((group) => `groups:\n- ${group}`),
  'x-anchor: &a {name: g}\ngroups: [*a]', 'groups:\n- &a {name: g}\n- {<<: *a, name: h}', 'groups:\n\t- name: g', 'groups: [', 'groups:\n- name: g\n rules: []', 'groups: !!seq []', 'groups: !!map []', '!!map {groups: []}', 'groups: [!!str text]', 'groups: [{<<: 5, name: g}]', 'groups: [{<<: [{name: h}], name: g}]', 'groups: [{<<: [{name: h}, text], name: g}]', 'groups: [{<<: {name: h}}]', 'groups: [{<<: {name: h}, <<: {name: i}}]', 'groups: [{<<: {nope: h}, name: g}]', 'groups: [{<<: null, name: g}]', 'groups: [{<<: [], name: g}]', '\ufeffgroups: []',
];
