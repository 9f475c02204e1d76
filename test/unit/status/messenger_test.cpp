// test/unit/status/messenger_test.cpp - two messengers on a good network: pairing, texts, acknowledgements, edits, repeats.
#include "messenger.hpp"

#include <gmock/gmock.h>

#include "messenger_bench.hpp"
#include "sender.hpp"
#include "topics.hpp"

namespace noroshi::status::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Both ways of encrypting: DH-only and with the ratchet.
class MessengerTest : public testing::TestWithParam<bool> {
  protected:
    void SetUp() override {
        daemon.owners = {owner.key()};
        owner.owners = {daemon.key()};
        daemon.start();
        owner.start();
    }
    /// The owner adds the daemon by its key; the daemon accepts by itself.
    void pair() {
        ASSERT_TRUE(owner.ask(daemon));
        bench.pass(1s);
        ASSERT_TRUE(daemon.is_mutual_with(owner));
        ASSERT_TRUE(owner.is_mutual_with(daemon));
    }
    Bench bench{GetParam()};
    Party& daemon = bench.add(0x11, "noroshi");
    Party& owner = bench.add(0x22, "owner");
};

INSTANTIATE_TEST_SUITE_P(Both, MessengerTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "ratchet" : "dh"; });

TEST_P(MessengerTest, Owner_adds_the_daemon_and_is_accepted_at_once) {
    pair();
    EXPECT_THAT(daemon.told<ContactMade>(), SizeIs(1));
    EXPECT_THAT(owner.told<ContactMade>(), SizeIs(1));
    EXPECT_THAT(daemon.told<ContactRequested>(), IsEmpty());
    EXPECT_EQ(daemon.messenger->contacts().at(0).display_name, "owner");
    EXPECT_EQ(daemon.messenger->unacknowledged() + owner.messenger->unacknowledged(), 0U);
}

TEST_P(MessengerTest, Daemon_asks_and_the_owner_accepts) {
    owner.messenger->allow({});
    owner.messenger->let_requests_in(true);
    ASSERT_TRUE(daemon.ask(owner, "I watch over your machines"));
    bench.pass(1s);
    ASSERT_THAT(owner.told<ContactRequested>(), SizeIs(1));
    EXPECT_EQ(owner.told<ContactRequested>()[0].from, daemon.key());
    EXPECT_EQ(owner.told<ContactRequested>()[0].display_name, "noroshi");
    EXPECT_EQ(owner.told<ContactRequested>()[0].text, "I watch over your machines");
    EXPECT_FALSE(owner.is_mutual_with(daemon));
    ASSERT_TRUE(run(bench.loop.runtime, owner.messenger->accept_contact(daemon.key())));
    bench.pass(1s);
    EXPECT_TRUE(daemon.is_mutual_with(owner));
    EXPECT_TRUE(owner.is_mutual_with(daemon));
    EXPECT_THAT(daemon.told<ContactMade>(), SizeIs(1));
    EXPECT_THAT(owner.told<ContactMade>(), SizeIs(1));
}

TEST_P(MessengerTest, Both_ask_at_once) {
    daemon.node->takes_time = 50ms;
    owner.node->takes_time = 50ms;
    bench.network.delay = 100ms;
    TaskGroup calls(bench.loop.runtime.executor());
    const auto ask = [](Messenger& from, crypto::PublicKey to) -> Task<void> {
        static_cast<void>(co_await from.request_contact(to, "please add me"));
    };
    calls.spawn("ask", ask(*daemon.messenger, owner.key()));
    calls.spawn("ask", ask(*owner.messenger, daemon.key()));
    bench.pass(5s);
    EXPECT_TRUE(daemon.is_mutual_with(owner));
    EXPECT_TRUE(owner.is_mutual_with(daemon));
    EXPECT_THAT(daemon.told<ContactMade>(), SizeIs(1));
    daemon.node->takes_time = 0ms;  // or nobody would move time while these calls last
    owner.node->takes_time = 0ms;
    ASSERT_TRUE(daemon.send(owner, "one", "down"));
    ASSERT_TRUE(owner.send(daemon, "two", "thanks"));
    bench.pass(1s);
    EXPECT_THAT(owner.texts(), ElementsAre("down"));
    EXPECT_THAT(daemon.texts(), ElementsAre("thanks"));
    run(bench.loop.runtime, calls.stop());
}

