// src/waku/protobuf.hpp - protobuf values to bytes and back; the only helper around the generated code.
#pragma once

#include <google/protobuf/message_lite.h>

#include "base/bytes.hpp"

namespace noroshi::waku::wire {

[[nodiscard]] inline Bytes to_bytes(const google::protobuf::MessageLite& message) {
    Bytes out(message.ByteSizeLong());
    message.SerializeWithCachedSizesToArray(out.data());
    return out;
}

/// False when `bytes` are not that message. The caller has bounded their number.
[[nodiscard]] inline bool parse(google::protobuf::MessageLite& message, ByteView bytes) {
    return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

[[nodiscard]] inline std::string text(ByteView bytes) { return std::string(as_text(bytes)); }
[[nodiscard]] inline Bytes bytes(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

}  // namespace noroshi::waku::wire
