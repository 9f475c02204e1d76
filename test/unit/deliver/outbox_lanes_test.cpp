// test/unit/deliver/outbox_lanes_test.cpp - the outbox over reloads, restarts, hanging receivers and time that passes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/metrics.hpp"
#include "deliver/deliver.hpp"
#include "run_task.hpp"

namespace noroshi::deliver {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;

enum class Mood { takes, refuses, hangs };

/// A receiver whose mood a test sets.
class MoodyChannel final : public Channel {
  public:
    MoodyChannel(const Executor& executor, Mood m) : mood(m), never_(executor) {}
    Task<Result<model::Receipt>> send(model::Message message, SendOptions) override {
        sent.push_back(message.id);
        if (mood == Mood::hangs) {
            NOROSHI_CO_TRY_VOID(co_await never_.wait());
        }
        if (mood == Mood::refuses) {
            co_return fail(Error{Errc::refused, "no_peers", {}, true});
        }
        co_return model::Receipt{message.id, model::ReceiptKind::handed_over, from_unix_ms(5), "peer", "ab"};
    }
    [[nodiscard]] Capabilities capabilities() const override { return {}; }
    [[nodiscard]] Health health() const override { return Health::ok; }
    [[nodiscard]] std::string kind() const override { return "moody"; }

    void go_on() { never_.notify(); }

    Mood mood;
    std::vector<std::string> sent;

  private:
    Signal never_;
};

class OutboxLanesTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("noroshi-lanes-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        open();
    }
    void TearDown() override {
        close();
        std::filesystem::remove_all(folder_);
    }
    void open() {
        store_ = std::move(*store::Store::open(folder_, runtime_.executor(), Log::none()));
        Log log = Log::to([this](std::string_view line) {
            if (line.find("event=not_handed_over") != std::string_view::npos) {
                clock_.advance(std::exchange(after_failure_, 0ms));
            }
        });
        outbox_ = std::make_unique<Outbox>(*store_, runtime_, runtime_.executor(), clock_, random_, metrics_, log);
    }
    void close() {
        test::run(runtime_, outbox_->stop());
        outbox_.reset();
        store_.reset();
    }
    std::shared_ptr<MoodyChannel> channel(Mood mood) const {
        return std::make_shared<MoodyChannel>(runtime_.executor(), mood);
    }
    /// Commits the row, as notify does, before the outbox has it.
    void put(const std::string& id, const std::string& receiver = "phone") {
        store::OutboxRow row;
        row.message.id = id;
        row.message.receiver = receiver;
        row.next_attempt_at = clock_.now();
        store::Batch batch;
        batch.put_outbox(row);
        ASSERT_TRUE(test::run(runtime_, store_->commit(std::move(batch))));
        outbox_->enqueue({row});
    }
    /// Turns the loop and the store's thread until `reached`.
    void until(const std::function<bool()>& reached) {
        static_cast<void>(runtime_.run(turn(reached)));
        EXPECT_TRUE(reached());
    }
    /// Enough turns for whatever would happen by itself.
    void settle() {
        int turns = 0;
        until([&turns] { return ++turns > 20; });
    }
    Task<int> turn(std::function<bool()> reached) {
        for (int i = 0; i < 2'000 && !reached(); ++i) {
            store::Batch nothing;
            nothing.put_setting("turn", "");
            EXPECT_TRUE(co_await store_->commit(std::move(nothing)));
        }
        co_return 0;
    }
    Task<void> take(bool& taken) {
        model::Receipt receipt{"m1", model::ReceiptKind::delivered, clock_.now(), "owner"};
        taken = (co_await outbox_->take_receipt("phone", std::move(receipt))).has_value();
    }
    store::OutboxRow on_disk(const std::string& id) const {
        const std::vector<store::OutboxRow> rows = *store_->load_outbox_history(100);
        for (const store::OutboxRow& row : rows) {
            if (row.message.id == id) {
                return row;
            }
        }
        ADD_FAILURE() << "no row " << id;
        return {};
    }

    std::filesystem::path folder_;
    Runtime runtime_;
    ManualClock clock_{from_unix_ms(1'000'000)};
    SeededRandom random_{1};
    Metrics metrics_;
    Milliseconds after_failure_{0};
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<Outbox> outbox_;
};

TEST_F(OutboxLanesTest, Each_failure_doubles_the_pause_up_to_a_minute_with_a_fifth_of_jitter) {
    const auto phone = channel(Mood::refuses);
    outbox_->set_channels({{"phone", phone}});
    outbox_->start();
    put("m1");
    const Milliseconds bases[] = {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s};
    for (std::uint32_t i = 0; i < std::size(bases); ++i) {
        until([&] { return on_disk("m1").attempts == i + 1; });
        const TimestampMs next = on_disk("m1").next_attempt_at;
        EXPECT_THAT(next - clock_.now(), AllOf(Ge(bases[i]), Le(bases[i] * 6 / 5))) << i;
        settle();
        EXPECT_EQ(phone->sent.size(), i + 1);
        outbox_->retry_now();
    }
}

TEST_F(OutboxLanesTest, Tries_again_by_itself_when_the_pause_is_over) {
    const auto phone = channel(Mood::refuses);
    outbox_->set_channels({{"phone", phone}});
    outbox_->start();
    after_failure_ = 1'200ms;
    put("m1");
    until([&] { return phone->sent.size() == 2; });
    EXPECT_EQ(on_disk("m1").last_error, "no_peers");
}

