// src/waku/streams.hpp - frames on raw streams: one request and its answer, asked and served; pushes, sent and taken.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "host.hpp"
#include "rpc.hpp"

namespace noroshi::waku {

/// Turns stream events into calls with a value. A stream holds at most one frame and is read only by credit, so that a
/// peer can neither block nor fill it; each lives at most `deadline`, counted from the first byte on inbound ones, which may
/// be opened a minute before. Only streams of pushes stay, and there each frame has that time. When inbound streams are too many, or what they hold is too
/// much (requests half read, answers that nobody takes), the peer with the most of it loses its largest or oldest, one
/// that has asked nothing first, so that a newcomer always has a place. Deadlines are checked by `tick`. Thread: the I/O thread. Owns no task.
class Streams {
  public:
    /// The body of the answer, or why there is none. First word of the message: timeout, unsupported, not_connected,
    /// reset, no_answer, host_down, busy; or a word of FrameReader.
    using OnAnswer = std::function<void(Result<Bytes> answer)>;
    /// Sends the body of an answer, or resets the stream. Once, now or later; passed over when the stream has ended.
    using Reply = std::function<void(Result<Bytes> answer)>;
    using Handler = std::function<void(const PeerId& peer, Bytes request, Reply reply)>;
    /// One frame of a push stream. False resets the stream.
    using OnFrame = std::function<bool(const PeerId& peer, Bytes frame)>;
    /// The pushed frame was taken and the stream closed by the peer; or not, with words as OnAnswer.
    using OnSent = std::function<void(Result<void> sent)>;
    /// What inbound streams tell of a peer: a whole request or push came; or a fault, in one word: frame_too_large,
    /// bad_length, trailing_bytes, refused (by its handler), cut_off, slow_request, slow_reader, too_many_streams,
    /// no_room.
    struct Witness {
        std::function<void(const PeerId& peer)> request{[](const PeerId&) {}};
        std::function<void(const PeerId& peer, std::string_view reason)> fault{[](const PeerId&, std::string_view) {}};
    };

    /// `host` may be null while there is none.
    void set_host(P2pHost* host) { host_ = host; }
    void set_witness(Witness witness) { witness_ = std::move(witness); }
    /// Serves requests of at most `most_bytes`. The host must have been told to accept `protocol`.
    void serve(std::string_view protocol, std::size_t most_bytes, Handler handler);
    /// Takes any number of frames from each stream of `protocol`, which may stay open for ever; nothing is answered.
    void take(std::string_view protocol, std::size_t most_bytes, OnFrame on_frame);
    /// Writes `body` as one frame, half-closes, reads one frame. `on_answer` is called once, later; from inside an event
    /// or `tick`, or at once when the host takes no command.
    /// An answer over `most_bytes` is refused.
    void request(const PeerId& peer, std::string_view protocol, ByteView body, SteadyMs now, OnAnswer on_answer,
                 std::size_t most_bytes = max_small_frame_bytes);
    /// Writes `body` as one frame on a stream of its own and half-closes. `on_sent` is called once, as `on_answer`.
    void push(const PeerId& peer, std::string_view protocol, ByteView body, SteadyMs now, OnSent on_sent);

    void on(const event::StreamIn& event, SteadyMs now);
    void on(const event::StreamData& event, SteadyMs now);
    void on(const event::StreamEof& event);
    void on(const event::StreamEnded& event);
    /// Ends what has waited too long.
    void tick(SteadyMs now);
    /// Ends all with host_down; later events of theirs are passed over.
    void fail_all();
    [[nodiscard]] std::size_t open_count() const { return asked_.size() + inbound_.size() + closing_.size(); }
    /// Bytes of requests half read and of answers not taken yet; those below 64 KiB are not counted.
    [[nodiscard]] std::size_t held() const { return held_; }

    static constexpr Milliseconds deadline{10'000};
    /// Inbound streams of one peer at a time, requests and pushes counted apart; more are reset.
    /// js-waku opens one of each protocol as soon as it is connected, to have it ready.
    static constexpr std::size_t inbound_per_peer = 16;
    static constexpr std::size_t most_inbound = 512;
    /// Beside requests and answers below 64 KiB, which `most_inbound` bounds: they make no room worth a loss.
    static constexpr std::size_t most_held = 32 * 1024 * 1024;
    static constexpr Milliseconds idle_deadline{60'000};

  private:
    struct Asked {
        FrameReader reader{max_small_frame_bytes};
        SteadyMs since{};
        bool wants_answer{true};
        OnAnswer on_answer;
    };
    struct Service {
        std::size_t most_bytes{0};
        Handler handler;   ///< of requests, or
        OnFrame on_frame;  ///< of pushes
    };
    struct Inbound {
        FrameReader reader{max_small_frame_bytes};
        SteadyMs since{};
        PeerId peer;
        const Service* service{nullptr};
        std::size_t held{0};   ///< its part of `held_`
        bool begun{false};     ///< a byte has come; `since` counts from there
        bool asked{false};     ///< the request is whole
        bool answered{false};
        [[nodiscard]] bool pushes() const { return service->on_frame != nullptr; }
        /// What its place is worth to others: most when nothing was asked yet, least when an answer is due or on its way.
        [[nodiscard]] std::size_t idleness() const { return asked ? 1 : begun ? 2 : 3; }
    };
    using InboundMap = std::map<StreamId, Inbound>;
    [[nodiscard]] Result<StreamId> open(const PeerId& peer, std::string_view protocol, ByteView body);
    void answer(StreamId stream, Result<Bytes> result);
    void reply(StreamId stream, const Result<Bytes>& result);
    void feed_asked(StreamId stream, Asked& asked, ByteView data);
    void feed_request(StreamId stream, ByteView data);
    void feed_pushes(StreamId stream, ByteView data, SteadyMs now);
    void hold(StreamId stream, std::size_t bytes);
    void free_a_place();
    void free_bytes();
    template <class Measure>
    [[nodiscard]] std::optional<StreamId> largest_of_worst(Measure measure) const;
    /// Resets an inbound stream and forgets it; `fault` empty: it is none.
    void drop(StreamId stream, std::string_view fault);
    void forget(StreamId stream);
    void end_late_inbound(SteadyMs now);

    P2pHost* host_{nullptr};
    StreamId next_{1};
    std::uint64_t epoch_{0};  ///< of the host: a new one numbers its inbound streams from the start again
    std::map<StreamId, Asked> asked_;
    InboundMap inbound_;
    /// What streams that were reset still hold until the host says that they have ended.
    std::map<StreamId, std::size_t> leaving_;
    std::size_t held_{0};
    Witness witness_;
    std::map<StreamId, SteadyMs> closing_;  ///< answered, not ended by the peer yet; since when they are open
    std::map<std::string, Service, std::less<>> services_;
};

}  // namespace noroshi::waku
