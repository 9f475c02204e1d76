// test/unit/status/messenger_hostile_test.cpp - what others may not do to a messenger: forge, replay, flood, speak in the open.
#include <gmock/gmock.h>

#include "identity.hpp"
#include "outsider.hpp"
#include "receiver.hpp"
#include "topics.hpp"

namespace noroshi::status::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class HostileTest : public testing::Test {
  protected:
    void SetUp() override {
        daemon.owners = {owner.key()};
        daemon.start();
        owner.say(owner.request(daemon.key()), daemon.key());
        bench.pass(1s);
        ASSERT_THAT(daemon.told<ContactMade>(), SizeIs(1));
    }
    Bench bench;
    Party& daemon = bench.add(0x11, "noroshi");
    Outsider owner{bench, 0x22, "owner"};
    Outsider stranger{bench, 0x33, "stranger"};
};

TEST_F(HostileTest, Text_of_an_owner_is_taken_with_version_0_1_or_none) {
    owner.say(owner.text(daemon.key(), "one"), daemon.key());
    Making making;
    making.version = 0;
    owner.say(owner.text(daemon.key(), "two"), daemon.key(), making);
    making.version.reset();
    owner.say(owner.text(daemon.key(), "three"), daemon.key(), making);
    EXPECT_THAT(daemon.texts(), ElementsAre("one", "two", "three"));
}

TEST_F(HostileTest, Text_without_mvds_is_taken_and_not_acknowledged) {
    bench.pass(10s);
    const int publishes = daemon.node->publishes;
    Making making;
    making.mvds = false;
    owner.say(owner.text(daemon.key(), "one"), daemon.key(), making);
    bench.pass(1s);
    EXPECT_THAT(daemon.texts(), ElementsAre("one"));
    EXPECT_EQ(daemon.node->publishes, publishes);
}

TEST_F(HostileTest, Forged_and_open_messages_are_refused) {
    struct Case {
        const char* word;
        Making making;
    };
    const crypto::SecretKey other = secret(0x44);
    std::vector<Case> cases(5);
    cases[0].word = "unsigned";
    cases[0].making.signed_envelope = false;
    cases[1].word = "other_signer";
    cases[1].making.application_signer = &other;
    cases[2].word = "not_encrypted";
    cases[2].making.encrypted = false;
    cases[3].word = "not_encrypted";
    cases[3].making.encryption_layer = false;
    cases[4].word = "no_timestamp";
    cases[4].making.sent_at = TimestampMs{};
    bench.pass(10s);
    const int publishes = daemon.node->publishes;
    for (const Case& one : cases) {
        const std::uint64_t before = daemon.received(one.word);
        owner.say(owner.text(daemon.key(), "forged"), daemon.key(), one.making);
        owner.say(owner.request(daemon.key()), daemon.key(), one.making);
        EXPECT_EQ(daemon.received(one.word), before + 2) << one.word;
    }
    bench.pass(1s);
    EXPECT_THAT(daemon.texts(), IsEmpty());
    EXPECT_EQ(daemon.node->publishes, publishes);  // nor acknowledged
}

TEST_F(HostileTest, A_message_of_another_group_is_refused_and_not_acknowledged) {
    bench.pass(10s);
    const int publishes = daemon.node->publishes;
    const Bytes frame = owner.frame(owner.text(daemon.key(), "hello"));
    bench.inject(owner.envelopes(owner.in_mvds(frame, stranger.key()), daemon.key()).front());
    bench.pass(1s);
    EXPECT_EQ(daemon.received("other_group"), 1U);
    EXPECT_THAT(daemon.texts(), IsEmpty());
    EXPECT_EQ(daemon.node->publishes, publishes);
}

TEST_F(HostileTest, Strangers_are_not_heard) {
    bench.pass(10s);
    const int publishes = daemon.node->publishes;
    stranger.say(stranger.text(daemon.key(), "hello"), daemon.key());
    stranger.say(stranger.request(daemon.key()), daemon.key());
    bench.pass(1s);
    EXPECT_EQ(daemon.received("unknown_sender"), 2U);
    EXPECT_EQ(daemon.node->publishes, publishes);
    EXPECT_THAT(daemon.told<ContactRequested>(), IsEmpty());
    EXPECT_THAT(daemon.texts(), IsEmpty());
}

