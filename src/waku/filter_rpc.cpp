// src/waku/filter_rpc.cpp - filter codecs.
#include "filter_rpc.hpp"

#include <waku.pb.h>

#include "protobuf.hpp"

namespace noroshi::waku {

Bytes encode_filter_request(const FilterRequest& request) {
    wire::FilterRequest out;
    out.set_request_id(request.request_id);
    out.set_type(static_cast<std::uint32_t>(request.act));
    if (!request.pubsub_topic.empty()) {
        out.set_pubsub_topic(request.pubsub_topic);
    }
    for (const std::string& topic : request.content_topics) {
        out.add_content_topics(topic);
    }
    return wire::to_bytes(out);
}

Result<FilterRequest> decode_filter_request(ByteView bytes) {
    wire::FilterRequest in;
    if (bytes.size() > max_small_frame_bytes || !wire::parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    if (in.type() > static_cast<std::uint32_t>(FilterAct::unsubscribe_all)) {
        return fail(Errc::parse, "unknown_act");
    }
    return FilterRequest{in.request_id(), static_cast<FilterAct>(in.type()), in.pubsub_topic(),
                         {in.content_topics().begin(), in.content_topics().end()}};
}

Bytes encode_filter_answer(const FilterAnswer& answer) {
    wire::FilterResponse out;
    out.set_request_id(answer.request_id);
    out.set_status_code(answer.code);
    if (!answer.info.empty()) {
        out.set_status_desc(answer.info);
    }
    return wire::to_bytes(out);
}

Result<FilterAnswer> decode_filter_answer(ByteView bytes) {
    wire::FilterResponse in;
    if (bytes.size() > max_small_frame_bytes || !wire::parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    return FilterAnswer{printable(in.request_id(), max_request_id_bytes), in.status_code(),
                        printable(in.status_desc(), max_description_bytes)};
}

Bytes encode_filter_push(ByteView message, std::string_view pubsub_topic) {
    wire::FilterPush out;
    out.set_message(wire::text(message));
    out.set_pubsub_topic(std::string(pubsub_topic));
    return wire::to_bytes(out);
}

Result<FilterPush> decode_filter_push(ByteView bytes) {
    wire::FilterPush in;
    if (!wire::parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    return FilterPush{wire::bytes(in.message()), in.pubsub_topic()};
}

}  // namespace noroshi::waku
