// src/waku/lightpush_rpc.cpp - lightpush codecs, and what an answer means.
#include "lightpush_rpc.hpp"

#include <fmt/format.h>
#include <waku.pb.h>

#include <algorithm>
#include <cctype>

#include "protobuf.hpp"

namespace noroshi::waku {
namespace {

bool says(std::string_view info, std::string_view word) {
    return std::ranges::search(info, word, [](char a, char b) {
               return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
           }).begin() != info.end();
}

/// go-waku answers with the request id "N/A" and "exceeds the rate limit", the Nim node with "TOO_MANY_REQUESTS".
std::uint32_t guess_code(std::string_view request_id, std::string_view info) {
    if (request_id == unread_request_id || says(info, "rate limit") || says(info, "too_many_requests")) {
        return status::rate_limited;
    }
    return says(info, "rln") ? status::invalid_message : status::internal;
}

tl::unexpected<Error> refusal(Errc code, bool retryable, std::string_view word, const PushAnswer& answer) {
    const std::string why = answer.info.empty() ? fmt::format("code {}", answer.code) : answer.info;
    return fail(Error{code, fmt::format("{}: {}", word, why), {}, retryable});
}

}  // namespace

std::string_view lightpush_protocol(LightpushVersion version) {
    return version == LightpushVersion::v3 ? lightpush_v3_protocol : lightpush_v2_protocol;
}

Bytes encode_push(LightpushVersion version, const PushRequest& request) {
    if (version == LightpushVersion::v3) {
        wire::LightPushRequest out;
        out.set_request_id(request.request_id);
        if (!request.pubsub_topic.empty()) {
            out.set_pubsub_topic(request.pubsub_topic);
        }
        out.set_message(wire::text(request.message));
        return wire::to_bytes(out);
    }
    wire::PushRpc out;
    out.set_request_id(request.request_id);
    out.mutable_request()->set_pubsub_topic(request.pubsub_topic);
    out.mutable_request()->set_message(wire::text(request.message));
    return wire::to_bytes(out);
}

Result<PushRequest> decode_push(LightpushVersion version, ByteView bytes) {
    if (bytes.size() > max_push_frame_bytes) {
        return fail(Errc::parse, "malformed");
    }
    if (version == LightpushVersion::v3) {
        wire::LightPushRequest in;
        if (!wire::parse(in, bytes)) {
            return fail(Errc::parse, "malformed");
        }
        return PushRequest{in.request_id(), in.pubsub_topic(), wire::bytes(in.message())};
    }
    wire::PushRpc in;
    if (!wire::parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    if (!in.has_request()) {
        return fail(Errc::parse, "no_request");
    }
    return PushRequest{in.request_id(), in.request().pubsub_topic(), wire::bytes(in.request().message())};
}

Bytes encode_push_answer(LightpushVersion version, const PushAnswer& answer) {
    if (version == LightpushVersion::v3) {
        wire::LightPushResponse out;
        out.set_request_id(answer.request_id);
        out.set_status_code(answer.code);
        if (!answer.info.empty()) {
            out.set_status_desc(answer.info);
        }
        if (answer.relay_peers) {
            out.set_relay_peer_count(*answer.relay_peers);
        }
        return wire::to_bytes(out);
    }
    wire::PushRpc out;
    out.set_request_id(answer.request_id);
    out.mutable_response()->set_is_success(answer.code == status::ok);
    out.mutable_response()->set_info(answer.info);
    return wire::to_bytes(out);
}

Result<PushAnswer> decode_push_answer(LightpushVersion version, ByteView bytes) {
    if (bytes.size() > max_small_frame_bytes) {
        return fail(Errc::parse, "malformed");
    }
    if (version == LightpushVersion::v3) {
        wire::LightPushResponse in;
        if (!wire::parse(in, bytes)) {
            return fail(Errc::parse, "malformed");
        }
        PushAnswer out{printable(in.request_id(), max_request_id_bytes), in.status_code(),
                       printable(in.status_desc(), max_description_bytes), std::nullopt};
        if (in.has_relay_peer_count()) {
            out.relay_peers = in.relay_peer_count();
        }
        return out;
    }
    wire::PushRpc in;
    if (!wire::parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    if (!in.has_response()) {
        return fail(Errc::parse, "no_response");
    }
    PushAnswer out{printable(in.request_id(), max_request_id_bytes), status::ok,
                   printable(in.response().info(), max_description_bytes), std::nullopt};
    if (!in.response().is_success()) {
        out.code = guess_code(out.request_id, out.info);
    }
    return out;
}

Result<void> judge_push(LightpushVersion version, const PushAnswer& answer) {
    switch (answer.code) {
        case status::ok:
            // A success that reached nobody is none; version 2 cannot say so.
            if (version == LightpushVersion::v3 && answer.relay_peers.value_or(0) == 0) {
                return refusal(Errc::refused, true, "no_peers", answer);
            }
            return {};
        case status::bad_request:
            return refusal(Errc::invalid_argument, false, "invalid", answer);
        case status::too_large:
            return refusal(Errc::limit, false, "too_large", answer);
        case status::invalid_message:
            if (says(answer.info, "duplicate") || says(answer.info, "already seen")) {
                return {};
            }
            return says(answer.info, "rln") ? refusal(Errc::refused, true, "rln_required", answer)
                                            : refusal(Errc::refused, true, "refused", answer);
        case status::wrong_shard:
            return refusal(Errc::refused, true, "wrong_shard", answer);
        case status::rate_limited:
            return refusal(Errc::limit, true, "rate_limited", answer);
        case status::unavailable:
        case status::no_peers:
            return refusal(Errc::refused, true, "no_peers", answer);
        case status::no_proof:
            return refusal(Errc::refused, true, "rln_required", answer);
        default:
            return refusal(Errc::refused, true, "refused", answer);
    }
}

}  // namespace noroshi::waku
