// src/collect/scrape/protobuf_wire.cpp - implements WireReader and take_delimited.
#include "scrape/protobuf_wire.hpp"

namespace noroshi::collect {
namespace {

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        out |= std::uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80) {
            return out;
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> take_bytes(std::string_view& bytes, std::uint64_t count) {
    if (count > bytes.size()) {
        return std::nullopt;
    }
    const std::string_view out = bytes.substr(0, static_cast<std::size_t>(count));
    bytes.remove_prefix(out.size());
    return out;
}

}  // namespace

std::optional<std::string_view> take_delimited(std::string_view& bytes) {
    const std::optional<std::uint64_t> length = take_varint(bytes);
    return length ? take_bytes(bytes, *length) : std::nullopt;
}

bool WireReader::next() {
    if (failed_ || left_.empty()) {
        return false;
    }
    constexpr std::uint64_t varint = 0;
    constexpr std::uint64_t fixed64 = 1;
    constexpr std::uint64_t delimited = 2;
    constexpr std::uint64_t fixed32 = 5;
    const std::uint64_t tag = take_varint(left_).value_or(0);
    field_ = tag >> 3;
    wire_ = tag & 7;
    bool whole = false;
    if (wire_ == varint) {
        const std::optional<std::uint64_t> number = take_varint(left_);
        number_ = number.value_or(0);
        whole = number.has_value();
    } else if (wire_ == delimited) {
        const std::optional<std::string_view> text = take_delimited(left_);
        text_ = text.value_or(std::string_view());
        whole = text.has_value();
    } else if (wire_ == fixed64 || wire_ == fixed32) {
        whole = take_bytes(left_, wire_ == fixed64 ? 8 : 4).has_value();
    }
    failed_ = field_ == 0 || !whole;
    return !failed_;
}

}  // namespace noroshi::collect
