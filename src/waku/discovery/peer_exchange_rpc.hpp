// src/waku/discovery/peer_exchange_rpc.hpp - bytes of peer exchange: "who else is there?" and node records.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rpc.hpp"

namespace noroshi::waku {

inline constexpr std::string_view peer_exchange_protocol = "/vac/waku/peer-exchange/2.0.0-alpha1";
/// Records in one answer, asked for and given.
inline constexpr std::size_t max_exchanged_peers = 60;

/// 34/WAKU2-PEER-EXCHANGE; status code and text as the Nim node has them, go-waku leaves them out.
struct PeerExchangeAnswer {
    std::uint32_t code{status::ok};
    std::string info;
    std::vector<Bytes> records;  ///< RLP, not verified
};

[[nodiscard]] Bytes encode_peer_exchange_query(std::uint64_t peers);
/// How many are asked for. Errors: parse (malformed).
[[nodiscard]] Result<std::uint64_t> decode_peer_exchange_query(ByteView bytes);
[[nodiscard]] Bytes encode_peer_exchange_answer(const PeerExchangeAnswer& answer);
/// At most `max_exchanged_peers` records are kept, none over 300 bytes. Errors: parse (malformed).
[[nodiscard]] Result<PeerExchangeAnswer> decode_peer_exchange_answer(ByteView bytes);

}  // namespace noroshi::waku
