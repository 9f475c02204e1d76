// test/unit/status/messenger_parts_test.cpp - the messenger's small parts: cutting texts, the budget, the commit queue, rows, topics.
#include <gmock/gmock.h>

#include "messenger_bench.hpp"
#include "messenger_core.hpp"
#include "send_budget.hpp"
#include "topics.hpp"

namespace noroshi::status::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(CutText, Keeps_a_short_text_whole) {
    EXPECT_THAT(cut_text("down"), ElementsAre("down"));
    EXPECT_THAT(cut_text(""), IsEmpty());
    EXPECT_THAT(cut_text(" \n\t "), IsEmpty());
}

TEST(CutText, Cuts_at_lines_then_at_blanks_then_anywhere) {
    EXPECT_THAT(cut_text("one two\nthree", 9), ElementsAre("one two", "three"));
    EXPECT_THAT(cut_text("one two three", 9), ElementsAre("one two", "three"));
    EXPECT_THAT(cut_text("onetwothree", 4), ElementsAre("onet", "woth", "ree"));
    EXPECT_THAT(cut_text("a\nbcdefghijk", 8), ElementsAre("a\nbcdefg", "hijk"));  // a line of one letter is no part
    EXPECT_THAT(cut_text("onetwo three", 6), ElementsAre("onetwo", "three"));
}

TEST(CutText, Counts_code_points_and_never_cuts_inside_one) {
    std::string text;
    for (int i = 0; i < 4'000; ++i) {
        text += "ä";
    }
    const std::vector<std::string> parts = cut_text(text);
    ASSERT_THAT(parts, SizeIs(2));
    EXPECT_EQ(parts[0].size(), 2 * most_text_of_part);
    EXPECT_EQ(parts[0] + parts[1], text);
    EXPECT_TRUE(is_utf8(parts[0]) && is_utf8(parts[1]));
}

TEST(SendBudget, Leaves_room_for_messages_and_frees_it_after_ten_minutes) {
    SendBudget budget;
    const SteadyMs start{};
    EXPECT_TRUE(budget.take(70, Urgency::later, start));
    EXPECT_FALSE(budget.take(1, Urgency::later, start));
    EXPECT_EQ(budget.pause(1, Urgency::later, start), SendBudget::window);
    EXPECT_TRUE(budget.take(15, Urgency::answer, start + 1min));
    EXPECT_FALSE(budget.take(1, Urgency::answer, start + 1min));
    EXPECT_EQ(budget.pause(1, Urgency::answer, start + 1min), SendBudget::window - 1min);
    EXPECT_EQ(budget.pause(15, Urgency::message, start + 1min), 0ms);
    EXPECT_FALSE(budget.take(16, Urgency::message, start + 1min));
    EXPECT_TRUE(budget.take(15, Urgency::message, start + 1min));
    EXPECT_EQ(budget.used(start + 1min), SendBudget::most);
    budget.give_back(1);
    EXPECT_TRUE(budget.take(1, Urgency::message, start + 1min));
    EXPECT_EQ(budget.used(start + 10min), 30U);
    EXPECT_EQ(budget.pause(41, Urgency::later, start + 10min), 1min);
    EXPECT_EQ(budget.used(start + 11min), 0U);
}

/// A store whose commits end when the test says so.
class SlowStore final : public StateStore {
  public:
    explicit SlowStore(const Executor& executor) : go(executor) {}
    Task<Result<void>> commit(StateWrites writes) override {
        sizes.push_back(writes.size());
        NOROSHI_CO_TRY_VOID(co_await go.wait());
        co_return Result<void>{};
    }
    Result<StateRows> load(const std::string& /*table*/) override { return StateRows{}; }
    Signal go;
    std::vector<std::size_t> sizes;
};

Task<void> commit_one(CommitQueue& queue, std::vector<int>& ended, int number) {
    const Result<void> done = co_await queue.commit({{"t", std::to_string(number), Bytes{1}}});
    ended.push_back(done ? number : -number);
}

