// src/base/net/brotli.hpp - brotli (RFC 7932) in memory, with a limit on what comes out.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace noroshi::net {

/// For texts of a few kilobytes.
[[nodiscard]] Bytes brotli_compress(ByteView plain);
/// A whole stream and nothing after it. Errors: limit (more than `max_bytes` come out), parse (not brotli, cut short).
[[nodiscard]] Result<Bytes> brotli_decompress(ByteView packed, std::size_t max_bytes);

}  // namespace noroshi::net
