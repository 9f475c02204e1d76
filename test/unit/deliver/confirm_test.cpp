// test/unit/deliver/confirm_test.cpp - what was handed over is looked for, sent again when nobody has it, never overstated.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>

#include "base/metrics.hpp"
#include "deliver/deliver.hpp"
#include "run_task.hpp"

namespace noroshi::deliver {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

const Error nobody_has_it{Errc::not_found, "not_stored: p2 does not have it", {}, true};
const Error nobody_to_ask{Errc::io, "no_store: nobody connected keeps messages", {}, true};

/// Takes everything; says of it what the list says, then that it is stored.
class NetworkChannel final : public Channel {
  public:
    explicit NetworkChannel(const Clock& clock) : clock_(clock) {}
    Task<Result<model::Receipt>> send(model::Message message, SendOptions /*options*/) override {
        sent.push_back(message.id);
        model::Receipt out{message.id, model::ReceiptKind::handed_over, clock_.now(), "p1", "ab"};
        out.envelope_ns = static_cast<std::int64_t>(sent.size());
        out.taken_by = {"p1"};
        co_return out;
    }
    Task<Result<model::Receipt>> confirm(model::Receipt handed_over) override {
        asked.push_back((clock_.now() - handed_over.at).count());
        std::optional<Error> error;
        if (!answers.empty()) {
            error = answers.front();
            answers.pop_front();
        }
        if (error) {
            co_return fail(*error);
        }
        co_return model::Receipt{handed_over.message_id, model::ReceiptKind::stored, clock_.now(), "p2", "ab"};
    }
    void doubt(const model::Receipt& handed_over) override { doubted.push_back(handed_over.taken_by.at(0)); }
    [[nodiscard]] Capabilities capabilities() const override { return {}; }
    [[nodiscard]] Health health() const override { return Health::ok; }
    [[nodiscard]] std::string kind() const override { return "network"; }

    std::vector<std::string> sent;
    std::vector<std::int64_t> asked;  ///< ms after the hand-over
    std::vector<std::string> doubted;
    std::deque<std::optional<Error>> answers;

  private:
    const Clock& clock_;
};

class ConfirmTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("noroshi-confirm-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
        channel_ = std::make_shared<NetworkChannel>(clock_);
        open();
    }
    void TearDown() override {
        outbox_.reset();
        store_.reset();
        std::filesystem::remove_all(folder_);
    }
    void open() {
        store_ = std::move(*store::Store::open(folder_, runtime_.executor(), Log::none()));
        outbox_ = std::make_unique<Outbox>(*store_, runtime_, runtime_.executor(), clock_, random_, metrics_, Log::none());
        outbox_->set_channels({{"phone", channel_}});
    }
    void restart() {
        outbox_.reset();
        store_.reset();
        open();
        outbox_->enqueue(*store_->load_pending_outbox());
    }
    void enqueue(const std::string& id) {
        store::OutboxRow row;
        row.message.id = id;
        row.message.receiver = "phone";
        row.message.title = "t";
        row.message.created_at = clock_.now();
        outbox_->enqueue({row});
    }
    /// Runs the outbox over that much time, in steps of a second, of ten when it is long.
    void pass(Milliseconds time) { static_cast<void>(runtime_.run(run_for(time))); }
    void acknowledge(const std::string& id, model::ReceiptKind kind = model::ReceiptKind::delivered) {
        static_cast<void>(runtime_.run(run_for(0s, id, kind)));
    }
    /// The times at which the words were said, in ms after the making; -1: not said.
    std::vector<std::int64_t> stages() {
        const Result<std::vector<store::HistoryEntry>> history = test::run(runtime_, store_->history(1));
        std::vector<std::int64_t> out(4, -1);
        for (const model::Receipt& receipt : history->at(0).receipts) {
            out[static_cast<std::size_t>(receipt.kind)] = (receipt.at - history->at(0).row.message.created_at).count();
        }
        return out;
    }
    [[nodiscard]] store::OutboxRow on_disk() const { return store_->load_outbox_history(1)->at(0); }
    std::uint64_t counted(const char* result) {
        return metrics_
            .counter("noroshi_outbox_confirmations_total", "", {{"receiver", "phone"}, {"result", result}})
            .value();
    }

    Runtime runtime_{0};
    ManualClock clock_{from_unix_ms(1'700'000'000'000)};
    std::shared_ptr<NetworkChannel> channel_;
    std::unique_ptr<Outbox> outbox_;
    std::unique_ptr<store::Store> store_;

