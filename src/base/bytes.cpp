// src/base/bytes.cpp - hex and base64 through libsodium; UTF-8 validation.
#include "base/bytes.hpp"

#include <sodium.h>

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

std::string to_base64(ByteView bytes) {
    constexpr int variant = sodium_base64_VARIANT_ORIGINAL;
    std::string out(sodium_base64_encoded_len(bytes.size(), variant), '\0');
    sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(), variant);
    out.pop_back();
    return out;
}

Result<Bytes> from_base64(std::string_view text) {
    if (text.empty()) {
        return Bytes{};
    }
    Bytes out((text.size() + 3) / 4 * 3);
    std::size_t length = 0;
    const char* end = nullptr;
    const int bad = sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, &end,
                                      sodium_base64_VARIANT_ORIGINAL);
    if (bad != 0 || end != text.data() + text.size()) {
        return fail(Errc::parse, "expected base64 with padding");
    }
    out.resize(length);
    return out;
}

bool is_utf8(std::string_view text) {
    const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned char first = byte(i);
        if (first < 0x80) {
            ++i;
            continue;
        }
        const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
        if (first < 0xc2 || first > 0xf4 || i + length > text.size()) {
            return false;
        }
        // The second byte's range shuts out overlong forms, surrogates and what is above U+10FFFF.
        const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (byte(i + 1) < low || byte(i + 1) > high) {
            return false;
        }
        for (std::size_t k = 2; k < length; ++k) {
            if ((byte(i + k) & 0xc0) != 0x80) {
                return false;
            }
        }
        i += length;
    }
    return true;
}

}  // namespace noroshi
