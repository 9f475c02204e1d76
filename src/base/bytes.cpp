// src/base/bytes.cpp - hex and base64 through libsodium; base32, base58; UTF-8 validation.
#include "base/bytes.hpp"

#include <sodium.h>

#include <algorithm>

namespace noroshi {

std::string to_hex(ByteView bytes) {
    std::string out(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(out.data(), out.size(), bytes.data(), bytes.size());
    out.pop_back();
    return out;
}

Result<Bytes> from_hex(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) {
        text.remove_prefix(2);
    }
    if (text.empty()) {
        return Bytes{};
    }
    Bytes out((text.size() + 1) / 2);
    std::size_t length = 0;
    const int bad = sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, nullptr);
    out.resize(length);
    if (bad != 0 || length * 2 != text.size()) {
        return fail(Errc::parse, "expected an even number of hex digits");
    }
    return out;
}

namespace {

std::string encode_base64(ByteView bytes, int variant) {
    std::string out(sodium_base64_encoded_len(bytes.size(), variant), '\0');
    sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(), variant);
    out.pop_back();
    return out;
}

Result<Bytes> decode_base64(std::string_view text, int variant, const char* expected) {
    if (text.empty()) {
        return Bytes{};
    }
    Bytes out((text.size() + 3) / 4 * 3);
    std::size_t length = 0;
    const char* end = nullptr;
    // libsodium takes some bytes above ASCII for digits.
    const bool ascii = std::ranges::all_of(text, [](char c) { return c > 0; });
    const int bad =
        sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, &end, variant);
    if (!ascii || bad != 0 || end != text.data() + text.size()) {
        return fail(Errc::parse, expected);
    }
    out.resize(length);
    return out;
}

constexpr std::string_view base32_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view base58_digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

}  // namespace

std::string to_base64(ByteView bytes) { return encode_base64(bytes, sodium_base64_VARIANT_ORIGINAL); }

Result<Bytes> from_base64(std::string_view text) {
    return decode_base64(text, sodium_base64_VARIANT_ORIGINAL, "expected base64 with padding");
}

std::string to_base64url(ByteView bytes) { return encode_base64(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING); }

Result<Bytes> from_base64url(std::string_view text) {
    return decode_base64(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, "expected URL-safe base64 without padding");
}

std::string to_base32(ByteView bytes) {
    std::string out;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const std::uint8_t byte : bytes) {
        held = held << 8 | byte;
        for (bits += 8; bits >= 5; bits -= 5) {
            out += base32_digits[held >> (bits - 5) & 31];
        }
    }
    if (bits > 0) {
        out += base32_digits[held << (5 - bits) & 31];
    }
    return out;
}

Result<Bytes> from_base32(std::string_view text) {
    Bytes out;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const char digit : text) {
        const std::size_t value = base32_digits.find(digit);
        if (value == std::string_view::npos) {
            return fail(Errc::parse, "expected base32 in upper case without padding");
        }
        held = held << 5 | static_cast<std::uint32_t>(value);
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<std::uint8_t>(held >> bits));
        }
    }
    if (bits >= 5 || (held & ((1U << bits) - 1)) != 0) {
        return fail(Errc::parse, "expected base32 in upper case without padding");
    }
    return out;
}

std::string to_base58(ByteView bytes) {
    Bytes digits;  // of the number, lowest first
    for (const std::uint8_t byte : bytes) {
        std::uint32_t carry = byte;
        for (std::uint8_t& digit : digits) {
            carry += std::uint32_t{digit} << 8;
            digit = static_cast<std::uint8_t>(carry % 58);
            carry /= 58;
        }
        for (; carry > 0; carry /= 58) {
            digits.push_back(static_cast<std::uint8_t>(carry % 58));
        }
    }
    std::string out;
    for (std::size_t i = 0; i < bytes.size() && bytes[i] == 0; ++i) {
        out += base58_digits.front();
    }
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
        out += base58_digits[*digit];
    }
    return out;
}

Result<Bytes> from_base58(std::string_view text) {
    Bytes number;  // lowest byte first
    for (const char digit : text) {
        const std::size_t value = base58_digits.find(digit);
        if (value == std::string_view::npos) {
            return fail(Errc::parse, "expected base58: digits and letters without 0, O, I and l");
        }
        auto carry = static_cast<std::uint32_t>(value);
        for (std::uint8_t& byte : number) {
            carry += 58U * byte;
            byte = static_cast<std::uint8_t>(carry);
            carry >>= 8;
        }
        if (carry > 0) {
            number.push_back(static_cast<std::uint8_t>(carry));
        }
    }
    const std::size_t zeros = std::min(text.find_first_not_of(base58_digits.front()), text.size());
    number.insert(number.end(), zeros, 0);
    std::ranges::reverse(number);
    return number;
}

}  // namespace noroshi
