// src/waku/store_rpc.cpp - store codecs. Paging differs: a hash in version 3, a record in version 2, here both opaque.
#include "store_rpc.hpp"

#include <fmt/format.h>
#include <waku.pb.h>

#include "rpc.hpp"

namespace noroshi::waku {
namespace {

constexpr int most_messages = 100;
constexpr std::uint32_t too_many_requests = 429;
constexpr std::uint32_t forward = 1;

Bytes to_bytes(const google::protobuf::MessageLite& message) {
    Bytes out(message.ByteSizeLong());
    message.SerializeWithCachedSizesToArray(out.data());
    return out;
}

tl::unexpected<Error> fault(Errc code, std::string message) { return fail(Error{code, std::move(message), {}, true}); }

tl::unexpected<Error> refusal(std::uint32_t code, std::string_view description) {
    if (code == too_many_requests) {
        return fault(Errc::limit, "rate_limited");
    }
    return fault(Errc::refused, fmt::format("refused: code {} {}", code, printable(description, 100)));
}

void add(std::string_view encoded, StorePage& out) {
    Result<WakuMessage> message = decode_message(as_bytes(encoded));
    if (message) {
        out.messages.push_back(std::move(*message));
    } else {
        ++out.malformed;
    }
}

Bytes encode_v3(const StoreQuery& query) {
    wire::StoreRequest out;
    out.set_request_id(query.request_id);
    out.set_include_data(true);
    out.set_pubsub_topic(query.pubsub_topic);
    for (const std::string& topic : query.content_topics) {
        out.add_content_topics(topic);
    }
    out.set_time_start(query.start_ns);
    out.set_time_end(query.end_ns);
    if (!query.cursor.empty()) {
        out.set_pagination_cursor(std::string(as_text(query.cursor)));
    }
    out.set_pagination_forward(true);
    out.set_pagination_limit(store_page_size);
    return to_bytes(out);
}

Bytes encode_v2(const StoreQuery& query) {
    wire::HistoryRpc out;
    out.set_request_id(query.request_id);
    wire::HistoryQuery& inner = *out.mutable_query();
    inner.set_pubsub_topic(query.pubsub_topic);
    for (const std::string& topic : query.content_topics) {
        inner.add_content_filters()->set_content_topic(topic);
    }
    inner.set_start_time(query.start_ns);
    inner.set_end_time(query.end_ns);
    inner.mutable_paging_info()->set_page_size(store_page_size);
    inner.mutable_paging_info()->set_direction(forward);
    if (!query.cursor.empty()) {
        inner.mutable_paging_info()->mutable_cursor()->ParseFromArray(query.cursor.data(),
                                                                     static_cast<int>(query.cursor.size()));
    }
    return to_bytes(out);
}

Result<StorePage> decode_v3(std::string_view request_id, ByteView bytes) {
    wire::StoreResponse in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return fault(Errc::parse, "malformed");
    }
    // On errors the Nim node may leave the id empty or write "N/A".
    if (in.status_code() != 200) {
        return refusal(in.status_code(), in.status_desc());
    }
    if (in.request_id() != request_id) {
        return fault(Errc::parse, "wrong_request");
    }
    if (in.messages_size() > most_messages) {
        return fault(Errc::parse, "malformed: more messages than a page holds");
    }
    StorePage out;
    for (const wire::StoreEntry& entry : in.messages()) {
        add(entry.message(), out);
    }
    const ByteView cursor = as_bytes(in.pagination_cursor());
    out.cursor.assign(cursor.begin(), cursor.end());
    return out;
}

Result<StorePage> decode_v2(std::string_view request_id, ByteView bytes) {
    wire::HistoryRpc in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return fault(Errc::parse, "malformed");
    }
    if (!in.has_response()) {
        return fault(Errc::parse, "no_response");
    }
    if (in.response().error() != 0) {
        return refusal(in.response().error(), "");
    }
    if (in.request_id() != request_id) {
        return fault(Errc::parse, "wrong_request");
    }
    if (in.response().messages_size() > most_messages) {
        return fault(Errc::parse, "malformed: more messages than a page holds");
    }
    StorePage out;
    for (const std::string& message : in.response().messages()) {
        add(message, out);
    }
    const wire::HistoryPaging& paging = in.response().paging_info();
    if (paging.has_cursor() && !paging.cursor().digest().empty()) {  // an empty digest ends paging
        out.cursor = to_bytes(paging.cursor());
    }
    return out;
}

}  // namespace

std::string_view store_protocol(StoreVersion version) {
    return version == StoreVersion::v3 ? store_v3_protocol : store_v2_protocol;
}

Bytes encode_store_query(StoreVersion version, const StoreQuery& query) {
    return version == StoreVersion::v3 ? encode_v3(query) : encode_v2(query);
}

Result<StorePage> decode_store_page(StoreVersion version, std::string_view request_id, ByteView bytes) {
    if (bytes.size() > max_store_frame_bytes) {
        return fault(Errc::parse, "malformed: too large");
    }
    return version == StoreVersion::v3 ? decode_v3(request_id, bytes) : decode_v2(request_id, bytes);
}

}  // namespace noroshi::waku
