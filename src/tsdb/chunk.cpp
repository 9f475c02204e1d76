// src/tsdb/chunk.cpp - the bit stream of a chunk.
#include "chunk.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/result.hpp"
#include "histogram_codec.hpp"
#include "model/histogram_layout.hpp"

namespace noroshi::tsdb {
namespace {

// Time: a unary class (0, 10, 110, 111) and a signed difference of differences in so many bits.
constexpr unsigned class_bits[] = {0, 14, 20, 64};
constexpr std::int64_t small_limit = 1 << 13;
constexpr std::int64_t medium_limit = 1 << 19;

/// What is known about resets by what is stored before. After one nothing is said, as Prometheus's store says nothing at
/// the start of a chunk.
model::ResetHint stored_hint(const model::Histogram& histogram, const model::Histogram* before) {
    using model::ResetHint;
    if (histogram.hint == ResetHint::gauge) {
        return ResetHint::gauge;
    }
    const bool known = before != nullptr && !histogram.is_stale() && !before->is_stale();
    return known && !model::is_reset(histogram, *before) ? ResetHint::not_reset : ResetHint::unknown;
}

}  // namespace

void Chunk::put_time(std::int64_t at_ms) {
    const std::int64_t delta = at_ms - last_ms_;
    const std::int64_t change = delta - delta_ms_;
    delta_ms_ = delta;
    if (change == 0) {
        bits_.put(0b0, 1);
    } else if (change >= -small_limit && change < small_limit) {
        bits_.put(0b10, 2);
        bits_.put(static_cast<std::uint64_t>(change), class_bits[1]);
    } else if (change >= -medium_limit && change < medium_limit) {
        bits_.put(0b110, 3);
        bits_.put(static_cast<std::uint64_t>(change), class_bits[2]);
    } else {
        bits_.put(0b111, 3);
        bits_.put(static_cast<std::uint64_t>(change), class_bits[3]);
    }
}

void Chunk::put_value(std::uint64_t bits) {
    const std::uint64_t change = bits ^ last_bits_;
    last_bits_ = bits;
    if (change == 0) {
        bits_.put(0b0, 1);
        return;
    }
    const auto leading = static_cast<unsigned>(std::min(31, std::countl_zero(change)));
    const auto trailing = static_cast<unsigned>(std::countr_zero(change));
    const bool fits = significant_ != 0 && leading >= leading_ && trailing >= 64u - leading_ - significant_;
    if (fits) {
        bits_.put(0b10, 2);
        bits_.put(change >> (64u - leading_ - significant_), significant_);
        return;
    }
    leading_ = static_cast<std::uint8_t>(leading);
    significant_ = static_cast<std::uint8_t>(64 - leading - trailing);
    bits_.put(0b11, 2);
    bits_.put(leading_, 5);
    bits_.put(significant_ - 1u, 6);
    bits_.put(change >> trailing, significant_);
}

void Chunk::append(std::int64_t at_ms, const Value& value, const model::Histogram* before) {
    NOROSHI_ASSERT(takes(value), "a chunk takes samples of its own kind until it is full");
    if (count_ == 0) {
        encoding_ = encoding_of(value);
        first_ms_ = at_ms;
        before = nullptr;
    } else {
        put_time(at_ms);
    }
    if (value.histogram) {
        put_histogram(bits_, *value.histogram, stored_hint(*value.histogram, before), before);
    } else if (const auto bits = std::bit_cast<std::uint64_t>(value.number); count_ == 0) {
        last_bits_ = bits;
        bits_.put(bits, 64);
    } else {
        put_value(bits);
    }
    last_ms_ = at_ms;
    ++count_;
}

Chunk Chunk::from_bytes(Encoding encoding, std::string_view bytes, std::uint16_t count, std::int64_t first_ms,
                        std::int64_t last_ms) {
    Chunk out;
    out.bits_ = BitStream::from_bytes(bytes);
    out.encoding_ = encoding;
    out.count_ = count;
    out.first_ms_ = first_ms;
    out.last_ms_ = last_ms;
    return out;
}

void Chunk::Reader::read_time() {
    const auto kind = static_cast<unsigned>(std::min(3, std::countl_one(in_.peek(chunk_->bits_))));
    in_.skip(chunk_->bits_, kind < 3 ? kind + 1 : 3);
    if (kind > 0) {
        delta_ms_ = wrapping_sum(delta_ms_, sign_extended(in_.take(chunk_->bits_, class_bits[kind]), class_bits[kind]));
    }
    at_ms_ = wrapping_sum(at_ms_, delta_ms_);
}

void Chunk::Reader::read_value() {
    const BitStream& bits = chunk_->bits_;
    const std::uint64_t head = in_.peek(bits);
    switch (head >> 62) {
        case 0b10:
            in_.skip(bits, 2);
            break;
        case 0b11:
            leading_ = static_cast<unsigned>(head >> 57) & 31;
            significant_ = (static_cast<unsigned>(head >> 51) & 63) + 1;
            in_.skip(bits, 13);
            break;
        default:
            in_.skip(bits, 1);
            return;
    }
    if (significant_ == 0 || leading_ + significant_ > 64) {
        in_.fail();
        return;
    }
    value_ ^= in_.take(bits, significant_) << (64 - leading_ - significant_);
}

void Chunk::Reader::read_histogram() {
    if (!take_histogram(in_, chunk_->bits_, histogram_, read_ == 0)) {
        in_.fail();
        return;
    }
    if (read_ == 0 && histogram_.hint != model::ResetHint::gauge) {
        histogram_.hint = model::ResetHint::unknown;
    }
    const double number = histogram_.is_stale() ? model::stale_marker() : std::numeric_limits<double>::quiet_NaN();
    value_ = std::bit_cast<std::uint64_t>(number);
}

bool Chunk::Reader::next(model::Sample& out) {
    if (in_.failed() || read_ == chunk_->count_) {
        return false;
    }
    if (read_ == 0) {
        at_ms_ = chunk_->first_ms_;
    } else {
        read_time();
    }
    if (chunk_->encoding_ == Encoding::histograms) {
        read_histogram();
    } else if (read_ == 0) {
        value_ = in_.take(chunk_->bits_, 64);
    } else {
        read_value();
    }
    if (in_.failed()) {
        return false;
    }
    ++read_;
    out = {from_unix_ms(at_ms_), std::bit_cast<double>(value_)};
    return true;
}

}  // namespace noroshi::tsdb
