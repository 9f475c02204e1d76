// test/unit/config/config_test.cpp - good noroshi.yml files and the values they give.
#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace noroshi::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view key_hex = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

std::string with_receiver(std::string_view rest) {
    return fmt::format("receivers:\n  - name: phone\n    waku_configs: [{{to: '{}'}}]\n{}", key_hex, rest);
}

Loaded read(std::string_view rest) { return parse("/etc/noroshi/noroshi.yml", with_receiver(rest)); }

std::string faults(const Loaded& loaded) {
    std::string out;
    for (const Error& error : loaded.errors) {
        out += error.to_string() + "\n";
    }
    return out;
}

TEST(Config, Takes_defaults_for_everything_but_receivers) {
    const Loaded loaded = read("");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_EQ(loaded.config->global.scrape_interval, minutes(1));
    EXPECT_EQ(loaded.config->route.repeat_interval, hours(4));
    EXPECT_EQ(loaded.config->waku.shards, std::vector<std::uint16_t>{32});
    EXPECT_EQ(loaded.config->http.port, 9596);
    EXPECT_TRUE(loaded.config->host.enabled);
    EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(Config, Reads_how_much_is_kept) {
    const Loaded loaded = read("storage: {retention: 30d, max_bytes: 2GB}\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_EQ(loaded.config->storage.retention, hours(30 * 24));
    EXPECT_EQ(loaded.config->storage.max_bytes, std::size_t{2} << 30);
    EXPECT_EQ(read("").config->storage.retention, hours(15 * 24));
    EXPECT_EQ(read("").config->storage.max_bytes, std::size_t{10} << 30);
}

TEST(Config, Reads_which_parts_of_promql_are_on) {
    const Loaded loaded = read("promql: {features: [promql-unquoted-utf8-names, promql-experimental-functions]}\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_TRUE(loaded.config->promql.experimental_functions);
    EXPECT_TRUE(loaded.config->promql.unquoted_names);
    EXPECT_FALSE(loaded.config->promql.fill_modifiers);
    EXPECT_FALSE(loaded.config->promql.delayed_name_removal);
    EXPECT_FALSE(read("").config->promql.experimental_functions);
}

TEST(Config, Reads_where_peers_are_looked_for) {
    const Loaded loaded = read(R"(waku:
  mode: light
  announce: [/dns4/node.example.org/tcp/60000]
  tls_config: {cert_file: tls/chain.pem, key_file: tls/key.pem, ca_file: /roots.pem}
  discovery:
    dns: ["enrtree://AMOJVZX4V6EXP7NTJPMAYJYST2QP6AJXYW76IU6VGJS7UVSNDYZG4@boot.example.org"]
    resolver: 192.0.2.53:53
    discv5: {address: 127.0.0.1, port: 0, bootstrap: ["enr:-abc"]}
    peer_exchange: true
)");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    const WakuConfig& waku = loaded.config->waku;
    EXPECT_EQ(waku.discovery.dns.size(), 1u);
    EXPECT_EQ(waku.discovery.resolver, "192.0.2.53:53");
    EXPECT_TRUE(waku.discovery.discv5);
    EXPECT_EQ(waku.discovery.discv5_address, "127.0.0.1");
    EXPECT_EQ(waku.discovery.discv5_port, 0);
    EXPECT_THAT(waku.discovery.bootstrap, ElementsAre("enr:-abc"));
    EXPECT_TRUE(waku.discovery.peer_exchange);
    EXPECT_THAT(waku.announce, ElementsAre("/dns4/node.example.org/tcp/60000"));
    EXPECT_EQ(waku.tls.cert_file, "/etc/noroshi/tls/chain.pem");
    EXPECT_EQ(waku.tls.ca_file, "/roots.pem");
    EXPECT_FALSE(waku.autosharding);
    EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(Config, Content_topics_decide_on_the_shard_in_networks_that_are_known_for_it) {
    EXPECT_EQ(read("waku: {cluster: 1, listen: [/ip4/127.0.0.1/tcp/0]}\n").config->waku.autosharding, 8);
    EXPECT_EQ(read("waku: {cluster: 1, shards: [2], listen: [/ip4/127.0.0.1/tcp/0]}\n").config->waku.autosharding, std::nullopt);
    EXPECT_EQ(read("waku: {cluster: 77, autosharding: 5, listen: [/ip4/127.0.0.1/tcp/0]}\n").config->waku.autosharding, 5);
}

TEST(Config, Reads_how_targets_are_asked) {
    const Loaded loaded = read(R"(scrape_configs:
  - job_name: a
    basic_auth: {username: me, password_file: secrets/a}
    tls_config: {ca_file: /ca.pem, cert: C, key: K, server_name: s, insecure_skip_verify: true, min_version: TLS13}
    follow_redirects: false
    enable_http2: true
    http_headers: {X-A: {values: [1, 2], secrets: [three], files: [four]}}
  - {job_name: b, bearer_token_file: /token}
  - {job_name: c, authorization: {type: " Token ", credentials: x}}
)");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    const net::ClientOptions& a = loaded.config->scrape_configs.at(0).client;
    EXPECT_EQ(a.basic_auth->username.text.expose(), "me");
    EXPECT_EQ(a.basic_auth->password.file, "/etc/noroshi/secrets/a");
    EXPECT_EQ(a.tls.ca.file, "/ca.pem");
    EXPECT_EQ(a.tls.cert.text.expose(), "C");
    EXPECT_EQ(a.tls.key.text.expose(), "K");
    EXPECT_EQ(a.tls.server_name, "s");
    EXPECT_TRUE(a.tls.insecure_skip_verify);
    EXPECT_EQ(a.tls.min_version, net::TlsVersion::tls13);
    EXPECT_FALSE(a.follow_redirects);
    EXPECT_THAT(a.headers.at(0).values, ElementsAre("1", "2"));
    EXPECT_EQ(a.headers[0].secrets.at(0).expose(), "three");
    EXPECT_THAT(a.headers[0].files, ElementsAre("/etc/noroshi/four"));
    const auto& b = loaded.config->scrape_configs[1].client.authorization;
    EXPECT_EQ(b->type, "Bearer");
    EXPECT_EQ(b->credentials.file, "/token");
    EXPECT_TRUE(loaded.config->scrape_configs[1].client.follow_redirects);
    EXPECT_EQ(loaded.config->scrape_configs[2].client.authorization->type, "Token");
    EXPECT_THAT(loaded.warnings, ElementsAre(HasSubstr("no such file now: /etc/noroshi/secrets/a"), HasSubstr("/ca.pem"),
                                             HasSubstr("/etc/noroshi/four"), HasSubstr("/token")));
}

TEST(Config, Names_are_as_the_job_says_else_as_global_says) {
    const auto names = [](const char* global, const char* job) {
        const Loaded loaded = read(fmt::format("global: {{{}}}\nscrape_configs: [{{job_name: a{}}}]\n", global, job));
        return loaded.config ? loaded.config->scrape_configs[0].metric_name_validation_scheme + " " +
                                   loaded.config->scrape_configs[0].metric_name_escaping_scheme
                             : faults(loaded);
    };
    EXPECT_EQ(names("", ""), "utf8 allow-utf-8");
    EXPECT_EQ(names("metric_name_validation_scheme: legacy", ""), "legacy underscores");
    EXPECT_EQ(names("metric_name_escaping_scheme: values", ""), "utf8 values");
    EXPECT_EQ(names("metric_name_escaping_scheme: values", ", metric_name_validation_scheme: legacy"), "legacy underscores");
    EXPECT_EQ(names("metric_name_validation_scheme: legacy", ", metric_name_escaping_scheme: dots"), "legacy dots");
}

TEST(Config, Reads_where_targets_are_found) {
    const Loaded loaded = read(R"(scrape_configs:
  - job_name: a
    series_limit: 5
    target_limit: 6
    file_sd_configs: [{files: [sd/*.json, /x.YML], refresh_interval: 10s}]
    http_sd_configs: [{url: "http://h:1/l?x", authorization: {credentials: c}}]
)");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    const ScrapeConfig& job = loaded.config->scrape_configs[0];
    EXPECT_EQ(job.series_limit, 5u);
    EXPECT_EQ(job.target_limit, 6u);
    EXPECT_THAT(job.file_sd_configs.at(0).files, ElementsAre("/etc/noroshi/sd/*.json", "/x.YML"));
    EXPECT_EQ(job.file_sd_configs[0].refresh_interval, seconds(10));
    EXPECT_EQ(job.http_sd_configs.at(0).url.target, "/l?x");
    EXPECT_EQ(job.http_sd_configs[0].refresh_interval, minutes(1));
    EXPECT_EQ(job.http_sd_configs[0].client.authorization->credentials.text.expose(), "c");
}

TEST(Config, Gives_the_route_the_only_receiver) { EXPECT_EQ(read("").config->route.receiver, "phone"); }

TEST(Config, Gives_the_route_the_only_receiver_when_route_has_other_keys) {
    const Loaded loaded = read("route: {group_by: [alertname, instance], group_wait: 0s}\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_EQ(loaded.config->route.receiver, "phone");
    EXPECT_THAT(loaded.config->route.group_by, ElementsAre("alertname", "instance"));
    EXPECT_EQ(loaded.config->route.group_wait, seconds(0));
}

TEST(Config, Reads_a_status_receiver_and_where_its_key_stands) {
    const Loaded loaded = parse("/etc/noroshi/noroshi.yml",
                                "receivers:\n  - name: phone\n    status_configs:\n"
                                "      - to: https://status.app/u#zQ3shKey\n"
                                "status: {display_name: my node, picture: me.png, ratchet: true, push: true}\n");
    ASSERT_TRUE(loaded.config) << loaded.errors.front().to_string();
    const Receiver& phone = loaded.config->receivers.at(0);
    EXPECT_TRUE(phone.waku_configs.empty());
    ASSERT_EQ(phone.status_configs.size(), 1u);
    EXPECT_EQ(phone.status_configs[0].to, "https://status.app/u#zQ3shKey");
    EXPECT_EQ(phone.status_configs[0].where, (SourcePos{"/etc/noroshi/noroshi.yml", 4, 13}));
    const StatusConfig& status = loaded.config->status;
    EXPECT_EQ(status.display_name, "my node");
    EXPECT_EQ(status.display_name_where, (SourcePos{"/etc/noroshi/noroshi.yml", 5, 24}));
    EXPECT_EQ(status.picture, "/etc/noroshi/me.png");
    EXPECT_EQ(status.picture_where, (SourcePos{"/etc/noroshi/noroshi.yml", 5, 42}));
    EXPECT_TRUE(status.ratchet);
    EXPECT_TRUE(status.push);
}

TEST(Config, Is_called_noroshi_in_Status_without_a_picture) {
    const Loaded loaded = read("");
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->status.display_name, "noroshi");
    EXPECT_TRUE(loaded.config->status.picture.empty());
    EXPECT_FALSE(loaded.config->status.ratchet);
    EXPECT_FALSE(loaded.config->status.push);
}

TEST(Config, Reads_a_receiver_key) {
    const Loaded loaded = read("");
    ASSERT_EQ(loaded.config->receivers.size(), 1u);
    EXPECT_EQ(loaded.config->receivers[0].waku_configs[0].to.to_string(), key_hex);
    EXPECT_EQ(loaded.config->receivers[0].where, (SourcePos{"/etc/noroshi/noroshi.yml", 2, 11}));
}

TEST(Config, Reads_a_scrape_config_with_every_key) {
    const Loaded loaded = read(R"(scrape_configs:
  - job_name: node
    scrape_interval: 15s
    scrape_timeout: 5s
    metrics_path: /probe
    scheme: https
    params: {module: [http_2xx, tcp]}
    honor_labels: yes
    honor_timestamps: false
    enable_compression: no
    fallback_scrape_protocol: PrometheusText0.0.4
    body_size_limit: 10MB
    sample_limit: 500
    static_configs:
      - targets: ['127.0.0.1:9100', '[::1]:9100']
        labels: {site: home, rack: 07, flag: yes, gone: ''}
)");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    const ScrapeConfig& job = loaded.config->scrape_configs.at(0);
    EXPECT_EQ(job.job_name, "node");
    EXPECT_EQ(job.scrape_interval, seconds(15));
    EXPECT_EQ(job.scrape_timeout, seconds(5));
    EXPECT_EQ(job.metrics_path, "/probe");
    EXPECT_EQ(job.scheme, "https");
    EXPECT_THAT(job.params.at("module"), ElementsAre("http_2xx", "tcp"));
    EXPECT_TRUE(job.honor_labels);
    EXPECT_FALSE(job.honor_timestamps);
    EXPECT_FALSE(job.enable_compression);
    EXPECT_EQ(job.fallback_scrape_protocol, "PrometheusText0.0.4");
    EXPECT_EQ(job.body_size_limit, 10u * 1024 * 1024);
    EXPECT_EQ(job.sample_limit, 500u);
    EXPECT_THAT(job.static_configs.at(0).targets, ElementsAre("127.0.0.1:9100", "[::1]:9100"));
    EXPECT_EQ(job.static_configs.at(0).labels.to_string(), R"({flag="yes", rack="07", site="home"})");
}

TEST(Config, Fills_a_job_from_global_even_when_global_comes_later) {
    const Loaded loaded = read("scrape_configs: [{job_name: a}]\nglobal: {scrape_interval: 20s, scrape_timeout: 3s}\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_EQ(loaded.config->scrape_configs[0].scrape_interval, seconds(20));
    EXPECT_EQ(loaded.config->scrape_configs[0].scrape_timeout, seconds(3));
}

TEST(Config, Shortens_the_default_timeout_to_a_shorter_interval) {
    const Loaded loaded = read("scrape_configs: [{job_name: a, scrape_interval: 5s}]\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_EQ(loaded.config->scrape_configs[0].scrape_timeout, seconds(5));
}

TEST(Config, Follows_anchors_and_aliases) {
    const Loaded loaded = read(R"(scrape_configs:
  - job_name: a
    static_configs: &same [{targets: ['h:1']}]
  - job_name: b
    static_configs: *same
)");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_THAT(loaded.config->scrape_configs[1].static_configs[0].targets, ElementsAre("h:1"));
}

TEST(Config, Treats_an_empty_value_as_a_key_left_out) {
    const Loaded loaded = read("global:\nscrape_configs:\nrule_files:\nwaku:\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_THAT(loaded.config->scrape_configs, IsEmpty());
}

TEST(Config, Turns_two_dollars_of_an_external_label_into_one) {
    const Loaded loaded = read("global: {external_labels: {site: 'a$$b'}}\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_EQ(loaded.config->global.external_labels.get("site"), "a$b");
}

TEST(Config, Reads_the_waku_section) {
    const Loaded loaded = read(
        "waku: {mode: light, cluster: 1, shards: [0, 1023], listen: [/ip4/127.0.0.1/tcp/0],"
        " peers: [/dns4/n.example/tcp/443/wss/p2p/16Uiu2HA]}\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_EQ(loaded.config->waku.mode, WakuMode::light);
    EXPECT_EQ(loaded.config->waku.cluster, 1);
    EXPECT_THAT(loaded.config->waku.shards, ElementsAre(0, 1023));
    EXPECT_THAT(loaded.config->waku.peers, ElementsAre("/dns4/n.example/tcp/443/wss/p2p/16Uiu2HA"));
}

TEST(Config, Takes_another_programs_node) {
    const Loaded loaded = read("waku: {mode: rest, rest: 'http://127.0.0.1:8645', cluster: 1, shards: [3]}\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_EQ(loaded.config->waku.mode, WakuMode::rest);
    EXPECT_EQ(loaded.config->waku.rest, "http://127.0.0.1:8645");
    EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(Config, Warns_of_plain_http_to_another_machine) {
    const Loaded loaded = read("waku: {mode: rest, rest: 'http://192.0.2.1:8645'}\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_THAT(loaded.warnings, ElementsAre(HasSubstr("noroshi.yml:4:26: waku.rest: plain HTTP to another machine")));
    for (const char* quiet : {"https://192.0.2.1:8645", "http://[::1]:8645", "http://localhost:8645"}) {
        EXPECT_THAT(read(fmt::format("waku: {{mode: rest, rest: '{}'}}\n", quiet)).warnings, IsEmpty()) << quiet;
    }
}

TEST(Config, Finds_rule_files_beside_the_configuration) {
    const std::string file = std::string(NOROSHI_TEST_DATA) + "/noroshi.yml";
    const Loaded loaded = load(file);
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_THAT(loaded.config->rule_files,
                ElementsAre(std::string(NOROSHI_TEST_DATA) + "/rules/disk.yml",
                            std::string(NOROSHI_TEST_DATA) + "/rules/*.yml"));
}

TEST(Config, Warns_of_a_pattern_that_matches_nothing) {
    const Loaded loaded = parse(std::string(NOROSHI_TEST_DATA) + "/noroshi.yml",
                                with_receiver("rule_files: [absent/*.yml]\n"));
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_THAT(loaded.warnings, ElementsAre(HasSubstr("noroshi.yml:4:14: rule_files[0]: no file matches ")));
}

TEST(Config, Chooses_formats_and_histograms_as_Prometheus_does) {
    const auto job = [](const std::string& global, const std::string& keys) {
        const Loaded loaded = read("global: {" + global + "}\nscrape_configs: [{job_name: a" + keys + "}]\n");
        EXPECT_TRUE(loaded.config) << faults(loaded);
        const ScrapeConfig& out = loaded.config->scrape_configs.at(0);
        return fmt::format("{} {} {}", *out.scrape_native_histograms, *out.always_scrape_classic_histograms,
                           fmt::join(out.scrape_protocols, ","));
    };
    const std::string text = "OpenMetricsText1.0.0,OpenMetricsText0.0.1,PrometheusText1.0.0,PrometheusText0.0.4";
    EXPECT_EQ(job("", ""), "false false " + text);
    EXPECT_EQ(job("", ", scrape_native_histograms: true"), "true false PrometheusProto," + text);
    EXPECT_EQ(job("scrape_native_histograms: true, always_scrape_classic_histograms: true", ""), "true true PrometheusProto," + text);
    EXPECT_EQ(job("scrape_native_histograms: true", ", scrape_native_histograms: false"), "false false " + text);
    EXPECT_EQ(job("scrape_protocols: [PrometheusText0.0.4]", ", scrape_native_histograms: true"), "true false PrometheusText0.0.4");
    EXPECT_EQ(job("scrape_protocols: [PrometheusText0.0.4]", ", scrape_protocols: [PrometheusProto]"), "false false PrometheusProto");
    const Loaded loaded = read("scrape_configs: [{job_name: a, native_histogram_bucket_limit: 160, "
                               "native_histogram_min_bucket_factor: 1.1, fallback_scrape_protocol: PrometheusProto}]\n");
    ASSERT_TRUE(loaded.config) << faults(loaded);
    EXPECT_EQ(loaded.config->scrape_configs[0].native_histogram_bucket_limit, 160u);
    EXPECT_EQ(loaded.config->scrape_configs[0].native_histogram_min_bucket_factor, 1.1);
    EXPECT_EQ(loaded.config->scrape_configs[0].fallback_scrape_protocol, "PrometheusProto");
}

}  // namespace
}  // namespace noroshi::config
