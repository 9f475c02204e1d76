// test/support/channel_contract.hpp - what every channel over a Waku node is asked for: a typed suite, run for each kind.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "deliver/deliver.hpp"
#include "fake_node.hpp"
#include "manual_timers.hpp"
#include "run_task.hpp"

namespace noroshi::test {

/// `Made` is the kind under test: constructed over (FakeNode&, ManualLoop&), gives `channel()`.
template <class Made>
class ChannelContract : public testing::Test {
  protected:
    static model::Message message() {
        return {"017f3f5eaf47b00f20ba1b9882aaa420", "phone", model::MessageStatus::firing, "FIRING High", "line 1\nline 2",
                {{"alertname", "High"}}, from_unix_ms(1'700'000'000'000), ""};
    }
    Result<model::Receipt> send(const model::Message& what = message()) {
        return run(loop_.runtime, channel().send(what, {}));
    }
    deliver::Channel& channel() { return made_.channel(); }

    ManualLoop loop_{from_unix_ms(1'700'000'000'000)};
    FakeNode node_{loop_.runtime.executor()};
    Made made_{node_, loop_};
};
TYPED_TEST_SUITE_P(ChannelContract);

TYPED_TEST_P(ChannelContract, A_receipt_names_message_envelope_topics_and_takers) {
    EXPECT_EQ(this->channel().health(), deliver::Health::unknown);
    const auto receipt = this->send();
    ASSERT_TRUE(receipt) << receipt.error().to_string();
    ASSERT_EQ(this->node_.published.size(), 1U);
    const auto& [topic, envelope] = this->node_.published.front();
    EXPECT_EQ(receipt->message_id, this->message().id);
    EXPECT_EQ(receipt->kind, model::ReceiptKind::handed_over);
    EXPECT_EQ(receipt->at, this->loop_.clock.now());
    EXPECT_EQ(receipt->envelope_hash, to_hex(waku::message_hash(topic, envelope)));
    EXPECT_EQ(receipt->envelope_ns, *envelope.timestamp_ns);
    EXPECT_EQ(receipt->pubsub_topic, topic);
    EXPECT_EQ(receipt->content_topic, envelope.content_topic);
    EXPECT_EQ(receipt->by, "p1");
    EXPECT_THAT(receipt->taken_by, testing::ElementsAre("p1", "p2"));
    EXPECT_EQ(this->channel().health(), deliver::Health::ok);
}

TYPED_TEST_P(ChannelContract, A_message_may_be_sent_again_under_its_id) {
    const auto first = this->send();
    this->loop_.clock.advance(Milliseconds(1'000));
    const auto second = this->send();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->message_id, second->message_id);
    EXPECT_NE(first->envelope_hash, second->envelope_hash) << "an equal envelope would be dropped as seen";
}

TYPED_TEST_P(ChannelContract, A_deadline_that_is_none_is_refused) {
    const auto receipt = run(this->loop_.runtime, this->channel().send(this->message(), {.deadline = Milliseconds(0)}));
    EXPECT_EQ(receipt.error().code, Errc::invalid_argument);
    EXPECT_FALSE(receipt.error().retryable);
}

TYPED_TEST_P(ChannelContract, A_message_over_the_limit_is_not_tried_again) {
    model::Message large = this->message();
    large.body = std::string(70 * 1024, 'x');
    const auto receipt = this->send(large);
    EXPECT_EQ(receipt.error().code, Errc::limit);
    EXPECT_FALSE(receipt.error().retryable);
    EXPECT_TRUE(this->node_.published.empty());
}

TYPED_TEST_P(ChannelContract, What_fits_by_its_word_is_taken) {
    model::Message full = this->message();
    full.body = std::string(this->channel().capabilities().max_bytes - full.title.size(), 'x');
    EXPECT_TRUE(this->send(full));
}

TYPED_TEST_P(ChannelContract, A_network_that_refuses_may_be_tried_again) {
    this->node_.refuses = Error{Errc::refused, "no_peers: nobody is connected", {}, true};
    const auto receipt = this->send();
    ASSERT_FALSE(receipt);
    EXPECT_TRUE(receipt.error().retryable);
    EXPECT_EQ(first_word(receipt.error().message), "no_peers");
    EXPECT_EQ(this->channel().health(), deliver::Health::failing);
}

TYPED_TEST_P(ChannelContract, A_network_that_hangs_ends_at_the_deadline) {
    Signal never(this->loop_.runtime.executor());
    this->node_.hangs = &never;
    const auto receipt = run(this->loop_.runtime, this->channel().send(this->message(), {.deadline = Milliseconds(5)}));
    EXPECT_EQ(receipt.error().code, Errc::timeout);
    EXPECT_TRUE(receipt.error().retryable);
}

TYPED_TEST_P(ChannelContract, A_stop_during_a_send_is_a_cancellation) {
    struct Sender {
        static Task<void> send(deliver::Channel& channel, model::Message what, std::string& end) {
            const Result<model::Receipt> receipt = co_await channel.send(std::move(what), {});
            end = receipt ? "receipt" : errc_name(receipt.error().code);
        }
    };
    Signal never(this->loop_.runtime.executor());
    this->node_.hangs = &never;
    std::string end;
    TaskGroup tasks(this->loop_.runtime.executor());
    tasks.spawn("send", Sender::send(this->channel(), this->message(), end));
    this->loop_.settle();
    run(this->loop_.runtime, tasks.stop());
    EXPECT_EQ(end, "cancelled");
}

TYPED_TEST_P(ChannelContract, Stored_is_the_word_of_a_store_about_this_envelope) {
    const auto receipt = this->send();
    ASSERT_TRUE(receipt);
    const auto stored = run(this->loop_.runtime, this->channel().confirm(*receipt));
    ASSERT_TRUE(stored) << stored.error().to_string();
    EXPECT_EQ(stored->kind, model::ReceiptKind::stored);
    EXPECT_EQ(stored->message_id, receipt->message_id);
    EXPECT_EQ(stored->by, "store");
    ASSERT_EQ(this->node_.asked.size(), 1U);
    EXPECT_EQ(to_hex(this->node_.asked[0].hash), receipt->envelope_hash);
    EXPECT_EQ(this->node_.asked[0].pubsub_topic, receipt->pubsub_topic);
    EXPECT_EQ(this->node_.asked[0].content_topic, receipt->content_topic);
    EXPECT_EQ(this->node_.asked[0].timestamp_ns, receipt->envelope_ns);
    EXPECT_EQ(this->node_.asked[0].peers, receipt->taken_by);
}

TYPED_TEST_P(ChannelContract, Nobody_has_it_and_nobody_to_ask_are_two_things) {
    const auto receipt = this->send();
    ASSERT_TRUE(receipt);
    this->node_.word = waku::StoreWord{false, "store", true};
    const auto lost = run(this->loop_.runtime, this->channel().confirm(*receipt));
    EXPECT_EQ(lost.error().code, Errc::not_found);
    this->node_.word = fail(Error{Errc::not_found, "no_store: nobody connected keeps messages", {}, true});
    const auto unknown = run(this->loop_.runtime, this->channel().confirm(*receipt));
    EXPECT_NE(unknown.error().code, Errc::not_found);
    EXPECT_TRUE(unknown.error().retryable);
}

TYPED_TEST_P(ChannelContract, What_names_no_envelope_cannot_be_looked_for) {
    const model::Receipt without{"m1", model::ReceiptKind::handed_over, from_unix_ms(1), "p1", ""};
    EXPECT_EQ(run(this->loop_.runtime, this->channel().confirm(without)).error().code, Errc::unsupported);
}

TYPED_TEST_P(ChannelContract, Doubt_names_the_takers) {
    const auto receipt = this->send();
    ASSERT_TRUE(receipt);
    this->channel().doubt(*receipt);
    EXPECT_EQ(this->node_.doubted, receipt->taken_by);
}

TYPED_TEST_P(ChannelContract, Knows_its_kind_and_who_reads) {
    EXPECT_FALSE(this->channel().kind().empty());
    EXPECT_TRUE(this->channel().capabilities().verified_identity);
}

REGISTER_TYPED_TEST_SUITE_P(ChannelContract, A_receipt_names_message_envelope_topics_and_takers,
                            A_message_may_be_sent_again_under_its_id, A_deadline_that_is_none_is_refused,
                            A_message_over_the_limit_is_not_tried_again, What_fits_by_its_word_is_taken,
                            A_network_that_refuses_may_be_tried_again, A_network_that_hangs_ends_at_the_deadline,
                            A_stop_during_a_send_is_a_cancellation, Stored_is_the_word_of_a_store_about_this_envelope,
                            Nobody_has_it_and_nobody_to_ask_are_two_things, What_names_no_envelope_cannot_be_looked_for,
                            Doubt_names_the_takers, Knows_its_kind_and_who_reads);

}  // namespace noroshi::test