TEST_F(HostileTest, Requests_are_let_in_once_each_and_sixteen_in_all) {
    daemon.messenger->let_requests_in(true);
    const waku::WakuMessage request = stranger.envelope(stranger.request(daemon.key(), "me too"), daemon.key());
    bench.inject(request);
    bench.settle();
    waku::WakuMessage again = request;  // with another time, as a replay has it
    again.timestamp_ns = *again.timestamp_ns + 1'000'000'000;
    bench.inject(again);
    stranger.say(stranger.text(daemon.key(), "hello"), daemon.key());
    EXPECT_EQ(daemon.received("not_allowed"), 1U);
    ASSERT_THAT(daemon.told<ContactRequested>(), SizeIs(1));
    EXPECT_EQ(daemon.told<ContactRequested>()[0].text, "me too");
    for (std::uint8_t i = 0; i < 20; ++i) {
        Outsider one(bench, static_cast<std::uint8_t>(0x50 + i));
        one.say(one.request(daemon.key()), daemon.key());
    }
    EXPECT_THAT(daemon.told<ContactRequested>(), SizeIs(Application::most_requests));
    EXPECT_EQ(daemon.received("too_many_requests"), 5U);
    // A day later the oldest makes room.
    bench.pass(25h);
    Outsider late(bench, 0x80);
    late.say(late.request(daemon.key()), daemon.key());
    EXPECT_THAT(daemon.told<ContactRequested>(), SizeIs(Application::most_requests + 1));
    EXPECT_EQ(daemon.messenger->contacts().size(), Application::most_requests + 1);  // and the owner
}

TEST_F(HostileTest, Clock_may_be_a_minute_ahead_of_its_envelope_and_not_200_seconds) {
    ChatMessage text = owner.text(daemon.key(), "a minute ahead");
    text.clock = owner.now() + 60'000;
    owner.say(text, daemon.key());
    text.text = "200 seconds ahead";
    text.clock = owner.now() + 200'000;
    owner.say(text, daemon.key());
    EXPECT_THAT(daemon.texts(), ElementsAre("a minute ahead"));
    EXPECT_EQ(daemon.received("clock_ahead"), 1U);
}

TEST_F(HostileTest, Old_messages_are_refused_by_their_signed_clock_whatever_the_envelope_says) {
    ChatMessage text = owner.text(daemon.key(), "29 days old");
    text.clock = owner.now() - 29ULL * 24 * 3'600'000;
    owner.say(text, daemon.key());
    text.text = "31 days old";
    text.clock = owner.now() - 31ULL * 24 * 3'600'000;
    owner.say(text, daemon.key());
    Making making;
    making.sent_at = bench.loop.clock.now() - 31 * 24h;
    owner.say(text, daemon.key(), making);
    making.sent_at = bench.loop.clock.now() + 2h;
    owner.say(owner.text(daemon.key(), "of tomorrow"), daemon.key(), making);
    EXPECT_THAT(daemon.texts(), ElementsAre("29 days old"));
    EXPECT_EQ(daemon.received("too_old"), 2U);
    EXPECT_EQ(daemon.received("from_future"), 1U);
}

TEST_F(HostileTest, Replays_are_passed_over_for_thirty_days_over_restarts) {
    const waku::WakuMessage caught = owner.envelope(owner.text(daemon.key(), "restart geth"), daemon.key());
    bench.inject(caught);
    bench.settle();
    ASSERT_THAT(daemon.texts(), SizeIs(1));
    bench.inject(caught);
    waku::WakuMessage stamped = caught;
    stamped.timestamp_ns = *caught.timestamp_ns + 60'000'000'000;
    bench.inject(stamped);
    bench.settle();
    EXPECT_EQ(daemon.received("duplicate_envelope"), 2U);
    for (int day = 0; day < 40; day += 5) {
        daemon.restart();
        stamped.timestamp_ns = to_unix_ms(bench.loop.clock.now()) * 1'000'000;
        bench.inject(stamped);
        bench.settle();
        EXPECT_THAT(daemon.told<TextReceived>(), SizeIs(1));
        bench.pass(5 * 24h);
    }
    EXPECT_GE(daemon.received("duplicate"), 6U);
    EXPECT_GE(daemon.received("too_old"), 1U);
}

