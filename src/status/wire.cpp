// src/status/wire.cpp - parsing with a bound on what the bytes may become.
#include "wire.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

namespace noroshi::status::wire {
namespace {

/// Two bytes of an empty repeated field become an object of a hundred: many of them are an attack, not a message.
constexpr std::size_t most_fields = 4096;

bool has_too_many_fields(ByteView bytes) {
    google::protobuf::io::CodedInputStream in(bytes.data(), static_cast<int>(bytes.size()));
    for (std::size_t fields = 0; fields <= most_fields; ++fields) {
        const std::uint32_t tag = in.ReadTag();
        if (tag == 0 || !google::protobuf::internal::WireFormatLite::SkipField(&in, tag)) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool parse(google::protobuf::MessageLite& message, ByteView bytes) {
    return bytes.size() <= max_message_bytes && !has_too_many_fields(bytes) &&
           message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace noroshi::status::wire
