// src/base/net/brotli.cpp - brotli through its own library.
#include "base/net/brotli.hpp"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <fmt/format.h>

#include <memory>

namespace noroshi::net {
namespace {

struct FreeDecoder {
    void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
};

// Enough for some kilobytes; the highest quality fills megabytes of tables for each text and saves nothing of a short one.
constexpr int quality = 5;
constexpr int window_bits = 16;

}  // namespace

Bytes brotli_compress(ByteView plain) {
    std::size_t size = BrotliEncoderMaxCompressedSize(plain.size());
    Bytes out(size);
    const BROTLI_BOOL done = BrotliEncoderCompress(quality, window_bits, BROTLI_MODE_GENERIC, plain.size(), plain.data(),
                                                   &size, out.data());
    NOROSHI_ASSERT(done == BROTLI_TRUE, "brotli must fit into the size it asked for");
    out.resize(size);
    return out;
}

Result<Bytes> brotli_decompress(ByteView packed, std::size_t max_bytes) {
    const std::unique_ptr<BrotliDecoderState, FreeDecoder> decoder(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
    NOROSHI_ASSERT(decoder != nullptr, "brotli could not start");
    Bytes out(max_bytes);
    std::size_t in_left = packed.size();
    const std::uint8_t* in_next = packed.data();
    std::size_t out_left = out.size();
    std::uint8_t* out_next = out.data();
    const BrotliDecoderResult state =
        BrotliDecoderDecompressStream(decoder.get(), &in_left, &in_next, &out_left, &out_next, nullptr);
    if (state == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
        return fail(Errc::limit, fmt::format("data is larger than {} bytes after decompression", max_bytes));
    }
    if (state != BROTLI_DECODER_RESULT_SUCCESS || in_left > 0) {
        return fail(Errc::parse, "data is not whole brotli data");
    }
    out.resize(max_bytes - out_left);
    return out;
}

}  // namespace noroshi::net