TEST_P(MessengerTest, Nobody_writes_to_who_is_no_contact) {
    const Result<Sent> sent = daemon.send(owner, "one", "down");
    ASSERT_FALSE(sent);
    EXPECT_EQ(first_word(sent.error().message), "not_paired");
    EXPECT_TRUE(sent.error().retryable);
    EXPECT_EQ(daemon.messenger->unacknowledged(), 0U);
}

TEST_P(MessengerTest, Texts_go_both_ways_and_are_acknowledged) {
    pair();
    const Result<Sent> sent = daemon.send(owner, "alert-1", "disk full");
    ASSERT_TRUE(sent) << sent.error().message;
    EXPECT_EQ(sent->pubsub_topic, "/waku/2/rs/16/32");
    EXPECT_EQ(sent->publication.hash, bench.network.archive.back().message.hash);
    EXPECT_EQ(sent->timestamp_ns, *bench.network.archive.back().message.message.timestamp_ns);
    EXPECT_EQ(sent->content_topic, bench.network.archive.back().message.message.content_topic);
    EXPECT_EQ(daemon.messenger->unacknowledged(), 1U);
    bench.pass(1s);
    EXPECT_THAT(owner.texts(), ElementsAre("disk full"));
    ASSERT_THAT(daemon.told<Delivered>(), SizeIs(1));
    EXPECT_EQ(daemon.told<Delivered>()[0].key, "alert-1");
    EXPECT_EQ(daemon.told<Delivered>()[0].by, owner.key());
    EXPECT_EQ(daemon.messenger->unacknowledged(), 0U);

    const std::string message = owner.told<TextReceived>()[0].line.message_id;
    ASSERT_TRUE(owner.send(daemon, "reply-1", "on my way"));
    bench.pass(1s);
    ASSERT_THAT(daemon.texts(), ElementsAre("on my way"));
    const model::InboundLine line = daemon.told<TextReceived>()[0].line;
    EXPECT_EQ(line.signer, owner.key());
    EXPECT_TRUE(line.for_us);
    EXPECT_FALSE(line.signed_bytes.empty());
    EXPECT_EQ(line.message_id, message_id(owner.key(), line.signed_bytes));
    EXPECT_NE(line.message_id, message);
}

TEST_P(MessengerTest, Ratchet_is_used_when_both_publish_bundles) {
    pair();
    const std::string partitioned = bench.network.archive.front().message.message.content_topic;
    ASSERT_TRUE(daemon.send(owner, "one", "down"));
    bench.pass(1s);
    ASSERT_TRUE(owner.send(daemon, "two", "thanks"));
    const std::string last = bench.network.archive.back().message.message.content_topic;
    EXPECT_EQ(last != partitioned, GetParam());  // the negotiated topic
    bench.pass(1s);
    EXPECT_THAT(daemon.texts(), ElementsAre("thanks"));
}

TEST_P(MessengerTest, Reply_names_the_message_it_replies_to) {
    pair();
    ASSERT_TRUE(owner.send(daemon, "question", "what is up?"));
    bench.pass(1s);
    ASSERT_TRUE(owner.send(daemon, "follow-up", "hello?", "question"));
    bench.pass(1s);
    EXPECT_EQ(daemon.told<TextReceived>()[1].line.reply_to, daemon.told<TextReceived>()[0].line.message_id);
    EXPECT_EQ(daemon.told<TextReceived>()[1].reply_key, "");  // to their own message, not to one of ours
}

TEST_P(MessengerTest, Acknowledged_message_is_not_repeated) {
    pair();
    ASSERT_TRUE(daemon.send(owner, "one", "down"));
    bench.pass(1s);
    const int publishes = daemon.node->publishes;
    bench.pass(5h);
    EXPECT_EQ(daemon.node->publishes, publishes);
}

