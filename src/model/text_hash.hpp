// src/model/text_hash.hpp - a fast hash of texts, for tables in memory.
#pragma once

#include <cstdint>
#include <string_view>

namespace noroshi::model {

/// XXH3 with 64 bits. Not against someone who knows the seed: keep it to this process where texts come from outside.
[[nodiscard]] std::uint64_t text_hash(std::string_view text, std::uint64_t seed);

}  // namespace noroshi::model
