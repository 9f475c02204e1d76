// test/unit/notify/notifier_test.cpp - when a group speaks, what it says, and what it says only once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "notify/notify.hpp"

namespace noroshi::notify {
namespace {

using namespace std::chrono_literals;
using model::AlertTransition;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class NotifierTest : public testing::Test {
  protected:
    NotifierTest() { make(); }
    void make() { notifier_ = std::make_unique<Notifier>(route_, random_, metrics_, Log::none()); }

    AlertTransition transition(const std::string& host, AlertTransition::Kind kind) {
        AlertTransition out;
        out.kind = kind;
        out.at = now_;
        out.alert.labels = {{"alertname", "High"}, {"host", host}};
        out.alert.annotations = {{"summary", "m is high on " + host}};
        out.alert.state = model::AlertState::firing;
        out.alert.value = 7;
        out.alert.active_at = from_unix_ms(1'000'000);
        out.alert.fired_at = from_unix_ms(1'000'000);
        if (kind == AlertTransition::Kind::resolved) {
            out.alert.state = model::AlertState::inactive;
            out.alert.resolved_at = now_;
        }
        return out;
    }
    void fire(const std::string& host) { accept(transition(host, AlertTransition::Kind::fired)); }
    void resolve(const std::string& host) { accept(transition(host, AlertTransition::Kind::resolved)); }
    void accept(AlertTransition given) {
        store::Batch batch;
        notifier_->accept({std::move(given)}, now_, batch);
        keep(batch);
    }
    /// Titles of what is said after `pause`.
    std::vector<std::string> after(Milliseconds pause) {
        now_ += pause;
        store::Batch batch;
        rows_ = notifier_->flush_due(now_, batch);
        keep(batch);
        std::vector<std::string> out;
        for (const store::OutboxRow& row : rows_) {
            out.push_back(row.message.title);
        }
        return out;
    }
    void keep(const store::Batch& batch) {
        for (const auto& write : batch.writes()) {
            if (const auto* row = std::get_if<store::GroupRow>(&write)) {
                disk_[row->key] = *row;
            } else if (const auto* gone = std::get_if<store::Batch::DeleteGroup>(&write)) {
                disk_.erase(gone->key);
            } else if (const auto* message = std::get_if<store::OutboxRow>(&write)) {
                outbox_.push_back(*message);
            }
        }
    }
    void restart() {
        make();
        std::vector<store::GroupRow> rows;
        for (const auto& [key, row] : disk_) {
            rows.push_back(row);
        }
        notifier_->restore(std::move(rows));
    }

    Route route_{"phone", {"alertname"}, 30s, 5min, 4h};
    SeededRandom random_{1};
    Metrics metrics_;
    TimestampMs now_ = from_unix_ms(1'000'000);
    std::unique_ptr<Notifier> notifier_;
    std::vector<store::OutboxRow> rows_;
    std::vector<store::OutboxRow> outbox_;
    std::map<std::string, store::GroupRow> disk_;
};

TEST_F(NotifierTest, The_first_message_waits_for_group_wait_and_takes_all_that_came) {
    fire("a");
    EXPECT_THAT(after(29s), IsEmpty());
    fire("b");
    EXPECT_THAT(after(1s), ElementsAre("FIRING 2 x High"));
    EXPECT_THAT(rows_[0].message.body, HasSubstr("m is high on a"));
    EXPECT_THAT(rows_[0].message.body, HasSubstr("m is high on b"));
    EXPECT_EQ(rows_[0].message.labels, (model::Labels{{"alertname", "High"}}));
}

TEST_F(NotifierTest, Changes_come_at_steps_of_group_interval) {
    fire("a");
    after(30s);
    fire("b");
    EXPECT_THAT(after(4min), IsEmpty());
    EXPECT_THAT(after(1min), Not(IsEmpty()));
    EXPECT_THAT(after(5min), IsEmpty());
}

TEST_F(NotifierTest, A_resolution_is_told_once_and_then_the_group_is_gone) {
    fire("a");
    after(30s);
    resolve("a");
    EXPECT_THAT(after(5min), ElementsAre("RESOLVED High"));
    EXPECT_EQ(rows_[0].message.status, model::MessageStatus::resolved);
    EXPECT_THAT(after(24h), IsEmpty());
    EXPECT_THAT(disk_, IsEmpty());
}

TEST_F(NotifierTest, An_alert_that_ended_before_anybody_was_told_is_not_told) {
    fire("a");
    resolve("a");
    EXPECT_THAT(after(1min), IsEmpty());
    EXPECT_THAT(after(1h), IsEmpty());
}

TEST_F(NotifierTest, The_same_alert_again_is_not_told_again) {
    fire("a");
    after(30s);
    fire("a");
    EXPECT_THAT(after(1h), IsEmpty());
}

TEST_F(NotifierTest, What_still_fires_is_repeated_after_repeat_interval) {
    fire("a");
    after(30s);
    EXPECT_THAT(after(3h), IsEmpty());
    EXPECT_THAT(after(65min), ElementsAre("FIRING High"));
    EXPECT_NE(outbox_[0].message.id, outbox_[1].message.id);
}

TEST_F(NotifierTest, Groups_are_made_by_the_labels_of_group_by) {
    route_.group_by = {"host"};
    make();
    fire("a");
    fire("b");
    EXPECT_THAT(after(30s), ElementsAre("FIRING High", "FIRING High"));
}

TEST_F(NotifierTest, Three_dots_group_by_all_labels) {
    route_.group_by = {"..."};
    make();
    fire("a");
    fire("b");
    EXPECT_EQ(after(30s).size(), 2);
}

TEST_F(NotifierTest, A_restart_neither_loses_nor_repeats) {
    fire("a");
    restart();
    EXPECT_THAT(after(30s), ElementsAre("FIRING High"));
    restart();
    EXPECT_THAT(after(1h), IsEmpty());
    resolve("a");
    restart();
    EXPECT_THAT(after(5min), ElementsAre("RESOLVED High"));
    restart();
    EXPECT_THAT(after(24h), IsEmpty());
}

TEST_F(NotifierTest, Says_when_it_is_due) {
    EXPECT_EQ(notifier_->next_due(), std::nullopt);
    fire("a");
    EXPECT_EQ(notifier_->next_due(), now_ + 30s);
    after(30s);
    EXPECT_EQ(notifier_->next_due(), now_ + 4h);
}

TEST_F(NotifierTest, An_announcement_is_an_event_for_the_routes_receiver) {
    store::Batch batch;
    const store::OutboxRow row = notifier_->announce("hello", "there", now_, batch);
    EXPECT_EQ(row.message.status, model::MessageStatus::event);
    EXPECT_EQ(row.message.receiver, "phone");
    EXPECT_EQ(row.message.id.size(), 32);
    EXPECT_EQ(batch.size(), 1);
}

TEST(Render, Keeps_a_strangers_control_characters_from_the_reader) {
    store::GroupRow group;
    store::GroupAlert entry;
    entry.alert.labels = {{"alertname", "Hi\x1b[2Jgh"}, {"host", "a\nb"}};
    entry.alert.annotations = {{"summary", "red\x1b[31m\xe2\x80\xae txt"}};
    entry.alert.state = model::AlertState::firing;
    group.alerts = {entry};
    const Rendered rendered = render(group, from_unix_ms(10'000));
    EXPECT_THAT(rendered.title + rendered.body, Not(HasSubstr("\x1b")));
    EXPECT_THAT(rendered.title, Not(HasSubstr("\n")));
    EXPECT_THAT(rendered.body, Not(HasSubstr("\xe2\x80\xae")));
}

TEST(Render, Stays_short_when_a_thousand_alerts_fire) {
    store::GroupRow group;
    for (int i = 0; i < 1000; ++i) {
        store::GroupAlert entry;
        entry.alert.labels = {{"alertname", "High"}, {"host", std::to_string(i)}};
        entry.alert.annotations = {{"summary", std::string(5000, 'x')}};
        entry.alert.state = model::AlertState::firing;
        group.alerts.push_back(entry);
    }
    const Rendered rendered = render(group, from_unix_ms(10'000));
    EXPECT_LE(rendered.title.size(), 200);
    EXPECT_LE(rendered.body.size(), 6 * 1024);
    EXPECT_THAT(rendered.title, HasSubstr("1000"));
}

}  // namespace
}  // namespace noroshi::notify