TEST_P(MessengerTest, Unacknowledged_message_is_repeated_after_27_to_36_and_54_to_63_seconds) {
    pair();
    owner.node->offline = true;
    ASSERT_TRUE(daemon.send(owner, "one", "down"));
    bench.settle();
    const int before = daemon.node->publishes;
    bench.pass(26s);
    EXPECT_EQ(daemon.node->publishes, before);
    bench.pass(11s);
    EXPECT_EQ(daemon.node->publishes, before + 1);
    const SteadyMs first_repeat = bench.network.archive.back().due;
    bench.pass(53s - (bench.loop.clock.steady() - first_repeat));
    EXPECT_EQ(daemon.node->publishes, before + 1);
    bench.pass(11s);
    EXPECT_EQ(daemon.node->publishes, before + 2);
    owner.node->offline = false;
    bench.pass(3min);
    EXPECT_THAT(owner.texts(), ElementsAre("down"));
    EXPECT_THAT(daemon.told<Delivered>(), SizeIs(1));
}

TEST_P(MessengerTest, Message_is_given_up_after_fifteen_copies) {
    pair();
    owner.node->offline = true;
    ASSERT_TRUE(daemon.send(owner, "one", "down"));
    bench.settle();
    const int before = daemon.node->publishes;
    int contact_codes = 0;
    for (int day = 0; day < 20 && daemon.messenger->unacknowledged() > 0; ++day) {
        bench.pass(24h);
    }
    EXPECT_EQ(daemon.messenger->unacknowledged(), 0U);
    contact_codes = static_cast<int>(
        daemon.metrics.counter("noroshi_status_published_total", "", {{"kind", "contact_code"}, {"result", "ok"}}).value());
    const auto repeats =
        daemon.metrics.counter("noroshi_status_published_total", "", {{"kind", "repeat"}, {"result", "ok"}}).value();
    EXPECT_EQ(repeats, mvds_most_sends - 1);
    EXPECT_EQ(daemon.metrics.counter("noroshi_status_expired_total", "").value(), 1U);
    EXPECT_GE(daemon.node->publishes - before, static_cast<int>(repeats));
    EXPECT_EQ(contact_codes > 0, GetParam());
    const Result<Sent> again = daemon.send(owner, "one", "down");
    ASSERT_FALSE(again);
    EXPECT_EQ(first_word(again.error().message), "expired");
}

TEST_P(MessengerTest, Same_key_is_the_same_message) {
    pair();
    owner.node->offline = true;
    ASSERT_TRUE(daemon.send(owner, "one", "down"));
    ASSERT_TRUE(daemon.send(owner, "one", "down"));
    owner.node->offline = false;
    ASSERT_TRUE(daemon.send(owner, "one", "down"));
    bench.pass(1s);
    EXPECT_THAT(owner.texts(), ElementsAre("down"));
    // Acknowledged meanwhile: nothing goes out, and the last envelope is told again.
    const int publishes = daemon.node->publishes;
    const Result<Sent> again = daemon.send(owner, "one", "down");
    ASSERT_TRUE(again);
    EXPECT_EQ(daemon.node->publishes, publishes);
    EXPECT_NE(again->publication.hash, crypto::Digest{});
    EXPECT_TRUE(std::ranges::any_of(bench.network.archive, [&](const auto& one) {
        return one.message.hash == again->publication.hash;
    }));
    EXPECT_THAT(daemon.told<Delivered>(), SizeIs(1));
}

TEST_P(MessengerTest, Long_text_comes_in_parts_and_is_delivered_with_the_last) {
    pair();
    std::string text;
    while (text.size() < 8'000) {
        text += "a line of an alert that lists very many hosts\n";
    }
    ASSERT_TRUE(daemon.send(owner, "long", text));
    bench.pass(1s);
    const std::vector<std::string> parts = owner.texts();
    ASSERT_THAT(parts, SizeIs(3));
    std::string joined;
    for (const std::string& part : parts) {
        joined += part + "\n";
    }
    EXPECT_EQ(joined, text + "\n");
    EXPECT_THAT(daemon.told<Delivered>(), SizeIs(1));
}

