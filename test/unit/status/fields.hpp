// test/unit/status/fields.hpp - protobuf fields by number, written without the generated code that is under test.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace noroshi::status::test {

inline Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
inline Bytes varint(std::uint64_t value) {
    Bytes out;
    for (; value >= 0x80; value >>= 7) {
        out.push_back(static_cast<std::uint8_t>(value | 0x80));
    }
    out.push_back(static_cast<std::uint8_t>(value));
    return out;
}
/// Of two fields with one number a reader takes the later: appended, they change a message.
inline Bytes field(std::uint32_t number, std::uint64_t value) { return varint(std::uint64_t{number} << 3) + varint(value); }
inline Bytes field(std::uint32_t number, ByteView value) {
    return varint(std::uint64_t{number} << 3 | 2) + varint(value.size()) + Bytes(value.begin(), value.end());
}
inline Bytes field(std::uint32_t number, std::string_view value) { return field(number, as_bytes(value)); }

}  // namespace noroshi::status::test