TEST_F(OutboxLanesTest, A_receiver_that_is_taken_away_during_a_pause_keeps_its_message) {
    outbox_->set_channels({{"phone", channel(Mood::refuses)}});
    outbox_->start();
    put("m1");
    until([&] { return on_disk("m1").attempts == 1; });
    outbox_->set_channels({});
    settle();
    EXPECT_EQ(outbox_->waiting(), 1U);
    const auto back = channel(Mood::takes);
    outbox_->set_channels({{"phone", back}});
    until([&] { return outbox_->waiting() == 0; });
    EXPECT_THAT(back->sent, ElementsAre("m1"));
    EXPECT_EQ(on_disk("m1").state, store::OutboxState::handed_over);
}

TEST_F(OutboxLanesTest, A_new_channel_is_tried_at_once) {
    outbox_->set_channels({{"phone", channel(Mood::refuses)}});
    outbox_->start();
    put("m1");
    until([&] { return on_disk("m1").attempts == 1; });
    const auto other = channel(Mood::takes);
    outbox_->set_channels({{"phone", other}});
    until([&] { return outbox_->waiting() == 0; });
    EXPECT_THAT(other->sent, ElementsAre("m1"));
}

TEST_F(OutboxLanesTest, A_receiver_that_hangs_delays_no_other) {
    const auto phone = channel(Mood::takes);
    outbox_->set_channels({{"hangs", channel(Mood::hangs)}, {"phone", phone}});
    outbox_->start();
    put("m1", "hangs");
    put("m2", "phone");
    until([&] { return outbox_->waiting() == 1; });
    EXPECT_THAT(phone->sent, ElementsAre("m2"));
}

TEST_F(OutboxLanesTest, Stopping_within_a_send_leaves_the_message_queued) {
    const auto phone = channel(Mood::hangs);
    outbox_->set_channels({{"phone", phone}});
    outbox_->start();
    put("m1");
    until([&] { return phone->sent.size() == 1; });
    test::run(runtime_, outbox_->stop());
    EXPECT_EQ(on_disk("m1").state, store::OutboxState::queued);
    EXPECT_EQ(on_disk("m1").attempts, 0U);
}

TEST_F(OutboxLanesTest, A_receipt_within_a_send_waits_for_its_end) {
    const auto phone = channel(Mood::hangs);
    outbox_->set_channels({{"phone", phone}});
    outbox_->start();
    put("m1");
    until([&] { return phone->sent.size() == 1; });
    TaskGroup tasks(runtime_.executor());
    bool taken = false;
    tasks.spawn("take", take(taken));
    settle();
    EXPECT_FALSE(taken);
    phone->mood = Mood::takes;
    phone->go_on();
    until([&] { return taken; });
    EXPECT_EQ(on_disk("m1").state, store::OutboxState::delivered);
    EXPECT_EQ(on_disk("m1").handed_over_at, from_unix_ms(5)) << "the hand-over was noted first";
    test::run(runtime_, tasks.stop());
}

TEST_F(OutboxLanesTest, A_receipt_for_a_message_that_waits_between_two_attempts_ends_them) {
    const auto phone = channel(Mood::refuses);
    outbox_->set_channels({{"phone", phone}});
    outbox_->start();
    put("m1");
    until([&] { return on_disk("m1").attempts == 1; });
    bool taken = false;
    test::run(runtime_, take(taken));
    EXPECT_TRUE(taken);
    outbox_->retry_now();
    settle();
    EXPECT_THAT(phone->sent, ElementsAre("m1"));
    EXPECT_EQ(on_disk("m1").state, store::OutboxState::delivered);
}

TEST_F(OutboxLanesTest, A_restart_sends_what_was_queued_and_nothing_else) {
    const auto before = channel(Mood::takes);
    outbox_->set_channels({{"phone", before}});
    outbox_->start();
    put("m1");
    until([&] { return outbox_->waiting() == 0; });
    before->mood = Mood::refuses;
    put("m2");
    until([&] { return on_disk("m2").attempts == 1; });
    close();
    open();
    const auto after = channel(Mood::takes);
    outbox_->set_channels({{"phone", after}});
    outbox_->enqueue(*store_->load_pending_outbox());
    outbox_->start();
    until([&] { return outbox_->waiting() == 0; });
    EXPECT_THAT(after->sent, ElementsAre("m2"));
    EXPECT_EQ(on_disk("m2").attempts, 2U);
}

TEST_F(OutboxLanesTest, Before_start_nothing_is_sent) {
    const auto phone = channel(Mood::takes);
    outbox_->set_channels({{"phone", phone}});
    put("m1");
    settle();
    EXPECT_THAT(phone->sent, IsEmpty());
}

TEST_F(OutboxLanesTest, Counts_what_became_of_each_attempt) {
    const auto phone = channel(Mood::refuses);
    outbox_->set_channels({{"phone", phone}});
    outbox_->start();
    put("m1");
    until([&] { return on_disk("m1").attempts == 1; });
    EXPECT_EQ(metrics_.gauge("noroshi_outbox_waiting", "").value(), 1);
    phone->mood = Mood::takes;
    outbox_->retry_now();
    until([&] { return outbox_->waiting() == 0; });
    const auto attempts = [this](const char* result) {
        return metrics_.counter("noroshi_outbox_attempts_total", "", {{"receiver", "phone"}, {"result", result}}).value();
    };
    EXPECT_EQ(attempts("refused"), 1U);
    EXPECT_EQ(attempts("handed_over"), 1U);
    EXPECT_EQ(metrics_.gauge("noroshi_outbox_waiting", "").value(), 0);
}

}  // namespace
}  // namespace noroshi::deliver