  private:
    Task<int> run_for(Milliseconds time, std::string acknowledged = "",
                      model::ReceiptKind kind = model::ReceiptKind::delivered) {
        outbox_->start();
        co_await settle();
        for (const char* receiver : {"tablet", "phone"}) {
            if (!acknowledged.empty()) {
                model::Receipt receipt{acknowledged, kind, clock_.now(), "owner"};
                EXPECT_TRUE(co_await outbox_->take_receipt(receiver, std::move(receipt)));
            }
        }
        const Milliseconds step = time > 5min ? 10s : 1s;
        for (Milliseconds gone{0}; gone < time; gone += step) {
            clock_.advance(step);
            outbox_->retry_now();
            co_await settle();
        }
        co_await outbox_->stop();
        co_return 0;
    }
    /// Ends when what the outbox wrote is on disk.
    Task<void> settle() {
        for (int turn = 0; turn < 6; ++turn) {
            store::Batch nothing;
            nothing.put_setting("turn", std::to_string(turn));
            EXPECT_TRUE(co_await store_->commit(std::move(nothing)));
            static_cast<void>(co_await runtime_.sleep_for(Milliseconds(0)));
        }
    }
    std::filesystem::path folder_;
    SeededRandom random_{1};

  protected:
    Metrics metrics_;
};

