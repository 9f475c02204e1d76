// src/waku/rest_codec.cpp - JSON of the REST APIs.
#include "rest_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/net/http_client.hpp"
#include "base/numbers.hpp"

namespace noroshi::waku::rest {
namespace {

using Json = nlohmann::json;

constexpr int max_depth = 16;
constexpr std::size_t max_peers = 1'000;
constexpr std::size_t max_listed = 64;  // addresses, protocols and topics of one node
constexpr std::size_t max_text = 256;   // bytes of a name that is shown

tl::unexpected<Error> malformed(const char* word = "malformed") { return fail(Errc::parse, word); }

/// Counts brackets and commas before anything is built of them: nesting and tiny values are what makes JSON dear.
Result<Json> parse(std::string_view text) {
    std::size_t values = 0;
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            i += c == '\\' ? 1 : 0;
            quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        values += c == ',' || c == ':' || c == '[' || c == '{' ? 1 : 0;
        depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
        if (depth > max_depth) {
            return malformed();
        }
        if (values > max_values) {
            return malformed("too_many_values");
        }
    }
    Json out = Json::parse(text, nullptr, false);
    if (out.is_discarded()) {
        return malformed();
    }
    return out;
}

/// The first of `names` that holds something; null when none does.
const Json* field(const Json& object, std::initializer_list<const char*> names) {
    if (!object.is_object()) {
        return nullptr;
    }
    for (const char* name : names) {
        const auto found = object.find(name);
        if (found != object.end() && !found->is_null()) {
            return &*found;
        }
    }
    return nullptr;
}

std::string text_of(const Json* value, std::size_t max = max_text) {
    const bool given = value != nullptr && value->is_string();
    return given ? printable(value->get_ref<const std::string&>(), max) : std::string();
}

/// The texts of a list, of which the others are passed over.
std::vector<std::string> texts_of(const Json* list) {
    std::vector<std::string> out;
    if (list != nullptr && list->is_array()) {
        for (const Json& item : *list) {
            if (item.is_string() && out.size() < max_listed) {
                out.push_back(text_of(&item));
            }
        }
    }
    return out;
}

std::string to_url_alphabet(std::string text) {
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

Result<Bytes> bytes_of(const Json& value) {
    if (!value.is_string()) {
        return malformed();
    }
    std::string text = value.get<std::string>();
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    Result<Bytes> out = from_base64(text);
    return out ? std::move(out) : malformed();
}

/// A number, or a text of digits as protobuf's JSON writes 64 bits.
Result<std::int64_t> integer_of(const Json& value) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > most) {
        return malformed();
    }
    if (value.is_number_integer()) {
        return value.get<std::int64_t>();
    }
    const Result<std::int64_t> number = parse_int(text_of(&value, 32));
    return number ? number : malformed();
}

/// Bytes that mean nothing when they are empty.
Result<std::optional<Bytes>> optional_bytes(const Json* value) {
    if (value == nullptr) {
        return std::optional<Bytes>();
    }
    NOROSHI_TRY(Bytes bytes, bytes_of(*value));
    return bytes.empty() ? std::optional<Bytes>() : std::optional(std::move(bytes));
}

Result<WakuMessage> message_of(const Json& item) {
    WakuMessage out;
    if (!item.is_object()) {
        return malformed();
    }
    if (const Json* payload = field(item, {"payload"})) {
        NOROSHI_TRY(out.payload, bytes_of(*payload));
    }
    if (const Json* topic = field(item, {"contentTopic"})) {
        if (!topic->is_string()) {
            return malformed();
        }
        out.content_topic = topic->get<std::string>();
    }
    if (const Json* version = field(item, {"version"})) {
        NOROSHI_TRY(const std::int64_t number, integer_of(*version));
        if (number < 0 || number > std::numeric_limits<std::uint32_t>::max()) {
            return malformed();
        }
        out.version = static_cast<std::uint32_t>(number);
    }
    if (const Json* timestamp = field(item, {"timestamp"})) {
        NOROSHI_TRY(out.timestamp_ns, integer_of(*timestamp));
    }
    if (const Json* ephemeral = field(item, {"ephemeral"})) {
        if (!ephemeral->is_boolean()) {
            return malformed();
        }
        out.ephemeral = ephemeral->get<bool>();
    }
    NOROSHI_TRY(out.meta, optional_bytes(field(item, {"meta"})));
    NOROSHI_TRY(out.rate_limit_proof, optional_bytes(field(item, {"proof", "rateLimitProof"})));
    // What can be encoded is what would have been decoded: one set of rules for both ways in.
    const Result<Bytes> encoded = encode_message(out);
    if (!encoded) {
        return fail(Errc::parse, encoded.error().message);
    }
    return out;
}

