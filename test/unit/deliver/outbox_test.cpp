// test/unit/deliver/outbox_test.cpp - every message is sent until it is taken, and its outcome is on disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/metrics.hpp"
#include "deliver/deliver.hpp"
#include "run_task.hpp"

namespace noroshi::deliver {
namespace {

using testing::ElementsAre;

/// Answers from a list, then with success; notes what it was given.
class ListedChannel final : public Channel {
  public:
    explicit ListedChannel(std::vector<std::optional<Error>> answers, Signal& told)
        : answers_(std::move(answers)), told_(told) {}
    Task<Result<model::Receipt>> send(model::Message message, SendOptions) override {
        sent.push_back(message.id);
        std::optional<Error> error;
        if (!answers_.empty()) {
            error = answers_.front();
            answers_.erase(answers_.begin());
        }
        told_.notify();
        if (error) {
            co_return fail(*error);
        }
        co_return model::Receipt{message.id, model::ReceiptKind::handed_over, from_unix_ms(1), "peer", "ab"};
    }
    [[nodiscard]] Capabilities capabilities() const override { return {}; }
    [[nodiscard]] Health health() const override { return Health::ok; }
    [[nodiscard]] std::string kind() const override { return "listed"; }

    std::vector<std::string> sent;

  private:
    std::vector<std::optional<Error>> answers_;
    Signal& told_;
};

/// Time passes at once, and is noted.
class FastTimers final : public Timers {
  public:
    Task<Result<void>> sleep_for(Milliseconds) override { co_return Result<void>{}; }
};

class OutboxTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("noroshi-outbox-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
        store_ = std::move(*store::Store::open(folder_, runtime_.executor(), Log::none()));
        outbox_ = std::make_unique<Outbox>(*store_, timers_, runtime_.executor(), clock_, random_, metrics_, Log::none());
    }
    void TearDown() override {
        outbox_.reset();
        store_.reset();
        std::filesystem::remove_all(folder_);
    }
    void use(std::vector<std::optional<Error>> answers) {
        channel_ = std::make_shared<ListedChannel>(std::move(answers), told_);
        outbox_->set_channels({{"phone", channel_}});
    }
    static store::OutboxRow row(const std::string& id, const std::string& receiver = "phone") {
        store::OutboxRow out;
        out.message.id = id;
        out.message.receiver = receiver;
        out.message.title = "t";
        return out;
    }
    /// Runs until `count` sends were tried (an hour passes between two) and everything that follows is on disk.
    Task<int> until(std::size_t count) {
        outbox_->start();
        while (channel_->sent.size() < count) {
            EXPECT_TRUE(co_await told_.wait());
            clock_.advance(std::chrono::hours(1));
            outbox_->retry_now();
        }
        for (int turns = 0; outbox_->waiting() > 0 && turns < 1000; ++turns) {
            store::Batch nothing;
            nothing.put_setting("turn", std::to_string(turns));
            EXPECT_TRUE(co_await store_->commit(std::move(nothing)));
        }
        co_await outbox_->stop();
        co_return 0;
    }
    [[nodiscard]] store::OutboxRow on_disk() const { return store_->load_outbox_history(1)->at(0); }

    std::filesystem::path folder_;
    Runtime runtime_;
    FastTimers timers_;
    ManualClock clock_{from_unix_ms(1'000'000)};
    SeededRandom random_{1};
    Metrics metrics_;
    Signal told_{runtime_.executor()};
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<Outbox> outbox_;
    std::shared_ptr<ListedChannel> channel_;
};

const Error no_peers{Errc::refused, "no_peers", {}, true};

TEST_F(OutboxTest, A_message_that_is_taken_is_marked_on_disk) {
    use({});
    outbox_->enqueue({row("m1")});
    static_cast<void>(runtime_.run(until(1)));
    EXPECT_THAT(channel_->sent, ElementsAre("m1"));
    EXPECT_EQ(on_disk().state, store::OutboxState::handed_over);
    EXPECT_EQ(on_disk().envelope_hash, "ab");
    EXPECT_EQ(outbox_->waiting(), 0);
}

TEST_F(OutboxTest, A_message_that_is_refused_is_tried_again_under_the_same_id) {
    use({no_peers, no_peers});
    outbox_->enqueue({row("m1")});
    static_cast<void>(runtime_.run(until(3)));
    EXPECT_THAT(channel_->sent, ElementsAre("m1", "m1", "m1"));
    EXPECT_EQ(on_disk().attempts, 3);
    EXPECT_EQ(on_disk().last_error, "");
}

TEST_F(OutboxTest, Messages_of_a_receiver_keep_their_order_over_a_failure) {
    use({no_peers});
    outbox_->enqueue({row("m1"), row("m2")});
    static_cast<void>(runtime_.run(until(3)));
    EXPECT_THAT(channel_->sent, ElementsAre("m1", "m1", "m2"));
}

TEST_F(OutboxTest, A_fault_that_no_retry_can_mend_expires_the_message_and_not_the_next) {
    use({Error{Errc::limit, "too large", {}, false}});
    outbox_->enqueue({row("m1"), row("m2")});
    static_cast<void>(runtime_.run(until(2)));
    EXPECT_THAT(channel_->sent, ElementsAre("m1", "m2"));
    const std::vector<store::OutboxRow> history = *store_->load_outbox_history(10);
    for (const store::OutboxRow& each : history) {
        EXPECT_EQ(each.state, each.message.id == "m1" ? store::OutboxState::expired : store::OutboxState::handed_over);
    }
}

TEST_F(OutboxTest, A_receiver_without_a_channel_waits_and_disturbs_no_other) {
    use({});
    outbox_->enqueue({row("m1", "nobody"), row("m2")});
    struct Wait {
        static Task<int> once(Outbox& outbox, Signal& told) {
            outbox.start();
            EXPECT_TRUE(co_await told.wait());
            co_await outbox.stop();
            co_return 0;
        }
    };
    static_cast<void>(runtime_.run(Wait::once(*outbox_, told_)));
    EXPECT_THAT(channel_->sent, ElementsAre("m2"));
    EXPECT_GE(outbox_->waiting(), 1);
}

}  // namespace
}  // namespace noroshi::deliver
