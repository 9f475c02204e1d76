// test/unit/daemon/discovery_test.cpp - targets of files and URLs that come, change, break and go.
#include "discovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.hpp"
#include "manual_timers.hpp"
#include "plan.hpp"
#include "run_task.hpp"

namespace noroshi::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// Gives each request what is prepared at that moment.
class PreparedClient final : public net::HttpClient {
  public:
    Task<Result<net::Response>> send(net::Request request) override {
        asked.push_back(std::move(request));
        co_return answer;
    }
    void set(std::string body, unsigned status = 200, const char* type = "application/json; charset=utf-8") {
        answer = net::Response{status, {{"Content-Type", type}}, std::move(body)};
    }
    Result<net::Response> answer{fail(Errc::refused, "connect: refused")};
    std::vector<net::Request> asked;
};

class DiscoveryTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() /
                  fmt::format("noroshi-discovery-{}-{}", ::getpid(), testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override {
        test::run(loop_.runtime, discovery_.stop());
        fs::remove_all(folder_);
    }
    /// Another inode each time, as editors and configuration tools do it.
    void write(const std::string& name, std::string_view text) {
        std::ofstream(folder_ / "new") << text;
        fs::rename(folder_ / "new", folder_ / name);
    }
    config::ScrapeConfig job(std::string name = "j") {
        config::ScrapeConfig out;
        out.job_name = std::move(name);
        out.scrape_interval = 10s;
        out.scrape_timeout = 5s;
        return out;
    }
    config::ScrapeConfig of_files(const std::string& pattern) {
        config::ScrapeConfig out = job();
        out.file_sd_configs.push_back({{(folder_ / pattern).string()}, 5min});
        return out;
    }
    config::ScrapeConfig of_url() {
        config::ScrapeConfig out = job();
        out.http_sd_configs.push_back({*net::parse_url("http://sd/list"), "http://sd/list", 1min, {}});
        return out;
    }
    std::vector<std::string> instances() const {
        std::vector<std::string> out;
        for (const collect::Target& target : targets_) {
            out.emplace_back(target.labels.get("instance"));
        }
        return out;
    }

    fs::path folder_;
    test::ManualLoop loop_{from_unix_ms(1'700'000'000'000)};
    Metrics metrics_;
    std::vector<std::string> lines_;
    PreparedClient client_;
    std::vector<collect::Target> targets_;
    int told_{0};
    Discovery discovery_{client_, loop_.timers, loop_.runtime.executor(), metrics_,
                         Log::to([this](std::string_view line) { lines_.emplace_back(line); }),
                         [this](std::vector<collect::Target> targets) {
                             targets_ = std::move(targets);
                             ++told_;
                         }};
};

TEST_F(DiscoveryTest, Files_are_read_at_once_and_again_when_they_change) {
    write("a.json", R"([{"targets":["a:1"],"labels":{"x":"y"}}])");
    write("b.yml", "- targets: [b:1]\n");
    config::ScrapeConfig config = of_files("*.json");
    config.file_sd_configs[0].files.push_back((folder_ / "b.yml").string());
    config.static_configs.push_back({{"s:1"}, {}});
    discovery_.set_jobs({config});
    EXPECT_THAT(instances(), ElementsAre("s:1", "a:1", "b:1"));
    EXPECT_EQ(targets_[1].labels.get("x"), "y");
    write("c.json", R"([{"targets":["c:1"]}])");
    write("b.yml", "- targets: [b:2]\n");
    loop_.advance(2s);
    EXPECT_THAT(instances(), UnorderedElementsAre("s:1", "a:1", "b:2", "c:1"));
    fs::remove(folder_ / "a.json");
    loop_.advance(2s);
    EXPECT_THAT(instances(), UnorderedElementsAre("s:1", "b:2", "c:1"));
    const int told = told_;
    loop_.advance(10min);
    EXPECT_EQ(told_, told) << "nothing changed";
}

TEST_F(DiscoveryTest, A_broken_file_keeps_what_it_gave_last_and_is_named) {
    write("a.json", R"([{"targets":["a:1"]}])");
    write("b.json", R"([{"targets":["b:1"]}])");
    discovery_.set_jobs({of_files("*.json")});
    write("a.json", R"([{"targets":["a:1")");
    write("b.json", R"([{"targets":["b:2"]}])");
    loop_.advance(20min);
    EXPECT_THAT(instances(), ElementsAre("a:1", "b:2"));
    EXPECT_THAT(discovery_.failing(), ElementsAre((folder_ / "a.json").string()));
    EXPECT_EQ(std::ranges::count_if(lines_, [](const std::string& l) { return l.find("discovery_failed") != std::string::npos; }), 1);
    EXPECT_THAT(metrics_.expose(), HasSubstr("noroshi_discovery_failures_total{kind=\"file\",reason=\"parse\"}"));
    write("a.json", R"([{"targets":["a:3"]}])");
    loop_.advance(2s);
    EXPECT_THAT(instances(), ElementsAre("a:3", "b:2"));
    EXPECT_THAT(discovery_.failing(), IsEmpty());
}

