// test/unit/status/segments_test.cpp - cutting and joining; everything a sender can do wrong, or on purpose.
#include <gtest/gtest.h>

#include <algorithm>

#include "fields.hpp"
#include "segments.hpp"
#include "vectors.hpp"

namespace noroshi::status {
namespace {

using namespace test;

constexpr SteadyMs start{Milliseconds(1'000'000)};

Bytes counting(std::size_t size) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = static_cast<std::uint8_t>(i * 31 + i / 256);
    }
    return out;
}
std::string said(const Result<std::optional<Bytes>>& taken) {
    return !taken ? taken.error().message : *taken ? "whole" : "waits";
}
// Fields of a segment.
constexpr std::uint32_t whole_hash = 1;
constexpr std::uint32_t part_index = 2;
constexpr std::uint32_t part_count = 3;
constexpr std::uint32_t part = 4;
constexpr std::uint32_t parity_count = 6;

/// The first segment of a message of `parts` parts that no other message resembles.
Bytes lone_segment(std::size_t number, std::size_t bytes, std::uint32_t parts = 2) {
    return field(whole_hash, crypto::keccak256(as_bytes(std::to_string(number)))) + field(part_count, parts) +
           field(part, std::string(bytes, 'x'));
}

TEST(Segments, A_message_that_fits_is_itself) {
    const Bytes whole = counting(100);
    EXPECT_EQ(*cut_into_segments(whole, 100), std::vector<Bytes>{whole});
    SegmentJoiner joiner;
    EXPECT_EQ(**joiner.take(alice().public_key(), whole, start), whole);
    EXPECT_EQ(joiner.held_bytes(), 0U);
}

TEST(Segments, Every_other_layer_is_itself) {
    SegmentJoiner joiner;
    for (const char* name : {"protocol_message_dh", "protocol_message_contact_code", "mvds_payload", "mvds_ack", "metadata",
                             "chat_message"}) {
        EXPECT_EQ(**joiner.take(alice().public_key(), vector_bytes(name), start), vector_bytes(name)) << name;
    }
    EXPECT_EQ(said(joiner.take(alice().public_key(), {}, start)), "whole");
    EXPECT_EQ(said(joiner.take(alice().public_key(), Bytes{0xff}, start)), "whole");
}

TEST(Segments, Are_joined_in_any_order_with_duplicates) {
    const Bytes whole = counting(3 * segment_bytes + 17);
    std::vector<Bytes> segments = *cut_into_segments(whole);
    ASSERT_EQ(segments.size(), 4U);
    std::ranges::sort(segments);
    do {
        SegmentJoiner joiner;
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(said(joiner.take(alice().public_key(), segments[i], start)), "waits");
            EXPECT_EQ(said(joiner.take(alice().public_key(), segments[i], start)), "waits");
        }
        const auto joined = joiner.take(alice().public_key(), segments[3], start);
        ASSERT_EQ(said(joined), "whole");
        EXPECT_EQ(**joined, whole);
        EXPECT_EQ(joiner.held_bytes(), 0U);
    } while (std::ranges::next_permutation(segments).found);
}

TEST(Segments, Sizes_at_the_borders) {
    for (const std::size_t size : {11U, 19U, 20U, 21U, 2559U, 2560U}) {
        SegmentJoiner joiner;
        std::string last;
        const Bytes whole = counting(size);
        Bytes joined;
        const std::vector<Bytes> segments = *cut_into_segments(whole, 10);
        for (const Bytes& segment : segments) {
            auto taken = joiner.take(alice().public_key(), segment, start);
            last = said(taken);
            joined = taken && *taken ? std::move(**taken) : Bytes{};
        }
        EXPECT_EQ(last, "whole") << size;
        EXPECT_EQ(joined, whole) << size;
    }
    EXPECT_EQ(cut_into_segments(counting(2561), 10).error().code, Errc::limit);
}

TEST(Segments, Of_two_senders_and_two_messages_are_kept_apart) {
    SegmentJoiner joiner;
    const auto one = *cut_into_segments(counting(15), 10);
    const auto two = *cut_into_segments(counting(16), 10);
    EXPECT_EQ(said(joiner.take(alice().public_key(), one[0], start)), "waits");
    EXPECT_EQ(said(joiner.take(bob().public_key(), one[1], start)), "waits");
    EXPECT_EQ(said(joiner.take(alice().public_key(), two[1], start)), "waits");
    EXPECT_EQ(**joiner.take(alice().public_key(), one[1], start), counting(15));
    EXPECT_EQ(**joiner.take(bob().public_key(), one[0], start), counting(15));
    EXPECT_EQ(**joiner.take(alice().public_key(), two[0], start), counting(16));
    EXPECT_EQ(joiner.held_bytes(), 0U);
}

TEST(Segments, Parity_is_passed_over) {
    SegmentJoiner joiner;
    const auto segments = *cut_into_segments(counting(15), 10);
    EXPECT_EQ(said(joiner.take(alice().public_key(), segments[0], start)), "waits");
    const Bytes parity = segments[0] + field(part_count, 0) + field(parity_count, 1);
    EXPECT_EQ(said(joiner.take(alice().public_key(), parity, start)), "waits");
    EXPECT_EQ(**joiner.take(alice().public_key(), segments[1], start), counting(15));
}