TEST_F(ConfirmTest, A_message_that_a_store_has_is_stored_and_asked_for_no_more) {
    enqueue("m1");
    pass(10s);
    EXPECT_EQ(on_disk().state, store::OutboxState::stored);
    EXPECT_FALSE(on_disk().unconfirmed);
    EXPECT_THAT(channel_->asked, ElementsAre(3'000));
    EXPECT_EQ(outbox_->unconfirmed(), 0U);
    EXPECT_EQ(counted("stored"), 1U);
}

TEST_F(ConfirmTest, The_question_is_put_after_3_6_12_and_24_seconds) {
    channel_->answers = {nobody_has_it, nobody_has_it, nobody_has_it};
    enqueue("m1");
    pass(30s);
    EXPECT_THAT(channel_->asked, ElementsAre(3'000, 6'000, 12'000, 24'000));
    EXPECT_EQ(on_disk().state, store::OutboxState::stored);
    EXPECT_THAT(channel_->sent, ElementsAre("m1"));
}

TEST_F(ConfirmTest, What_nobody_has_is_sent_again_under_its_id_and_its_taker_is_doubted) {
    channel_->answers = {nobody_has_it, nobody_has_it, nobody_has_it, nobody_has_it};
    enqueue("m1");
    pass(23s);
    EXPECT_THAT(channel_->sent, ElementsAre("m1"));
    EXPECT_EQ(on_disk().state, store::OutboxState::handed_over);
    EXPECT_TRUE(on_disk().unconfirmed);
    pass(8s);
    EXPECT_THAT(channel_->sent, ElementsAre("m1", "m1"));
    EXPECT_THAT(channel_->doubted, ElementsAre("p1"));
    EXPECT_EQ(on_disk().state, store::OutboxState::stored);
    EXPECT_EQ(on_disk().resends, 1U);
    EXPECT_EQ(on_disk().envelope_ns, 2) << "with a fresh timestamp";
    EXPECT_EQ(on_disk().last_error, "");
}

TEST_F(ConfirmTest, After_five_losses_it_stays_handed_over_and_is_never_called_stored) {
    channel_->answers.assign(1'000, nobody_has_it);
    enqueue("m1");
    pass(30min);
    EXPECT_EQ(channel_->sent.size(), 6U);
    EXPECT_EQ(on_disk().state, store::OutboxState::handed_over);
    EXPECT_FALSE(on_disk().unconfirmed);
    EXPECT_EQ(on_disk().last_error, "not_stored: no store has it");
    EXPECT_EQ(counted("lost"), 5U);
    EXPECT_EQ(counted("not_stored"), 1U);
    EXPECT_EQ(outbox_->unconfirmed(), 0U);
}

TEST_F(ConfirmTest, Without_anybody_to_ask_it_is_not_sent_again_and_the_question_ends_after_an_hour) {
    channel_->answers.assign(1'000, nobody_to_ask);
    enqueue("m1");
    pass(59min);
    EXPECT_EQ(outbox_->unconfirmed(), 1U);
    pass(12min);
    EXPECT_THAT(channel_->sent, ElementsAre("m1"));
    EXPECT_EQ(on_disk().state, store::OutboxState::handed_over);
    EXPECT_EQ(on_disk().last_error, nobody_to_ask.message);
    EXPECT_LT(channel_->asked.size(), 20U);
}

TEST_F(ConfirmTest, The_question_survives_a_restart) {
    channel_->answers = {nobody_has_it, nobody_has_it};
    enqueue("m1");
    pass(8s);
    restart();
    pass(10s);
    EXPECT_EQ(on_disk().state, store::OutboxState::stored);
    EXPECT_THAT(channel_->sent, ElementsAre("m1")) << "it was handed over already";
}

TEST_F(ConfirmTest, A_loss_found_after_a_long_sleep_is_sent_again) {
    channel_->answers = {nobody_has_it, nobody_has_it};
    enqueue("m1");
    pass(4s);
    clock_.advance(6h);
    pass(5s);
    EXPECT_THAT(channel_->sent, ElementsAre("m1", "m1"));
    EXPECT_EQ(on_disk().state, store::OutboxState::stored);
}

TEST_F(ConfirmTest, The_owners_receipt_ends_the_question_at_any_time) {
    channel_->answers.assign(1'000, nobody_to_ask);
    enqueue("m1");
    pass(1s);
    acknowledge("m1");
    EXPECT_EQ(on_disk().state, store::OutboxState::delivered);
    EXPECT_EQ(outbox_->unconfirmed(), 0U);
    acknowledge("m1");
    EXPECT_EQ(counted("delivered"), 1U) << "once";
}

TEST_F(ConfirmTest, The_question_about_a_receiver_that_is_gone_ends_after_two_days) {
    channel_->answers.assign(1'000, nobody_to_ask);
    enqueue("m1");
    pass(1s);
    outbox_->set_channels({});
    pass(6min);
    EXPECT_EQ(outbox_->unconfirmed(), 1U);
    clock_.advance(48h);
    pass(6min);
    EXPECT_EQ(outbox_->unconfirmed(), 0U);
    EXPECT_EQ(on_disk().state, store::OutboxState::handed_over);
    EXPECT_FALSE(on_disk().unconfirmed);
    EXPECT_EQ(counted("no_receiver"), 1U);
}

TEST_F(ConfirmTest, A_receipt_that_overtakes_the_attempt_takes_the_message_out_of_the_queue) {
    enqueue("m1");
    const model::Receipt receipt{"m1", model::ReceiptKind::delivered, clock_.now(), "owner"};
    EXPECT_TRUE(test::run(runtime_, outbox_->take_receipt("phone", receipt)));
    pass(1s);
    EXPECT_EQ(on_disk().state, store::OutboxState::delivered);
    EXPECT_THAT(channel_->sent, ElementsAre());
    EXPECT_EQ(outbox_->waiting(), 0U);
}

TEST_F(ConfirmTest, A_receipt_after_a_restart_finds_its_message) {
    enqueue("m1");
    pass(5s);
    restart();
    acknowledge("m1");
    EXPECT_EQ(on_disk().state, store::OutboxState::delivered);
}

TEST_F(ConfirmTest, An_answer_is_more_than_delivery_and_each_keeps_its_own_time) {
    enqueue("m1");
    pass(5s);
    acknowledge("m1");
    pass(60s);
    acknowledge("m1", model::ReceiptKind::answered);
    pass(60s);
    acknowledge("m1", model::ReceiptKind::answered);
    EXPECT_EQ(on_disk().state, store::OutboxState::answered);
    EXPECT_EQ(counted("answered"), 1U);
    EXPECT_THAT(stages(), ElementsAre(0, 3'000, 5'000, 65'000));
}

TEST_F(ConfirmTest, A_late_delivery_does_not_take_the_answer_back) {
    enqueue("m1");
    pass(5s);
    acknowledge("m1", model::ReceiptKind::answered);
    acknowledge("m1");
    EXPECT_EQ(on_disk().state, store::OutboxState::answered);
    EXPECT_THAT(stages(), ElementsAre(0, 3'000, 5'000, 5'000));
}

TEST_F(ConfirmTest, The_times_of_the_stages_are_in_the_metrics) {
    enqueue("m1");
    pass(5s);
    acknowledge("m1");
    const std::string text = metrics_.expose();
    EXPECT_THAT(text, testing::HasSubstr("noroshi_outbox_stage_seconds_bucket{receiver=\"phone\",stage=\"handed_over\",le=\"0.1\"} 1\n"));
    EXPECT_THAT(text, testing::HasSubstr("noroshi_outbox_stage_seconds_sum{receiver=\"phone\",stage=\"stored\"} 3\n"));
    EXPECT_THAT(text, testing::HasSubstr("noroshi_outbox_stage_seconds_count{receiver=\"phone\",stage=\"delivered\"} 1\n"));
}

TEST_F(ConfirmTest, The_owners_receipt_after_the_store_still_counts_and_a_strangers_id_does_nothing) {
    enqueue("m1");
    pass(5s);
    EXPECT_EQ(on_disk().state, store::OutboxState::stored);
    acknowledge("m2");
    EXPECT_EQ(on_disk().state, store::OutboxState::stored);
    acknowledge("m1");
    EXPECT_EQ(on_disk().state, store::OutboxState::delivered);
}

}  // namespace
}  // namespace noroshi::deliver
