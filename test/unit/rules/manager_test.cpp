// test/unit/rules/manager_test.cpp - timelines of alerts and recorded series (spec: alerting 3.2, 3.3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules/rules.hpp"

namespace noroshi::rules {
namespace {

using namespace std::chrono_literals;
using model::AlertTransition;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Milliseconds interval = 10s;

/// A store, an engine and a manager whose one group is evaluated every ten seconds. `at` counts in evaluations.
class World {
  public:
    explicit World(Options options = {interval, model::Labels{{"site", "home"}}, 30s}) : options_(std::move(options)) {
        manager = std::make_unique<Manager>(head, engine, options_, metrics, Log::none());
    }

    void set_rules(const std::string& rules, const std::string& group = "g") {
        parsed = parse_rules("r.yml", "groups:\n- name: " + group + "\n  rules:\n" + rules);
        ASSERT_THAT(parsed.errors, IsEmpty()) << parsed.errors[0].to_string();
        store::Batch changes;
        changed = manager->set_groups(parsed.groups, now, changes);
    }
    /// Moves to the next evaluation, writing `value` (when given) to the series `m{host="a"}` just before it.
    std::vector<std::string> next(std::optional<double> value) {
        return next_with({{model::Labels{{"__name__", "m"}, {"host", "a"}}, value}});
    }
    std::vector<std::string> next_with(const std::vector<std::pair<model::Labels, std::optional<double>>>& samples) {
        now = manager->next_due(now + 1ms);
        for (const auto& [labels, value] : samples) {
            const tsdb::SeriesId id = *head.open_series(labels);
            EXPECT_TRUE(head.append(id, now, value.value_or(model::stale_marker())));
        }
        batch = store::Batch();
        return words(manager->evaluate_due(now, batch));
    }
    static std::vector<std::string> words(const std::vector<AlertTransition>& transitions) {
        std::vector<std::string> out;
        for (const AlertTransition& t : transitions) {
            out.push_back((t.kind == AlertTransition::Kind::fired ? "fired " : "resolved ") +
                          std::string(t.alert.labels.get("alertname")));
        }
        return out;
    }
    std::vector<std::string> query(const std::string& text) const {
        const auto value = engine.instant(*promql::Expression::parse(text), now);
        std::vector<std::string> out;
        for (const promql::VectorSample& sample : std::get<promql::Vector>(value->value)) {
            out.push_back(fmt::format("{} {}", sample.labels.to_string(), sample.value));
        }
        return out;
    }
    void restart() {
        std::vector<store::AlertRow> rows;
        for (const auto& [key, row] : disk) {
            rows.push_back(row);
        }
        manager = std::make_unique<Manager>(head, engine, options_, metrics, Log::none());
        manager->restore(std::move(rows));
    }
    /// What the batches so far have left on disk.
    void keep() {
        for (const auto& write : batch.writes()) {
            if (const auto* row = std::get_if<store::AlertRow>(&write)) {
                disk[{row->rule, row->alert.fingerprint()}] = *row;
            } else if (const auto* gone = std::get_if<store::Batch::DeleteAlert>(&write)) {
                disk.erase({gone->rule, gone->fingerprint});
            }
        }
    }

