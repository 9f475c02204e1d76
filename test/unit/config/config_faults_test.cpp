// test/unit/config/config_faults_test.cpp - bad noroshi.yml files and the exact text of every fault.
#include <gtest/gtest.h>

#include <string>

#include "config/config.hpp"

namespace noroshi::config {
namespace {

constexpr std::string_view receiver = R"(receivers:
  - name: phone
    waku_configs:
      - to: 0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798
)";

struct Case {
    const char* name;
    std::string text;  ///< stands in front of a receivers section of four lines, unless it has its own
    std::string faults;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class ConfigFault : public ::testing::TestWithParam<Case> {};

TEST_P(ConfigFault, Is_told_with_place_and_remedy) {
    const Case& given = GetParam();
    const bool own = given.text.find("receivers") != std::string::npos || given.text.find('\x01') != std::string::npos;
    const Loaded loaded = parse("n.yml", given.text + (own ? "" : std::string(receiver)));
    std::string got;
    for (const Error& error : loaded.errors) {
        got += error.to_string() + "\n";
    }
    EXPECT_EQ(got, given.faults);
    EXPECT_EQ(loaded.config.has_value(), given.faults.empty());
}

const std::string top_keys =
    " (expected one of: global, scrape_configs, rule_files, route, receivers, waku, status, host, http, storage, promql)\n";
const std::string job_keys =
    " (expected one of: job_name, scrape_interval, scrape_timeout, metrics_path, scheme, params, honor_labels, "
    "honor_timestamps, enable_compression, fallback_scrape_protocol, body_size_limit, sample_limit, series_limit, target_limit, "
    "label_limit, label_name_length_limit, label_value_length_limit, track_timestamps_staleness, relabel_configs, "
    "metric_relabel_configs, static_configs, metric_name_validation_scheme, metric_name_escaping_scheme, file_sd_configs, "
    "http_sd_configs, basic_auth, authorization, bearer_token, bearer_token_file, tls_config, follow_redirects, enable_http2, "
    "http_headers, scrape_protocols, scrape_native_histograms, always_scrape_classic_histograms, native_histogram_bucket_limit, "
    "native_histogram_min_bucket_factor)\n";
const std::string duration = "expected a duration such as 30s, 5m or 1h30m, got ";

const Case structure[] = {
    {"unknown_top_key", "scrape_config: []\n",
     "n.yml:1:1: unknown key \"scrape_config\"; did you mean \"scrape_configs\"?" + top_keys},
    {"unknown_key_far_from_all", "zzzzzz: 1\n", "n.yml:1:1: unknown key \"zzzzzz\"" + top_keys},
    {"unknown_nested_key", "scrape_configs:\n  - job_name: a\n    scrape_intervall: 5s\n",
     "n.yml:3:5: scrape_configs[0]: unknown key \"scrape_intervall\"; did you mean \"scrape_interval\"?" + job_keys},
    {"swapped_letters", "gloabl: {}\n", "n.yml:1:1: unknown key \"gloabl\"; did you mean \"global\"?" + top_keys},
    {"duplicate_key", "host: {}\nhost: {}\n", "n.yml:2:1: duplicate key \"host\", first given in line 1\n"},
    {"duplicate_nested_key", "host: {interval: 1s, interval: 2s}\n",
     "n.yml:1:22: host: duplicate key \"interval\", first given in line 1\n"},
    {"merge_of_a_text", "http:\n  <<: text\n", "n.yml:2:3: http: expected a mapping or a list of mappings behind \"<<\", once\n"},
    {"key_is_a_list", "? [a]\n: 1\n", "n.yml:1:3: expected a key, got a list\n"},
    {"document_is_a_list", "- receivers\n", "n.yml:1:1: expected a mapping, got a list\n"},
    {"list_where_mapping", "global: [a]\n", "n.yml:1:9: global: expected a mapping, got a list\n"},
    {"mapping_where_list", "scrape_configs: {job_name: a}\n",
     "n.yml:1:17: scrape_configs: expected a list of scrape configs, got a mapping\n"},
    {"text_where_list", "scrape_configs: [{job_name: a, static_configs: h:1}]\n",
     "n.yml:1:48: scrape_configs[0].static_configs: expected a list of mappings with targets, got text\n"},
    {"second_document", "host: {}\nreceivers: [{name: a, waku_configs: "
     "[{to: 0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798}]}]\n---\nhost: {}\n",
     "n.yml:3:1: expected one YAML document, got another one here\n"},
    {"unknown_feature", "promql: {features: [promql-fill]}\n",
     "n.yml:1:21: promql.features[0]: expected one of promql-experimental-functions, promql-binop-fill-modifiers, "
     "promql-unquoted-utf8-names, promql-delayed-name-removal, got \"promql-fill\"\n"},
    {"start_times", "promql: {features: [use-start-timestamps]}\n",
     "n.yml:1:21: promql.features[0]: \"use-start-timestamps\" is not supported: no series here has start times\n"},
    {"storage_too_small", "storage: {max_bytes: 1MB}\n",
     "n.yml:1:22: storage.max_bytes: expected 64MB or more, got \"1MB\"\n"},
    {"custom_tag", "host: !env HOST\n", "n.yml:1:7: YAML tags are not supported; write the value without one\n"},
    {"syntax", "global: {scrape_interval: 5s\n", "n.yml:2:10: YAML: end of map flow not found\n"},
    {"control_character", "host: {}\n\x01\n", "n.yml:2:1: control character 0x01 is not allowed\n"},
    {"several_faults_in_order", "http: {port: 70000}\nglobal: {scrape_interval: x}\nhosts: {}\n",
     "n.yml:1:14: http.port: expected a whole number from 0 to 65535, got \"70000\"\n"
     "n.yml:2:27: global.scrape_interval: " + duration + "\"x\"\n"
     "n.yml:3:1: unknown key \"hosts\"; did you mean \"host\"?" + top_keys},
};

const Case values[] = {
    {"duration", "global:\n  scrape_interval: 5 minutes\n",
     "n.yml:2:20: global.scrape_interval: " + duration + "\"5 minutes\"\n"},
    {"duration_without_unit", "route: {group_wait: 30}\n", "n.yml:1:21: route.group_wait: " + duration + "\"30\"\n"},
    {"duration_zero", "host: {interval: 0s}\n",
     "n.yml:1:18: host.interval: expected a duration above 0, got \"0s\"\n"},
    {"duration_is_a_list", "host: {interval: []}\n", "n.yml:1:18: host.interval: " + duration + "a list\n"},
    {"bool", "host: {enabled: maybe}\n", "n.yml:1:17: host.enabled: expected true or false, got \"maybe\"\n"},
    {"bool_in_quotes", "host: {enabled: 'true'}\n",
     "n.yml:1:17: host.enabled: expected true or false, got \"true\" in quotes\n"},
    {"integer_in_quotes", "http: {port: \"80\"}\n",
     "n.yml:1:14: http.port: expected a whole number from 0 to 65535, got \"80\" in quotes\n"},
    {"negative_integer", "scrape_configs: [{job_name: a, sample_limit: -1}]\n",
     "n.yml:1:46: scrape_configs[0].sample_limit: expected a whole number of at least 0, got \"-1\"\n"},
    {"size", "scrape_configs: [{job_name: a, body_size_limit: 10 megabytes}]\n",
     "n.yml:1:49: scrape_configs[0].body_size_limit: expected a size such as 512KB, 10MB or 1GB, got \"10 megabytes\"\n"},
    {"size_without_unit", "scrape_configs: [{job_name: a, body_size_limit: 1000}]\n",
     "n.yml:1:49: scrape_configs[0].body_size_limit: expected a size such as 512KB, 10MB or 1GB, got \"1000\"\n"},
    {"size_too_large", "scrape_configs: [{job_name: a, body_size_limit: 9999999999TB}]\n",
     "n.yml:1:49: scrape_configs[0].body_size_limit: expected a size such as 512KB, 10MB or 1GB, got \"9999999999TB\"\n"},
    {"word", "waku: {mode: rely, peers: [/a/b/p2p/c]}\n",
     "n.yml:1:14: waku.mode: expected one of relay, light, rest, got \"rely\"; did you mean \"relay\"?\n"},
    {"label_name", "global: {external_labels: {a-b: c}}\n",
     "n.yml:1:28: global.external_labels.a-b: expected a label name ([a-zA-Z_][a-zA-Z0-9_]*), got \"a-b\"\n"},
    {"label_value_is_a_list", "global: {external_labels: {a: []}}\n",
     "n.yml:1:31: global.external_labels.a: expected text, got a list\n"},
    {"environment_variable", "global: {external_labels: {a: '${HOST}'}}\n",
     "n.yml:1:31: global.external_labels.a: environment variables are not expanded by this version; write the value out "
     "(`$$` is a dollar)\n"},
    {"address_outside_loopback", "http: {address: 0.0.0.0}\n",
     "n.yml:1:17: http.address: expected a loopback address such as 127.0.0.1 or ::1, got \"0.0.0.0\"; this version has "
     "no tokens for readers elsewhere\n"},
    {"group_by_name", "route: {group_by: ['a b']}\n",
     "n.yml:1:20: route.group_by[0]: expected a label name ([a-zA-Z_][a-zA-Z0-9_]*) or \"...\", got \"a b\"\n"},
    {"long_text_is_cut", "http: {address: " + std::string(100, 'x') + "}\n",
     "n.yml:1:17: http.address: expected a loopback address such as 127.0.0.1 or ::1, got \"" + std::string(60, 'x') +
         "…\"; this version has no tokens for readers elsewhere\n"},
};

const Case scrape[] = {
    {"job_without_name", "scrape_configs:\n  - scheme: http\n",
     "n.yml:2:5: scrape_configs[0]: missing key \"job_name\": name of the job, given once\n"},
    {"duplicate_job", "scrape_configs:\n  - job_name: a\n  - job_name: a\n",
     "n.yml:3:15: scrape_configs[1]: job_name: duplicate \"a\", first given in line 2\n"},
    {"timeout_over_interval", "scrape_configs:\n  - job_name: a\n    scrape_interval: 5s\n    scrape_timeout: 6s\n",
     "n.yml:4:21: scrape_configs[0]: scrape_timeout: expected at most scrape_interval (5s), got \"6s\"\n"},
    {"global_timeout_over_interval", "global: {scrape_interval: 5s, scrape_timeout: 6s}\n",
     "n.yml:1:47: global.scrape_timeout: expected at most scrape_interval (5s), got \"6s\"\n"},
    {"target_with_scheme", "scrape_configs: [{job_name: a, static_configs: [{targets: ['http://h:1/metrics']}]}]\n",
     "n.yml:1:60: scrape_configs[0].static_configs[0].targets[0]: expected host:port without scheme or path, got "
     "\"http://h:1/metrics\"\n"},
    {"static_config_without_targets", "scrape_configs: [{job_name: a, static_configs: [{labels: {}}]}]\n",
     "n.yml:1:49: scrape_configs[0].static_configs[0]: missing key \"targets\": a list of host:port\n"},
    {"path", "scrape_configs: [{job_name: a, metrics_path: metrics}]\n",
     "n.yml:1:46: scrape_configs[0].metrics_path: expected a path that begins with \"/\", got \"metrics\"\n"},
    {"scheme", "scrape_configs: [{job_name: a, scheme: ftp}]\n",
     "n.yml:1:40: scrape_configs[0].scheme: expected one of http, https, got \"ftp\"; did you mean \"http\"?\n"},
    {"fallback_openmetrics_2", "scrape_configs: [{job_name: a, fallback_scrape_protocol: OpenMetricsText2.0.0}]\n",
     "n.yml:1:58: scrape_configs[0].fallback_scrape_protocol: \"OpenMetricsText2.0.0\" is not supported by this version; "
     "expected one of PrometheusProto, OpenMetricsText1.0.0, OpenMetricsText0.0.1, PrometheusText1.0.0, "
     "PrometheusText0.0.4\n"},
    {"protocol_twice", "scrape_configs: [{job_name: a, scrape_protocols: [PrometheusProto, PrometheusProto]}]\n",
     "n.yml:1:68: scrape_configs[0].scrape_protocols[1]: duplicate \"PrometheusProto\"\n"},
    {"no_protocol", "global: {scrape_protocols: []}\n",
     "n.yml:1:28: global.scrape_protocols: expected at least one protocol; leave the key out for the default ones\n"},
    {"bucket_factor", "scrape_configs: [{job_name: a, native_histogram_min_bucket_factor: much}]\n",
     "n.yml:1:68: scrape_configs[0].native_histogram_min_bucket_factor: expected a number, got \"much\"\n"},
    {"relabel_target", "scrape_configs: [{job_name: a, relabel_configs: [{source_labels: [b]}]}]\n",
     "n.yml:1:50: scrape_configs[0].relabel_configs[0]: target_label: action replace needs the name of a label\n"},
    {"relabel_regex", "scrape_configs:\n  - job_name: a\n    metric_relabel_configs:\n      - { action: drop, regex: 'a(' }\n",
     "n.yml:4:32: scrape_configs[0].metric_relabel_configs[0]: regex: bad regular expression \"a(\": "
     "missing ): ^(?:a()$\n"},
    {"any_service_discovery", "scrape_configs: [{job_name: a, kubernetes_sd_configs: []}]\n",
     "n.yml:1:32: scrape_configs[0]: \"kubernetes_sd_configs\" is not supported by this version; let a program write the targets "
     "into a file for file_sd_configs, or answer http_sd_configs\n"},
    {"utf8_in_a_legacy_job", "scrape_configs: [{job_name: a, metric_name_validation_scheme: legacy, metric_name_escaping_scheme: "
     "allow-utf-8}]\n",
     "n.yml:1:18: scrape_configs[0]: expected another metric_name_escaping_scheme than allow-utf-8, as "
     "metric_name_validation_scheme is legacy\n"},
    {"file_sd_without_files", "scrape_configs: [{job_name: a, file_sd_configs: [{files: []}]}]\n",
     "n.yml:1:58: scrape_configs[0].file_sd_configs[0].files: expected at least one file\n"},
    {"file_sd_pattern", "scrape_configs: [{job_name: a, file_sd_configs: [{files: [/a/*/b.yml]}]}]\n",
     "n.yml:1:59: scrape_configs[0].file_sd_configs[0].files[0]: expected a file that ends in .json, .yml or .yaml, with at most "
     "one * and that in its last part, got \"/a/*/b.yml\"\n"},
    {"http_sd_without_url", "scrape_configs: [{job_name: a, http_sd_configs: [{refresh_interval: 1m}]}]\n",
     "n.yml:1:50: scrape_configs[0].http_sd_configs[0]: missing key \"url\": where the target groups are\n"},
    {"http_sd_with_password", "scrape_configs: [{job_name: a, http_sd_configs: [{url: 'http://me:secret@host/'}]}]\n",
     "n.yml:1:56: scrape_configs[0].http_sd_configs[0].url: expected an http or https URL without credentials in it (see "
     "basic_auth), got another\n"},
    {"password_twice", "scrape_configs: [{job_name: a, basic_auth: {password: x, password_file: /dev/null}}]\n",
     "n.yml:1:73: scrape_configs[0].basic_auth: expected at most one of password, password_file, got password and password_file\n"},
    {"two_credentials", "scrape_configs: [{job_name: a, bearer_token: x, basic_auth: {username: y}}]\n",
     "n.yml:1:46: scrape_configs[0]: expected at most one of basic_auth, authorization, bearer_token, bearer_token_file, got "
     "basic_auth and bearer_token\n"},
    {"basic_as_authorization", "scrape_configs: [{job_name: a, authorization: {type: ' Basic', credentials: x}}]\n",
     "n.yml:1:54: scrape_configs[0].authorization.type: expected another type than Basic; use basic_auth for it\n"},
    {"client_certificate_without_key", "scrape_configs: [{job_name: a, tls_config: {cert_file: /dev/null}}]\n",
     "n.yml:1:44: scrape_configs[0].tls_config: expected key or key_file beside the certificate\n"},
    {"tls_versions", "scrape_configs: [{job_name: a, tls_config: {min_version: TLS13, max_version: TLS12}}]\n",
     "n.yml:1:44: scrape_configs[0].tls_config: expected max_version to be at least min_version\n"},
    {"tls_version", "scrape_configs: [{job_name: a, tls_config: {min_version: TLS14}}]\n",
     "n.yml:1:58: scrape_configs[0].tls_config.min_version: expected one of TLS10, TLS11, TLS12, TLS13, got \"TLS14\"; did you "
     "mean \"TLS10\"?\n"},
    {"reserved_header", "scrape_configs: [{job_name: a, http_headers: {authorization: {values: [x]}}}]\n",
     "n.yml:1:47: scrape_configs[0].http_headers.authorization: this header is set by noroshi or by another key; leave it out\n"},
    {"secret_of_a_manager", "scrape_configs: [{job_name: a, basic_auth: {username: x, password_ref: y}}]\n",
     "n.yml:1:58: scrape_configs[0].basic_auth: \"password_ref\" is not supported by this version; name a file with the same key "
     "ending in _file\n"},
    {"oauth2", "scrape_configs: [{job_name: a, oauth2: {}}]\n",
     "n.yml:1:32: scrape_configs[0]: \"oauth2\" is not supported by this version; put the token into a file and name it under "
     "authorization.credentials_file\n"},
    {"histogram_conversion", "scrape_configs: [{job_name: a, convert_classic_histograms_to_nhcb: true}]\n",
     "n.yml:1:32: scrape_configs[0]: \"convert_classic_histograms_to_nhcb\" is not supported by this version; leave it out\n"},
    {"remote_write", "remote_write: []\n",
     "n.yml:1:1: \"remote_write\" is not supported by this version; let the other server scrape the targets too\n"},
    {"missing_rule_file", "rule_files: [/nowhere/rules.yml]\n",
     "n.yml:1:14: rule_files[0]: file not found: /nowhere/rules.yml\n"},
};

const std::string good_key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

const Case people[] = {
    {"empty_file", "\x20# receivers\n",
     "n.yml: missing key \"receivers\": who is told; expected at least one entry with name and status_configs or "
     "waku_configs\n"},
    {"no_receiver_listed", "receivers: []\n",
     "n.yml:1:1: missing key \"receivers\": who is told; expected at least one entry with name and status_configs or "
     "waku_configs\n"},
    {"duplicate_receiver",
     "receivers:\n  - {name: a, waku_configs: [{to: " + good_key + "}]}\n  - {name: a, waku_configs: [{to: " + good_key +
         "}]}\nroute: {receiver: a}\n",
     "n.yml:3:12: receivers[1]: name: duplicate \"a\", first given in line 2\n"},
    {"route_to_nobody", "route:\n  receiver: pohne\n",
     "n.yml:2:13: route: receiver: no receiver is named \"pohne\"; expected one of phone; did you mean \"phone\"?\n"},
    {"two_receivers_and_no_route",
     "receivers:\n  - {name: a, waku_configs: [{to: " + good_key + "}]}\n  - {name: b, waku_configs: [{to: " + good_key +
         "}]}\n",
     "n.yml:1:1: route: missing key \"receiver\": expected one of a, b\n"},
    {"receiver_without_channel", "receivers: [{name: a}]\n",
     "n.yml:1:13: receivers[0]: missing key \"status_configs\" or \"waku_configs\": a list of entries such as "
     "`to: <key>`\n"},
    {"receiver_of_another_kind", "receivers: [{name: a, email_configs: [{to: a@b}], waku_configs: [{to: " + good_key + "}]}]\n",
     "n.yml:1:23: receivers[0]: \"email_configs\" is not supported by this version; use status_configs, or waku_configs "
     "and let `noroshi listen --json` feed the other program\n"},
    {"receiver_of_two_kinds",
     "receivers:\n  - name: a\n    waku_configs: [{to: " + good_key + "}]\n    status_configs: [{to: zQ3sh}]\n",
     "n.yml:4:21: receivers[0]: status_configs and waku_configs in one receiver: this version writes to one identity a "
     "receiver; expected one of the two\n"},
    {"receiver_with_an_empty_channel", "receivers: [{name: a, status_configs: }]\n",
     "n.yml:1:13: receivers[0]: missing key \"status_configs\" or \"waku_configs\": a list of entries such as "
     "`to: <key>`\n"},
    {"status_without_entries", "receivers: [{name: a, status_configs: []}]\n",
     "n.yml:1:39: receivers[0].status_configs: expected at least one entry such as `- to: zQ3sh..`\n"},
    {"status_key_missing", "receivers: [{name: a, status_configs: [{}]}]\n",
     "n.yml:1:40: receivers[0].status_configs[0]: missing key \"to\": chat key (zQ3sh..) or share URL of a Status "
     "user\n"},
    {"status_key_misspelt", "receivers: [{name: a, status_configs: [{to: z, too: z}]}]\n",
     "n.yml:1:48: receivers[0].status_configs[0]: unknown key \"too\"; did you mean \"to\"? (expected one of: to)\n"},
    {"status_off_its_shard", "receivers: [{name: a, status_configs: [{to: zQ3sh}]}]\nwaku: {shards: [1], peers: [/a/b/p2p/c]}\n",
     "n.yml:1:45: receiver \"a\": Status's chats travel on shard 32; expected it in waku.shards, and no autosharding\n"},
    {"status_on_an_autosharded_network",
     "receivers: [{name: a, status_configs: [{to: zQ3sh}]}]\nwaku: {cluster: 1, peers: [/a/b/p2p/c]}\n",
     "n.yml:1:45: receiver \"a\": Status's chats travel on shard 32; expected it in waku.shards, and no autosharding\n"},
    {"status_section_key", "status: {display_nam: abcde}\n",
     "n.yml:1:10: status: unknown key \"display_nam\"; did you mean \"display_name\"? (expected one of: display_name, "
     "picture, ratchet, push)\n"},
    {"status_picture", "status: {picture: ''}\n",
     "n.yml:1:19: status.picture: expected the path of a file, got \"\"\n"},
    {"status_push", "status: {push: maybe}\n", "n.yml:1:16: status.push: expected true or false, got \"maybe\"\n"},
    {"status_ratchet", "status: {ratchet: 1}\n", "n.yml:1:19: status.ratchet: expected true or false, got \"1\"\n"},
    {"bad_key", "receivers: [{name: a, waku_configs: [{to: 02abc}]}]\n",
     "n.yml:1:43: receivers[0].waku_configs[0].to: expected a public key of 66 or 130 hex digits as `noroshi id` prints "
     "it, got \"02abc\"\n"},
    {"key_missing", "receivers: [{name: a, waku_configs: [{content_topic: /a/1/b/c}]}]\n",
     "n.yml:1:38: receivers[0].waku_configs[0]: missing key \"to\": public key of the reader, as `noroshi id` prints it\n"},
    {"content_topic", "receivers: [{name: a, waku_configs: [{to: " + good_key + ", content_topic: mine}]}]\n",
     "n.yml:1:126: receivers[0].waku_configs[0].content_topic: expected /application/version/topic/encoding, got "
     "\"mine\"\n"},
    {"child_routes", "route: {routes: []}\n",
     "n.yml:1:9: route: \"routes\" is not supported by this version; all alerts go to route.receiver; write separate "
     "rules where it matters\n"},
    {"inhibit_rules", "inhibit_rules: []\n",
     "n.yml:1:1: \"inhibit_rules\" is not supported by this version; let the expression of the muted rule exclude the "
     "case with `unless`\n"},
    {"peer_without_id", "waku: {peers: [/ip4/192.0.2.1/tcp/60000]}\n",
     "n.yml:1:16: waku.peers[0]: expected a multiaddr that ends in /p2p/<peer id>, such as "
     "/ip4/192.0.2.1/tcp/60000/p2p/16Uiu2..., got \"/ip4/192.0.2.1/tcp/60000\"\n"},
    {"listen_is_no_multiaddr", "waku: {listen: ['0.0.0.0:60000']}\n",
     "n.yml:1:17: waku.listen[0]: expected a multiaddr such as /ip4/0.0.0.0/tcp/60000, got \"0.0.0.0:60000\"\n"},
    {"shard", "waku: {shards: [1024], peers: [/a/b/p2p/c]}\n",
     "n.yml:1:17: waku.shards[0]: expected a whole number from 0 to 1023, got \"1024\"\n"},
    {"duplicate_shard", "waku: {shards: [1, 1], peers: [/a/b/p2p/c]}\n", "n.yml:1:20: waku.shards[1]: duplicate shard 1\n"},
    {"light_mode_without_peers", "waku: {mode: light}\n",
     "n.yml:1:7: waku: peers: expected at least one in mode light, through which messages are pushed, or "
     "discovery\n"},
    {"autosharding_and_shards", "waku: {autosharding: 8, shards: [1], peers: [/a/b/p2p/c]}\n",
     "n.yml:1:22: waku: autosharding: not together with shards: either the content topic decides, or you do\n"},
    {"certificate_without_key", "waku: {tls_config: {cert_file: a.pem}, peers: [/a/b/p2p/c]}\n",
     "n.yml:1:20: waku.tls_config: expected cert_file and key_file together\n"},
    {"node_list", "waku: {discovery: {dns: [nodes.example.org]}}\n",
     "n.yml:1:26: waku.discovery.dns[0]: expected node lists such as enrtree://AMOJVZX4...@boot.example.org, got "
     "\"nodes.example.org\"\n"},
    {"bootstrap_record", "waku: {discovery: {discv5: {bootstrap: [/ip4/192.0.2.1]}}}\n",
     "n.yml:1:41: waku.discovery.discv5.bootstrap[0]: expected node records such as enr:-QEKuED9AJm2..., got "
     "\"/ip4/192.0.2.1\"\n"},
    {"rest_mode_without_url", "waku: {mode: rest}\n",
     "n.yml:1:7: waku: rest: expected in mode rest: the URL of the node's REST API, such as http://127.0.0.1:8645\n"},
    {"rest_is_no_url", "waku: {mode: rest, rest: '127.0.0.1:8645'}\n",
     "n.yml:1:26: waku.rest: expected a URL such as http://127.0.0.1:8645; bad URL \"127.0.0.1:8645\": expected http:// or "
     "https://\n"},
    {"rest_in_another_mode", "waku: {mode: light, rest: 'http://127.0.0.1:8645', peers: [/a/b/p2p/c]}\n",
     "n.yml:1:27: waku: rest: is for mode rest alone; expected mode: rest, or no rest\n"},
    {"rest_with_peers_and_listen",
     "waku: {mode: rest, rest: 'http://127.0.0.1:8645', peers: [/a/b/p2p/c], listen: [/ip4/0.0.0.0/tcp/0]}\n",
     "n.yml:1:58: waku: peers: not in mode rest: this is a matter of the external node; configure it there\n"
     "n.yml:1:80: waku: listen: not in mode rest: this is a matter of the external node; configure it there\n"},
};

std::string case_name(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Structure, ConfigFault, ::testing::ValuesIn(structure), case_name);
INSTANTIATE_TEST_SUITE_P(Values, ConfigFault, ::testing::ValuesIn(values), case_name);
INSTANTIATE_TEST_SUITE_P(Scrape, ConfigFault, ::testing::ValuesIn(scrape), case_name);
INSTANTIATE_TEST_SUITE_P(People, ConfigFault, ::testing::ValuesIn(people), case_name);

TEST(ConfigFaults, Name_a_configuration_that_is_missing) {
    const Loaded loaded = load("/nowhere/noroshi.yml");
    ASSERT_EQ(loaded.errors.size(), 1u);
    EXPECT_EQ(loaded.errors[0].code, Errc::not_found);
    EXPECT_EQ(loaded.errors[0].where.file, "/nowhere/noroshi.yml");
}

TEST(ConfigFaults, Are_capped_and_the_rest_is_counted) {
    std::string text;
    for (int i = 0; i < 150; ++i) {
        text += fmt::format("unknown{}: 1\n", i);
    }
    const Loaded loaded = parse("n.yml", text + std::string(receiver));
    ASSERT_EQ(loaded.errors.size(), 101u);
    EXPECT_EQ(loaded.errors.back().message, "and 50 more faults");
}

}  // namespace
}  // namespace noroshi::config
