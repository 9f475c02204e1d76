// src/waku/store_rpc.cpp - store codecs. Paging differs: a hash in version 3, a record in version 2, here both opaque.
#include "store_rpc.hpp"

#include <fmt/format.h>
#include <waku.pb.h>

#include <algorithm>

#include "protobuf.hpp"

namespace noroshi::waku {
namespace {

constexpr int most_messages = static_cast<int>(max_store_page_size);
constexpr std::uint32_t forward = 1;

tl::unexpected<Error> fault(Errc code, std::string message) { return fail(Error{code, std::move(message), {}, true}); }

tl::unexpected<Error> refusal(std::uint32_t code, std::string_view description) {
    if (code == status::rate_limited) {
        return fault(Errc::limit, "rate_limited");
    }
    return fault(Errc::refused, fmt::format("refused: code {} {}", code, printable(description, max_description_bytes)));
}

void add(std::string_view encoded, StorePage& out) {
    Result<WakuMessage> message = decode_message(as_bytes(encoded));
    if (message) {
        out.messages.push_back(std::move(*message));
    } else {
        ++out.malformed;
    }
}

std::optional<crypto::Digest> digest(std::string_view bytes) {
    crypto::Digest out{};
    if (bytes.size() != out.size()) {
        return std::nullopt;
    }
    std::ranges::copy(as_bytes(bytes), out.begin());
    return out;
}

Bytes encode_v3(const StoreQuery& query) {
    wire::StoreRequest out;
    out.set_request_id(query.request_id);
    out.set_include_data(query.include_data);
    if (!query.pubsub_topic.empty()) {
        out.set_pubsub_topic(query.pubsub_topic);
    }
    for (const std::string& topic : query.content_topics) {
        out.add_content_topics(topic);
    }
    if (query.start_ns) {
        out.set_time_start(*query.start_ns);
    }
    if (query.end_ns) {
        out.set_time_end(*query.end_ns);
    }
    for (const crypto::Digest& hash : query.hashes) {
        out.add_message_hashes(wire::text(hash));
    }
    if (!query.cursor.empty()) {
        out.set_pagination_cursor(wire::text(query.cursor));
    }
    out.set_pagination_forward(query.forward);  // the default of servers is backward
    out.set_pagination_limit(query.page_size);
    return wire::to_bytes(out);
}

Bytes encode_v2(const StoreQuery& query) {
    wire::HistoryRpc out;
    out.set_request_id(query.request_id);
    wire::HistoryQuery& inner = *out.mutable_query();
    inner.set_pubsub_topic(query.pubsub_topic);
    for (const std::string& topic : query.content_topics) {
        inner.add_content_filters()->set_content_topic(topic);
    }
    inner.set_start_time(query.start_ns.value_or(0));
    inner.set_end_time(query.end_ns.value_or(0));
    inner.mutable_paging_info()->set_page_size(query.page_size);
    inner.mutable_paging_info()->set_direction(forward);
    if (!query.cursor.empty()) {
        inner.mutable_paging_info()->mutable_cursor()->ParseFromArray(query.cursor.data(),
                                                                     static_cast<int>(query.cursor.size()));
    }
    return wire::to_bytes(out);
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
        if (const std::optional<crypto::Digest> hash = digest(entry.message_hash())) {
            out.hashes.push_back(*hash);
        }
        if (entry.has_message()) {
            add(entry.message(), out);
        }
    }
    out.cursor = wire::bytes(in.pagination_cursor());
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
        out.cursor = wire::to_bytes(paging.cursor());
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

Result<StoreQuery> decode_store_query(ByteView bytes) {
    wire::StoreRequest in;
    if (bytes.size() > max_small_frame_bytes || !wire::parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    const bool names_topic = !in.pubsub_topic().empty();  // an empty one is as good as none
    const bool by_content = names_topic || in.content_topics_size() > 0 || in.has_time_start() ||
                            in.has_time_end();
    if (in.message_hashes_size() > 0 && by_content) {
        return fail(Errc::invalid_argument, "message hashes exclude topics and times");
    }
    if (in.content_topics_size() > static_cast<int>(max_store_topics)) {
        return fail(Errc::invalid_argument, "too many content topics");
    }
    if (in.message_hashes_size() > static_cast<int>(max_store_hashes)) {
        return fail(Errc::invalid_argument, "too many message hashes");
    }
    if (names_topic != (in.content_topics_size() > 0)) {
        return fail(Errc::invalid_argument, "pubsub topic and content topics are given together or not at all");
    }
    StoreQuery out;
    out.request_id = in.request_id();
    out.include_data = in.include_data();
    out.pubsub_topic = in.pubsub_topic();
    out.content_topics.assign(in.content_topics().begin(), in.content_topics().end());
    if (in.has_time_start()) {
        out.start_ns = in.time_start();
    }
    if (in.has_time_end()) {
        out.end_ns = in.time_end();
    }
    for (const std::string& hash : in.message_hashes()) {
        const std::optional<crypto::Digest> known = digest(hash);
        if (!known) {
            return fail(Errc::parse, "bad_hash");
        }
        out.hashes.push_back(*known);
    }
    out.cursor = wire::bytes(in.pagination_cursor());
    out.forward = in.pagination_forward();
    out.page_size = in.pagination_limit() == 0 ? store_page_size
                                               : std::min<std::uint64_t>(in.pagination_limit(), max_store_page_size);
    return out;
}

Bytes encode_store_answer(const StoreAnswer& answer) {
    wire::StoreResponse out;
    out.set_request_id(answer.request_id);
    out.set_status_code(answer.code);
    out.set_status_desc(answer.info);
    for (const StoreEntry& entry : answer.entries) {
        wire::StoreEntry& one = *out.add_messages();
        one.set_message_hash(wire::text(entry.hash));
        if (!entry.message.empty()) {
            one.set_message(wire::text(entry.message));
            one.set_pubsub_topic(entry.pubsub_topic);
        }
    }
    if (!answer.cursor.empty()) {
        out.set_pagination_cursor(wire::text(answer.cursor));
    }
    return wire::to_bytes(out);
}

}  // namespace noroshi::waku
