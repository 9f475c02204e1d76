// src/tsdb/codec.cpp - implements Encoder and Decoder.
#include "codec.hpp"

namespace noroshi::tsdb {

void Encoder::fixed(std::uint64_t value, int bytes) {
    char text[8];
    for (int i = 0; i < bytes; ++i) {
        text[i] = static_cast<char>(value >> (8 * i));
    }
    out_.append(text, static_cast<std::size_t>(bytes));
}

void Encoder::varint(std::uint64_t value) {
    char text[10];
    std::size_t size = 0;
    while (value >= 0x80) {
        text[size++] = static_cast<char>(value | 0x80);
        value >>= 7;
    }
    text[size++] = static_cast<char>(value);
    out_.append(text, size);
}

void Encoder::signed_varint(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

void Encoder::text(std::string_view value) {
    varint(value.size());
    out_ += value;
}

void Encoder::labels(const model::Labels& labels) {
    varint(labels.size());
    for (const model::LabelView label : labels) {
        text(label.name);
        text(label.value);
    }
}

std::uint64_t Decoder::fixed(std::size_t bytes) {
    if (left_.size() < bytes) {
        fail();
        return 0;
    }
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
        out |= std::uint64_t{static_cast<unsigned char>(left_[i])} << (8 * i);
    }
    left_.remove_prefix(bytes);
    return out;
}

std::uint64_t Decoder::varint() {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const std::uint64_t byte = fixed(1);
        out |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            return out;
        }
    }
    fail();
    return 0;
}

std::int64_t Decoder::signed_varint() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
}

std::string_view Decoder::text() {
    const std::uint64_t length = varint();
    if (length > left_.size()) {
        fail();
        return {};
    }
    const std::string_view out = left_.substr(0, static_cast<std::size_t>(length));
    left_.remove_prefix(out.size());
    return out;
}

std::size_t Decoder::count(std::size_t least_bytes) {
    const std::uint64_t count = varint();
    if (count > left_.size() / least_bytes) {
        fail();
        return 0;
    }
    return static_cast<std::size_t>(count);
}

model::Labels Decoder::labels() {
    std::vector<model::Label> out(count(2));
    std::string_view before;
    for (std::size_t i = 0; i < out.size() && !failed_; ++i) {
        const std::string_view name = text();
        const std::string_view value = text();
        if (name <= before || value.empty()) {
            fail();
            break;
        }
        out[i] = {std::string(name), std::string(value)};
        before = name;
    }
    return failed_ ? model::Labels() : model::Labels(std::move(out));
}

}  // namespace noroshi::tsdb
