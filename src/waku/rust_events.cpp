// src/waku/rust_events.cpp - one event of the C ABI, copied on the network thread.
#include "rust_events.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

namespace noroshi::waku {
namespace {

constexpr std::size_t max_protocols = 128;

std::vector<std::string> lines_of(nrp2p_slice slice, std::size_t max) {
    std::vector<std::string> out;
    const std::string text = text_of(slice);
    std::string_view rest = text;
    while (!rest.empty() && out.size() < max) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        if (!line.empty()) {
            out.emplace_back(line);
        }
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    return out;
}

PublishOutcome outcome_of(std::int32_t code) {
    switch (code) {
        case NRP2P_OK:
            return PublishOutcome::published;
        case NRP2P_PUBLISH_NO_PEERS:
            return PublishOutcome::no_peers;
        case NRP2P_PUBLISH_DUPLICATE:
            return PublishOutcome::duplicate;
        case NRP2P_PUBLISH_TOO_LARGE:
            return PublishOutcome::too_large;
        case NRP2P_PUBLISH_QUEUES_FULL:
            return PublishOutcome::queues_full;
        default:
            return PublishOutcome::failed;
    }
}

StreamEnd end_of(std::int32_t code) {
    switch (code) {
        case NRP2P_OK:
            return StreamEnd::finished;
        case NRP2P_ENOTCONN:
            return StreamEnd::not_connected;
        case NRP2P_ENOTSUP:
            return StreamEnd::unsupported;
        case NRP2P_ETIMEDOUT:
            return StreamEnd::timed_out;
        case NRP2P_ECANCELED:
            return StreamEnd::cancelled;
        case NRP2P_PANIC:
            return StreamEnd::panic;
        default:
            return StreamEnd::reset;
    }
}

event::Mesh mesh_of(const nrp2p_event& event) {
    event::Mesh mesh{text_of(event.text), {}};
    for (const std::string& line : lines_of(event.data, SIZE_MAX)) {
        const std::size_t space = line.find(' ');
        if (space != std::string::npos && std::string_view(line).substr(space + 1).starts_with("mesh")) {
            mesh.members.push_back(line.substr(0, space));
        }
    }
    return mesh;
}

static_assert(sizeof(nrp2p_counters) == 136, "the crate asserts the same");

event::Discv5Counters counters_of(nrp2p_slice slice) {
    nrp2p_counters all{};
    std::memcpy(&all, slice.ptr, std::min(slice.len, sizeof(all)));
    return {all.discv5_nodes, all.discv5_sessions, all.discv5_queries, all.discv5_unrecognized, all.discv5_unverifiable};
}

}  // namespace

GossipId gossip_id_of(nrp2p_slice slice) {
    GossipId id{};
    std::copy_n(slice.ptr, std::min(slice.len, id.size()), id.begin());
    return id;
}

std::string text_of(nrp2p_slice slice) {
    return slice.len == 0 ? std::string() : std::string(reinterpret_cast<const char*>(slice.ptr), slice.len);
}
Bytes bytes_of(nrp2p_slice slice) { return slice.len == 0 ? Bytes() : Bytes(slice.ptr, slice.ptr + slice.len); }

std::optional<HostEvent> value_of(const nrp2p_event& event) {
    switch (event.kind) {
        case NRP2P_EVENT_LISTENING:
            return event::Listening{text_of(event.text)};
        case NRP2P_EVENT_LISTEN_CLOSED:
            return event::ListenClosed{text_of(event.text), text_of(event.data)};
        case NRP2P_EVENT_CONNECTED:
            return event::Connected{text_of(event.peer), text_of(event.text), event.code == 1, event.value};
        case NRP2P_EVENT_CLOSED:
            return event::Closed{text_of(event.peer), text_of(event.data), event.value};
        case NRP2P_EVENT_DIAL_ERROR:
            return event::DialError{event.id, text_of(event.text), text_of(event.data)};
        case NRP2P_EVENT_IDENTIFIED:
            return event::Identified{text_of(event.peer), text_of(event.text), lines_of(event.data, max_protocols)};
        case NRP2P_EVENT_PING_RTT:
            return event::PingRtt{text_of(event.peer), std::chrono::microseconds(event.value)};
        case NRP2P_EVENT_PEER_SUBSCRIBED:
            return event::Subscription{text_of(event.peer), text_of(event.text), true};
        case NRP2P_EVENT_PEER_UNSUBSCRIBED:
            return event::Subscription{text_of(event.peer), text_of(event.text), false};
        case NRP2P_EVENT_MESSAGE:
            return event::Gossip{gossip_id_of(event.extra), text_of(event.peer), text_of(event.text),
                                 bytes_of(event.data), event.code == 1};
        case NRP2P_EVENT_PUBLISH_RESULT:
            return event::Published{event.id, outcome_of(event.code), text_of(event.data)};
        case NRP2P_EVENT_MESH:
            return mesh_of(event);
        case NRP2P_EVENT_STREAM_IN:
            return event::StreamIn{event.id, text_of(event.peer), text_of(event.text)};
        case NRP2P_EVENT_STREAM_OPEN:
            return event::StreamOpen{event.id};
        case NRP2P_EVENT_STREAM_DATA:
            return event::StreamData{event.id, bytes_of(event.data)};
        case NRP2P_EVENT_STREAM_EOF:
            return event::StreamEof{event.id};
        case NRP2P_EVENT_STREAM_END:
            return event::StreamEnded{event.id, end_of(event.code), text_of(event.text)};
        case NRP2P_EVENT_STATS:
            return counters_of(event.data);
        case NRP2P_EVENT_DISCV5_LISTENING:
            return event::Discv5Listening{text_of(event.text), text_of(event.data)};
        case NRP2P_EVENT_DISCOVERED:
            return event::Discovered{text_of(event.data)};
        case NRP2P_EVENT_DISCV5_FAILED:
            return event::Discv5Failed{text_of(event.text)};
        case NRP2P_EVENT_STOPPED:
            return event::Stopped{text_of(event.text)};
        default:
            return std::nullopt;
    }
}

}  // namespace noroshi::waku
