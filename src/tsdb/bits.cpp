// src/tsdb/bits.cpp - implements BitStream and BitReader.
#include "bits.hpp"

#include <algorithm>

namespace noroshi::tsdb {
namespace {

std::uint64_t low_bits(std::uint64_t value, unsigned count) {
    return count == 64 ? value : value & ((std::uint64_t{1} << count) - 1);
}

}  // namespace

void BitStream::put(std::uint64_t value, unsigned count) {
    value = low_bits(value, count);
    while (count > 0) {
        const unsigned used = size_ % 64;
        if (used == 0) {
            if (words_.size() == words_.capacity()) {
                words_.reserve(words_.size() + std::max<std::size_t>(4, words_.size() / 4));  // memory before time
            }
            words_.push_back(0);
        }
        const unsigned room = 64 - used;
        const unsigned take = std::min(room, count);
        const std::uint64_t part = low_bits(value >> (count - take), take);
        words_.back() |= part << (room - take);
        size_ += take;
        count -= take;
    }
}

void BitStream::put_signed(std::int64_t value) {
    unsigned kind = value == 0 ? 0 : 1;
    while (kind > 0 && sign_extended(static_cast<std::uint64_t>(value), signed_widths[kind]) != value) {
        ++kind;
    }
    put(~std::uint64_t{0}, kind);
    if (kind + 1 < signed_widths.size()) {
        put(0, 1);
    }
    put(static_cast<std::uint64_t>(value), signed_widths[kind]);
}

void BitStream::put_change(double value, double base) {
    const std::uint64_t change = std::bit_cast<std::uint64_t>(value) ^ std::bit_cast<std::uint64_t>(base);
    if (change == 0) {
        put(0, 1);
        return;
    }
    const auto leading = static_cast<unsigned>(std::countl_zero(change));
    const auto trailing = static_cast<unsigned>(std::countr_zero(change));
    const unsigned significant = 64 - leading - trailing;
    put(1, 1);
    put(leading, 6);
    put(significant - 1, 6);
    put(change >> trailing, significant);
}

std::string BitStream::to_bytes() const {
    std::string out;
    out.reserve((size_ + 7) / 8);
    for (std::size_t bit = 0; bit < size_; bit += 8) {
        out += static_cast<char>(words_[bit / 64] >> (56 - bit % 64));
    }
    return out;
}

BitStream BitStream::from_bytes(std::string_view bytes) {
    BitStream out;
    out.words_.resize((bytes.size() + 7) / 8);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        out.words_[i / 8] |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (56 - i % 8 * 8);
    }
    out.size_ = bytes.size() * 8;
    return out;
}

std::int64_t BitReader::take_signed(const BitStream& stream) {
    unsigned kind = 0;
    while (kind + 1 < signed_widths.size() && take(stream, 1) == 1) {
        ++kind;
    }
    return kind == 0 ? 0 : sign_extended(take(stream, signed_widths[kind]), signed_widths[kind]);
}

double BitReader::take_change(const BitStream& stream, double base) {
    if (take(stream, 1) == 0) {
        return base;
    }
    const auto leading = static_cast<unsigned>(take(stream, 6));
    const auto significant = static_cast<unsigned>(take(stream, 6)) + 1;
    if (leading + significant > 64) {
        failed_ = true;
        return base;
    }
    const std::uint64_t change = take(stream, significant) << (64 - leading - significant);
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(base) ^ change);
}

}  // namespace noroshi::tsdb
