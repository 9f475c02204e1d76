// test/unit/notify/timeline_test.cpp - longer stories of one group: flapping, reloads, chains of messages; and its texts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "notify/notify.hpp"
#include "text.hpp"

namespace noroshi::notify {
namespace {

using namespace std::chrono_literals;
using model::AlertTransition;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr TimestampMs start = from_unix_ms(1'700'000'000'000);

class Timeline : public testing::Test {
  protected:
    Timeline() { route({}); }
    void route(Route changed) {
        changed.receiver = changed.receiver.empty() ? "phone" : changed.receiver;
        if (notifier_) {
            notifier_->set_route(std::move(changed));
        } else {
            notifier_ = std::make_unique<Notifier>(std::move(changed), random_, metrics_, Log::none());
        }
    }
    static model::Alert alert(const std::string& host) {
        model::Alert out;
        out.labels = {{"alertname", "High"}, {"host", host}, {"severity", "page"}};
        out.state = model::AlertState::firing;
        out.fired_at = start;
        return out;
    }
    void fire(Milliseconds at, const std::string& host = "a") {
        store::Batch batch;
        notifier_->accept({{AlertTransition::Kind::fired, alert(host), start + at, "f;g"}}, start + at, batch);
    }
    void resolve(Milliseconds at, const std::string& host = "a") {
        AlertTransition gone{AlertTransition::Kind::resolved, alert(host), start + at, "f;g"};
        gone.alert.resolved_at = start + at;
        store::Batch batch;
        notifier_->accept({gone}, start + at, batch);
    }
    /// What is said at that moment: "status host,host".
    std::vector<std::string> said(Milliseconds at) {
        store::Batch batch;
        std::vector<std::string> out;
        for (const store::OutboxRow& row : notifier_->flush_due(start + at, batch)) {
            out.push_back(fmt::format("{} {}", model::message_status_name(row.message.status), row.message.title));
            messages_.push_back(row.message);
        }
        return out;
    }

