// src/cli/rust_words.hpp - a key as 24 English words of BIP-39, by the Rust crate p2p/.
#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace noroshi::cli {

/// Longest text that is read for words, in bytes.
inline constexpr std::size_t max_words_bytes = 1024;

/// The words, one blank between them. Thread: any. Errors: internal.
[[nodiscard]] Result<SecretBytes> words_of(const Secret<32>& key);
/// Reads 24 words in any case, with any white space between them. Errors: parse (how many words there are, which one is
/// none, or that the checksum does not fit; no word is named), limit.
[[nodiscard]] Result<Secret<32>> key_of_words(const SecretBytes& words);

}  // namespace noroshi::cli
