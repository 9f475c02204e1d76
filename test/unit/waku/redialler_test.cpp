// test/unit/waku/redialler_test.cpp - when a static peer is dialled again.
#include <gtest/gtest.h>

#include "redialler.hpp"

namespace noroshi::waku {
namespace {

constexpr SteadyMs start{Milliseconds(1'000'000)};

PeerAddress peer(std::string id, std::string address) { return {std::move(address), std::move(id)}; }

class RediallerTest : public ::testing::Test {
  protected:
    /// Dials what is due; how many there were.
    std::size_t dial(SteadyMs now) {
        const auto due = redialler_.due(now);
        for (const Redialler::Due& one : due) {
            redialler_.dialling(one.peer, ++request_, now);
            address_ = one.address;
        }
        return due.size();
    }
    /// How long after `now` the peer is due, in steps of 50 ms.
    Milliseconds wait_after(SteadyMs now) const {
        Milliseconds waited{0};
        while (redialler_.due(now + waited).empty() && waited < Milliseconds(200'000)) {
            waited += Milliseconds(50);
        }
        return waited;
    }

    SeededRandom random_{1};
    Redialler redialler_{{peer("a", "/a1"), peer("a", "/a2")}, random_};
    std::uint64_t request_{0};
    std::string address_;
};

TEST_F(RediallerTest, Dials_at_once_and_once) {
    EXPECT_EQ(dial(start), 1U);
    EXPECT_EQ(address_, "/a1");
    EXPECT_EQ(dial(start), 0U);
}

TEST_F(RediallerTest, Waits_double_after_each_failure_up_to_a_minute) {
    SteadyMs now = start;
    for (const int base : {1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 60'000, 60'000, 60'000}) {
        ASSERT_EQ(dial(now), 1U);
        redialler_.dial_failed(request_, now);
        const Milliseconds waited = wait_after(now);
        EXPECT_GE(waited, Milliseconds(base * 3 / 4));
        EXPECT_LE(waited, Milliseconds(base * 5 / 4 + 50));
        now += waited;
    }
}

TEST(Redialler_jitter, Spreads_the_peers_over_half_the_wait) {
    SeededRandom random(3);
    std::vector<PeerAddress> peers;
    for (int i = 0; i < 100; ++i) {
        peers.push_back(peer(std::to_string(i), "/a"));
    }
    Redialler redialler(peers, random);
    for (std::size_t i = 0; i < peers.size(); ++i) {
        redialler.dialling(i, i + 1, start);
        redialler.dial_failed(i + 1, start);
    }
    EXPECT_TRUE(redialler.due(start + Milliseconds(749)).empty());
    const std::size_t halfway = redialler.due(start + Milliseconds(1'000)).size();
    EXPECT_GT(halfway, 25U);
    EXPECT_LT(halfway, 75U);
    EXPECT_EQ(redialler.due(start + Milliseconds(1'250)).size(), 100U);
}

TEST_F(RediallerTest, Tries_the_addresses_of_a_peer_in_turn) {
    SteadyMs now = start;
    for (const char* expected : {"/a1", "/a2", "/a1"}) {
        ASSERT_EQ(dial(now), 1U);
        EXPECT_EQ(address_, expected);
        redialler_.dial_failed(request_, now);
        now += Milliseconds(100'000);
    }
}

TEST_F(RediallerTest, A_connected_peer_is_not_dialled) {
    dial(start);
    redialler_.connected("a", start);
    EXPECT_EQ(dial(start + std::chrono::hours(1)), 0U);
}

TEST_F(RediallerTest, A_peer_that_came_by_itself_is_not_dialled) {
    redialler_.connected("a", start);
    EXPECT_EQ(dial(start + Milliseconds(1'000)), 0U);
}

TEST_F(RediallerTest, Counts_anew_after_a_connection_that_held) {
    for (int i = 0; i < 6; ++i) {
        const SteadyMs now = start + Milliseconds(100'000) * i;
        ASSERT_EQ(dial(now), 1U);
        redialler_.dial_failed(request_, now);
    }
    const SteadyMs later = start + Milliseconds(1'000'000);
    dial(later);
    redialler_.connected("a", later);
    redialler_.disconnected("a", later + Milliseconds(30'000));
    EXPECT_LE(wait_after(later + Milliseconds(30'000)), Milliseconds(1'300));
}

TEST_F(RediallerTest, Goes_on_counting_after_a_connection_that_did_not_hold) {
    for (int i = 0; i < 3; ++i) {
        const SteadyMs now = start + Milliseconds(100'000) * i;
        ASSERT_EQ(dial(now), 1U);
        redialler_.connected("a", now);
        redialler_.disconnected("a", now + Milliseconds(29'999));
    }
    EXPECT_GE(wait_after(start + Milliseconds(229'999)), Milliseconds(3'000));
}

TEST_F(RediallerTest, A_dial_without_answer_is_given_up_after_half_a_minute) {
    dial(start);
    redialler_.expire(start + Milliseconds(29'999));
    EXPECT_EQ(redialler_.peer_of(request_), "a");
    redialler_.expire(start + Milliseconds(30'000));
    EXPECT_EQ(redialler_.peer_of(request_), std::nullopt);
    EXPECT_EQ(dial(start + Milliseconds(60'000)), 1U);
}

TEST_F(RediallerTest, The_failure_of_an_earlier_dial_changes_nothing) {
    dial(start);
    redialler_.connected("a", start);
    redialler_.dial_failed(request_, start);
    EXPECT_EQ(dial(start + Milliseconds(100'000)), 0U);
}

TEST_F(RediallerTest, After_a_crash_of_the_host_all_are_due_at_once) {
    dial(start);
    redialler_.connected("a", start);
    redialler_.reset(start);
    EXPECT_EQ(dial(start), 1U);
}

TEST_F(RediallerTest, Strangers_are_none_of_its_business) {
    redialler_.connected("z", start);
    redialler_.disconnected("z", start);
    redialler_.dial_failed(99, start);
    EXPECT_EQ(redialler_.due(start).size(), 1U);
}

}  // namespace
}  // namespace noroshi::waku
