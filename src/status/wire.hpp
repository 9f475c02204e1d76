// src/status/wire.hpp - protobuf values to bytes and back; the only helper around the generated code.
#pragma once

#include <google/protobuf/message_lite.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace noroshi::status::wire {

/// Largest message that is parsed: above what segments put together can hold.
inline constexpr std::size_t max_message_bytes = 8 * 1024 * 1024;

[[nodiscard]] inline Bytes to_bytes(const google::protobuf::MessageLite& message) {
    Bytes out(message.ByteSizeLong());
    message.SerializeWithCachedSizesToArray(out.data());
    return out;
}

/// False when `bytes` are not that message, are too many, or hold more than 4,096 fields at the top level.
[[nodiscard]] bool parse(google::protobuf::MessageLite& message, ByteView bytes);

[[nodiscard]] inline std::string text(ByteView bytes) { return std::string(as_text(bytes)); }
[[nodiscard]] inline Bytes bytes(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

/// The N bytes of a field, or none when it has another length.
template <std::size_t N>
[[nodiscard]] std::optional<std::array<std::uint8_t, N>> fixed(std::string_view field) {
    if (field.size() != N) {
        return std::nullopt;
    }
    std::array<std::uint8_t, N> out{};
    field.copy(reinterpret_cast<char*>(out.data()), N);
    return out;
}

/// Overwrites a field that held a secret.
inline void wipe_field(std::string& field) { wipe({reinterpret_cast<std::uint8_t*>(field.data()), field.size()}); }

}  // namespace noroshi::status::wire
