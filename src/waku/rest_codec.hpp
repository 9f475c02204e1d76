// src/waku/rest_codec.hpp - what nwaku's and go-waku's REST APIs write and read, as values; no I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "store_rpc.hpp"
#include "waku/message.hpp"
#include "waku/node.hpp"

/// The two programs that have such an API (nwaku's openapi description waku-rest-api, go-waku's openapi.yaml) agree on
/// paths and names, and differ in what these functions smooth over: bytes in either base64 alphabet, with and without
/// padding; hashes as 0x-hex or base64; `null` for an empty list and for absent fields; 64-bit numbers as numbers or
/// texts; camelCase or snake_case in answers of a store.
/// A decoder's error is Errc::parse with one stable word, fit for a metric label. Thread: any; pure functions.
namespace noroshi::waku::rest {

/// An answer that counts more JSON values than this is refused ("too_many_values"): a byte of text can cost sixty of
/// memory. A hundred messages have about a thousand.
inline constexpr std::size_t max_values = 50'000;

/// What is posted to be published, and the same inside a lightpush request.
[[nodiscard]] std::string encode_message_json(const WakuMessage& message);
[[nodiscard]] std::string encode_push_json(const std::string& pubsub_topic, const WakuMessage& message);
/// A list of texts: the topics of a relay subscription.
[[nodiscard]] std::string encode_topics(const std::vector<std::string>& topics);
[[nodiscard]] std::string encode_filter(const std::string& request_id, const std::string& pubsub_topic,
                                        const std::vector<std::string>& content_topics);

/// Messages of an answer; what is none is left out.
struct Messages {
    std::vector<WakuMessage> messages;
    std::vector<std::string> malformed;  ///< a word for each that is none: malformed, missing_payload, too_large ...
};
/// The caches of relay and filter: a list, or null. Errors: malformed, too_many_values.
[[nodiscard]] Result<Messages> decode_messages(std::string_view text);

/// One page of a store. `cursor` is ready to stand in the next query; empty on the last page.
struct Page : Messages {
    std::vector<crypto::Digest> hashes;  ///< version 3 only
    std::string cursor;
};
/// `peer` is the multiaddr of the store that the node shall ask; empty: the node decides, its own archive first.
/// Asks for `store_page_size` messages, oldest first. By topics and time only, also for one message: both programs and
/// both versions understand that alike, which they do not for hashes.
struct Query {
    std::string peer;
    std::string pubsub_topic;
    std::vector<std::string> content_topics;
    std::int64_t start_ns{0};
    std::int64_t end_ns{0};
    bool include_data{true};
    std::string cursor;
};
/// Path and query of a GET.
[[nodiscard]] std::string store_path(StoreVersion version, const Query& query);
/// Errors: malformed, too_many_values, and "refused" with the store's own words when its status is not 200.
[[nodiscard]] Result<Page> decode_page(StoreVersion version, std::string_view text);

/// Who answers. `identity` differs between two lives of a program whose record is made anew at its start.
struct Info {
    std::string identity;
    std::string peer_id;                 ///< empty when it listens nowhere
    std::vector<std::string> addresses;  ///< with /p2p/<id>
};
[[nodiscard]] Result<Info> decode_info(std::string_view text);
/// The connected ones. At most 1,000; what has no id is passed over.
[[nodiscard]] Result<std::vector<PeerInfo>> decode_peers(std::string_view text);
/// nwaku's word for its state ("READY", ...), printable.
[[nodiscard]] Result<std::string> decode_health(std::string_view text);
/// relayPeerCount of lightpush 3; nothing when it is absent.
[[nodiscard]] Result<std::optional<std::uint32_t>> decode_push_answer(std::string_view text);

/// An HTTP answer.
struct Answer {
    unsigned status{0};
    std::string body;
};
/// The program has no such endpoint, or has it switched off.
[[nodiscard]] bool is_absent(const Answer& answer);
/// It collects nothing for us: it was restarted, or never asked to.
[[nodiscard]] bool is_not_subscribed(const Answer& answer);
/// The error that an answer other than 2xx to a publish stands for; its message begins with a reason of Node::publish,
/// or with "duplicate", which is no failure.
[[nodiscard]] Error refusal(const Answer& answer);

}  // namespace noroshi::waku::rest
