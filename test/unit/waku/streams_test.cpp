// test/unit/waku/streams_test.cpp - one request and one answer on a stream, asked and served, with every way to fail.
#include <gtest/gtest.h>

#include "fake_host.hpp"
#include "streams.hpp"

namespace noroshi::waku {
namespace {

constexpr SteadyMs start{Milliseconds(1'000)};
constexpr StreamId inbound = 4294967296;

class StreamsTest : public ::testing::Test {
  protected:
    StreamsTest() {
        streams_.set_host(&host_);
        streams_.set_witness({[this](const PeerId& /*peer*/) { ++requests_; },
                              [this](const PeerId& peer, std::string_view reason) {
                                  faults_ += peer + " " + std::string(reason) + ";";
                              }});
        streams_.serve("/large", most_large, [](const PeerId& /*peer*/, const Bytes& request, const Streams::Reply& reply) {
            reply(request);
        });
        streams_.serve("/echo", max_small_frame_bytes,
                       [this](const PeerId& /*peer*/, const Bytes& request, Streams::Reply reply) {
                           if (request == Bytes{0xff}) {
                               reply(fail(Errc::parse, "malformed"));
                           } else if (request == Bytes{0xfe}) {
                               later_ = std::move(reply);
                           } else {
                               reply(request);
                           }
                       });
        streams_.take("/pushes", 8, [this](const PeerId& /*peer*/, const Bytes& pushed) {
            pushed_ += to_hex(pushed) + " ";
            return pushed != Bytes{0xff};
        });
    }
    /// Asks on stream 1; the answer, or the error, is in `answer_`.
    void ask() {
        streams_.request("peer", "/p", Bytes{1, 2}, start, [this](Result<Bytes> answer) {
            ++answers_;
            answer_ = answer ? to_hex(*answer) : answer.error().message;
        });
    }
    void serve(StreamId stream, const PeerId& peer = "peer") {
        streams_.on(event::StreamIn{stream, peer, "/echo"}, start);
    }

    HostNotes notes_;
    FakeHost host_{notes_};
    Streams streams_;
    std::string answer_{"none"};
    int answers_{0};
    Streams::Reply later_;
    std::string pushed_;
    std::string faults_;
    int requests_{0};
    static constexpr std::size_t most_large = 4 * 1024 * 1024;

    /// A request of `length` bytes, of which `sent` come.
    void send_part(StreamId stream, const PeerId& peer, std::size_t length, std::size_t sent) {
        streams_.on(event::StreamIn{stream, peer, "/large"}, start);
        Bytes bytes = frame(Bytes(length));
        bytes.resize(bytes.size() - length + sent);
        streams_.on(event::StreamData{stream, std::move(bytes)}, start);
    }
};

TEST_F(StreamsTest, A_request_is_written_whole_half_closed_and_given_credit_for_one_frame) {
    ask();
    const HostNotes::Stream& stream = notes_.streams.at(1);
    EXPECT_EQ(to_hex(stream.written), "020102");
    EXPECT_TRUE(stream.finished);
    EXPECT_EQ(stream.credit, max_small_frame_bytes + max_prefix_bytes + 1);
    EXPECT_EQ(stream.peer, "peer");
}

TEST_F(StreamsTest, The_answer_may_come_in_pieces) {
    ask();
    streams_.on(event::StreamData{1, {3, 7}}, start);
    streams_.on(event::StreamData{1, {8}}, start);
    EXPECT_EQ(answer_, "none");
    streams_.on(event::StreamData{1, {9}}, start);
    EXPECT_EQ(answer_, "070809");
    streams_.on(event::StreamEnded{1, StreamEnd::finished, ""});
    EXPECT_EQ(answers_, 1);
    EXPECT_EQ(streams_.open_count(), 0U);
}

TEST_F(StreamsTest, Each_end_without_answer_has_its_name) {
    const std::pair<StreamEnd, const char*> cases[] = {
        {StreamEnd::finished, "no_answer: the peer closed the stream"},
        {StreamEnd::not_connected, "not_connected"},
        {StreamEnd::unsupported, "unsupported: the peer does not speak the protocol"},
        {StreamEnd::timed_out, "timeout: stream not opened"},
        {StreamEnd::reset, "reset: why?"},
    };
    StreamId stream = 0;
    for (const auto& [how, expected] : cases) {
        ask();
        streams_.on(event::StreamEnded{++stream, how, "why\n"});
        EXPECT_EQ(answer_, expected);
    }
}

TEST_F(StreamsTest, The_end_of_the_peers_bytes_before_a_frame_is_no_answer) {
    ask();
    streams_.on(event::StreamData{1, {3, 7}}, start);
    streams_.on(event::StreamEof{1});
    EXPECT_EQ(answer_, "no_answer: the peer closed the stream");
}

TEST_F(StreamsTest, A_peer_that_says_too_much_is_reset) {
    ask();
    streams_.on(event::StreamData{1, {1, 7, 8}}, start);
    EXPECT_EQ(answer_, "bad_reply: trailing_bytes");
    EXPECT_TRUE(notes_.streams.at(1).reset);
}

TEST_F(StreamsTest, An_answer_over_the_cap_is_refused_at_its_length) {
    ask();
    streams_.on(event::StreamData{1, {0x81, 0x80, 0x04}}, start);
    EXPECT_EQ(answer_, "bad_reply: frame_too_large");
    EXPECT_TRUE(notes_.streams.at(1).reset);
}

TEST_F(StreamsTest, A_silent_peer_is_given_up_after_ten_seconds) {
    ask();
    streams_.tick(start + Milliseconds(9'999));
    EXPECT_EQ(answer_, "none");
    streams_.tick(start + Milliseconds(10'000));
    EXPECT_EQ(answer_, "timeout: no answer within 10 s");
    EXPECT_TRUE(notes_.streams.at(1).reset);
    streams_.on(event::StreamEnded{1, StreamEnd::cancelled, ""});
    EXPECT_EQ(answers_, 1);
}

TEST_F(StreamsTest, A_peer_that_answers_and_does_not_close_is_reset_in_time) {
    ask();
    streams_.on(event::StreamData{1, {1, 7}}, start);
    streams_.tick(start + Milliseconds(10'000));
    EXPECT_TRUE(notes_.streams.at(1).reset);
}

TEST_F(StreamsTest, Without_a_host_a_request_fails_at_once) {
    streams_.set_host(nullptr);
    ask();
    EXPECT_EQ(answer_, "host_down");
}

TEST_F(StreamsTest, A_busy_host_fails_a_request_at_once) {
    notes_.busy = true;
    ask();
    EXPECT_EQ(answer_.substr(0, 5), "busy:");
    notes_.busy = false;
    notes_.writes_full = true;
    ask();
    EXPECT_EQ(answers_, 2);
    EXPECT_TRUE(notes_.streams.begin()->second.reset);
}

TEST_F(StreamsTest, When_the_host_dies_all_requests_end_once) {
    ask();
    ask();
    streams_.fail_all();
    EXPECT_EQ(answer_, "host_down");
    EXPECT_EQ(answers_, 2);
    streams_.on(event::StreamEnded{1, StreamEnd::cancelled, ""});
    EXPECT_EQ(answers_, 2);
}

TEST_F(StreamsTest, A_request_is_served_and_half_closed) {
    serve(inbound);
    EXPECT_EQ(notes_.streams.at(inbound).credit, max_small_frame_bytes + max_prefix_bytes + 1);
    streams_.on(event::StreamData{inbound, {2, 7, 8}}, start);
    EXPECT_EQ(to_hex(notes_.streams.at(inbound).written), "020708");
    EXPECT_TRUE(notes_.streams.at(inbound).finished);
}

TEST_F(StreamsTest, A_request_that_the_handler_refuses_is_reset) {
    serve(inbound);
    streams_.on(event::StreamData{inbound, {1, 0xff}}, start);
    EXPECT_TRUE(notes_.streams.at(inbound).reset);
    EXPECT_TRUE(notes_.streams.at(inbound).written.empty());
}

TEST_F(StreamsTest, A_second_request_on_a_stream_is_reset) {
    serve(inbound);
    streams_.on(event::StreamData{inbound, {1, 7}}, start);
    streams_.on(event::StreamData{inbound, {1, 8}}, start);
    EXPECT_TRUE(notes_.streams.at(inbound).reset);
    EXPECT_EQ(to_hex(notes_.streams.at(inbound).written), "0107");
}

TEST_F(StreamsTest, A_request_that_ends_early_is_reset) {
    serve(inbound);
    streams_.on(event::StreamData{inbound, {5, 7}}, start);
    streams_.on(event::StreamEof{inbound});
    EXPECT_TRUE(notes_.streams.at(inbound).reset);
}

TEST_F(StreamsTest, The_end_after_a_served_request_is_no_fault) {
    serve(inbound);
    streams_.on(event::StreamData{inbound, {1, 7}}, start);
    streams_.on(event::StreamEof{inbound});
    EXPECT_FALSE(notes_.streams.at(inbound).reset);
    streams_.on(event::StreamEnded{inbound, StreamEnd::finished, ""});
    EXPECT_EQ(streams_.open_count(), 0U);
}

TEST_F(StreamsTest, A_slow_asker_is_reset_after_ten_seconds) {
    serve(inbound);
    streams_.tick(start + Milliseconds(59'999));
    EXPECT_FALSE(notes_.streams.at(inbound).reset) << "js-waku opens streams before it needs them";
    streams_.on(event::StreamData{inbound, {5, 7}}, start + Milliseconds(59'999));
    streams_.tick(start + Milliseconds(69'998));
    EXPECT_FALSE(notes_.streams.at(inbound).reset);
    streams_.tick(start + Milliseconds(69'999));
    EXPECT_TRUE(notes_.streams.at(inbound).reset);
    serve(inbound + 1);
    streams_.tick(start + Milliseconds(60'000));
    EXPECT_TRUE(notes_.streams.at(inbound + 1).reset);
}

TEST_F(StreamsTest, One_peer_has_only_so_many_streams_here) {
    for (StreamId stream = inbound; stream < inbound + Streams::inbound_per_peer; ++stream) {
        serve(stream);
        EXPECT_FALSE(notes_.streams.at(stream).reset);
    }
    serve(inbound + 50);
    EXPECT_TRUE(notes_.streams.at(inbound + 50).reset);
    serve(inbound + 51, "another");
    EXPECT_FALSE(notes_.streams.at(inbound + 51).reset);
    streams_.on(event::StreamEnded{inbound, StreamEnd::reset, ""});
    serve(inbound + 52);
    EXPECT_FALSE(notes_.streams.at(inbound + 52).reset);
}

TEST_F(StreamsTest, A_protocol_that_is_not_served_is_reset) {
    streams_.on(event::StreamIn{inbound, "peer", "/other"}, start);
    EXPECT_TRUE(notes_.streams.at(inbound).reset);
    EXPECT_EQ(streams_.open_count(), 0U);
}

TEST_F(StreamsTest, Events_of_unknown_streams_are_passed_over) {
    streams_.on(event::StreamData{77, {1, 2}}, start);
    streams_.on(event::StreamEof{77});
    streams_.on(event::StreamEnded{77, StreamEnd::reset, ""});
    EXPECT_TRUE(notes_.streams.empty());
}

TEST_F(StreamsTest, An_answer_may_come_later_and_is_passed_over_when_the_stream_has_gone) {
    serve(inbound);
    streams_.on(event::StreamData{inbound, {1, 0xfe}}, start);
    EXPECT_TRUE(notes_.streams.at(inbound).written.empty());
    later_(Bytes{9});
    EXPECT_EQ(to_hex(notes_.streams.at(inbound).written), "0109");
    later_(Bytes{9});
    EXPECT_EQ(to_hex(notes_.streams.at(inbound).written), "0109") << "once";
    serve(inbound + 1);
    streams_.on(event::StreamData{inbound + 1, {1, 0xfe}}, start);
    streams_.on(event::StreamEnded{inbound + 1, StreamEnd::reset, ""});
    later_(Bytes{9});
    EXPECT_TRUE(notes_.streams.at(inbound + 1).written.empty());
}

TEST_F(StreamsTest, An_answer_for_a_host_that_died_never_reaches_a_stream_of_its_successor) {
    serve(inbound);
    streams_.on(event::StreamData{inbound, {1, 0xfe}}, start);
    streams_.fail_all();
    serve(inbound);
    later_(Bytes{9});
    EXPECT_TRUE(notes_.streams.at(inbound).written.empty());
}

TEST_F(StreamsTest, A_push_stream_carries_one_or_many_frames_in_any_pieces) {
    streams_.on(event::StreamIn{inbound, "peer", "/pushes"}, start);
    streams_.on(event::StreamData{inbound, {1, 7, 2, 8}}, start);
    streams_.on(event::StreamData{inbound, {9, 1}}, start);
    streams_.on(event::StreamData{inbound, {5}}, start);
    EXPECT_EQ(pushed_, "07 0809 05 ");
    EXPECT_EQ(notes_.streams.at(inbound).credit, 8 + max_prefix_bytes + 1 + 7) << "what was read is granted again";
    streams_.tick(start + Milliseconds(3'600'000));
    EXPECT_FALSE(notes_.streams.at(inbound).reset) << "it may stay open for ever";
    streams_.on(event::StreamEof{inbound});
    EXPECT_TRUE(notes_.streams.at(inbound).finished);
    EXPECT_EQ(streams_.open_count(), 0U);
}

TEST_F(StreamsTest, A_pushed_frame_that_is_too_large_or_refused_resets_the_stream) {
    streams_.on(event::StreamIn{inbound, "peer", "/pushes"}, start);
    streams_.on(event::StreamData{inbound, {9}}, start);
    EXPECT_TRUE(notes_.streams.at(inbound).reset);
    streams_.on(event::StreamIn{inbound + 1, "peer", "/pushes"}, start);
    streams_.on(event::StreamData{inbound + 1, {1, 0xff, 1, 4}}, start);
    EXPECT_TRUE(notes_.streams.at(inbound + 1).reset);
    EXPECT_EQ(pushed_, "ff ") << "nothing is read after it";
}

TEST_F(StreamsTest, A_push_is_sent_when_the_peer_has_closed) {
    std::string sent = "pending";
    const auto note = [&sent](const Result<void>& result) { sent = result ? "ok" : result.error().message; };
    streams_.push("peer", "/p", Bytes{7}, start, note);
    EXPECT_EQ(to_hex(notes_.streams.at(1).written), "0107");
    EXPECT_TRUE(notes_.streams.at(1).finished);
    EXPECT_EQ(sent, "pending");
    streams_.on(event::StreamEof{1});
    EXPECT_EQ(sent, "ok");
    streams_.push("peer", "/p", Bytes{7}, start, note);
    streams_.on(event::StreamEnded{2, StreamEnd::reset, "why"});
    EXPECT_EQ(sent, "reset: why");
    streams_.push("peer", "/p", Bytes{7}, start, note);
    streams_.tick(start + Streams::deadline);
    EXPECT_EQ(sent, "timeout: no answer within 10 s");
    EXPECT_TRUE(notes_.streams.at(3).reset);
}

TEST_F(StreamsTest, A_request_that_dribbles_byte_by_byte_for_ever_is_reset_after_ten_seconds) {
    serve(inbound);
    streams_.on(event::StreamData{inbound, {0xe8, 0x07}}, start);
    for (int second = 1; second < 10; ++second) {
        streams_.on(event::StreamData{inbound, {1}}, start + Milliseconds(1'000 * second));
        streams_.tick(start + Milliseconds(1'000 * second));
        EXPECT_FALSE(notes_.streams.at(inbound).reset);
    }
    streams_.tick(start + Streams::deadline);
    EXPECT_TRUE(notes_.streams.at(inbound).reset);
    EXPECT_EQ(faults_, "peer slow_request;");
    EXPECT_EQ(streams_.held(), 0U);
}

TEST_F(StreamsTest, A_pushed_frame_that_dribbles_is_reset_after_ten_seconds_though_the_stream_may_stay) {
    streams_.on(event::StreamIn{inbound, "peer", "/pushes"}, start);
    streams_.on(event::StreamData{inbound, {1, 7}}, start);
    const SteadyMs later = start + Milliseconds(3'600'000);
    streams_.on(event::StreamData{inbound, {2, 8}}, later);
    streams_.on(event::StreamData{inbound, {}}, later + Milliseconds(9'000));
    streams_.tick(later + Milliseconds(9'999));
    EXPECT_FALSE(notes_.streams.at(inbound).reset);
    streams_.tick(later + Streams::deadline);
    EXPECT_TRUE(notes_.streams.at(inbound).reset);
    EXPECT_EQ(faults_, "peer slow_request;");
}

TEST_F(StreamsTest, A_length_that_never_ends_is_refused_at_its_tenth_byte) {
    serve(inbound);
    streams_.on(event::StreamData{inbound, Bytes(9, 0xff)}, start);
    EXPECT_FALSE(notes_.streams.at(inbound).reset);
    streams_.on(event::StreamData{inbound, {0xff}}, start);
    EXPECT_TRUE(notes_.streams.at(inbound).reset);
    EXPECT_EQ(faults_, "peer bad_length;");
}

TEST_F(StreamsTest, Each_fault_of_a_peer_is_told_by_its_name) {
    serve(inbound);
    streams_.on(event::StreamData{inbound, {0x81, 0x80, 0x04}}, start);
    serve(inbound + 1);
    streams_.on(event::StreamData{inbound + 1, {1, 7, 8}}, start);
    serve(inbound + 2);
    streams_.on(event::StreamData{inbound + 2, {1, 0xff}}, start);
    serve(inbound + 3);
    streams_.on(event::StreamData{inbound + 3, {5, 7}}, start);
    streams_.on(event::StreamEof{inbound + 3});
    EXPECT_EQ(faults_, "peer frame_too_large;peer trailing_bytes;peer refused;peer cut_off;");
}

TEST_F(StreamsTest, Opening_ahead_and_not_closing_is_no_fault) {
    serve(inbound);
    streams_.tick(start + Streams::idle_deadline);
    serve(inbound + 1);
    streams_.on(event::StreamEof{inbound + 1});
    serve(inbound + 2);
    streams_.on(event::StreamData{inbound + 2, {1, 7}}, start);
    streams_.tick(start + Streams::deadline);
    EXPECT_TRUE(notes_.streams.at(inbound).reset && notes_.streams.at(inbound + 1).reset &&
                notes_.streams.at(inbound + 2).reset);
    EXPECT_EQ(faults_, "");
    EXPECT_EQ(requests_, 1);
    EXPECT_EQ(streams_.open_count(), 0U);
}

TEST_F(StreamsTest, A_large_answer_that_nobody_reads_is_a_fault) {
    send_part(inbound, "peer", 300'000, 300'000);
    EXPECT_EQ(streams_.held(), 300'000U);
    streams_.tick(start + Streams::deadline);
    EXPECT_EQ(faults_, "peer slow_reader;");
    EXPECT_EQ(streams_.held(), 300'000U) << "the host has it until the stream has ended";
    streams_.on(event::StreamEnded{inbound, StreamEnd::cancelled, ""});
    EXPECT_EQ(streams_.held(), 0U);
}

TEST_F(StreamsTest, When_all_places_are_taken_the_peer_with_most_loses_its_oldest_and_a_newcomer_has_one) {
    constexpr std::size_t peers = Streams::most_inbound / Streams::inbound_per_peer;
    StreamId next = inbound;
    serve(next++, "modest");
    for (std::size_t peer = 0; peer < peers; ++peer) {
        for (std::size_t i = 0; i < Streams::inbound_per_peer; ++i) {
            serve(next++, "hog" + std::to_string(peer));
        }
    }
    EXPECT_EQ(streams_.open_count(), Streams::most_inbound);
    EXPECT_FALSE(notes_.streams.at(inbound).reset);
    EXPECT_EQ(faults_, "hog0 no_room;");
    serve(next, "newcomer");
    EXPECT_FALSE(notes_.streams.at(next).reset);
    EXPECT_FALSE(notes_.streams.at(inbound).reset) << "the modest peer keeps its own";
    EXPECT_EQ(streams_.open_count(), Streams::most_inbound);
}

TEST_F(StreamsTest, Of_the_places_of_a_peer_those_go_first_that_nothing_was_asked_on) {
    StreamId next = inbound;
    const StreamId asked = next++;
    serve(asked, "busy");
    streams_.on(event::StreamData{asked, {1, 7}}, start);
    for (std::size_t i = 1; i < Streams::inbound_per_peer; ++i) {
        serve(next++, "busy");
    }
    for (std::size_t peer = 0; streams_.open_count() < Streams::most_inbound; ++peer) {
        serve(next++, "one" + std::to_string(peer));
    }
    for (std::size_t i = 1; i < Streams::inbound_per_peer; ++i) {
        serve(next++, "newcomer" + std::to_string(i));
    }
    EXPECT_TRUE(notes_.streams.at(asked + 1).reset) << "the oldest";
    EXPECT_FALSE(notes_.streams.at(asked).reset) << "an answer is due there";
}

TEST_F(StreamsTest, Small_requests_and_answers_are_kept_while_large_ones_that_are_leaving_fill_the_room) {
    send_part(inbound, "modest", 60'000, 50'000);
    for (StreamId stream = inbound + 1; stream <= inbound + 12; ++stream) {
        send_part(stream, "hog" + std::to_string(stream % 3), 3'000'000, 3'000'000);
    }
    send_part(inbound + 20, "modest", 60'000, 50'000);
    EXPECT_EQ(faults_.find("modest"), std::string::npos) << faults_;
    EXPECT_FALSE(notes_.streams.at(inbound).reset);
}

TEST_F(StreamsTest, What_requests_hold_together_is_bounded_and_the_peer_that_holds_most_pays) {
    send_part(inbound, "modest", 100'000, 90'000);
    for (StreamId stream = inbound + 1; stream <= inbound + 12; ++stream) {
        send_part(stream, "hog" + std::to_string(stream % 3), most_large, 3'000'000);
        EXPECT_LE(streams_.held(), Streams::most_held);
    }
    EXPECT_FALSE(notes_.streams.at(inbound).reset);
    EXPECT_EQ(faults_.find("modest"), std::string::npos);
    EXPECT_NE(faults_.find("no_room"), std::string::npos);
}

TEST_F(StreamsTest, Large_answers_that_nobody_takes_are_bounded_and_small_ones_go_out_all_the_same) {
    for (StreamId stream = inbound; stream < inbound + 12; ++stream) {
        send_part(stream, "hog" + std::to_string(stream % 3), 3'000'000, 3'000'000);
        EXPECT_LE(streams_.held(), Streams::most_held);
    }
    EXPECT_NE(faults_.find("no_room"), std::string::npos);
    serve(inbound + 20, "modest");
    streams_.on(event::StreamData{inbound + 20, {1, 7}}, start);
    EXPECT_EQ(to_hex(notes_.streams.at(inbound + 20).written), "0107");
}

TEST_F(StreamsTest, A_peer_that_goes_on_after_its_answer_is_reset) {
    ask();
    streams_.on(event::StreamData{1, {1, 7}}, start);
    EXPECT_FALSE(notes_.streams.at(1).reset);
    streams_.on(event::StreamData{1, {8}}, start);
    EXPECT_TRUE(notes_.streams.at(1).reset);
}

}  // namespace
}  // namespace noroshi::waku
