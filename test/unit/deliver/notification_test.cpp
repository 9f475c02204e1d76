// test/unit/deliver/notification_test.cpp - the plain bytes of a notification.
#include <gtest/gtest.h>

#include "deliver/waku_channel.hpp"

namespace noroshi::deliver {
namespace {

model::Message message() {
    return {"017f3f5eaf47b00f20ba1b9882aaa420", "", model::MessageStatus::firing, "FIRING High", "line 1\nline 2",
            {{"alertname", "High"}}, from_unix_ms(1'700'000'000'000), "27f3f5eaf47b00f20ba1b9882aaa4200"};
}

TEST(Notification, Reads_back_what_was_written) {
    const Bytes bytes = *encode_notification(message(), from_unix_ms(1'700'000'001'000));
    const Result<DecodedNotification> decoded = decode_notification(bytes);
    ASSERT_TRUE(decoded) << decoded.error().to_string();
    EXPECT_EQ(decoded->message, message());
    EXPECT_EQ(decoded->sent_at, from_unix_ms(1'700'000'001'000));
}

TEST(Notification, Every_cut_of_it_is_refused_or_reads_as_something_shorter_but_never_crashes) {
    const Bytes bytes = *encode_notification(message(), from_unix_ms(1));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const Result<DecodedNotification> decoded = decode_notification(ByteView(bytes).first(size));
        EXPECT_TRUE(!decoded || !(decoded->message == message()));
    }
}

TEST(Notification, Refuses_an_id_that_is_none_and_text_that_is_not_UTF_8) {
    model::Message bad = message();
    bad.id = "short";
    const Result<Bytes> bytes = encode_notification(bad, from_unix_ms(1));
    EXPECT_TRUE(!bytes || !decode_notification(*bytes));
    Bytes broken = *encode_notification(message(), from_unix_ms(1));
    const auto at = std::search(broken.begin(), broken.end(), reinterpret_cast<const std::uint8_t*>("High"),
                                reinterpret_cast<const std::uint8_t*>("High") + 4);
    *at = 0xff;
    EXPECT_FALSE(decode_notification(broken));
}

TEST(Notification, Refuses_more_than_it_may_hold) {
    model::Message large = message();
    large.body = std::string(70 * 1024, 'x');
    EXPECT_FALSE(encode_notification(large, from_unix_ms(1)));
}

}  // namespace
}  // namespace noroshi::deliver
