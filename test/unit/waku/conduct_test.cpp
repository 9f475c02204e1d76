// test/unit/waku/conduct_test.cpp - faults are counted, forgiven in time, and punished when there are too many.
#include "conduct.hpp"

#include <gtest/gtest.h>

namespace noroshi::waku {
namespace {

constexpr SteadyMs start{Milliseconds(1'000)};

/// True when one of the faults was one too many.
bool faults(Conduct& conduct, const PeerId& peer, int count, SteadyMs at = start) {
    bool banned = false;
    for (int i = 0; i < count; ++i) {
        banned = conduct.fault(peer, at) || banned;
    }
    return banned;
}

TEST(Conduct, Twenty_faults_are_forgiven_and_the_next_bans_once) {
    Conduct conduct;
    EXPECT_FALSE(faults(conduct, "peer", 20));
    EXPECT_TRUE(conduct.fault("peer", start));
    EXPECT_FALSE(faults(conduct, "peer", 50)) << "it is banned already";
    EXPECT_FALSE(faults(conduct, "other", 20));
}

TEST(Conduct, A_fault_each_ten_seconds_is_forgiven_for_ever) {
    Conduct conduct;
    EXPECT_FALSE(faults(conduct, "peer", 20));
    for (int i = 1; i < 1'000; ++i) {
        EXPECT_FALSE(conduct.fault("peer", start + i * Conduct::forgiven_each));
    }
}

TEST(Conduct, A_ban_ends_after_ten_minutes_and_nothing_is_held_against_the_peer) {
    Conduct conduct;
    EXPECT_TRUE(faults(conduct, "peer", 21));
    EXPECT_TRUE(conduct.pardon(start + Conduct::ban - Milliseconds(1)).empty());
    EXPECT_EQ(conduct.pardon(start + Conduct::ban), std::vector<PeerId>{"peer"});
    EXPECT_TRUE(conduct.pardon(start + Conduct::ban).empty());
    EXPECT_FALSE(faults(conduct, "peer", 20, start + Conduct::ban));
}

TEST(Conduct, Remembers_a_thousand_peers_and_room_comes_back_when_faults_are_forgiven) {
    Conduct conduct;
    for (std::size_t i = 0; i < Conduct::remembered; ++i) {
        EXPECT_FALSE(conduct.fault(std::to_string(i), start));
    }
    EXPECT_FALSE(faults(conduct, "late", 100));
    EXPECT_TRUE(conduct.pardon(start + Conduct::forgiven_each).empty());
    EXPECT_TRUE(faults(conduct, "late", 21, start + Conduct::forgiven_each));
}

}  // namespace
}  // namespace noroshi::waku