TEST_F(HostileTest, Duplicate_in_a_new_envelope_is_acknowledged_again) {
    const ChatMessage text = owner.text(daemon.key(), "one");
    owner.say(text, daemon.key());
    bench.pass(1s);
    const int publishes = daemon.node->publishes;
    owner.say(text, daemon.key());
    bench.pass(1s);
    EXPECT_EQ(daemon.received("duplicate"), 1U);
    EXPECT_THAT(daemon.texts(), ElementsAre("one"));
    EXPECT_EQ(daemon.node->publishes, publishes + 1);
}

TEST_F(HostileTest, Every_flipped_byte_of_an_envelope_is_refused) {
    const waku::WakuMessage good = owner.envelope(owner.text(daemon.key(), "restart geth"), daemon.key());
    for (std::size_t i = 0; i < good.payload.size(); ++i) {
        waku::WakuMessage bad = good;
        bad.payload[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
        bench.inject(bad);
        if (i % 200 == 0) {
            bench.settle();
        }
    }
    for (std::size_t size = 0; size < good.payload.size(); size += 7) {
        waku::WakuMessage bad = good;
        bad.payload.resize(std::max<std::size_t>(size, 1));
        bench.inject(bad);
        if (size % 350 == 0) {
            bench.settle();
        }
    }
    bench.settle();
    EXPECT_THAT(daemon.texts(), IsEmpty());
    bench.inject(good);
    bench.settle();
    EXPECT_THAT(daemon.texts(), ElementsAre("restart geth"));
}

/// Each layer inside the envelope, whose own integrity is right.
TEST_F(HostileTest, Every_flipped_byte_of_each_inner_layer_is_refused_or_harmless) {
    const ChatMessage text = owner.text(daemon.key(), "restart geth");
    const Bytes frame = owner.frame(text);
    const Bytes mvds = owner.in_mvds(frame, daemon.key());
    Making plain;
    plain.encryption_layer = false;
    std::size_t count = 0;
    const auto send_flipped = [&](const Bytes& bytes, const Making& making) {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            Bytes bad = bytes;
            bad[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
            for (const waku::WakuMessage& one : owner.envelopes(bad, daemon.key(), making)) {
                bench.inject(one);
            }
            if (++count % 100 == 0) {
                bench.settle();
            }
        }
        bench.settle();
    };
    send_flipped(frame, {});
    EXPECT_THAT(daemon.texts(), IsEmpty());
    send_flipped(mvds, plain);
    EXPECT_THAT(daemon.texts(), IsEmpty());
    // The frame of MVDS itself is not signed by the application: a changed group or time is another id of the same text.
    send_flipped(mvds, {});
    for (const std::string& one : daemon.texts()) {
        EXPECT_EQ(one, "restart geth");
    }
    EXPECT_LE(daemon.texts().size(), 1U);
}

TEST_F(HostileTest, Reactions_count_only_for_our_chat) {
    Party& friendly = bench.add(0x44, "friend");
    friendly.owners = {daemon.key()};
    daemon.messenger->allow({owner.key(), friendly.key()});
    friendly.start();
    ASSERT_TRUE(friendly.ask(daemon));
    bench.pass(1s);
    ASSERT_TRUE(daemon.send(friendly, "alert-7", "down"));
    bench.pass(1s);
    Outsider hand(bench, 0x44);
    EmojiReaction reaction{hand.now(), contact_id(daemon.key()), friendly.told<TextReceived>().at(0).line.message_id,
                           Emoji::thumbs_up, false};
    Making bare;
    bare.mvds = false;
    hand.say(reaction, daemon.key(), bare);
    ASSERT_THAT(daemon.told<Reacted>(), SizeIs(1));
    EXPECT_EQ(daemon.told<Reacted>()[0].key, "alert-7");
    EXPECT_EQ(daemon.told<Reacted>()[0].from, friendly.key());
    hand.say(reaction, daemon.key(), bare);  // the same once more
    EXPECT_THAT(daemon.told<Reacted>(), SizeIs(1));
    reaction.clock += 1;
    reaction.chat_id = contact_id(owner.key());
    hand.say(reaction, daemon.key(), bare);
    EXPECT_EQ(daemon.received("other_chat"), 1U);
    // Another owner's reaction to the friend's message names nothing.
    reaction.clock += 1;
    reaction.chat_id = contact_id(daemon.key());
    owner.say(reaction, daemon.key(), bare);
    ASSERT_THAT(daemon.told<Reacted>(), SizeIs(2));
    EXPECT_EQ(daemon.told<Reacted>()[1].key, "");
    bare.encrypted = false;
    reaction.clock += 1;
    hand.say(reaction, daemon.key(), bare);
    EXPECT_THAT(daemon.told<Reacted>(), SizeIs(2));
}

TEST_F(HostileTest, Text_for_another_chat_says_so) {
    ChatMessage text = owner.text(daemon.key(), "restart geth");
    text.chat_id = contact_id(stranger.key());
    owner.say(text, daemon.key());
    ASSERT_THAT(daemon.told<TextReceived>(), SizeIs(1));
    EXPECT_FALSE(daemon.told<TextReceived>()[0].line.for_us);
    EXPECT_EQ(daemon.told<TextReceived>()[0].line.chat_id, contact_id(stranger.key()));
}

TEST_F(HostileTest, Acknowledgement_of_another_ends_no_repeat) {
    Party& friendly = bench.add(0x44, "friend");
    friendly.owners = {daemon.key()};
    daemon.messenger->allow({owner.key(), friendly.key()});
    friendly.start();
    ASSERT_TRUE(friendly.ask(daemon));
    bench.pass(1s);
    friendly.node->offline = true;
    ASSERT_TRUE(daemon.send(friendly, "alert-7", "down"));
    bench.settle();
    const auto& rows = daemon.store.tables["out"];
    ASSERT_EQ(rows.size(), 2U);  // and the acceptance of the owner made by hand, who never acknowledges
    for (const auto& [id, row] : rows) {
        MvdsPayload payload;
        std::ranges::copy(*from_hex(id), payload.acks.emplace_back().begin());
        for (const waku::WakuMessage& one : stranger.envelopes(encode_mvds(payload), daemon.key())) {
            bench.inject(one);
        }
    }
    bench.settle();
    EXPECT_EQ(daemon.messenger->unacknowledged(), 2U);
    const std::vector<std::pair<std::string, Bytes>> copy(rows.begin(), rows.end());
    for (const auto& [id, row] : copy) {
        MvdsPayload payload;
        std::ranges::copy(*from_hex(id), payload.acks.emplace_back().begin());
        for (const waku::WakuMessage& one : owner.envelopes(encode_mvds(payload), daemon.key())) {
            bench.inject(one);
        }
    }
    bench.settle();
    EXPECT_EQ(daemon.messenger->unacknowledged(), 1U);  // his own
    EXPECT_THAT(daemon.told<Delivered>(), IsEmpty());
    EXPECT_EQ(daemon.received("ack_of_nothing"), 1U);
}

TEST_F(HostileTest, Five_megabytes_of_segments_that_never_end_stay_bounded) {
    const Bytes noise = [] {
        Bytes out(5'000'000);
        SeededRandom(3).fill(out);
        return out;
    }();
    SeededRandom random(4);
    for (std::uint8_t round = 0; round < 6; ++round) {
        Bytes whole = noise;
        whole[0] = round;
        const auto parts = cut_into_segments(whole, 100'000);
        ASSERT_TRUE(parts);
        for (std::size_t i = 0; i + 1 < parts->size(); ++i) {
            waku::WakuMessage one;
            one.payload = *waku::seal_asymmetric((*parts)[i], daemon.key(), &owner.identity, random);
            one.content_topic = content_topic(partitioned_chat_id(daemon.key()));
            one.timestamp_ns = to_unix_ms(bench.loop.clock.now()) * 1'000'000;
            bench.inject(one);
        }
        bench.settle();
    }
    EXPECT_GT(daemon.received("segment"), 100U);
    owner.say(owner.text(daemon.key(), "still there?"), daemon.key());
    EXPECT_THAT(daemon.texts(), ElementsAre("still there?"));
}

TEST_F(HostileTest, Foreign_envelopes_of_the_shared_topic_are_counted_and_nothing_else) {
    const crypto::PublicKey other = secret(0x77).public_key();
    SeededRandom random(5);
    const std::size_t commits = static_cast<std::size_t>(daemon.store.commits);
    for (int i = 0; i < 50; ++i) {
        waku::WakuMessage one;
        one.payload = *waku::seal_asymmetric(Bytes(100, 1), other, &stranger.identity, random);
        one.content_topic = content_topic(partitioned_chat_id(daemon.key()));
        one.timestamp_ns = to_unix_ms(bench.loop.clock.now()) * 1'000'000;
        bench.inject(one);
    }
    bench.settle();
    EXPECT_EQ(daemon.received("foreign"), 50U);
    EXPECT_EQ(static_cast<std::size_t>(daemon.store.commits), commits);
}

TEST_F(HostileTest, At_most_a_thousand_envelopes_wait) {
    const waku::WakuMessage good = owner.envelope(owner.text(daemon.key(), "one"), daemon.key());
    for (int i = 0; i < 1'500; ++i) {
        daemon.messenger->receive({good, "/waku/2/rs/16/32", {}, "peer"});
    }
    EXPECT_EQ(daemon.received("queue_full"), 500U);
    bench.settle();
    EXPECT_THAT(daemon.texts(), ElementsAre("one"));
}

TEST_F(HostileTest, Events_that_nobody_takes_are_bounded_and_come_again) {
    daemon.keeps_events = true;
    std::vector<ChatMessage> texts;
    for (std::size_t i = 0; i < MessengerState::most_events + 5; ++i) {
        texts.push_back(owner.text(daemon.key(), "text " + std::to_string(i)));
        bench.inject(owner.envelope(texts.back(), daemon.key()));
        if (i % 200 == 0) {
            bench.settle();
        }
    }
    bench.settle();
    EXPECT_EQ(daemon.received("text"), MessengerState::most_events);
    EXPECT_EQ(daemon.received("events_full"), 5U);
    daemon.events.clear();
    daemon.keeps_events = false;
    daemon.restart();
    bench.settle();
    EXPECT_THAT(daemon.texts(), SizeIs(MessengerState::most_events));
    owner.say(texts.back(), daemon.key());  // his app repeats what was not acknowledged
    EXPECT_THAT(daemon.texts(), SizeIs(MessengerState::most_events + 1));
}

TEST_F(HostileTest, Answers_to_a_stale_contact_are_one_an_hour) {
    const auto updates = [&] {
        return daemon.metrics.counter("noroshi_status_published_total", "", {{"kind", "message"}, {"result", "ok"}}).value();
    };
    bench.pass(10s);
    const std::uint64_t before = updates();
    for (int i = 0; i < 5; ++i) {
        ChatMessage text = owner.text(daemon.key(), "text " + std::to_string(i));
        text.contact_state = PropagatedState{text.clock, ContactState::sent, 1, ContactState::none};
        owner.say(text, daemon.key());
        bench.pass(2s);
    }
    EXPECT_EQ(updates(), before + 1);
}

TEST_F(HostileTest, Damaged_rows_are_set_aside_and_the_rest_goes_on) {
    daemon.stop();
    daemon.store.tables["contacts"]["zz"] = Bytes{1, 2, 3};
    daemon.store.tables["out"]["zz"] = Bytes{};
    daemon.store.tables["sent"]["zz"] = Bytes{8, 1};
    daemon.store.tables["seen"]["zz"] = Bytes{0xFF};
    daemon.store.tables["events"]["zz"] = Bytes{0xFF};
    daemon.start();
    for (const char* table : {"contacts", "out", "sent", "seen", "events"}) {
        EXPECT_FALSE(daemon.store.tables[table].contains("zz")) << table;
        EXPECT_TRUE(daemon.store.tables["damaged"].contains(std::string(table) + "/zz")) << table;
        EXPECT_EQ(daemon.metrics.counter("noroshi_status_damaged_rows_total", "", {{"table", table}}).value(), 1U) << table;
    }
    owner.say(owner.text(daemon.key(), "still there?"), daemon.key());
    EXPECT_THAT(daemon.texts(), ElementsAre("still there?"));
}

}  // namespace
}  // namespace noroshi::status::test
