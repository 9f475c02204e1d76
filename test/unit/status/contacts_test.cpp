// test/unit/status/contacts_test.cpp - the state machine of a contact: each event, stale clocks, two sides that talk.
#include <gtest/gtest.h>

#include <functional>

#include "contacts.hpp"
#include "vectors.hpp"

namespace noroshi::status {
namespace {

using namespace test;
using enum ContactState;

Contact contact(ContactState local = none, std::uint64_t local_clock = 0, ContactState remote = none,
                std::uint64_t remote_clock = 0) {
    return {bob().public_key(), local, remote, local_clock, remote_clock, 0, "", "", 0, ""};
}

struct Row {
    const char* what;
    Contact before;
    std::function<bool(Contact&)> event;
    PropagatedState after;  ///< local clock, local, remote clock, remote
    bool returned;
};

bool ask(Contact& c, std::uint64_t clock) { return c.ask(clock), false; }
bool retract(Contact& c, std::uint64_t clock) { return c.retract(clock), false; }
bool retracted(Contact& c, std::uint64_t clock) { return c.retracted(clock), false; }

TEST(Contact, Every_event_does_what_the_table_says) {
    const std::vector<Row> rows{
        {"we ask", contact(), [](Contact& c) { return ask(c, 5); }, {5, sent, 0, none}, false},
        {"we ask with a stale clock", contact(none, 5, none, 5), [](Contact& c) { return ask(c, 5); }, {5, none, 5, none}, false},
        {"we accept", contact(none, 0, received, 4), [](Contact& c) { return ask(c, 5); }, {5, sent, 4, received}, false},
        {"we ask after dismissing", contact(dismissed, 3), [](Contact& c) { return ask(c, 5); }, {5, sent, 0, none}, false},
        {"they ask", contact(), [](Contact& c) { return c.requested(5, "0x1"); }, {0, none, 5, received}, true},
        {"they ask again", contact(none, 0, received, 5), [](Contact& c) { return c.requested(6, "0x1"); },
         {0, none, 6, received}, false},
        {"they ask with a stale clock", contact(none, 0, none, 5), [](Contact& c) { return c.requested(5, "0x1"); },
         {0, none, 5, none}, false},
        {"they accept", contact(sent, 5), [](Contact& c) { return c.requested(6, ""); }, {5, sent, 6, received}, true},
        {"a contact update without a request", contact(), [](Contact& c) { return c.requested(0, ""); }, {0, none, 0, none},
         false},
        {"we end it", contact(sent, 5, received, 6), [](Contact& c) { return retract(c, 7); }, {7, none, 7, none}, false},
        {"we end it with a stale clock", contact(sent, 5, received, 6), [](Contact& c) { return retract(c, 5); },
         {5, sent, 6, received}, false},
        {"we end it before what they did", contact(sent, 5, received, 9), [](Contact& c) { return retract(c, 7); },
         {7, none, 9, none}, false},
        {"they end it", contact(sent, 5, received, 6), [](Contact& c) { return retracted(c, 7); }, {7, none, 7, none}, false},
        {"they end it with a stale clock", contact(sent, 5, received, 6), [](Contact& c) { return retracted(c, 6); },
         {5, sent, 6, received}, false},
        {"they end it, we dismissed them", contact(dismissed, 5, received, 4), [](Contact& c) { return retracted(c, 7); },
         {5, dismissed, 7, none}, false},
        {"they ended it before we asked anew", contact(sent, 9, received, 4), [](Contact& c) { return retracted(c, 7); },
         {9, sent, 7, none}, false},
        // What they believe: {their local clock, their local, their clock of ours, what they hold of ours}.
        {"they know all", contact(sent, 5, received, 6), [](Contact& c) { return c.reconcile({6, sent, 5, received}); },
         {5, sent, 6, received}, false},
        {"they do not know that we asked", contact(sent, 5, received, 6),
         [](Contact& c) { return c.reconcile({6, sent, 0, none}); }, {5, sent, 6, received}, true},
        {"they know an older request of ours, which says the same", contact(sent, 5, received, 6),
         [](Contact& c) { return c.reconcile({6, sent, 3, received}); }, {5, sent, 6, received}, false},
        {"they do not know that we ended it", contact(none, 7, none, 7),
         [](Contact& c) { return c.reconcile({6, sent, 5, received}); }, {7, none, 7, none}, true},
        {"they know of an end that we forgot", contact(sent, 5, received, 6),
         [](Contact& c) { return c.reconcile({6, sent, 8, none}); }, {8, none, 6, none}, false},
        {"the same, but we dismissed them", contact(dismissed, 5, received, 6),
         [](Contact& c) { return c.reconcile({6, sent, 8, none}); }, {5, dismissed, 6, received}, false},
        {"they believe a request of ours from the future", contact(none, 5, received, 6),
         [](Contact& c) { return c.reconcile({6, sent, 8, received}); }, {5, none, 6, received}, false},
        {"their request was lost", contact(), [](Contact& c) { return c.reconcile({4, sent, 0, none}); },
         {0, none, 4, received}, false},
        {"their acceptance was lost", contact(sent, 3), [](Contact& c) { return c.reconcile({4, sent, 3, received}); },
         {3, sent, 4, received}, false},
        {"their end was lost", contact(sent, 3, received, 4), [](Contact& c) { return c.reconcile({9, none, 9, none}); },
         {9, none, 9, none}, false},
        {"they never did anything", contact(sent, 3), [](Contact& c) { return c.reconcile({0, none, 3, received}); },
         {3, sent, 0, none}, false},
        {"a state that is not theirs to hold", contact(sent, 3), [](Contact& c) { return c.reconcile({4, mutual, 4, mutual}); },
         {3, sent, 0, none}, false},
    };
    for (const Row& row : rows) {
        Contact at = row.before;
        EXPECT_EQ(row.event(at), row.returned) << row.what;
        EXPECT_EQ(at.propagated(), row.after) << row.what;
        const bool idempotent = row.returned || (row.event(at), at.propagated() == row.after);
        EXPECT_TRUE(idempotent) << row.what;
    }
}

TEST(Contact, Is_mutual_only_when_both_asked) {
    EXPECT_TRUE(contact(sent, 1, received, 1).mutual());
    for (const Contact& other : {contact(), contact(sent, 1), contact(none, 1, received, 1), contact(dismissed, 1, received, 1)}) {
        EXPECT_FALSE(other.mutual());
    }
}

TEST(Contact, Remembers_the_request_until_it_ends) {
    Contact at = contact();
    at.requested(1, "0x1");
    EXPECT_EQ(at.request_id, "0x1");
    at.requested(1, "0xstale");
    EXPECT_EQ(at.request_id, "0x1");
    at.ask(2);
    at.requested(3, "");
    EXPECT_EQ(at.request_id, "0x1");
    at.retracted(4);
    EXPECT_EQ(at.request_id, "");
}

TEST(Contact, Clocks_never_stand_still) {
    Contact at = contact();
    EXPECT_EQ(at.next_clock(from_unix_ms(1000)), 1000U);
    EXPECT_EQ(at.next_clock(from_unix_ms(1000)), 1001U);
    EXPECT_EQ(at.next_clock(from_unix_ms(500)), 1002U);
    EXPECT_EQ(at.next_clock(from_unix_ms(-5)), 1003U);
    EXPECT_EQ(at.next_clock(from_unix_ms(2000)), 2000U);
}

/// Whatever is lost, repeated or late, two sides that still exchange their states come to agree.
TEST(Contact, Two_sides_agree_in_the_end) {
    SeededRandom random(7);
    int disagreed = 0;
    int mutual_rounds = 0;
    for (int round = 0; round < 300; ++round) {
        Contact a = contact();
        Contact b = contact();
        std::uint64_t clock = 100;
        std::vector<std::function<void()>> late;
        for (int step = 0; step < 12; ++step) {
            const bool first = random.below(2) == 0;
            Contact& own = first ? a : b;
            Contact& other = first ? b : a;
            ++clock;
            if (random.below(3) > 0) {
                own.ask(clock);
                late.emplace_back([&other, clock] { other.requested(clock, ""); });
            } else {
                own.retract(clock);
                late.emplace_back([&other, clock] { other.retracted(clock); });
            }
            for (std::size_t i = random.below(3); i > 0 && !late.empty(); --i) {
                const std::size_t which = random.below(late.size());
                late[which]();  // delivered, and perhaps again later
                if (random.below(2) == 0) {
                    late.erase(late.begin() + static_cast<std::ptrdiff_t>(which));
                }
            }
        }
        disagreed += a.mutual() != b.mutual() ? 1 : 0;
        for (int exchange = 0; exchange < 3; ++exchange) {
            static_cast<void>(b.reconcile(a.propagated()));
            static_cast<void>(a.reconcile(b.propagated()));
        }
        EXPECT_EQ(a.mutual(), b.mutual()) << "round " << round;
        mutual_rounds += a.mutual() ? 1 : 0;
    }
    EXPECT_GT(disagreed, 30);
    EXPECT_GT(mutual_rounds, 30);
    EXPECT_LT(mutual_rounds, 270);
}

TEST(Contact, A_row_is_read_back) {
    Contact full{bob().public_key(), sent, received, 5, 6, 7, "noroshi", "0x1", 8, "digest"};
    EXPECT_EQ(*decode_contact(encode_contact(full)), full);
    EXPECT_EQ(*decode_contact(encode_contact(contact())), contact());
    EXPECT_EQ(*decode_contact(encode_contact(contact(dismissed, 1))), contact(dismissed, 1));
}

TEST(Contact, A_damaged_row_is_seen) {
    EXPECT_EQ(decode_contact({}).error().code, Errc::corrupt);
    EXPECT_EQ(decode_contact(as_bytes("\xff")).error().code, Errc::corrupt);
    for (const auto& [local, remote] : {std::pair(received, none), std::pair(none, sent), std::pair(mutual, received)}) {
        EXPECT_EQ(decode_contact(encode_contact(contact(local, 1, remote, 1))).error().code, Errc::corrupt);
    }
}

}  // namespace
}  // namespace noroshi::status