TEST(CommitQueue, Commits_what_waits_together_in_order_even_when_its_caller_is_gone) {
    ManualLoop loop(bench_start);
    SlowStore store(loop.runtime.executor());
    CommitQueue queue(store, loop.runtime.executor());
    TaskGroup worker(loop.runtime.executor());
    TaskGroup callers(loop.runtime.executor());
    std::vector<int> ended;
    worker.spawn("work", queue.work());
    for (int i = 1; i <= 4; ++i) {
        callers.spawn("call", commit_one(queue, ended, i));
        loop.settle();
    }
    EXPECT_THAT(store.sizes, ElementsAre(1U));  // the others wait for the first
    run(loop.runtime, callers.stop());
    ended.clear();
    store.go.notify();
    loop.settle();
    EXPECT_THAT(store.sizes, ElementsAre(1U, 3U));
    callers.spawn("call", commit_one(queue, ended, 5));
    store.go.notify();
    loop.settle();
    store.go.notify();
    loop.settle();
    EXPECT_THAT(ended, ElementsAre(5));
    callers.spawn("call", commit_one(queue, ended, 6));
    loop.settle();
    run(loop.runtime, worker.stop());
    queue.close();
    loop.settle();
    EXPECT_THAT(ended, ElementsAre(5, -6));
}

TEST(MessengerRows, Each_row_reads_back_and_each_cut_one_is_refused) {
    const crypto::PublicKey to = secret(5).public_key();
    const OwnRow own{"an-id", true, from_unix_ms(12), 34};
    EXPECT_EQ(*decode_own(encode_own(own)), own);
    const SentRow sent{to, "key", from_unix_ms(5), {{"0x01", true}, {"0x02", false}}, {"/a/1/b/c", 7, {1, 2, 3}}};
    EXPECT_EQ(*decode_sent(encode_sent(sent)), sent);
    const OutRow out{to, {{9}, 17, Bytes{1, 2}}, "key", 3, from_unix_ms(9), true};
    EXPECT_EQ(*decode_out(encode_out(out)), out);
    EXPECT_EQ(*decode_seen(encode_seen(77)), 77U);
    model::InboundLine line{to, "0x04aa", true, 5, "text", "0x01", Bytes{4, 5}, "0x02", from_unix_ms(6), from_unix_ms(7)};
    const std::vector<EventContent> events{ContactRequested{to, "name", "text"},
                                           ContactMade{to},
                                           ContactEnded{to},
                                           Delivered{"key", to},
                                           Reacted{to, "key", Emoji::angry, true, "0x04"},
                                           TextReceived{line, "key"}};
    for (const EventContent& event : events) {
        const auto read = decode_event(encode_event(event));
        ASSERT_TRUE(read);
        EXPECT_EQ(read->index(), event.index());
        EXPECT_EQ(encode_event(*read), encode_event(event));
    }
    for (const Bytes& row : {encode_own(own), encode_sent(sent), encode_out(out)}) {
        for (std::size_t size = 0; size + 1 < row.size(); ++size) {
            const ByteView cut(row.data(), size);
            // Cut between two fields it is a row that lacks something: it must at least not be taken for the whole one.
            EXPECT_FALSE(decode_own(cut) && *decode_own(cut) == own);
            EXPECT_FALSE(decode_sent(cut) && *decode_sent(cut) == sent);
            EXPECT_FALSE(decode_out(cut) && *decode_out(cut) == out);
        }
    }
}

