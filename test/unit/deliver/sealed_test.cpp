// test/unit/deliver/sealed_test.cpp - a notification inside its envelope: who can read it, and what a reader refuses.
#include <gtest/gtest.h>

#include "deliver/waku_channel.hpp"
#include "run_task.hpp"
#include "waku/host.hpp"
#include "waku/payload.hpp"

namespace noroshi::deliver {
namespace {

using crypto::SecretKey;

SecretKey key_of(std::uint8_t byte) { return *SecretKey::from_bytes(Bytes(32, byte)); }
const model::Labels labels{{"alertname", "High"}};

model::Message message() {
    return {"017f3f5eaf47b00f20ba1b9882aaa420", "", model::MessageStatus::resolved, "RESOLVED High", "line 1\nline 2",
            labels, from_unix_ms(1'700'000'000'000), ""};
}

/// What `reader` gets when `plain` was sealed by `signer` to key 2.
Result<ReceivedNotification> opened(Bytes plain, const SecretKey* signer, const SecretKey& reader,
                                    const std::function<void(waku::WakuMessage&)>& change = {}) {
    SeededRandom random(1);
    waku::ReceivedMessage received;
    received.message.payload = *waku::seal_asymmetric(plain, key_of(2).public_key(), signer, random);
    received.message.version = waku::payload_version_1;
    received.message.content_topic = notification_content_topic;
    received.hash = crypto::Digest{0xab};
    if (change) {
        change(received.message);
    }
    return open_notification(received, reader);
}
Bytes plain(const model::Message& m = message()) { return *encode_notification(m, from_unix_ms(1'700'000'001'000)); }

TEST(Sealed, The_owner_reads_it_and_knows_who_wrote_it) {
    const SecretKey signer = key_of(1);
    const auto received = opened(plain(), &signer, key_of(2));
    ASSERT_TRUE(received) << received.error().to_string();
    EXPECT_EQ(received->message, message());
    EXPECT_EQ(received->from, signer.public_key());
    EXPECT_EQ(received->sent_at, from_unix_ms(1'700'000'001'000));
    EXPECT_EQ(received->envelope_hash.substr(0, 4), "ab00");
}

TEST(Sealed, Nobody_else_reads_it) {
    const SecretKey signer = key_of(1);
    const auto received = opened(plain(), &signer, key_of(3));
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().message, "wrong_key_or_tampered");
}

TEST(Sealed, Every_changed_byte_is_seen) {
    const SecretKey signer = key_of(1);
    SeededRandom random(1);
    const std::size_t size = waku::seal_asymmetric(plain(), key_of(2).public_key(), &signer, random)->size();
    for (std::size_t i = 0; i < size; i += 7) {
        EXPECT_FALSE(opened(plain(), &signer, key_of(2), [i](waku::WakuMessage& m) { m.payload[i] ^= 1; })) << i;
    }
}

TEST(Sealed, What_nobody_signed_is_refused) {
    const auto received = opened(plain(), nullptr, key_of(2));
    EXPECT_EQ(received.error().code, Errc::refused);
    EXPECT_EQ(received.error().message, "not_signed");
}

TEST(Sealed, What_is_not_encrypted_is_refused) {
    const SecretKey signer = key_of(1);
    const auto received = opened(plain(), &signer, key_of(2), [](waku::WakuMessage& m) { m.version = 0; });
    EXPECT_EQ(received.error().message, "not_encrypted");
}

TEST(Sealed, The_size_does_not_tell_the_length_of_a_short_text) {
    SeededRandom random(1);
    const SecretKey signer = key_of(1);
    model::Message shorter = message();
    shorter.body = "";
    const auto size = [&](const model::Message& m) {
        return waku::seal_asymmetric(plain(m), key_of(2).public_key(), &signer, random)->size();
    };
    EXPECT_EQ(size(shorter), size(message()));
}

TEST(Sealed, Texts_that_could_disguise_themselves_are_refused) {
    const SecretKey signer = key_of(1);
    for (const char* bad : {"two\nlines", "tab\t", "esc\x1b[2J", "del\x7f"}) {
        model::Message odd = message();
        odd.title = bad;
        EXPECT_EQ(opened(plain(odd), &signer, key_of(2)).error().message, "bad_text") << bad;
    }
}

TEST(Sealed, A_label_that_the_reader_would_refuse_is_left_out) {
    model::Message odd = message();
    odd.labels = {{"alertname", "High"}, {"bad", "esc\x1b"}, {"long", std::string(2'000, 'x')}};
    EXPECT_EQ(decode_notification(plain(odd))->message.labels, labels);
}

TEST(Sealed, Bounds_of_texts_are_the_same_on_both_sides) {
    model::Message large = message();
    large.title = std::string(200, 'x');
    large.body = std::string(8 * 1024, 'y');
    EXPECT_TRUE(decode_notification(plain(large)));
    large.title += "x";
    EXPECT_EQ(decode_notification(plain(large)).error().message, "bad_text");
}

TEST(Sealed, Garbage_has_a_named_reason) {
    EXPECT_EQ(decode_notification(as_bytes("\xff\xff\xff\xff")).error().message, "malformed");
    EXPECT_EQ(decode_notification({}).error().message, "bad_id");
    EXPECT_EQ(decode_notification(Bytes(70'000, 0)).error().message, "too_large");
}

class NoHost {
  public:
    static Result<std::unique_ptr<waku::P2pHost>> make(const waku::HostOptions&, waku::HostEvents) {
        return fail(Errc::io, "no host here");
    }
};

class WakuChannelTest : public testing::Test {
  protected:
    WakuChannelTest() {
        waku::NodeConfig config{.key = key_of(5), .listen = {}, .peers = {}};
        node_ = std::move(*waku::Node::create(std::move(config), NoHost::make, runtime_, clock_, random_, metrics_, Log::none()));
        WakuChannelConfig to{key_of(2).public_key(), "/waku/2/rs/16/32"};
        channel_ = make_waku_channel(std::move(to), key_of(1), *node_, clock_, random_);
    }
    Runtime runtime_{0};
    ManualClock clock_{from_unix_ms(1'700'000'000'000)};
    SeededRandom random_{1};
    Metrics metrics_;
    std::unique_ptr<waku::Node> node_;
    std::shared_ptr<Channel> channel_;
};

TEST_F(WakuChannelTest, Without_a_network_the_message_may_be_tried_again) {
    EXPECT_EQ(channel_->health(), Health::unknown);
    const auto receipt = test::run(runtime_, channel_->send(message(), {}));
    ASSERT_FALSE(receipt);
    EXPECT_TRUE(receipt.error().retryable);
    EXPECT_EQ(channel_->health(), Health::failing);
}

TEST_F(WakuChannelTest, A_deadline_that_is_none_is_refused) {
    const auto receipt = test::run(runtime_, channel_->send(message(), {.deadline = Milliseconds(0)}));
    EXPECT_EQ(receipt.error().code, Errc::invalid_argument);
}

TEST_F(WakuChannelTest, A_message_over_the_limit_is_not_tried_again) {
    model::Message large = message();
    large.body = std::string(70 * 1024, 'x');
    const auto receipt = test::run(runtime_, channel_->send(large, {}));
    EXPECT_EQ(receipt.error().code, Errc::limit);
    EXPECT_FALSE(receipt.error().retryable);
}

}  // namespace
}  // namespace noroshi::deliver
