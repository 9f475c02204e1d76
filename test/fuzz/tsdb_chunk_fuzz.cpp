// test/fuzz/tsdb_chunk_fuzz.cpp - any samples in order of time come back bit by bit.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "chunk.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    tsdb::Chunk chunk;
    std::vector<std::pair<std::int64_t, std::uint64_t>> put;
    std::int64_t at = 0;
    while (size >= 12 && !chunk.full()) {
        std::uint32_t step = 0;
        std::uint64_t bits = 0;
        std::memcpy(&step, data, 4);
        std::memcpy(&bits, data + 4, 8);
        data += 12;
        size -= 12;
        at = put.empty() ? static_cast<std::int64_t>(step) * 1000 : at + 1 + step;
        chunk.append(at, std::bit_cast<double>(bits));
        put.emplace_back(at, bits);
    }
    tsdb::Chunk::Reader reader(chunk);
    model::Sample sample{};
    for (const auto& [time, bits] : put) {
        if (!reader.next(sample) || to_unix_ms(sample.at) != time || std::bit_cast<std::uint64_t>(sample.value) != bits) {
            std::abort();
        }
    }
    if (reader.next(sample)) {
        std::abort();
    }
    return 0;
}
