// src/waku/streams.cpp - request and response over raw streams.
#include "streams.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace noroshi::waku {
namespace {

/// What a muxer takes for a peer that does not read: no more than this tells a slow reader from one that does not close.
constexpr std::size_t window_bytes = 256 * 1024;

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
    if (host_ == nullptr) {
        return;
    }
    const auto service = services_.find(event.protocol);
    if (service == services_.end()) {
        host_->reset(event.stream);
        return;
    }
    Inbound stream{FrameReader(service->second.most_bytes), now, event.peer, &service->second};
    const auto alike = [&stream](const auto& entry) {
        return entry.second.peer == stream.peer && entry.second.pushes() == stream.pushes();
    };
    if (static_cast<std::size_t>(std::ranges::count_if(inbound_, alike)) >= inbound_per_peer) {
        host_->reset(event.stream);
        witness_.fault(event.peer, "too_many_streams");
        return;
    }
    if (inbound_.size() >= most_inbound) {
        free_a_place();
    }
    inbound_.insert_or_assign(event.stream, std::move(stream));
    host_->credit(event.stream, credit_for(service->second.most_bytes));
}

void Streams::on(const event::StreamData& event, SteadyMs now) {
    if (const auto asked = asked_.find(event.stream); asked != asked_.end()) {
        feed_asked(event.stream, asked->second, event.data);
    } else if (const auto found = inbound_.find(event.stream); found != inbound_.end()) {
        if (!found->second.begun || (found->second.pushes() && found->second.reader.held() == 0)) {
            found->second.begun = true;
            found->second.since = now;
        }
        found->second.pushes() ? feed_pushes(event.stream, event.data, now) : feed_request(event.stream, event.data);
    } else if (closing_.erase(event.stream) > 0) {
        host_->reset(event.stream);  // it has answered, and had nothing more to say
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

void Streams::feed_request(StreamId stream, ByteView data) {
    Inbound& served = inbound_.at(stream);
    Result<std::optional<Bytes>> request = served.reader.feed(data);
    if (!request) {
        drop(stream, request.error().message);
        return;
    }
    if (!*request) {
        hold(stream, served.reader.held());
        return;
    }
    hold(stream, 0);
    served.asked = true;
    const PeerId peer = served.peer;
    const auto replier = [this, stream, epoch = epoch_](const Result<Bytes>& result) {
        if (epoch == epoch_) {
            reply(stream, result);
        }
    };
    witness_.request(peer);
    served.service->handler(peer, std::move(**request), replier);
}

void Streams::reply(StreamId stream, const Result<Bytes>& result) {
    const auto found = inbound_.find(stream);
    if (found == inbound_.end() || found->second.answered || host_ == nullptr) {
        return;
    }
    found->second.answered = true;
    if (!result) {
        drop(stream, "refused");
        return;
    }
    if (result->size() > max_small_frame_bytes && held_ + result->size() > most_held) {
        free_bytes();
        if (inbound_.contains(stream)) {
            drop(stream, "no_room");
        }
        return;
    }
    if (!host_->write(stream, frame(*result))) {
        host_->reset(stream);
        return;
    }
    host_->finish(stream);
    hold(stream, result->size());
}

void Streams::feed_pushes(StreamId stream, ByteView data, SteadyMs now) {
    Inbound& taken = inbound_.at(stream);
    const std::size_t bytes = data.size();
    const PeerId peer = taken.peer;
    while (!data.empty()) {
        Result<std::optional<Bytes>> next = taken.reader.next(data);
        if (!next) {
            drop(stream, next.error().message);
            return;
        }
        if (!*next) {
            break;
        }
        taken.since = now;
        witness_.request(peer);
        if (!taken.service->on_frame(peer, std::move(**next))) {
            drop(stream, "refused");
            return;
        }
    }
    host_->credit(stream, bytes);
    hold(stream, taken.reader.held());
}

/// What `stream` holds is from now on so much.
void Streams::hold(StreamId stream, std::size_t bytes) {
    Inbound& inbound = inbound_.at(stream);
    bytes = bytes > max_small_frame_bytes ? bytes : 0;
    held_ = held_ - inbound.held + bytes;
    inbound.held = bytes;
    if (held_ > most_held) {
        free_bytes();
    }
}

/// Of the peer whose streams measure most together, the stream that measures most; the oldest among equals.
template <class Measure>
std::optional<StreamId> Streams::largest_of_worst(Measure measure) const {
    std::map<std::string_view, std::size_t> by_peer;
    for (const auto& [stream, inbound] : inbound_) {
        by_peer[inbound.peer] += measure(inbound);
    }
    const auto worst = std::ranges::max_element(by_peer, {}, [](const auto& entry) { return entry.second; });
    std::optional<StreamId> out;
    std::size_t most = 0;
    for (const auto& [stream, inbound] : inbound_) {
        if (inbound.peer == worst->first && measure(inbound) > most) {
            most = measure(inbound);
            out = stream;
        }
    }
    return out;
}

void Streams::free_a_place() {
    if (const auto stream = largest_of_worst([](const Inbound& inbound) { return inbound.idleness(); })) {
        drop(*stream, "no_room");
    }
}

void Streams::free_bytes() {
    if (const auto stream = largest_of_worst([](const Inbound& inbound) { return inbound.held; })) {
        drop(*stream, "no_room");
    }
}

void Streams::drop(StreamId stream, std::string_view fault) {
    const Inbound& inbound = inbound_.at(stream);
    const PeerId peer = inbound.peer;
    const std::size_t unsent = inbound.answered ? inbound.held : 0;
    forget(stream);
    leaving_.emplace(stream, unsent);
    held_ += unsent;
    host_->reset(stream);
    if (!fault.empty()) {
        witness_.fault(peer, fault);
    }
}

void Streams::forget(StreamId stream) {
    if (const auto found = inbound_.find(stream); found != inbound_.end()) {
        held_ -= found->second.held;
        inbound_.erase(found);
    }
}

void Streams::on(const event::StreamEof& event) {
    if (const auto asked = asked_.find(event.stream); asked != asked_.end()) {
        const bool was_push = !asked->second.wants_answer;
        answer(event.stream, was_push ? Result<Bytes>(Bytes{})
                                      : fail(transport_error(Errc::io, "no_answer: the peer closed the stream")));
        return;
    }
    const auto found = inbound_.find(event.stream);
    if (found == inbound_.end()) {
        return;
    }
    if (found->second.pushes()) {
        forget(event.stream);
        host_->finish(event.stream);
    } else if (!found->second.asked) {
        drop(event.stream, found->second.begun ? "cut_off" : "");
    }
}

void Streams::on(const event::StreamEnded& event) {
    forget(event.stream);
    if (const auto left = leaving_.extract(event.stream)) {
        held_ -= left.mapped();
    }
    closing_.erase(event.stream);
    const auto asked = asked_.find(event.stream);
    const bool pushed = asked != asked_.end() && !asked->second.wants_answer && event.how == StreamEnd::finished;
    answer(event.stream, pushed ? Result<Bytes>(Bytes{}) : fail(describe(event)));
}

void Streams::tick(SteadyMs now) {
    if (host_ == nullptr) {
        return;
    }
    std::vector<StreamId> late;
    for (const auto& [stream, asked] : asked_) {
        if (now - asked.since >= deadline) {
            late.push_back(stream);
        }
    }
    for (const StreamId stream : late) {
        host_->reset(stream);
        answer(stream, fail(transport_error(Errc::timeout, "timeout: no answer within 10 s")));
    }
    end_late_inbound(now);
    for (const auto& [stream, since] : closing_) {
        if (now - since >= deadline) {
            host_->reset(stream);
        }
    }
}

void Streams::end_late_inbound(SteadyMs now) {
    std::vector<std::pair<StreamId, std::string_view>> late;
    for (const auto& [stream, inbound] : inbound_) {
        const bool waits_for_a_frame = inbound.pushes() && inbound.reader.held() == 0;
        if (waits_for_a_frame || now - inbound.since < (inbound.begun ? deadline : idle_deadline)) {
            continue;
        }
        const bool slow_request = inbound.begun && !inbound.asked;
        const bool slow_reader = inbound.held > window_bytes;
        late.emplace_back(stream, slow_request ? "slow_request" : slow_reader ? "slow_reader" : "");
    }
    for (const auto& [stream, fault] : late) {
        drop(stream, fault);
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
    inbound_.clear();
    leaving_.clear();
    held_ = 0;
    closing_.clear();
    while (!asked_.empty()) {
        answer(asked_.begin()->first, fail(transport_error(Errc::io, "host_down")));
    }
}

}  // namespace noroshi::waku