TEST(Segments, Parts_that_make_another_whole_are_refused_and_may_come_again) {
    SegmentJoiner joiner;
    const auto segments = *cut_into_segments(counting(15), 10);
    const Bytes bad = segments[1] + field(part, "other");
    EXPECT_EQ(said(joiner.take(alice().public_key(), segments[0], start)), "waits");
    EXPECT_EQ(said(joiner.take(alice().public_key(), bad, start)), "bad_hash");
    EXPECT_EQ(joiner.held_bytes(), 0U);
    EXPECT_EQ(said(joiner.take(alice().public_key(), segments[0], start)), "waits");
    EXPECT_EQ(said(joiner.take(alice().public_key(), segments[1], start)), "whole");
}

TEST(Segments, That_make_no_sense_are_refused) {
    SegmentJoiner joiner;
    const auto segments = *cut_into_segments(counting(25), 10);
    const auto said_of = [&](const Bytes& change) { return said(joiner.take(alice().public_key(), segments[0] + change, start)); };
    EXPECT_EQ(said_of(field(part_index, 3)), "bad_segment");
    EXPECT_EQ(said_of(field(part_index, ~0U)), "bad_segment");
    EXPECT_EQ(said_of(field(part_count, 257)), "bad_segment");
    EXPECT_EQ(said_of(field(part_count, ~0U)), "bad_segment");
    EXPECT_EQ(said_of(field(part, "")), "bad_segment");
    EXPECT_EQ(joiner.held_bytes(), 0U);
    EXPECT_EQ(said_of({}), "waits");
    EXPECT_EQ(said_of(field(part_count, 4)), "bad_segment");
}

TEST(Segments, Five_megabytes_that_never_complete_stay_bounded_and_are_forgotten) {
    SegmentJoiner joiner;
    const Bytes whole = counting(5'000'000);
    const auto segments = *cut_into_segments(whole);
    std::size_t most = 0;
    for (int round = 0; round < 10; ++round) {
        for (std::size_t i = 1; i < segments.size(); ++i) {
            const Bytes other = segments[i] + field(whole_hash, crypto::keccak256(varint(static_cast<std::uint64_t>(round))));
            EXPECT_EQ(said(joiner.take(alice().public_key(), other, start)), "waits");
            most = std::max(most, joiner.held_bytes());
        }
    }
    EXPECT_LE(most, SegmentLimits{}.per_sender_bytes);
    EXPECT_GT(most, 4'000'000U);
    const SteadyMs later = start + SegmentLimits{}.age + Milliseconds(1);
    EXPECT_EQ(said(joiner.take(bob().public_key(), lone_segment(1, 10), later)), "waits");
    EXPECT_LT(joiner.held_bytes(), 1000U);
}

TEST(Segments, More_than_a_sender_may_hold_is_refused_and_costs_it_alone) {
    SegmentJoiner joiner(SegmentLimits{.bytes = 100'000, .per_sender_bytes = 10'000, .most_unfinished = 4});
    EXPECT_EQ(said(joiner.take(bob().public_key(), lone_segment(1, 2'000), start)), "waits");
    EXPECT_EQ(said(joiner.take(alice().public_key(), lone_segment(2, 2'000), start)), "waits");
    EXPECT_EQ(said(joiner.take(alice().public_key(), lone_segment(3, 20'000), start)), "segments_too_large");
    const std::size_t each = 2'000 + 256;
    EXPECT_EQ(joiner.held_bytes(), 2 * each);
    for (std::size_t i = 4; i < 100; ++i) {
        EXPECT_EQ(said(joiner.take(alice().public_key(), lone_segment(i, 2'000), start)), "waits");
        EXPECT_LE(joiner.held_bytes(), each + 10'000);
    }
    for (std::size_t i = 100; i < 200; ++i) {
        EXPECT_EQ(said(joiner.take(alice().public_key(), lone_segment(i, 1), start)), "waits");
    }
    EXPECT_EQ(joiner.held_bytes(), each + 4 * (1 + 256));
}

TEST(Segments, A_thousand_senders_share_one_bound) {
    SegmentJoiner joiner(SegmentLimits{.bytes = 200'000, .per_sender_bytes = 50'000});
    SeededRandom random(1);
    const auto last = *cut_into_segments(counting(1'500), 1'000);
    crypto::PublicKey sender = alice().public_key();
    for (std::size_t i = 0; i < 1'000; ++i) {
        sender = crypto::SecretKey::generate(random).public_key();
        EXPECT_EQ(said(joiner.take(sender, i + 1 < 1'000 ? lone_segment(i, 1'000, 200) : last[0], start)), "waits");
        EXPECT_LE(joiner.held_bytes(), 200'000U);
    }
    EXPECT_GT(joiner.held_bytes(), 190'000U);
    EXPECT_EQ(**joiner.take(sender, last[1], start), counting(1'500));
}

}  // namespace
}  // namespace noroshi::status
