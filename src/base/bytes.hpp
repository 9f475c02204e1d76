// src/base/bytes.hpp - byte strings and their texts: hex, base64, base32, base58.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace noroshi {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hex without a prefix.
[[nodiscard]] std::string to_hex(ByteView bytes);
/// Accepts either case and an optional "0x". Errors: parse.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);
/// Standard alphabet with padding.
[[nodiscard]] std::string to_base64(ByteView bytes);
/// Standard alphabet, padding required. Errors: parse.
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);
/// URL-safe alphabet without padding (RFC 4648, section 5).
[[nodiscard]] std::string to_base64url(ByteView bytes);
/// Errors: parse.
[[nodiscard]] Result<Bytes> from_base64url(std::string_view text);
/// Upper case without padding (RFC 4648, section 6).
[[nodiscard]] std::string to_base32(ByteView bytes);
/// Upper case, no padding, unused bits zero. Errors: parse.
[[nodiscard]] Result<Bytes> from_base32(std::string_view text);
/// Bitcoin's alphabet, as libp2p writes peer ids. Time grows with the square of the length: for short strings.
[[nodiscard]] std::string to_base58(ByteView bytes);
/// Time grows with the square of the length: the caller bounds it. Errors: parse.
[[nodiscard]] Result<Bytes> from_base58(std::string_view text);
/// True for well-formed UTF-8 without surrogates.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace noroshi
