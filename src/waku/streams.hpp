// src/waku/streams.hpp - one request and one response on a stream of their own, asked and served.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "host.hpp"
#include "rpc.hpp"

namespace noroshi::waku {

/// Turns stream events into calls with a value. Each stream holds at most one frame, lives at most 10 s and is
/// read only by credit, so that a peer can neither block nor fill it. Deadlines are checked by `tick`.
/// Thread: the I/O thread. Owns no task.
class Streams {
  public:
    /// The body of the answer, or why there is none. First word of the message: timeout, unsupported, not_connected,
    /// reset, no_answer, host_down, busy; or a word of FrameReader.
    using OnAnswer = std::function<void(Result<Bytes> answer)>;
    /// Makes the body of the answer from the body of a request. An error resets the stream.
    using Handler = std::function<Result<Bytes>(const PeerId& peer, const Bytes& request)>;

    /// `host` may be null while there is none.
    void set_host(P2pHost* host) { host_ = host; }
    /// Serves `protocol`. The host must have been told to accept it.
    void serve(std::string_view protocol, Handler handler);
    /// Writes `body` as one frame, half-closes, reads one frame. `on_answer` is called once, later; from inside an event
    /// or `tick`, or at once when the host takes no command.
    /// An answer over `most_bytes` is refused.
    void request(const PeerId& peer, std::string_view protocol, ByteView body, SteadyMs now, OnAnswer on_answer,
                 std::size_t most_bytes = max_small_frame_bytes);

    void on(const event::StreamIn& event, SteadyMs now);
    void on(const event::StreamData& event);
    void on(const event::StreamEof& event);
    void on(const event::StreamEnded& event);
    /// Ends what has waited too long.
    void tick(SteadyMs now);
    /// Ends all with host_down; later events of theirs are passed over.
    void fail_all();
    [[nodiscard]] std::size_t open_count() const { return asked_.size() + served_.size() + closing_.size(); }

    static constexpr Milliseconds deadline{10'000};
    /// Inbound streams of one peer at a time; more are reset.
    static constexpr std::size_t inbound_per_peer = 4;

  private:
    struct Asked {
        FrameReader reader{max_small_frame_bytes};
        SteadyMs since{};
        OnAnswer on_answer;
    };
    struct Served {
        FrameReader reader{max_small_frame_bytes};
        SteadyMs since{};
        PeerId peer;
        std::string protocol;
        bool answered{false};
    };
    void answer(StreamId stream, Result<Bytes> result);
    void feed_asked(StreamId stream, Asked& asked, ByteView data);
    void feed_served(StreamId stream, Served& served, ByteView data);

    P2pHost* host_{nullptr};
    StreamId next_{1};
    std::map<StreamId, Asked> asked_;
    std::map<StreamId, Served> served_;
    std::map<StreamId, SteadyMs> closing_;  ///< answered, not ended by the peer yet; since when they are open
    std::map<std::string, Handler, std::less<>> handlers_;
};

}  // namespace noroshi::waku
