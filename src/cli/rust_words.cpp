// src/cli/rust_words.cpp - calls noroshi_words.h.
#include "rust_words.hpp"

#include <noroshi_words.h>

#include <array>

namespace noroshi::cli {

static_assert(max_words_bytes == NRW_MAX_INPUT);

Result<SecretBytes> words_of(const Secret<32>& key) {
    std::array<char, NRW_MAX_TEXT> buffer{};
    const std::span<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(buffer.data()), buffer.size());
    std::size_t length = 0;
    const std::int32_t code = nrw_words_of_key(key.expose().data(), buffer.data(), buffer.size(), &length);
    SecretBytes words(buffer.size());
    const bool whole = code == NRW_OK && words.append(bytes.first(length));
    wipe(bytes);
    if (!whole) {
        return fail(Errc::internal, fmt::format("the words could not be made (code {})", code));
    }
    return words;
}

Result<Secret<32>> key_of_words(const SecretBytes& words) {
    const std::string_view text = words.expose_text();
    Secret<32> key;
    std::uint32_t detail = 0;
    switch (nrw_key_of_words(text.data(), text.size(), key.expose_mutable().data(), &detail)) {
        case NRW_OK:
            return key;
        case NRW_COUNT:
            return fail(Errc::parse, fmt::format("expected 24 words, got {}", detail));
        case NRW_UNKNOWN:
            return fail(Errc::parse, fmt::format("word {} is not in the list of BIP-39's English words", detail));
        case NRW_CHECKSUM:
            return fail(Errc::parse, "the checksum does not fit: a word is wrong, or two have changed places");
        case NRW_EMSGSIZE:
            return fail(Errc::limit, fmt::format("expected 24 words, got more than {} bytes", max_words_bytes));
        default:
            return fail(Errc::parse, "expected 24 words");
    }
}

}  // namespace noroshi::cli
