// src/tsdb/block_layout.hpp - the fixed parts of a block and the bounds of the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace noroshi::tsdb {

inline constexpr std::string_view block_header = "NRSHBLK1";
/// Offset and length of the index, its checksum, a checksum of these.
inline constexpr std::size_t footer_bytes = 8 + 8 + 4 + 4;
inline constexpr std::uint32_t max_directory_bytes = 64u << 20;
/// A number takes at most 67 bits of time and 77 of value; a histogram may come on top of a chunk that is nearly full, and
/// have 65,536 buckets of 77 bits, as many bounds of 64, and on each side as many spans of 138.
inline constexpr std::uint32_t max_chunk_bytes = 4u << 20;

}  // namespace noroshi::tsdb
