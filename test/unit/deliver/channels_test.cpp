// test/unit/deliver/channels_test.cpp - the contract of channels for each kind, and what the Status channel does beside it.
#include <filesystem>

#include "channel_contract.hpp"
#include "deliver/status_channel.hpp"
#include "deliver/waku_channel.hpp"
#include "fake_messenger.hpp"

namespace noroshi::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

crypto::SecretKey key_of(std::uint8_t byte) { return *crypto::SecretKey::from_bytes(Bytes(32, byte)); }

class WakuKind {
  public:
    WakuKind(FakeNode& node, ManualLoop& loop)
        : channel_(deliver::make_waku_channel({key_of(2).public_key(), "/waku/2/rs/16/32"}, key_of(1), node, loop.clock, random_)) {}
    deliver::Channel& channel() { return *channel_; }

  private:
    SeededRandom random_{1};
    std::shared_ptr<deliver::Channel> channel_;
};

/// The owner is a contact already.
class StatusKind {
  public:
    StatusKind(FakeNode& node, ManualLoop& loop) : loop_(loop), messenger(node, loop.runtime.executor()) {
        folder_ = std::filesystem::temp_directory_path() /
                  ("noroshi-channel-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        store_ = std::move(*store::Store::open(folder_, loop.runtime.executor(), Log::none()));
        messenger.make_contact(owner);
        channel_ = deliver::make_status_channel(owner, messenger, *store_, node, loop.clock);
    }
    ~StatusKind() {
        store_.reset();
        std::filesystem::remove_all(folder_);
    }
    deliver::Channel& channel() { return *channel_; }
    /// In the outbox's history, as every message is before it is sent.
    void keep(const model::Message& message) {
        store::OutboxRow row;
        row.message = message;
        store::Batch batch;
        batch.put_outbox(std::move(row));
        EXPECT_TRUE(run(loop_.runtime, store_->commit(std::move(batch))));
    }

    const crypto::PublicKey owner = key_of(2).public_key();

  private:
    ManualLoop& loop_;
    std::filesystem::path folder_;
    std::unique_ptr<store::Store> store_;
    std::shared_ptr<deliver::Channel> channel_;

  public:
    FakeMessenger messenger;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Waku, ChannelContract, WakuKind);
INSTANTIATE_TYPED_TEST_SUITE_P(Status, ChannelContract, StatusKind);

class StatusChannelTest : public ChannelContract<StatusKind> {
  protected:
    static model::Message resolved() {
        model::Message out = message();
        out.id = "117f3f5eaf47b00f20ba1b9882aaa420";
        out.status = model::MessageStatus::resolved;
        out.title = "RESOLVED High";
        out.replaces = message().id;
        return out;
    }
};

TEST_F(StatusChannelTest, The_chat_text_is_title_and_body_under_the_messages_id) {
    ASSERT_TRUE(send());
    ASSERT_EQ(made_.messenger.sent.size(), 1U);
    EXPECT_EQ(made_.messenger.sent[0].key, message().id);
    EXPECT_EQ(made_.messenger.sent[0].to, made_.owner);
    EXPECT_EQ(made_.messenger.sent[0].text, "FIRING High\nline 1\nline 2");
    EXPECT_EQ(made_.messenger.sent[0].replies_to, "");
    EXPECT_THAT(made_.messenger.edits, IsEmpty());
}

TEST_F(StatusChannelTest, A_resolution_replies_to_the_alert_and_edits_it) {
    made_.keep(message());
    ASSERT_TRUE(send(resolved()));
    EXPECT_EQ(made_.messenger.sent[0].replies_to, message().id);
    ASSERT_EQ(made_.messenger.edits.size(), 1U);
    EXPECT_EQ(made_.messenger.edits[0].of_key, message().id);
    EXPECT_EQ(made_.messenger.edits[0].key, resolved().id + ".edit");
    EXPECT_EQ(made_.messenger.edits[0].text, "[over] FIRING High\nline 1\nline 2");
}

TEST_F(StatusChannelTest, A_long_alert_is_edited_to_its_title) {
    model::Message lengthy = message();
    lengthy.body = std::string(6'000, 'x');
    made_.keep(lengthy);
    ASSERT_TRUE(send(resolved()));
    EXPECT_EQ(made_.messenger.edits.at(0).text, "[over] FIRING High");
}

TEST_F(StatusChannelTest, News_about_what_still_fires_edit_nothing) {
    made_.keep(message());
    model::Message news = resolved();
    news.status = model::MessageStatus::firing;
    ASSERT_TRUE(send(news));
    EXPECT_EQ(made_.messenger.sent[0].replies_to, message().id);
    EXPECT_THAT(made_.messenger.edits, IsEmpty());
}

TEST_F(StatusChannelTest, An_edit_that_fails_is_no_fault) {
    made_.keep(message());
    made_.messenger.refuses_edits = true;
    EXPECT_TRUE(send(resolved()));
    EXPECT_EQ(channel().health(), deliver::Health::ok);
}

TEST_F(StatusChannelTest, A_message_that_history_does_not_know_is_not_edited) {
    ASSERT_TRUE(send(resolved()));
    EXPECT_THAT(made_.messenger.edits, IsEmpty());
}

TEST_F(StatusChannelTest, Who_is_no_contact_is_waited_for_and_the_error_says_what_to_do) {
    static_cast<void>(run(loop_.runtime, made_.messenger.remove_contact(made_.owner)));
    const auto receipt = send();
    ASSERT_FALSE(receipt);
    EXPECT_TRUE(receipt.error().retryable);
    EXPECT_EQ(first_word(receipt.error().message), "not_paired");
    EXPECT_THAT(receipt.error().message, HasSubstr(status::chat_key(made_.owner)));
    EXPECT_THAT(receipt.error().message, HasSubstr("noroshi pair"));
    EXPECT_EQ(channel().health(), deliver::Health::failing);
}

}  // namespace
}  // namespace noroshi::test