void append(Messages& out, const Json& item) {
    Result<WakuMessage> message = message_of(item);
    if (message) {
        out.messages.push_back(std::move(*message));
    } else {
        out.malformed.push_back(message.error().message);
    }
}

Result<crypto::Digest> hash_of(const Json& value) {
    const std::string text = text_of(&value);
    const Result<Bytes> bytes = text.starts_with("0x") ? from_hex(text) : bytes_of(value);
    crypto::Digest out{};
    if (!bytes || bytes->size() != out.size()) {
        return malformed();
    }
    std::ranges::copy(*bytes, out.begin());
    return out;
}

void append_stored(Page& out, const Json& entry) {
    const Json* hash = field(entry, {"messageHash", "message_hash"});
    const Result<crypto::Digest> known = hash != nullptr ? hash_of(*hash) : malformed();
    const Json* message = field(entry, {"message"});
    if (known) {
        out.hashes.push_back(*known);
    }
    if (message != nullptr) {
        append(out, *message);
    } else if (!known) {
        out.malformed.emplace_back("malformed");
    }
}

std::string cursor_v3(const Json* cursor) {
    const std::string text = text_of(cursor);
    return text.empty() ? text
                        : "cursor=" + net::percent_encoded(text.starts_with("0x") ? text : to_url_alphabet(text));
}

/// An index of go-waku's archive. Without a digest it is the end.
std::string cursor_v2(const Json* cursor) {
    if (cursor == nullptr) {
        return {};
    }
    const std::string digest = text_of(field(*cursor, {"digest"}));
    const auto time = [cursor](const char* name) {
        const Json* value = field(*cursor, {name});
        const Result<std::int64_t> number = value != nullptr ? integer_of(*value) : 0;
        return number.value_or(0);
    };
    return digest.empty() ? digest
                          : fmt::format("senderTime={}&storeTime={}&digest={}", time("senderTime"), time("storeTime"),
                                        net::percent_encoded(to_url_alphabet(digest)));
}

/// nwaku: "Connected", or older, per protocol; go-waku: true.
bool is_connected(const Json& peer) {
    const Json* connected = field(peer, {"connected"});
    if (connected != nullptr) {
        return connected->is_boolean() ? connected->get<bool>() : text_of(connected) == "Connected";
    }
    const Json* protocols = field(peer, {"protocols"});
    return protocols != nullptr && protocols->is_array() && std::ranges::any_of(*protocols, [](const Json& protocol) {
               const Json* word = field(protocol, {"connected"});
               return word != nullptr && word->is_boolean() && word->get<bool>();
           });
}

std::string id_in(const std::string& multiaddr) {
    const std::size_t at = multiaddr.rfind("/p2p/");
    return at == std::string::npos ? std::string() : multiaddr.substr(at + 5);
}

PeerInfo peer_of(const Json& peer) {
    PeerInfo out;
    const std::vector<std::string> addresses = texts_of(field(peer, {"multiaddrs"}));
    out.address = addresses.empty() ? text_of(field(peer, {"multiaddr"})) : addresses.front();
    out.id = text_of(field(peer, {"id"}));
    if (out.id.empty()) {
        out.id = id_in(out.address);
    } else if (id_in(out.address).empty() && !out.address.empty()) {
        out.address += "/p2p/" + out.id;
    }
    out.agent = text_of(field(peer, {"agent"}), 128);
    out.topics = texts_of(field(peer, {"pubsubTopics"}));
    out.protocols = texts_of(field(peer, {"protocols"}));
    if (const Json* protocols = field(peer, {"protocols"}); protocols != nullptr && out.protocols.empty()) {
        for (const Json& protocol : *protocols) {
            if (out.protocols.size() < max_listed && field(protocol, {"protocol"}) != nullptr) {
                out.protocols.push_back(text_of(field(protocol, {"protocol"})));
            }
        }
    }
    return out;
}

Json message_json(const WakuMessage& message) {
    Json out{{"payload", to_base64(message.payload)}, {"contentTopic", message.content_topic}};
    if (message.version) {
        out["version"] = *message.version;
    }
    if (message.timestamp_ns) {
        out["timestamp"] = *message.timestamp_ns;
    }
    if (message.meta) {
        out["meta"] = to_base64(*message.meta);
    }
    if (message.ephemeral) {
        out["ephemeral"] = *message.ephemeral;
    }
    return out;
}

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string encode_message_json(const WakuMessage& message) { return dump(message_json(message)); }

