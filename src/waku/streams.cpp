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

void Streams::serve(std::string_view protocol, std::size_t most_bytes, Handler handler) {
    services_.insert_or_assign(std::string(protocol), Service{most_bytes, std::move(handler), {}});
}

void Streams::take(std::string_view protocol, std::size_t most_bytes, OnFrame on_frame) {
    services_.insert_or_assign(std::string(protocol), Service{most_bytes, {}, std::move(on_frame)});
}

/// Opens a stream, writes `body` as its only frame and half-closes.
Result<StreamId> Streams::open(const PeerId& peer, std::string_view protocol, ByteView body) {
    if (host_ == nullptr) {
        return fail(transport_error(Errc::io, "host_down"));
    }
    const StreamId stream = next_;
    next_ = next_ == UINT32_MAX ? 1 : next_ + 1;
    const Result<void> begun = host_->open(stream, peer, protocol, deadline);
    if (!begun) {
        return fail(transport_error(Errc::limit, "busy: " + begun.error().message));
    }
    const Result<void> written = host_->write(stream, frame(body));
    if (!written) {
        host_->reset(stream);
        return fail(transport_error(Errc::limit, "busy: " + written.error().message));
    }
    host_->finish(stream);
    return stream;
}

void Streams::request(const PeerId& peer, std::string_view protocol, ByteView body, SteadyMs now, OnAnswer on_answer,
                      std::size_t most_bytes) {
    const Result<StreamId> stream = open(peer, protocol, body);
    if (!stream) {
        on_answer(fail(stream.error()));
        return;
    }
    asked_.insert_or_assign(*stream, Asked{FrameReader(most_bytes), now, true, std::move(on_answer)});
    host_->credit(*stream, credit_for(most_bytes));
}

void Streams::push(const PeerId& peer, std::string_view protocol, ByteView body, SteadyMs now, OnSent on_sent) {
    const Result<StreamId> stream = open(peer, protocol, body);
    if (!stream) {
        on_sent(fail(stream.error()));
        return;
    }
    const auto done = [on_sent = std::move(on_sent)](const Result<Bytes>& answer) {
        on_sent(answer ? Result<void>{} : fail(answer.error()));
    };
    asked_.insert_or_assign(*stream, Asked{FrameReader(0), now, false, done});
    host_->credit(*stream, 1);  // to notice the end
}

void Streams::on(const event::StreamIn& event, SteadyMs now) {
    const auto of_peer = [&event](const auto& entry) { return entry.second.peer == event.peer; };
    const auto service = services_.find(event.protocol);
    if (host_ == nullptr) {
        return;
    }
    const bool pushes = service != services_.end() && service->second.on_frame;
    const auto open_ones = pushes ? std::ranges::count_if(taken_, of_peer) : std::ranges::count_if(served_, of_peer);
    if (service == services_.end() || static_cast<std::size_t>(open_ones) >= inbound_per_peer) {
        host_->reset(event.stream);
        return;
    }
    const FrameReader reader(service->second.most_bytes);
    if (pushes) {
        taken_.insert_or_assign(event.stream, Taken{reader, event.peer, &service->second});
    } else {
        served_.insert_or_assign(event.stream, Served{reader, now, event.peer, &service->second});
    }
    host_->credit(event.stream, credit_for(service->second.most_bytes));
}

void Streams::on(const event::StreamData& event, SteadyMs now) {
    if (const auto asked = asked_.find(event.stream); asked != asked_.end()) {
        feed_asked(event.stream, asked->second, event.data);
    } else if (served_.contains(event.stream)) {
        feed_served(event.stream, event.data, now);
    } else if (taken_.contains(event.stream)) {
        feed_taken(event.stream, event.data);
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

void Streams::feed_served(StreamId stream, ByteView data, SteadyMs now) {
    Served& served = served_.at(stream);
    if (!served.begun) {
        served.begun = true;
        served.since = now;
    }
    Result<std::optional<Bytes>> request = served.reader.feed(data);
    if (!request) {
        host_->reset(stream);
        return;
    }
    if (!*request) {
        return;
    }
    served.asked = true;
    const auto replier = [this, stream, epoch = epoch_](const Result<Bytes>& result) {
        if (epoch == epoch_) {
            reply(stream, result);
        }
    };
    served.service->handler(served.peer, std::move(**request), replier);
}

void Streams::reply(StreamId stream, const Result<Bytes>& result) {
    const auto found = served_.find(stream);
    if (found == served_.end() || found->second.answered || host_ == nullptr) {
        return;
    }
    found->second.answered = true;
    if (!result || !host_->write(stream, frame(*result))) {
        host_->reset(stream);
        return;
    }
    host_->finish(stream);
}

void Streams::feed_taken(StreamId stream, ByteView data) {
    Taken& taken = taken_.at(stream);
    const std::size_t bytes = data.size();
    const PeerId peer = taken.peer;
    while (!data.empty()) {
        Result<std::optional<Bytes>> next = taken.reader.next(data);
        if (!next || (*next && !taken.service->on_frame(peer, std::move(**next)))) {
            host_->reset(stream);
            taken_.erase(stream);
            return;
        }
    }
    host_->credit(stream, bytes);
}

void Streams::on(const event::StreamEof& event) {
    if (const auto asked = asked_.find(event.stream); asked != asked_.end()) {
        const bool was_push = !asked->second.wants_answer;
        answer(event.stream, was_push ? Result<Bytes>(Bytes{})
                                      : fail(transport_error(Errc::io, "no_answer: the peer closed the stream")));
    } else if (const auto served = served_.find(event.stream); served != served_.end()) {
        if (!served->second.asked) {
            host_->reset(event.stream);
        }
    } else if (taken_.erase(event.stream) > 0) {
        host_->finish(event.stream);
    }
}

void Streams::on(const event::StreamEnded& event) {
    served_.erase(event.stream);
    taken_.erase(event.stream);
    closing_.erase(event.stream);
    const auto asked = asked_.find(event.stream);
    const bool pushed = asked != asked_.end() && !asked->second.wants_answer && event.how == StreamEnd::finished;
    answer(event.stream, pushed ? Result<Bytes>(Bytes{}) : fail(describe(event)));
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
        if (now - served.since >= (served.begun ? deadline : idle_deadline) && host_ != nullptr) {
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
    ++epoch_;
    served_.clear();
    taken_.clear();
    closing_.clear();
    while (!asked_.empty()) {
        answer(asked_.begin()->first, fail(transport_error(Errc::io, "host_down")));
    }
}

}  // namespace noroshi::waku