TEST(MessengerState, Seen_ids_are_bounded_and_what_is_forgotten_is_refused_by_its_clock) {
    MessengerState state;
    FakeStore store;
    SeededRandom random(1);
    Metrics metrics;
    StateWrites writes;
    ASSERT_TRUE(state.load(store, secret(1).public_key(), random, metrics, Log::none(), writes));
    std::size_t kept = 0;
    for (std::size_t i = 0; i <= MessengerState::most_seen; ++i) {
        writes.clear();
        state.note_seen("0x" + std::to_string(i), 1'000 + i, writes);
        kept += 1;
    }
    kept -= static_cast<std::size_t>(std::ranges::count_if(writes, [](const StateWrite& write) { return !write.value; }));
    EXPECT_EQ(kept, MessengerState::most_seen - MessengerState::most_seen / 100);
    EXPECT_EQ(state.own().oldest_clock, 1'000 + MessengerState::most_seen / 100 + 1);
    EXPECT_FALSE(state.has_seen("0x0"));
    EXPECT_TRUE(state.has_seen("0x" + std::to_string(MessengerState::most_seen)));
    writes.clear();
    state.forget_old(from_unix_ms(1'000 + 50'000) + MessengerState::kept_for, writes);
    EXPECT_FALSE(state.has_seen("0x49999"));
    EXPECT_TRUE(state.has_seen("0x50000"));
}

TEST(MessengerState, Sent_messages_are_bounded_but_not_those_still_repeated) {
    MessengerState state;
    const crypto::PublicKey to = secret(2).public_key();
    StateWrites writes;
    for (std::size_t i = 0; i < MessengerState::most_sent + 10; ++i) {
        const std::string key = std::to_string(i);
        state.put_sent({to, key, bench_start + Milliseconds(i), {{"0x" + key, false}}, {}}, writes);
    }
    OutRow row{to, {{}, 1, Bytes{1}}, "3", 1, bench_start, false};
    const MvdsId id = row.message.id();
    state.put_out(id, std::move(row), writes);
    state.forget_old(bench_start, writes);
    EXPECT_EQ(state.sent(to, "0"), nullptr);
    EXPECT_NE(state.sent(to, "3"), nullptr);
    EXPECT_NE(state.sent(to, "10"), nullptr);
    EXPECT_EQ(state.sent_with(to, "0x0"), nullptr);
    EXPECT_NE(state.sent_with(to, "0x10"), nullptr);
    state.erase_out(id, writes);
    state.forget_old(bench_start + MessengerState::kept_for + 1h, writes);
    EXPECT_EQ(state.sent(to, "3"), nullptr);
    EXPECT_EQ(state.sent(to, "10"), nullptr);
}

TEST(Mailbox, Listens_to_two_topics_of_its_own_and_at_most_a_hundred) {
    SeededRandom random(1);
    Mailbox mailbox(secret(1), 16, 32, random);
    const crypto::PublicKey own = secret(1).public_key();
    EXPECT_THAT(mailbox.content_topics(), testing::UnorderedElementsAre(content_topic(partitioned_chat_id(own)),
                                                                        content_topic(personal_chat_id(own))));
    const crypto::PublicKey other = secret(2).public_key();
    EXPECT_TRUE(mailbox.listen({other}, {other}));
    EXPECT_FALSE(mailbox.listen({other}, {other}));
    EXPECT_THAT(mailbox.content_topics(), SizeIs(4));
    EXPECT_TRUE(mailbox.listen({}, {}));
    EXPECT_THAT(mailbox.content_topics(), SizeIs(2));
}

TEST(Mailbox, Opens_what_another_sealed_on_each_topic) {
    SeededRandom random(1);
    Mailbox ours(secret(1), 16, 32, random);
    Mailbox theirs(secret(2), 16, 32, random);
    const crypto::PublicKey us = secret(1).public_key();
    const crypto::PublicKey them = secret(2).public_key();
    ours.listen({them}, {them});
    const Bytes payload{1, 2, 3};
    const auto expect_opened = [&](const waku::WakuMessage& message, TopicUse use) {
        const Result<OpenedEnvelope> opened = ours.open(message);
        ASSERT_TRUE(opened) << opened.error().message;
        EXPECT_EQ(opened->signer, them);
        EXPECT_EQ(opened->payload, payload);
        EXPECT_EQ(opened->use, use);
        EXPECT_EQ(opened->sent_at, bench_start);
    };
    expect_opened(theirs.seal(payload, us, false, bench_start)->front(), TopicUse::own);
    expect_opened(theirs.seal(payload, us, true, bench_start)->front(), TopicUse::negotiated);
    expect_opened(theirs.seal_contact_code(payload, bench_start)->front(), TopicUse::contact_code);
    waku::WakuMessage strange = theirs.seal(payload, us, false, bench_start)->front();
    strange.content_topic = "/waku/1/0x00000000/rfc26";
    EXPECT_EQ(ours.open(strange).error().message, "other_topic");
    const waku::WakuMessage foreign = theirs.seal(payload, secret(3).public_key(), false, bench_start)->front();
    waku::WakuMessage on_our_topic = foreign;
    on_our_topic.content_topic = content_topic(partitioned_chat_id(us));
    EXPECT_EQ(ours.open(on_our_topic).error().message, "foreign");
}

}  // namespace
}  // namespace noroshi::status::test
