// test/fuzz/tsdb_block_fuzz.cpp - index, directory and chunk of a block may be any bytes behind a right checksum.
#include <cstdint>
#include <string>

#include "base/crc32c.hpp"
#include "block.hpp"
#include "codec.hpp"

using namespace noroshi;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    if (data[0] % 3 == 0) {
        tsdb::BlockMeta meta;
        const std::uint64_t chunk_bytes = 100'000;
        if (const auto entries = tsdb::read_index(bytes, chunk_bytes, meta)) {
            for (const tsdb::IndexEntry& entry : *entries) {
                NOROSHI_ASSERT(entry.place.offset + entry.place.directory_bytes <= chunk_bytes, "a place is in the file");
            }
        }
    } else if (data[0] % 3 == 1) {
        tsdb::Encoder directory;
        directory.raw(bytes);
        directory.u32(crc32c(bytes));
        if (const auto chunks = tsdb::read_directory(directory.bytes(), 8)) {
            for (const tsdb::ChunkPlace& chunk : *chunks) {
                NOROSHI_ASSERT(chunk.count > 0 && chunk.count <= tsdb::Chunk::capacity, "a chunk has samples");
            }
        }
    } else {
        const auto count = static_cast<std::uint16_t>(1 + data[1] % tsdb::Chunk::capacity);
        const auto encoding = (data[0] & 0x80) != 0 ? tsdb::Encoding::histograms : tsdb::Encoding::floats;
        const tsdb::Chunk chunk = tsdb::Chunk::from_bytes(encoding, bytes, count, 1'000, 2'000);
        tsdb::Chunk::Reader reader(chunk);
        model::Sample sample{};
        std::uint16_t read = 0;
        while (reader.next(sample)) {
            ++read;
            NOROSHI_ASSERT(reader.histogram() == nullptr || model::validate_layout(*reader.histogram()),
                           "a layout that others may walk");
        }
        NOROSHI_ASSERT(read <= count, "no more samples than were counted");
    }
    return 0;
}