    Options options_;
    Metrics metrics;
    tsdb::Head head{tsdb::Options{}};
    promql::Engine engine{head, {}};
    std::unique_ptr<Manager> manager;
    TimestampMs now = from_unix_ms(1'700'000'000'000);
    ParsedRules parsed;
    store::Batch batch;
    std::vector<AlertTransition> changed;
    std::map<std::pair<std::string, std::uint64_t>, store::AlertRow> disk;
};

const std::string high = "  - {alert: High, expr: m > 5}\n";
const std::string high_for = "  - {alert: High, expr: m > 5, for: 20s}\n";

TEST(Alerts, Without_for_an_alert_fires_at_the_first_evaluation_that_finds_it) {
    World world;
    world.set_rules(high);
    EXPECT_THAT(world.next(1), IsEmpty());
    EXPECT_THAT(world.next(6), ElementsAre("fired High"));
    EXPECT_THAT(world.next(7), IsEmpty());
    EXPECT_THAT(world.next(1), ElementsAre("resolved High"));
    EXPECT_THAT(world.next(1), IsEmpty());
}

TEST(Alerts, For_holds_an_alert_back_and_an_interruption_starts_anew) {
    World world;
    world.set_rules(high_for);
    EXPECT_THAT(world.next(6), IsEmpty());
    EXPECT_THAT(world.next(6), IsEmpty());
    EXPECT_THAT(world.next(1), IsEmpty());
    EXPECT_THAT(world.next(6), IsEmpty());
    EXPECT_THAT(world.next(6), IsEmpty());
    EXPECT_THAT(world.next(6), ElementsAre("fired High"));
}

TEST(Alerts, Keep_firing_for_bridges_a_gap) {
    World world;
    world.set_rules("  - {alert: High, expr: m > 5, keep_firing_for: 20s}\n");
    EXPECT_THAT(world.next(6), ElementsAre("fired High"));
    EXPECT_THAT(world.next(1), IsEmpty());
    EXPECT_THAT(world.next(6), IsEmpty());
    EXPECT_THAT(world.next(1), IsEmpty());
    EXPECT_THAT(world.next(1), IsEmpty());
    EXPECT_THAT(world.next(1), ElementsAre("resolved High"));
}

TEST(Alerts, Labels_and_annotations_are_templates_over_the_sample) {
    World world;
    world.set_rules(
        "  - alert: High\n    expr: m > 5\n    labels: {severity: warning, where: '{{ $labels.host }}-x'}\n"
        "    annotations: {summary: '{{ $value }} on {{ $labels.host }} at {{ $externalLabels.site }}'}\n");
    world.next(6);
    const std::vector<model::Alert> alerts = world.manager->active_alerts();
    ASSERT_THAT(alerts, SizeIs(1));
    EXPECT_EQ(alerts[0].labels,
              (model::Labels{{"alertname", "High"}, {"host", "a"}, {"severity", "warning"}, {"where", "a-x"}}));
    EXPECT_EQ(alerts[0].annotations.get("summary"), "6 on a at home");
}

TEST(Alerts, Leave_with_the_external_labels_that_they_lack) {
    World world;
    world.set_rules(high);
    world.now = world.manager->next_due(world.now + 1ms);
    ASSERT_TRUE(world.head.append(*world.head.open_series({{"__name__", "m"}}), world.now, 6));
    store::Batch batch;
    const auto transitions = world.manager->evaluate_due(world.now, batch);
    EXPECT_EQ(transitions.at(0).alert.labels, (model::Labels{{"alertname", "High"}, {"site", "home"}}));
    EXPECT_EQ(world.manager->active_alerts()[0].labels, (model::Labels{{"alertname", "High"}}));
}

TEST(Alerts, Value_and_annotations_follow_while_it_fires) {
    World world;
    world.set_rules("  - {alert: High, expr: m > 5, annotations: {summary: '{{ $value }}'}}\n");
    world.next(6);
    world.next(9);
    EXPECT_EQ(world.manager->active_alerts()[0].annotations.get("summary"), "9");
}

TEST(Alerts, Two_results_with_the_same_labels_are_a_fault_and_keep_the_state) {
    World world;
    world.set_rules("  - {alert: High, expr: 'm > 5', labels: {host: one}}\n");
    EXPECT_THAT(world.next(6), ElementsAre("fired High"));
    const model::Labels other{{"__name__", "m"}, {"host", "b"}};
    const model::Labels first{{"__name__", "m"}, {"host", "a"}};
    EXPECT_THAT(world.next_with({{first, 6}, {other, 6}}), IsEmpty());
    EXPECT_THAT(world.manager->health()[0].last_error, testing::HasSubstr("same labelset"));
    EXPECT_EQ(world.manager->health()[0].firing, 1);
    EXPECT_THAT(world.next_with({{first, 6}, {other, 1}}), IsEmpty());
    EXPECT_EQ(world.manager->health()[0].last_error, "");
}

TEST(Alerts, A_limit_that_is_exceeded_is_a_fault_and_keeps_the_state) {
    World world;
    world.parsed = parse_rules("r.yml", "groups:\n- name: g\n  limit: 1\n  rules:\n" + high);
    store::Batch batch;
    static_cast<void>(world.manager->set_groups(world.parsed.groups, world.now, batch));
    EXPECT_THAT(world.next(6), ElementsAre("fired High"));
    EXPECT_THAT(world.next_with({{{{"__name__", "m"}, {"host", "a"}}, 6}, {{{"__name__", "m"}, {"host", "b"}}, 6}}),
                IsEmpty());
    EXPECT_EQ(world.manager->health()[0].last_error, "exceeded limit of 1 with 2 alerts");
}

TEST(Alerts, A_template_that_fails_becomes_text_and_the_alert_goes_out) {
    World world;
    world.set_rules(
        "  - {alert: High, expr: m > 5, annotations: {summary: '{{ query \"none\" | first | value }}'}}\n");
    EXPECT_THAT(world.next(6), ElementsAre("fired High"));
    EXPECT_THAT(world.manager->active_alerts()[0].annotations.get("summary"),
                testing::StartsWith("<error expanding template: "));
}

TEST(Alerts, An_expression_that_fails_ends_no_alert) {
    World world;
    world.set_rules("  - {alert: High, expr: m > on (host) n}\n");
    const model::Labels m{{"__name__", "m"}, {"host", "a"}};
    const model::Labels n{{"__name__", "n"}, {"host", "a"}};
    const model::Labels twin{{"__name__", "n"}, {"host", "a"}, {"twin", "x"}};
    EXPECT_THAT(world.next_with({{m, 6}, {n, 5}}), ElementsAre("fired High"));
    EXPECT_THAT(world.next_with({{m, 6}, {n, 5}, {twin, 5}}), IsEmpty());
    EXPECT_THAT(world.manager->health()[0].last_error, testing::HasSubstr("found duplicate series for the match group"));
    EXPECT_EQ(world.manager->health()[0].firing, 1);
    EXPECT_THAT(world.next_with({{m, 6}, {n, 5}, {twin, std::nullopt}}), IsEmpty());
    EXPECT_THAT(world.next_with({{m, 4}, {n, 5}}), ElementsAre("resolved High"));
}

TEST(Alerts, A_series_that_ends_resolves_at_the_next_evaluation) {
    World world;
    world.set_rules(high);
    EXPECT_THAT(world.next(6), ElementsAre("fired High"));
    EXPECT_THAT(world.next(std::nullopt), ElementsAre("resolved High"));
}

TEST(Alerts, Each_result_is_an_alert_of_its_own) {
    World world;
    world.set_rules(high);
    const model::Labels a{{"__name__", "m"}, {"host", "a"}};
    const model::Labels b{{"__name__", "m"}, {"host", "b"}};
    EXPECT_THAT(world.next_with({{a, 6}, {b, 1}}), ElementsAre("fired High"));
    EXPECT_THAT(world.next_with({{a, 6}, {b, 6}}), ElementsAre("fired High"));
    EXPECT_THAT(world.next_with({{a, 1}, {b, 6}}), ElementsAre("resolved High"));
    EXPECT_EQ(world.manager->active_alerts()[0].labels.get("host"), "b");
}

TEST(Alerts, Write_the_series_ALERTS_and_ALERTS_FOR_STATE_and_end_them) {
    World world;
    world.set_rules(high_for);
    world.next(6);
    const std::string since = fmt::format("{}", to_unix_ms(world.now) / 1000);
    EXPECT_THAT(world.query("ALERTS"),
                ElementsAre(R"(ALERTS{alertname="High", alertstate="pending", host="a"} 1)"));
    EXPECT_THAT(world.query("ALERTS_FOR_STATE"),
                ElementsAre(R"(ALERTS_FOR_STATE{alertname="High", host="a"} )" + since));
    world.next(6);
    world.next(6);
    EXPECT_THAT(world.query("ALERTS"), ElementsAre(R"(ALERTS{alertname="High", alertstate="firing", host="a"} 1)"));
    world.next(1);
    EXPECT_THAT(world.query("ALERTS"), IsEmpty());
}

TEST(Recording, Writes_the_result_under_the_rules_name_and_labels) {
    World world;
    world.set_rules("  - {record: 'host:m:double', expr: m * 2, labels: {kind: x}}\n");
    world.next(6);
    EXPECT_THAT(world.query("host:m:double"), ElementsAre(R"(host:m:double{host="a", kind="x"} 12)"));
}

TEST(Recording, A_later_rule_sees_an_earlier_one_of_the_same_evaluation) {
    World world;
    world.set_rules("  - {record: a, expr: m}\n  - {record: b, expr: a + 1}\n");
    world.next(6);
    EXPECT_THAT(world.query("b"), ElementsAre(R"(b{host="a"} 7)"));
}

TEST(Recording, A_series_that_left_the_result_ends_at_once) {
    World world;
    world.set_rules("  - {record: a, expr: m}\n");
    world.next(6);
    world.next(std::nullopt);
    EXPECT_THAT(world.query("a"), IsEmpty());
}

TEST(Recording, Two_results_that_become_one_series_are_a_fault) {
    World world;
    world.set_rules("  - {record: a, expr: m, labels: {host: one}}\n");
    world.next_with({{{{"__name__", "m"}, {"host", "a"}}, 1}, {{{"__name__", "m"}, {"host", "b"}}, 2}});
    EXPECT_THAT(world.manager->health()[0].last_error,
                testing::HasSubstr("same labelset after applying rule labels"));
    EXPECT_THAT(world.query("a"), IsEmpty());
}

TEST(Recording, A_scalar_becomes_a_series_without_labels) {
    World world;
    world.set_rules("  - {record: a, expr: 1 + 1}\n");
    world.next(6);
    EXPECT_THAT(world.query("a"), ElementsAre("a 2"));
}

TEST(Groups, Look_back_by_their_query_offset_and_write_there) {
    World world;
    world.parsed = parse_rules("r.yml", "groups:\n- name: g\n  query_offset: 10s\n  rules:\n  - {record: a, expr: m}\n");
    store::Batch batch;
    static_cast<void>(world.manager->set_groups(world.parsed.groups, world.now, batch));
    world.next(1);
    world.next(2);
    EXPECT_THAT(world.query("a"), ElementsAre(R"(a{host="a"} 1)"));
    EXPECT_THAT(world.query("timestamp(a)"),
                ElementsAre(fmt::format(R"({{host="a"}} {})", to_unix_seconds(world.now - 10s))));
}

TEST(Groups, Are_evaluated_at_aligned_times_and_missed_ones_are_counted) {
    World world;
    world.set_rules(high);
    world.next(1);
    const TimestampMs first = world.now;
    EXPECT_EQ(world.manager->next_due(first), first + interval);
    store::Batch batch;
    static_cast<void>(world.manager->evaluate_due(first + 35s, batch));
    EXPECT_EQ(world.metrics.counter("noroshi_rules_iterations_missed_total", "").value(), 2);
    EXPECT_EQ(world.manager->next_due(first + 35s), first + 40s);
}

TEST(Groups, A_clock_that_went_back_does_not_stop_evaluation) {
    World world;
    world.set_rules(high);
    world.next(1);
    world.now -= 1h;
    EXPECT_LE(world.manager->next_due(world.now), world.now + interval);
    store::Batch batch;
    static_cast<void>(world.manager->evaluate_due(world.now, batch));
    EXPECT_EQ(world.manager->health()[0].last_evaluation, world.manager->next_due(world.now) - interval);
}

TEST(Reload, Keeps_the_state_of_rules_that_stay) {
    World world;
    world.set_rules(high_for);
    world.next(6);
    world.set_rules("  - {alert: New, expr: m > 100}\n" + high_for);
    EXPECT_THAT(world.changed, IsEmpty());
    EXPECT_THAT(world.next(6), IsEmpty());
    EXPECT_THAT(world.next(6), ElementsAre("fired High"));
}

TEST(Reload, Resolves_alerts_of_rules_that_are_gone) {
    World world;
    world.set_rules(high);
    world.next(6);
    world.set_rules("  - {alert: Other, expr: m > 100}\n");
    EXPECT_THAT(World::words(world.changed), ElementsAre("resolved High"));
    world.next(6);
    EXPECT_THAT(world.query("ALERTS"), IsEmpty());
}

TEST(Restart, A_firing_alert_is_not_resolved_before_its_series_had_time_to_come_back) {
    World world;
    world.set_rules(high);
    world.next(6);
    world.keep();
    world.restart();
    world.set_rules(high);
    EXPECT_THAT(world.next(std::nullopt), IsEmpty());
    EXPECT_THAT(world.next(std::nullopt), IsEmpty());
    EXPECT_THAT(world.next(6), IsEmpty()) << "it is the same alert, not a new one";
    EXPECT_THAT(world.next(1), ElementsAre("resolved High"));
}

TEST(Restart, An_alert_whose_series_never_comes_back_is_resolved_after_the_grace) {
    World world;
    world.set_rules(high);
    world.next(6);
    world.keep();
    world.restart();
    world.set_rules(high);
    EXPECT_THAT(world.next(std::nullopt), IsEmpty());
    EXPECT_THAT(world.next(std::nullopt), IsEmpty());
    EXPECT_THAT(world.next(std::nullopt), IsEmpty());
    EXPECT_THAT(world.next(std::nullopt), ElementsAre("resolved High"));
}

TEST(Restart, An_alert_of_a_rule_that_was_removed_meanwhile_is_resolved) {
    World world;
    world.set_rules(high);
    world.next(6);
    world.keep();
    world.restart();
    world.set_rules("  - {alert: Other, expr: m > 100}\n");
    EXPECT_THAT(World::words(world.changed), ElementsAre("resolved High"));
}

TEST(Restart, A_pending_alert_goes_on_waiting_from_when_it_began) {
    World world;
    world.set_rules("  - {alert: High, expr: m > 5, for: 40s}\n");
    world.next(6);
    world.keep();
    world.restart();
    world.set_rules("  - {alert: High, expr: m > 5, for: 40s}\n");
    EXPECT_THAT(world.next(6), IsEmpty());
    EXPECT_THAT(world.next(6), IsEmpty());
    EXPECT_THAT(world.next(6), IsEmpty());
    EXPECT_THAT(world.next(6), ElementsAre("fired High"));
}

TEST(Rows, Are_written_when_the_state_changes_and_not_with_every_value) {
    World world;
    world.set_rules(high);
    world.next(6);
    EXPECT_EQ(world.batch.size(), 1);
    world.next(7);
    EXPECT_TRUE(world.batch.empty());
    world.next(1);
    EXPECT_EQ(world.batch.size(), 1);
}

TEST(Builtin, Rules_parse) {
    const ParsedRules parsed = parse_rules("built-in", builtin_host_rules());
    EXPECT_THAT(parsed.errors, IsEmpty());
    EXPECT_GE(parsed.groups.at(0).rules.size(), 10);
}

}  // namespace
}  // namespace noroshi::rules