TEST_P(MessengerTest, Edit_changes_the_parts_and_tells_no_event) {
    pair();
    ASSERT_TRUE(daemon.send(owner, "one", "firing"));
    bench.pass(1s);
    const Result<Sent> edited =
        run(bench.loop.runtime, daemon.messenger->edit("one-edit", owner.key(), "one", "firing, now resolved"));
    ASSERT_TRUE(edited) << edited.error().message;
    bench.pass(1s);
    EXPECT_THAT(owner.texts(), ElementsAre("firing"));
    EXPECT_EQ(owner.received("passed_over"), 1U);
    EXPECT_THAT(daemon.told<Delivered>(), SizeIs(2));  // the edit under a key of its own
    const Result<Sent> unknown = run(bench.loop.runtime, daemon.messenger->edit("e", owner.key(), "never", "x"));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(first_word(unknown.error().message), "unknown_message");
}

TEST_P(MessengerTest, Picture_of_several_envelopes_arrives_as_one_message) {
    pair();
    Image image{Bytes(500'000, 0x5A), ImageFormat::png, 800, 600};
    for (std::size_t i = 0; i < image.data.size(); ++i) {
        image.data[i] = static_cast<std::uint8_t>(i * 7919 >> 3);
    }
    const std::size_t before = bench.network.archive.size();
    const Result<Sent> sent =
        run(bench.loop.runtime, daemon.messenger->send({"graph", owner.key(), "see the graph", "", image}));
    ASSERT_TRUE(sent) << sent.error().message;
    EXPECT_GE(bench.network.archive.size() - before, 5U);
    for (std::size_t i = before; i < bench.network.archive.size(); ++i) {
        EXPECT_LE(waku::encode_message(bench.network.archive[i].message.message)->size(), waku::max_published_bytes);
    }
    bench.pass(1s);
    EXPECT_THAT(owner.texts(), ElementsAre("see the graph"));
    EXPECT_EQ(owner.received("no_text"), 1U);  // the picture itself
    EXPECT_THAT(daemon.told<Delivered>(), SizeIs(1));
}

TEST_P(MessengerTest, Name_and_picture_are_told_once_a_day_and_when_they_change) {
    pair();
    const auto told = [&] {
        return daemon.metrics.counter("noroshi_status_published_total", "", {{"kind", "identity"}, {"result", "ok"}}).value();
    };
    EXPECT_EQ(told(), 1U);
    ASSERT_TRUE(daemon.send(owner, "one", "down"));
    bench.pass(1s);
    EXPECT_EQ(told(), 1U);
    bench.pass(25h);
    ASSERT_TRUE(daemon.send(owner, "two", "down again"));
    bench.pass(1s);
    EXPECT_EQ(told(), 2U);
    daemon.display_name = "noroshi-two";
    daemon.restart();
    ASSERT_TRUE(daemon.send(owner, "three", "and again"));
    bench.pass(1s);
    EXPECT_EQ(told(), 3U);
    EXPECT_EQ(owner.messenger->contacts().at(0).display_name, "noroshi-two");
}

TEST_P(MessengerTest, Removed_contact_ends_on_both_sides) {
    pair();
    ASSERT_TRUE(run(bench.loop.runtime, owner.messenger->remove_contact(daemon.key())));
    bench.pass(1s);
    EXPECT_FALSE(daemon.is_mutual_with(owner));
    EXPECT_THAT(daemon.told<ContactEnded>(), SizeIs(1));
    EXPECT_THAT(owner.told<ContactEnded>(), IsEmpty());
    EXPECT_EQ(owner.messenger->unacknowledged(), 0U);
    EXPECT_FALSE(daemon.send(owner, "one", "down"));
    // And they find together again.
    ASSERT_TRUE(owner.ask(daemon));
    bench.pass(1s);
    EXPECT_TRUE(daemon.is_mutual_with(owner));
    ASSERT_TRUE(daemon.send(owner, "two", "down"));
    bench.pass(1s);
    EXPECT_THAT(owner.texts(), ElementsAre("down"));
}

TEST_P(MessengerTest, Network_that_loses_doubles_and_reorders_gives_each_text_once) {
    bench.network.loss_percent = 30;
    bench.network.double_percent = 30;
    bench.network.delay = 2s;
    for (int i = 0; i < 60 && !(daemon.is_mutual_with(owner) && owner.is_mutual_with(daemon)); ++i) {
        static_cast<void>(owner.ask(daemon));
        bench.pass(30s);
    }
    std::set<std::string> sent;
    for (int i = 0; i < 20; ++i) {
        const std::string text = "alert " + std::to_string(i);
        ASSERT_TRUE(daemon.send(owner, text, text));
        static_cast<void>(owner.send(daemon, text, text));
        sent.insert(text);
        bench.pass(1min);
    }
    bench.pass(24h);
    for (const Party* party : {&daemon, &owner}) {
        const std::vector<std::string> texts = party->texts();
        EXPECT_THAT(texts, SizeIs(sent.size()));
        EXPECT_EQ(std::set<std::string>(texts.begin(), texts.end()), sent);
        EXPECT_THAT(party->told<Delivered>(), SizeIs(sent.size()));
        EXPECT_EQ(party->messenger->unacknowledged(), 0U);
    }
}

TEST_P(MessengerTest, Outage_of_a_day_costs_no_message) {
    pair();
    daemon.node->offline = true;
    for (int i = 0; i < 10; ++i) {
        const Result<Sent> sent = daemon.send(owner, "alert-" + std::to_string(i), "down " + std::to_string(i));
        ASSERT_FALSE(sent);
        EXPECT_TRUE(sent.error().retryable);
        bench.pass(1min);
    }
    const int commits = daemon.store.commits;
    bench.pass(24h);
    EXPECT_EQ(daemon.messenger->unacknowledged(), 10U);
    EXPECT_LT(daemon.store.commits - commits, 2'000);  // one attempt speaks for all
    daemon.node->offline = false;
    bench.pass(Sender::longest_network_retry + 1min);
    EXPECT_THAT(owner.texts(), SizeIs(10));
    EXPECT_THAT(daemon.told<Delivered>(), SizeIs(10));
}

TEST_P(MessengerTest, Sends_no_more_than_a_hundred_envelopes_in_ten_minutes_and_alerts_before_repeats) {
    pair();
    bench.pass(10min);
    owner.node->offline = true;
    int taken = 0;
    for (int i = 0; i < 150; ++i) {
        taken += daemon.send(owner, "alert-" + std::to_string(i), "down " + std::to_string(i)) ? 1 : 0;
    }
    EXPECT_EQ(taken, 100);
    EXPECT_EQ(daemon.messenger->unacknowledged(), 150U);
    const Result<Sent> refused = daemon.send(owner, "alert-149", "down 149");
    ASSERT_FALSE(refused);
    EXPECT_EQ(first_word(refused.error().message), "rate_limited");
    EXPECT_TRUE(refused.error().retryable);
    // Over any ten minutes of the next hours.
    const std::size_t before = bench.network.archive.size();
    bench.pass(2h);
    std::vector<SteadyMs> times;
    for (std::size_t i = before - 100; i < bench.network.archive.size(); ++i) {
        times.push_back(bench.network.archive[i].due);
    }
    for (std::size_t i = 0; i + SendBudget::most < times.size(); ++i) {
        EXPECT_GE(times[i + SendBudget::most] - times[i], SendBudget::window);
    }
    owner.node->offline = false;
    bench.pass(12h);
    EXPECT_THAT(owner.texts(), SizeIs(150));
}

TEST_P(MessengerTest, Retry_on_a_dead_network_seals_nothing_anew) {
    pair();
    daemon.node->offline = true;
    static_cast<void>(daemon.send(owner, "one", "down"));
    bench.pass(1h);
    const auto sessions = daemon.store.tables["sessions"];
    bench.pass(23h);
    EXPECT_EQ(daemon.store.tables["sessions"], sessions);
}

TEST_P(MessengerTest, Listens_to_the_negotiated_topic_before_a_bundle_is_published) {
    std::vector<std::vector<std::string>> changes;
    Party& stranger = bench.add(0x33, "stranger");
    stranger.start();
    daemon.messenger->on_topics([&] { changes.push_back(daemon.messenger->content_topics()); });
    const std::size_t before = daemon.messenger->content_topics().size();
    const std::size_t published = bench.network.archive.size();
    ASSERT_TRUE(daemon.ask(stranger));
    if (!GetParam()) {
        EXPECT_THAT(changes, IsEmpty());
        EXPECT_EQ(before, 2U);
        return;
    }
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_EQ(changes[0].size(), before + 2);  // negotiated, and contact code
    EXPECT_GT(bench.network.archive.size(), published);
}

TEST_P(MessengerTest, A_stranger_who_asks_is_acknowledged_on_its_own_topic_and_stays_a_stranger) {
    Party& stranger = bench.add(0x33, "stranger");
    stranger.start();
    daemon.messenger->let_requests_in(true);
    const std::size_t topics = daemon.messenger->content_topics().size();
    ASSERT_TRUE(stranger.ask(daemon));
    bench.pass(1s);
    ASSERT_THAT(daemon.told<ContactRequested>(), SizeIs(1));
    EXPECT_EQ(stranger.messenger->unacknowledged(), 0U);
    EXPECT_EQ(daemon.messenger->content_topics().size(), topics);
    std::size_t answers = 0;
    for (const Network::Flying& one : bench.network.archive) {
        if (one.from == 0 && one.message.message.content_topic != content_topic(contact_code_chat_id(daemon.key()))) {
            ++answers;
            EXPECT_EQ(one.message.message.content_topic, content_topic(partitioned_chat_id(stranger.key())));
        }
    }
    EXPECT_EQ(answers, 1U);
}

TEST_P(MessengerTest, Contact_code_is_advertised_when_a_contact_is_made_and_every_six_hours) {
    const auto advertised = [&] {
        return daemon.metrics.counter("noroshi_status_published_total", "", {{"kind", "contact_code"}, {"result", "ok"}})
            .value();
    };
    bench.pass(1s);
    EXPECT_EQ(advertised(), GetParam() ? 1U : 0U);
    pair();
    bench.pass(1s);
    EXPECT_EQ(advertised(), GetParam() ? 2U : 0U);
    EXPECT_EQ(owner.received("contact_code"), GetParam() ? 2U : 0U);
    bench.pass(24h);
    EXPECT_EQ(advertised(), GetParam() ? 6U : 0U);
    daemon.restart();
    bench.pass(1h);
    EXPECT_EQ(advertised(), GetParam() ? 6U : 0U);  // the time is kept
}

Task<void> send_and_note(Messenger& messenger, Outgoing message, std::optional<Errc>& ended) {
    const Result<Sent> sent =
        co_await with_deadline<Sent>(messenger.send(std::move(message)), Milliseconds(1));  // of real time
    ended = sent ? Errc::internal : sent.error().code;
}

TEST_P(MessengerTest, Call_that_is_given_up_leaves_a_message_that_is_repeated) {
    pair();
    daemon.node->takes_time = 10s;
    std::optional<Errc> ended;
    TaskGroup calls(bench.loop.runtime.executor());
    calls.spawn("send", send_and_note(*daemon.messenger, {"one", owner.key(), "down", "", std::nullopt}, ended));
    while (!ended) {
        bench.loop.settle();
    }
    EXPECT_EQ(*ended, Errc::timeout);
    daemon.node->takes_time = 0ms;
    EXPECT_EQ(daemon.messenger->unacknowledged(), 1U);
    bench.pass(1min);
    EXPECT_THAT(owner.texts(), ElementsAre("down"));
    EXPECT_THAT(daemon.told<Delivered>(), SizeIs(1));
    run(bench.loop.runtime, calls.stop());
}

TEST_P(MessengerTest, Wall_clock_that_was_set_back_stops_no_repeat) {
    pair();
    owner.node->offline = true;
    ASSERT_TRUE(daemon.send(owner, "one", "down"));
    bench.settle();
    bench.loop.clock.jump_wall(-365 * 24h);
    const int before = daemon.node->publishes;
    bench.pass(2h);
    EXPECT_GE(daemon.node->publishes, before + 2);
}

TEST(MessengerModes, One_with_the_ratchet_and_one_without_understand_each_other) {
    for (const bool daemon_has_it : {false, true}) {
        Bench bench;
        Party& daemon = bench.add(0x11, "noroshi");
        Party& owner = bench.add(0x22, "owner");
        daemon.publish_bundles = daemon_has_it;
        owner.publish_bundles = !daemon_has_it;
        daemon.owners = {owner.key()};
        owner.owners = {daemon.key()};
        daemon.start();
        owner.start();
        ASSERT_TRUE(owner.ask(daemon));
        bench.pass(1s);
        for (int i = 0; i < 3; ++i) {
            ASSERT_TRUE(daemon.send(owner, "one" + std::to_string(i), "down"));
            ASSERT_TRUE(owner.send(daemon, "two" + std::to_string(i), "thanks"));
            bench.pass(1s);
        }
        EXPECT_THAT(owner.texts(), SizeIs(3));
        EXPECT_THAT(daemon.texts(), SizeIs(3));
        EXPECT_EQ(daemon.messenger->unacknowledged() + owner.messenger->unacknowledged(), 0U);
    }
}

/// A peer that saw our bundle answers by ratchet for ever, whatever our configuration says later.
TEST(MessengerModes, Ratchet_that_was_switched_off_is_still_heard) {
    Bench bench(true);
    Party& daemon = bench.add(0x11, "noroshi");
    Party& owner = bench.add(0x22, "owner");
    daemon.owners = {owner.key()};
    owner.owners = {daemon.key()};
    daemon.start();
    owner.start();
    ASSERT_TRUE(owner.ask(daemon));
    bench.pass(1s);
    daemon.publish_bundles = false;
    daemon.restart();
    ASSERT_TRUE(owner.send(daemon, "two", "are you there?"));
    bench.pass(1s);
    EXPECT_THAT(daemon.texts(), ElementsAre("are you there?"));
    ASSERT_TRUE(daemon.send(owner, "one", "yes"));
    bench.pass(1s);
    EXPECT_THAT(owner.texts(), ElementsAre("yes"));
}

Task<void> note_end(Messenger& messenger, std::optional<Errc>& ended) {
    const Result<Event> event = co_await messenger.next_event();
    ended = event ? Errc::internal : event.error().code;
}

TEST_P(MessengerTest, Stop_ends_who_waits) {
    Party& third = bench.add(0x33, "third");
    third.keeps_events = true;
    MessengerConfig config{third.identity.clone(), "third", std::nullopt, GetParam()};
    const auto messenger = make_messenger(std::move(config), {*third.node, third.store, bench.loop.timers,
                                                              bench.loop.runtime.executor(), bench.loop.clock, third.random,
                                                              third.metrics, Log::none()});
    ASSERT_TRUE(run(bench.loop.runtime, messenger->start()));
    std::optional<Errc> ended;
    TaskGroup waiting(bench.loop.runtime.executor());
    waiting.spawn("wait", note_end(*messenger, ended));
    bench.settle();
    EXPECT_FALSE(ended);
    run(bench.loop.runtime, messenger->stop());
    EXPECT_EQ(ended, Errc::cancelled);
    const Result<Sent> late = run(bench.loop.runtime, messenger->request_contact(owner.key(), "too late"));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::cancelled);
    run(bench.loop.runtime, waiting.stop());
}

}  // namespace
}  // namespace noroshi::status::test
