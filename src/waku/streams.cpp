// src/waku/streams.cpp - request and response over raw streams.
#include "streams.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace noroshi::waku {
namespace {

/// One frame, and one byte more: the end of the stream is noticed only while credit remains.
constexpr std::uint64_t credit_for(std::size_t frame_bytes) { return frame_bytes + max_prefix_bytes + 1; }

Error transport_error(Errc code, std::string message) { return Error{code, std::move(message), {}, true}; }

Error describe(const event::StreamEnded& event) {
    switch (event.how) {
        case StreamEnd::finished:
            return transport_error(Errc::io, "no_answer: the peer closed the stream");
        case StreamEnd::not_connected:
            return transport_error(Errc::io, "not_connected");
        case StreamEnd::unsupported:
            return transport_error(Errc::unsupported, "unsupported: the peer does not speak the protocol");
        case StreamEnd::timed_out:
            return transport_error(Errc::timeout, "timeout: stream not opened");
        case StreamEnd::reset:
        case StreamEnd::cancelled:
        case StreamEnd::panic:
            return transport_error(Errc::io, "reset: " + printable(event.reason, 200));
    }
    return transport_error(Errc::internal, "reset");
}

}  // namespace

void Streams::serve(std::string_view protocol, Handler handler) {
    handlers_.insert_or_assign(std::string(protocol), std::move(handler));
}

void Streams::request(const PeerId& peer, std::string_view protocol, ByteView body, SteadyMs now, OnAnswer on_answer,
                      std::size_t most_bytes) {
    if (host_ == nullptr) {
        on_answer(fail(transport_error(Errc::io, "host_down")));
        return;
    }
    const StreamId stream = next_;
    next_ = next_ == UINT32_MAX ? 1 : next_ + 1;
    const Result<void> begun = host_->open(stream, peer, protocol, deadline);
    if (!begun) {
        on_answer(fail(transport_error(Errc::limit, "busy: " + begun.error().message)));
        return;
    }
    Asked asked;
    asked.reader = FrameReader(most_bytes);
    asked.since = now;
    asked.on_answer = std::move(on_answer);
    asked_.insert_or_assign(stream, std::move(asked));
    const Result<void> written = host_->write(stream, frame(body));
    if (!written) {
        host_->reset(stream);
        answer(stream, fail(transport_error(Errc::limit, "busy: " + written.error().message)));
        return;
    }
    host_->finish(stream);
    host_->credit(stream, credit_for(most_bytes));
}

void Streams::on(const event::StreamIn& event, SteadyMs now) {
    const auto of_peer =
        std::ranges::count_if(served_, [&event](const auto& entry) { return entry.second.peer == event.peer; });
    if (host_ == nullptr || !handlers_.contains(event.protocol) ||
        static_cast<std::size_t>(of_peer) >= inbound_per_peer) {
        if (host_ != nullptr) {
            host_->reset(event.stream);
        }
        return;
    }
    Served served;
    served.since = now;
    served.peer = event.peer;
    served.protocol = event.protocol;
    served_.insert_or_assign(event.stream, std::move(served));
    host_->credit(event.stream, credit_for(max_small_frame_bytes));
}

void Streams::on(const event::StreamData& event) {
    if (const auto asked = asked_.find(event.stream); asked != asked_.end()) {
        feed_asked(event.stream, asked->second, event.data);
    } else if (const auto served = served_.find(event.stream); served != served_.end()) {
        feed_served(event.stream, served->second, event.data);
    }
}

void Streams::feed_asked(StreamId stream, Asked& asked, ByteView data) {
    Result<std::optional<Bytes>> body = asked.reader.feed(data);
    if (!body) {
        host_->reset(stream);
        answer(stream, fail(transport_error(Errc::parse, "bad_reply: " + body.error().message)));
    } else if (*body) {
        closing_.insert_or_assign(stream, asked.since);  // it is the peer's turn to close
        answer(stream, std::move(**body));
    }
}

void Streams::feed_served(StreamId stream, Served& served, ByteView data) {
    Result<std::optional<Bytes>> request = served.reader.feed(data);
    if (!request) {
        host_->reset(stream);
        return;
    }
    if (!*request) {
        return;
    }
    const Result<Bytes> reply = handlers_.at(served.protocol)(served.peer, **request);
    if (!reply || !host_->write(stream, frame(*reply))) {
        host_->reset(stream);
        return;
    }
    served.answered = true;
    host_->finish(stream);
}

void Streams::on(const event::StreamEof& event) {
    if (asked_.contains(event.stream)) {
        answer(event.stream, fail(transport_error(Errc::io, "no_answer: the peer closed the stream")));
    } else if (const auto served = served_.find(event.stream); served != served_.end() && !served->second.answered) {
        host_->reset(event.stream);
    }
}

void Streams::on(const event::StreamEnded& event) {
    served_.erase(event.stream);
    closing_.erase(event.stream);
    answer(event.stream, fail(describe(event)));
}

void Streams::tick(SteadyMs now) {
    std::vector<StreamId> late;
    for (const auto& [stream, asked] : asked_) {
        if (now - asked.since >= deadline) {
            late.push_back(stream);
        }
    }
    for (const StreamId stream : late) {
        if (host_ != nullptr) {
            host_->reset(stream);
        }
        answer(stream, fail(transport_error(Errc::timeout, "timeout: no answer within 10 s")));
    }
    for (const auto& [stream, served] : served_) {
        if (now - served.since >= deadline && host_ != nullptr) {
            host_->reset(stream);
        }
    }
    for (const auto& [stream, since] : closing_) {
        if (now - since >= deadline && host_ != nullptr) {
            host_->reset(stream);
        }
    }
}

void Streams::answer(StreamId stream, Result<Bytes> result) {
    const auto found = asked_.find(stream);
    if (found == asked_.end()) {
        return;
    }
    const OnAnswer on_answer = std::move(found->second.on_answer);
    asked_.erase(found);  // before the call: it may begin another request
    on_answer(std::move(result));
}

void Streams::fail_all() {
    served_.clear();
    closing_.clear();
    while (!asked_.empty()) {
        answer(asked_.begin()->first, fail(transport_error(Errc::io, "host_down")));
    }
}

}  // namespace noroshi::waku
