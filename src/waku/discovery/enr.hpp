// src/waku/discovery/enr.hpp - Ethereum node records with Waku's keys: who a node is, where, and what it serves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/result.hpp"

namespace noroshi::waku {

/// EIP-778: a record is at most 300 bytes of RLP.
inline constexpr std::size_t max_enr_bytes = 300;

/// Bits of the key `waku2` (31/WAKU2-ENR).
namespace enr_flag {
inline constexpr std::uint8_t relay = 1;
inline constexpr std::uint8_t store = 2;
inline constexpr std::uint8_t filter = 4;
inline constexpr std::uint8_t lightpush = 8;
}  // namespace enr_flag

/// The keys `rs` and `rsv`.
struct ShardSet {
    std::uint16_t cluster{0};
    std::vector<std::uint16_t> shards;  ///< ascending, each 0..1023
    bool operator==(const ShardSet&) const = default;
};

/// One record, its signature verified. 31/WAKU2-ENR over EIP-778 with the identity scheme "v4".
struct Enr {
    explicit Enr(crypto::PublicKey owner) : key(std::move(owner)) {}
    std::uint64_t sequence{0};
    crypto::PublicKey key;
    std::optional<std::string> ip4;         ///< dotted
    std::optional<std::string> ip6;
    std::optional<std::uint16_t> tcp;
    std::optional<std::uint16_t> udp;       ///< of discv5
    std::optional<std::uint16_t> tcp6;
    std::optional<std::uint16_t> udp6;
    std::vector<std::string> multiaddrs;    ///< without /p2p/; those in forms we cannot dial are left out
    std::optional<std::uint8_t> waku2;      ///< enr_flag; absent: not a Waku node
    std::optional<ShardSet> shards;
    bool operator==(const Enr&) const = default;
};

/// Reads and verifies. Unknown keys are passed over; a known key of a wrong form makes the record refused, but `rsv`
/// beside `rs` is not looked at.
/// Errors: parse, whose message is one word fit for a metric label: too_large, malformed, not_sorted, no_v4, bad_key,
/// bad_signature, bad_address, bad_shards.
[[nodiscard]] Result<Enr> decode_enr(ByteView rlp);
/// Writes and signs. `rs` up to 63 shards, `rsv` beyond. `enr.key` must be that of `key`.
/// Errors: limit (over 300 bytes: fewer addresses), invalid_argument (an address).
[[nodiscard]] Result<Bytes> encode_enr(const Enr& enr, const crypto::SecretKey& key);

/// "enr:" and base64url.
[[nodiscard]] std::string enr_to_text(ByteView rlp);
/// The RLP bytes of such a text, not verified yet. Errors: parse.
[[nodiscard]] Result<Bytes> enr_from_text(std::string_view text);

/// The libp2p peer id of a secp256k1 key: base58 of the identity multihash of its protobuf.
[[nodiscard]] std::string peer_id_of(const crypto::PublicKey& key);
/// Where the node can be dialled, each with /p2p/<id>: `multiaddrs`, then ip and tcp. TCP before WebSocket, none twice.
[[nodiscard]] std::vector<std::string> dial_addresses(const Enr& enr);

}  // namespace noroshi::waku
