// src/tsdb/chunk.cpp - the bit stream of a chunk.
#include "chunk.hpp"

#include <algorithm>
#include <bit>

#include "base/result.hpp"

namespace noroshi::tsdb {
namespace {

// Time: a unary class (0, 10, 110, 111) and a signed difference of differences in so many bits.
constexpr unsigned class_bits[] = {0, 14, 20, 64};
constexpr std::int64_t small_limit = 1 << 13;
constexpr std::int64_t medium_limit = 1 << 19;

std::uint64_t low_bits(std::uint64_t value, unsigned count) {
    return count == 64 ? value : value & ((std::uint64_t{1} << count) - 1);
}

std::int64_t sign_extended(std::uint64_t value, unsigned count) {
    const unsigned unused = 64 - count;
    return static_cast<std::int64_t>(value << unused) >> unused;
}

/// Bytes of a file may hold any differences.
std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace

void Chunk::put(std::uint64_t value, unsigned count) {
    value = low_bits(value, count);
    while (count > 0) {
        const unsigned used = size_bits_ % 64;
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
        size_bits_ += take;
        count -= take;
    }
}

void Chunk::put_time(std::int64_t at_ms) {
    const std::int64_t delta = at_ms - last_ms_;
    const std::int64_t change = delta - delta_ms_;
    delta_ms_ = delta;
    if (change == 0) {
        put(0b0, 1);
    } else if (change >= -small_limit && change < small_limit) {
        put(0b10, 2);
        put(static_cast<std::uint64_t>(change), class_bits[1]);
    } else if (change >= -medium_limit && change < medium_limit) {
        put(0b110, 3);
        put(static_cast<std::uint64_t>(change), class_bits[2]);
    } else {
        put(0b111, 3);
        put(static_cast<std::uint64_t>(change), class_bits[3]);
    }
}

void Chunk::put_value(std::uint64_t bits) {
    const std::uint64_t change = bits ^ last_bits_;
    last_bits_ = bits;
    if (change == 0) {
        put(0b0, 1);
        return;
    }
    const auto leading = static_cast<unsigned>(std::min(31, std::countl_zero(change)));
    const auto trailing = static_cast<unsigned>(std::countr_zero(change));
    const bool fits = significant_ != 0 && leading >= leading_ && trailing >= 64u - leading_ - significant_;
    if (fits) {
        put(0b10, 2);
        put(change >> (64u - leading_ - significant_), significant_);
        return;
    }
    leading_ = static_cast<std::uint8_t>(leading);
    significant_ = static_cast<std::uint8_t>(64 - leading - trailing);
    put(0b11, 2);
    put(leading_, 5);
    put(significant_ - 1u, 6);
    put(change >> trailing, significant_);
}

void Chunk::append(std::int64_t at_ms, double value) {
    NOROSHI_ASSERT(!full(), "a full chunk takes no sample");
    const auto bits = std::bit_cast<std::uint64_t>(value);
    if (count_ == 0) {
        first_ms_ = at_ms;
        last_bits_ = bits;
        put(bits, 64);
    } else {
        put_time(at_ms);
        put_value(bits);
    }
    last_ms_ = at_ms;
    ++count_;
}

std::string Chunk::to_bytes() const {
    std::string out;
    out.reserve((size_bits_ + 7) / 8);
    for (std::size_t bit = 0; bit < size_bits_; bit += 8) {
        out += static_cast<char>(words_[bit / 64] >> (56 - bit % 64));
    }
    return out;
}

Chunk Chunk::from_bytes(std::string_view bytes, std::uint16_t count, std::int64_t first_ms, std::int64_t last_ms) {
    Chunk out;
    out.words_.resize((bytes.size() + 7) / 8);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        out.words_[i / 8] |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (56 - i % 8 * 8);
    }
    out.size_bits_ = bytes.size() * 8;
    out.count_ = count;
    out.first_ms_ = first_ms;
    out.last_ms_ = last_ms;
    return out;
}

/// The next 64 bits, zeros where the stream has ended; nothing is taken.
std::uint64_t Chunk::Reader::peek() const {
    const std::size_t word = position_ / 64;
    const unsigned used = position_ % 64;
    if (word >= chunk_->words_.size()) {
        return 0;
    }
    std::uint64_t out = chunk_->words_[word] << used;
    if (used > 0 && word + 1 < chunk_->words_.size()) {
        out |= chunk_->words_[word + 1] >> (64 - used);
    }
    return out;
}

void Chunk::Reader::skip(unsigned count) {
    if (count > chunk_->size_bits_ - position_) {
        failed_ = true;
        return;
    }
    position_ += count;
}

std::uint64_t Chunk::Reader::bits(unsigned count) {
    const std::uint64_t out = peek() >> (64 - count);
    skip(count);
    return failed_ ? 0 : out;
}

void Chunk::Reader::read_time() {
    const auto kind = static_cast<unsigned>(std::min(3, std::countl_one(peek())));
    skip(kind < 3 ? kind + 1 : 3);
    if (kind > 0) {
        delta_ms_ = wrapping_sum(delta_ms_, sign_extended(bits(class_bits[kind]), class_bits[kind]));
    }
    at_ms_ = wrapping_sum(at_ms_, delta_ms_);
}

void Chunk::Reader::read_value() {
    const std::uint64_t head = peek();
    switch (head >> 62) {
        case 0b10:
            skip(2);
            break;
        case 0b11:
            leading_ = static_cast<unsigned>(head >> 57) & 31;
            significant_ = (static_cast<unsigned>(head >> 51) & 63) + 1;
            skip(13);
            break;
        default:
            skip(1);
            return;
    }
    if (significant_ == 0 || leading_ + significant_ > 64) {
        failed_ = true;
        return;
    }
    value_ ^= bits(significant_) << (64 - leading_ - significant_);
}

bool Chunk::Reader::next(model::Sample& out) {
    if (failed_ || read_ == chunk_->count_) {
        return false;
    }
    if (read_ == 0) {
        at_ms_ = chunk_->first_ms_;
        value_ = bits(64);
    } else {
        read_time();
        read_value();
    }
    if (failed_) {
        return false;
    }
    ++read_;
    out = {from_unix_ms(at_ms_), std::bit_cast<double>(value_)};
    return true;
}

}  // namespace noroshi::tsdb