TEST_F(DiscoveryTest, A_reload_keeps_what_is_known_and_lets_go_of_what_is_not_asked_for) {
    write("a.json", R"([{"targets":["a:1"]}])");
    client_.set(R"([{"targets":["u:1"]}])");
    discovery_.set_jobs({of_files("a.json"), of_url()});
    loop_.settle();
    EXPECT_THAT(instances(), ElementsAre("a:1", "u:1"));
    EXPECT_THAT(client_.asked, SizeIs(1));
    config::ScrapeConfig changed = of_url();
    changed.metrics_path = "/other";
    write("a.json", R"([{"targets":["a:1")");
    discovery_.set_jobs({changed});
    EXPECT_THAT(instances(), ElementsAre("u:1")) << "without asking again";
    EXPECT_EQ(targets_[0].url.target, "/other");
    EXPECT_THAT(client_.asked, SizeIs(1));
    discovery_.set_jobs({});
    EXPECT_THAT(targets_, IsEmpty());
    loop_.advance(5min);
    EXPECT_THAT(client_.asked, SizeIs(1)) << "a source that is not named any more is not asked";
}

TEST_F(DiscoveryTest, A_URL_is_asked_at_each_interval_and_keeps_what_it_gave_last) {
    config::ScrapeConfig config = of_url();
    config.http_sd_configs[0].client.authorization = net::Authorization{.type = "Bearer", .credentials = {SecretText("t"), {}}};
    discovery_.set_jobs({config});
    loop_.settle();
    EXPECT_THAT(targets_, IsEmpty());
    EXPECT_THAT(discovery_.failing(), ElementsAre("http://sd/list"));
    client_.set(R"([{"targets":["u:1"],"labels":{"__meta_x":"y"}}])");
    loop_.advance(1min);
    EXPECT_THAT(instances(), ElementsAre("u:1"));
    const net::Request& request = client_.asked.back();
    EXPECT_EQ(request.headers.at("X-Prometheus-Refresh-Interval-Seconds"), "60");
    EXPECT_EQ(request.headers.at("Accept"), "application/json");
    EXPECT_EQ(request.more_headers.at(0).second, "Bearer t");
    for (const auto& [body, status, type] : {std::tuple("[]", 500U, "application/json"), std::tuple("[]", 200U, "text/html"),
                                             std::tuple("[{", 200U, "application/json")}) {
        client_.set(body, status, type);
        loop_.advance(1min);
        EXPECT_THAT(instances(), ElementsAre("u:1")) << type;
        EXPECT_THAT(discovery_.failing(), SizeIs(1));
    }
    client_.set("[]", 200, "Application/JSON;charset=\"utf-8\"");
    loop_.advance(1min);
    EXPECT_THAT(targets_, IsEmpty());
    EXPECT_THAT(discovery_.failing(), IsEmpty());
}

TEST_F(DiscoveryTest, Relabelling_sees_where_a_target_came_from) {
    write("a.json", R"([{"targets":["a:1"],"labels":{"__meta_path":"/p"}}])");
    config::ScrapeConfig config = of_files("a.json");
    config.relabel_configs = {
        *model::RelabelRule::create({.source_labels = {"__meta_filepath"}, .regex = ".*/(.*)", .target_label = "file"}),
        *model::RelabelRule::create({.source_labels = {"__meta_path"}, .target_label = "__metrics_path__"})};
    discovery_.set_jobs({config});
    EXPECT_EQ(targets_.at(0).labels, (model::Labels{{"file", "a.json"}, {"instance", "a:1"}, {"job", "j"}}));
    EXPECT_EQ(targets_[0].url.target, "/p");
}

TEST_F(DiscoveryTest, A_target_that_cannot_be_scraped_is_left_out_and_said_once) {
    using enum model::RelabelAction;
    config::ScrapeConfig config = job();
    config.static_configs = {{{"good:1", "empty:1", "slow:1", "never:1", "odd:1", "path:1"}, {}}};
    const auto set = [](const char* address, const char* label, const char* value) {
        return *model::RelabelRule::create({.source_labels = {"__address__"}, .regex = address, .target_label = label, .replacement = value});
    };
    config.relabel_configs = {set("slow:1", "__scrape_timeout__", "11s"), set("never:1", "__scrape_interval__", "0s"),
                              set("odd:1", "__scrape_interval__", "soon"), set("path:1", "__address__", "a/b"),
                              set("empty:1", "__address__", "")};
    discovery_.set_jobs({config});
    EXPECT_THAT(instances(), ElementsAre("good:1"));
    EXPECT_THAT(metrics_.expose(), HasSubstr("noroshi_targets_left_out 5"));
    std::string all;
    for (const std::string& line : lines_) {
        all += line + "\n";
    }
    EXPECT_THAT(all, HasSubstr("expected host:port as __address__"));
    EXPECT_THAT(all, HasSubstr("expected 0 < __scrape_timeout__ <= __scrape_interval__, got 11s and 10s"));
    EXPECT_EQ(lines_.size(), 5u);
    discovery_.set_jobs({config});
    EXPECT_EQ(lines_.size(), 5u);
    config::Config whole;
    whole.scrape_configs = {config};
    const Planned planned = make_plan(whole);
    EXPECT_THAT(planned.errors, IsEmpty());
    EXPECT_THAT(planned.left_out, SizeIs(5));
    EXPECT_THAT(planned.plan.targets, SizeIs(1));
}

}  // namespace
}  // namespace noroshi::daemon