    SeededRandom random_{1};
    Metrics metrics_;
    std::unique_ptr<Notifier> notifier_;
    std::vector<model::Message> messages_;
};

TEST_F(Timeline, An_alert_that_flaps_between_two_flushes_never_stopped_for_the_receiver) {
    fire(0s);
    EXPECT_THAT(said(30s), ElementsAre("firing FIRING High"));
    resolve(60s);
    fire(90s);
    EXPECT_THAT(said(330s), IsEmpty());
    EXPECT_EQ(notifier_->next_due(), start + 30s + 4h);
}

TEST_F(Timeline, An_alert_that_comes_back_after_its_resolution_was_told_is_told_again) {
    fire(0s);
    EXPECT_THAT(said(30s), SizeIs(1U));
    resolve(60s);
    EXPECT_THAT(said(330s), ElementsAre("resolved RESOLVED High"));
    fire(400s);
    EXPECT_THAT(said(429s), IsEmpty());
    EXPECT_THAT(said(430s), ElementsAre("firing FIRING High"));
}

TEST_F(Timeline, A_resolution_beside_what_still_fires_is_a_firing_message_that_lists_both) {
    fire(0s, "a");
    fire(0s, "b");
    EXPECT_THAT(said(30s), ElementsAre("firing FIRING 2 x High"));
    resolve(60s, "a");
    EXPECT_THAT(said(330s), ElementsAre("firing FIRING High"));
    EXPECT_THAT(messages_.back().body, HasSubstr("[!] High\nhost=b"));
    EXPECT_THAT(messages_.back().body, HasSubstr("[ok] High\nhost=a\nlasted 1m"));
    resolve(400s, "b");
    EXPECT_THAT(said(630s), ElementsAre("resolved RESOLVED High"));
    EXPECT_THAT(messages_.back().body, Not(HasSubstr("host=a")));
}

TEST_F(Timeline, Each_message_names_the_one_before_it) {
    fire(0s);
    EXPECT_THAT(said(30s), SizeIs(1U));
    resolve(60s);
    EXPECT_THAT(said(330s), SizeIs(1U));
    EXPECT_EQ(messages_[0].replaces, "");
    EXPECT_EQ(messages_[1].replaces, messages_[0].id);
    EXPECT_NE(messages_[1].id, messages_[0].id);
}

TEST_F(Timeline, News_long_after_a_flush_come_at_the_next_step_and_not_at_once) {
    fire(0s, "a");
    EXPECT_THAT(said(30s), SizeIs(1U));
    fire(30s + 12min, "b");
    EXPECT_EQ(notifier_->next_due(), start + 30s + 15min);
}

TEST_F(Timeline, A_flush_that_was_missed_is_made_up_for) {
    fire(0s);
    EXPECT_THAT(said(2h), ElementsAre("firing FIRING High"));
}

TEST_F(Timeline, A_resolution_reaches_those_who_heard_of_the_alert_over_a_reload) {
    fire(0s);
    EXPECT_THAT(said(30s), SizeIs(1U));
    Route other;
    other.receiver = "tablet";
    other.group_by = {"host"};
    route(other);
    resolve(60s);
    EXPECT_THAT(said(330s), SizeIs(1U));
    EXPECT_EQ(messages_.back().receiver, "phone");
    fire(400s);
    EXPECT_THAT(said(430s), SizeIs(1U));
    EXPECT_EQ(messages_.back().receiver, "tablet");
}

TEST_F(Timeline, A_resolution_of_what_nobody_heard_of_leaves_no_group) {
    store::Batch batch;
    AlertTransition gone{AlertTransition::Kind::resolved, alert("a"), start, "f;g"};
    gone.alert.resolved_at = start;
    notifier_->accept({gone}, start, batch);
    EXPECT_EQ(notifier_->next_due(), std::nullopt);
    EXPECT_FALSE(std::ranges::any_of(batch.writes(), [](const auto& write) {
        return std::holds_alternative<store::GroupRow>(write);
    }));
}

TEST_F(Timeline, Without_group_by_all_alerts_are_one_group) {
    fire(0s, "a");
    fire(0s, "b");
    EXPECT_THAT(said(30s), SizeIs(1U));
}

TEST_F(Timeline, Every_change_is_in_the_batch_with_its_timer) {
    store::Batch batch;
    notifier_->accept({{AlertTransition::Kind::fired, alert("a"), start, "f;g"}}, start, batch);
    ASSERT_EQ(batch.size(), 1U);
    EXPECT_EQ(std::get<store::GroupRow>(batch.writes()[0]).flush_at, start + 30s);
    store::Batch flush;
    const auto rows = notifier_->flush_due(start + 30s, flush);
    ASSERT_EQ(flush.size(), 2U);
    EXPECT_EQ(std::get<store::OutboxRow>(flush.writes()[0]), rows.at(0));
    EXPECT_TRUE(std::get<store::GroupRow>(flush.writes()[1]).alerts.at(0).told_firing);
}

TEST_F(Timeline, The_body_ends_with_a_short_name_of_the_message) {
    fire(0s);
    EXPECT_THAT(said(30s), SizeIs(1U));
    EXPECT_THAT(messages_[0].body, testing::EndsWith("\n#" + messages_[0].id.substr(0, 6)));
}

TEST(Body, Says_what_where_since_when_and_what_to_do) {
    store::GroupAlert entry;
    entry.alert.labels = {{"alertname", "DiskFull"}, {"instance", "nas:9100"}, {"job", "node"}, {"severity", "page"}};
    entry.alert.annotations = {{"summary", "Disk is full"}, {"description", "Delete\nsomething"}, {"runbook_url", "https://r"}};
    entry.alert.value = 0.123456789;
    entry.alert.fired_at = start;
    store::GroupRow group;
    group.alerts = {entry};
    const Rendered rendered = render(group, start + 90s);
    EXPECT_EQ(rendered.title, "FIRING DiskFull on nas:9100");
    EXPECT_EQ(rendered.body,
              "[!] Disk is full\ninstance=nas:9100\nvalue 0.12346, since 2023-11-14 22:13:20 UTC (1m30s)\n"
              "Delete\nsomething\nrunbook: https://r");
}

TEST(Body, A_clock_that_went_back_gives_no_negative_time) {
    store::GroupAlert entry;
    entry.alert.labels = {{"alertname", "A"}};
    entry.alert.fired_at = start;
    store::GroupRow group;
    group.alerts = {entry};
    EXPECT_THAT(render(group, start - 1h).body, HasSubstr("(0s)"));
}

TEST(Text, Is_cut_between_characters) {
    EXPECT_EQ(shortened("abcdef", 6), "abcdef");
    EXPECT_EQ(shortened("abcdefg", 6), "abc\xe2\x80\xa6");
    for (std::size_t most = 3; most < 12; ++most) {
        const std::string cut = shortened("\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\xa5\xc3\xa4\xe2\x82\xac", most);
        EXPECT_LE(cut.size(), most);
        EXPECT_TRUE(is_utf8(cut)) << most;
    }
}

TEST(Text, Loses_what_hides_or_steers) {
    EXPECT_EQ(cleaned("a\x1b[2J\r\nb", false), "a [2J  b");
    EXPECT_EQ(cleaned("a\nb", true), "a\nb");
    EXPECT_EQ(cleaned("a\xe2\x80\xaex\xe2\x81\xa6y\xc2\x9b\xef\xbb\xbfz", true), "axyz");
    EXPECT_EQ(cleaned("a\xffz\xe2\x82", true), "a?z??");
    EXPECT_EQ(cleaned("\xf0\x9f\x94\xa5 \xc3\xa4", false), "\xf0\x9f\x94\xa5 \xc3\xa4");
}

}  // namespace
}  // namespace noroshi::notify