std::string encode_push_json(const std::string& pubsub_topic, const WakuMessage& message) {
    return dump({{"pubsubTopic", pubsub_topic}, {"message", message_json(message)}});
}

std::string encode_topics(const std::vector<std::string>& topics) { return dump(Json(topics)); }

std::string encode_filter(const std::string& request_id, const std::string& pubsub_topic,
                          const std::vector<std::string>& content_topics) {
    return dump({{"requestId", request_id}, {"pubsubTopic", pubsub_topic}, {"contentFilters", content_topics}});
}

Result<Messages> decode_messages(std::string_view text) {
    NOROSHI_TRY(const Json list, parse(text));
    if (!list.is_array() && !list.is_null()) {
        return malformed();
    }
    Messages out;
    for (const Json& item : list) {
        append(out, item);
    }
    return out;
}

std::string store_path(StoreVersion version, const Query& query) {
    std::string topics;
    for (const std::string& topic : query.content_topics) {
        topics += (topics.empty() ? "" : ",") + topic;
    }
    std::string out = fmt::format("/store/{}/messages?pubsubTopic={}&contentTopics={}&startTime={}&endTime={}"
                                  "&pageSize={}&ascending=true",
                                  version == StoreVersion::v3 ? "v3" : "v1", net::percent_encoded(query.pubsub_topic),
                                  net::percent_encoded(topics), query.start_ns, query.end_ns, store_page_size);
    if (version == StoreVersion::v3) {
        out += query.include_data ? "&includeData=true" : "&includeData=false";
    }
    if (!query.peer.empty()) {
        out += "&peerAddr=" + net::percent_encoded(query.peer);
    }
    return query.cursor.empty() ? out : out + "&" + query.cursor;
}

Result<Page> decode_page(StoreVersion version, std::string_view text) {
    NOROSHI_TRY(const Json answer, parse(text));
    if (!answer.is_object()) {
        return malformed();
    }
    const Json* status = field(answer, {"statusCode", "status_code"});
    if (status != nullptr && (!status->is_number_integer() || *status != 200)) {
        return fail(Errc::parse, fmt::format("refused: status {} {}", printable(dump(*status), 10),
                                             text_of(field(answer, {"statusDesc", "status_desc"}), max_text)));
    }
    Page out;
    const Json none;
    const Json* stored = field(answer, {"messages"});
    const Json& messages = stored != nullptr ? *stored : none;
    if (!messages.is_array() && !messages.is_null()) {
        return malformed();
    }
    for (const Json& item : messages) {
        if (version == StoreVersion::v3) {
            append_stored(out, item);
        } else {
            append(out, item);
        }
    }
    out.cursor = version == StoreVersion::v3 ? cursor_v3(field(answer, {"paginationCursor", "pagination_cursor"}))
                                             : cursor_v2(field(answer, {"cursor"}));
    return out;
}

Result<Info> decode_info(std::string_view text) {
    NOROSHI_TRY(const Json answer, parse(text));
    if (!answer.is_object()) {
        return malformed();
    }
    Info out;
    out.addresses = texts_of(field(answer, {"listenAddresses"}));
    out.identity = text_of(field(answer, {"enrUri"}), 4'096);
    if (out.identity.empty() && out.addresses.empty()) {
        return malformed();  // some other program
    }
    for (const std::string& address : out.addresses) {
        out.peer_id = out.peer_id.empty() ? id_in(address) : out.peer_id;
    }
    return out;
}

Result<std::vector<PeerInfo>> decode_peers(std::string_view text) {
    NOROSHI_TRY(const Json list, parse(text));
    if (!list.is_array() && !list.is_null()) {
        return malformed();
    }
    std::vector<PeerInfo> out;
    for (const Json& item : list) {
        PeerInfo peer = is_connected(item) ? peer_of(item) : PeerInfo();
        if (!peer.id.empty() && out.size() < max_peers) {
            out.push_back(std::move(peer));
        }
    }
    return out;
}

Result<std::string> decode_health(std::string_view text) {
    NOROSHI_TRY(const Json answer, parse(text));
    const std::string word = text_of(field(answer, {"nodeHealth"}), 64);
    if (word.empty()) {
        return malformed();
    }
    return word;
}

Result<std::optional<std::uint32_t>> decode_push_answer(std::string_view text) {
    NOROSHI_TRY(const Json answer, parse(text));
    const Json* count = field(answer, {"relayPeerCount"});
    if (!answer.is_object() || (count != nullptr && !count->is_number_unsigned())) {
        return malformed();
    }
    return count == nullptr ? std::optional<std::uint32_t>() : count->get<std::uint32_t>();
}

}  // namespace noroshi::waku::rest
