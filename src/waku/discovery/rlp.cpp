// src/waku/discovery/rlp.cpp - headers of RLP, read and written.
#include "rlp.hpp"

namespace noroshi::waku::rlp {
namespace {

constexpr std::uint8_t string_base = 0x80;
constexpr std::uint8_t list_base = 0xc0;
/// Longer payloads have their length in bytes of its own.
constexpr std::size_t longest_short = 55;

tl::unexpected<Error> malformed() { return fail(Errc::parse, "malformed"); }

Bytes big_endian(std::uint64_t number) {
    Bytes out;
    for (int shift = 56; shift >= 0; shift -= 8) {
        const auto byte = static_cast<std::uint8_t>(number >> shift);
        if (byte != 0 || !out.empty()) {
            out.push_back(byte);
        }
    }
    return out;
}

void append_header(Bytes& out, std::uint8_t base, std::size_t length) {
    if (length <= longest_short) {
        out.push_back(static_cast<std::uint8_t>(base + length));
        return;
    }
    const Bytes digits = big_endian(length);
    out.push_back(static_cast<std::uint8_t>(base + longest_short + digits.size()));
    out.insert(out.end(), digits.begin(), digits.end());
}

/// The length that stands in `digits` bytes behind the first. Errors: parse (not the shortest form).
Result<std::size_t> long_length(ByteView bytes, std::size_t digits) {
    if (digits > 4 || bytes.size() < 1 + digits || bytes[1] == 0) {
        return malformed();
    }
    std::size_t length = 0;
    for (const std::uint8_t byte : bytes.subspan(1, digits)) {
        length = length << 8 | byte;
    }
    if (length <= longest_short) {
        return malformed();
    }
    return length;
}

/// Takes one item from the front of `bytes`.
Result<Item> take(ByteView& bytes) {
    if (bytes.empty()) {
        return malformed();
    }
    const std::uint8_t first = bytes.front();
    const bool is_list = first >= list_base;
    const std::uint8_t base = is_list ? list_base : string_base;
    std::size_t header = 1;
    std::size_t length = 0;
    if (first < string_base) {
        header = 0;
        length = 1;
    } else if (first - base <= static_cast<int>(longest_short)) {
        length = first - base;
    } else {
        const std::size_t digits = first - base - longest_short;
        NOROSHI_TRY(length, long_length(bytes, digits));
        header += digits;
    }
    if (length > bytes.size() - header) {
        return malformed();
    }
    const Item item{is_list, bytes.subspan(header, length), bytes.first(header + length)};
    if (!is_list && header == 1 && length == 1 && item.payload.front() < string_base) {
        return malformed();  // such a byte stands for itself
    }
    bytes = bytes.subspan(header + length);
    return item;
}

}  // namespace

Result<std::vector<Item>> read_list(ByteView bytes) {
    NOROSHI_TRY(const Item outer, take(bytes));
    if (!outer.list || !bytes.empty()) {
        return malformed();
    }
    std::vector<Item> out;
    for (ByteView rest = outer.payload; !rest.empty();) {
        NOROSHI_TRY(const Item item, take(rest));
        out.push_back(item);
    }
    return out;
}

Result<std::uint64_t> read_number(const Item& item) {
    if (item.list || item.payload.size() > 8 || (!item.payload.empty() && item.payload.front() == 0)) {
        return malformed();
    }
    std::uint64_t out = 0;
    for (const std::uint8_t byte : item.payload) {
        out = out << 8 | byte;
    }
    return out;
}

void append_string(Bytes& out, ByteView string) {
    if (string.size() != 1 || string.front() >= string_base) {
        append_header(out, string_base, string.size());
    }
    out.insert(out.end(), string.begin(), string.end());
}

void append_number(Bytes& out, std::uint64_t number) { append_string(out, big_endian(number)); }

Bytes list(ByteView members) {
    Bytes out;
    append_header(out, list_base, members.size());
    out.insert(out.end(), members.begin(), members.end());
    return out;
}

}  // namespace noroshi::waku::rlp
