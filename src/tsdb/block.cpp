// src/tsdb/block.cpp - reading of blocks.
#include "block.hpp"

#include <fmt/format.h>

#include "base/crc32c.hpp"
#include "block_layout.hpp"

namespace noroshi::tsdb {
namespace {

tl::unexpected<Error> damaged(std::string_view what) { return fail(Errc::corrupt, std::string(what)); }

BlockMeta read_meta(Decoder& in) {
    BlockMeta meta;
    meta.min_ms = in.signed_varint();
    meta.max_ms = in.signed_varint();
    meta.samples = in.varint();
    meta.cut_ms = in.signed_varint();
    meta.cut_segment = in.varint();
    meta.replaces.resize(in.count(1));
    for (std::uint64_t& number : meta.replaces) {
        number = in.varint();
    }
    return meta;
}

Result<std::vector<model::Label>> read_labels(Decoder& in, const std::vector<std::string_view>& symbols) {
    std::vector<model::Label> labels(in.count(2));
    std::string_view before;
    for (model::Label& label : labels) {
        const std::uint64_t name = in.varint();
        const std::uint64_t value = in.varint();
        if (in.failed() || name >= symbols.size() || value >= symbols.size() || symbols[name] <= before ||
            symbols[value].empty()) {
            return damaged("labels of the index");
        }
        label = {std::string(symbols[name]), std::string(symbols[value])};
        before = symbols[name];
    }
    return labels;
}

struct Footer {
    std::uint64_t index_offset{0};
    std::uint64_t index_bytes{0};
    std::uint32_t index_checksum{0};
};

Result<Footer> read_footer(const InFile& file) {
    const std::size_t least = block_header.size() + footer_bytes;
    if (file.size() < least) {
        return damaged("too short for a block");
    }
    NOROSHI_TRY(const std::string head, file.read(0, block_header.size()));
    NOROSHI_TRY(const std::string bytes, file.read(file.size() - footer_bytes, footer_bytes));
    Decoder in(bytes);
    Footer out{in.u64(), in.u64(), in.u32()};
    const std::uint32_t checksum = in.u32();
    if (head != block_header || checksum != crc32c(std::string_view(bytes).substr(0, footer_bytes - 4))) {
        return damaged("header or footer");
    }
    if (out.index_offset < block_header.size() || out.index_offset > file.size() - footer_bytes ||
        out.index_bytes != file.size() - footer_bytes - out.index_offset) {
        return damaged("the footer's offsets");
    }
    return out;
}

Result<std::string> read_index_bytes(const InFile& file, std::uint64_t& chunk_bytes) {
    NOROSHI_TRY(const Footer footer, read_footer(file));
    NOROSHI_TRY(std::string bytes, file.read(footer.index_offset, static_cast<std::size_t>(footer.index_bytes)));
    if (crc32c(bytes) != footer.index_checksum) {
        return damaged("the index");
    }
    chunk_bytes = footer.index_offset;
    return bytes;
}

}  // namespace

Result<std::vector<IndexEntry>> read_index(std::string_view bytes, std::uint64_t chunk_bytes, BlockMeta& meta) {
    Decoder in(bytes);
    meta = read_meta(in);
    std::vector<std::string_view> symbols(in.count(1));
    for (std::string_view& symbol : symbols) {
        symbol = in.text();
    }
    std::vector<IndexEntry> out(in.count(4));
    for (IndexEntry& entry : out) {
        NOROSHI_TRY(std::vector<model::Label> labels, read_labels(in, symbols));
        entry.labels = model::Labels(std::move(labels));
        entry.place.offset = in.varint();
        const std::uint64_t directory = in.varint();
        entry.place.min_ms = in.signed_varint();
        entry.place.max_ms = in.signed_varint();
        if (in.failed() || entry.place.offset > chunk_bytes || directory > chunk_bytes - entry.place.offset ||
            directory > max_directory_bytes || entry.place.max_ms < entry.place.min_ms) {
            return damaged("the places of the index");
        }
        entry.place.directory_bytes = static_cast<std::uint32_t>(directory);
    }
    if (in.failed() || !in.at_end()) {
        return damaged("the end of the index");
    }
    return out;
}

Result<std::vector<ChunkPlace>> read_directory(std::string_view bytes, std::uint64_t offset) {
    if (bytes.size() < 4) {
        return damaged("a directory of chunks");
    }
    const std::string_view content = bytes.substr(0, bytes.size() - 4);
    Decoder checksum(bytes.substr(content.size()));
    if (checksum.u32() != crc32c(content)) {
        return damaged("a directory of chunks");
    }
    Decoder in(content);
    std::vector<ChunkPlace> out(in.count(5));
    std::uint64_t at = offset + bytes.size();
    std::int64_t before = 0;
    for (ChunkPlace& chunk : out) {
        chunk.encoding = static_cast<Encoding>(in.u8());
        const std::uint64_t count = in.varint();
        chunk.first_ms = static_cast<std::int64_t>(static_cast<std::uint64_t>(before) + in.varint());
        chunk.last_ms = static_cast<std::int64_t>(static_cast<std::uint64_t>(chunk.first_ms) + in.varint());
        const std::uint64_t length = in.varint();
        if (in.failed() || count == 0 || count > Chunk::capacity || length > max_chunk_bytes ||
            chunk.last_ms < chunk.first_ms) {
            return damaged("a place of a chunk");
        }
        chunk.count = static_cast<std::uint16_t>(count);
        chunk.bytes = static_cast<std::uint32_t>(length);
        chunk.offset = at;
        at += length + 4;
        before = chunk.last_ms;
    }
    return in.failed() || !in.at_end() ? Result<std::vector<ChunkPlace>>(damaged("a directory of chunks")) : out;
}

std::string BlockFile::file_name(std::uint64_t number) { return fmt::format("{:08}.block", number); }

Result<std::shared_ptr<BlockFile>> BlockFile::open(const Folder& folder, std::uint64_t number,
                                                   std::vector<IndexEntry>& entries) {
    NOROSHI_TRY(InFile file, InFile::open(folder, file_name(number)));
    std::shared_ptr<BlockFile> out(new BlockFile(std::move(file), number));
    std::uint64_t chunk_bytes = 0;
    NOROSHI_TRY(const std::string index, read_index_bytes(out->file_, chunk_bytes));
    NOROSHI_TRY(entries, read_index(index, chunk_bytes, out->meta_));
    return out;
}

Result<std::vector<IndexEntry>> BlockFile::entries() const {
    std::uint64_t chunk_bytes = 0;
    BlockMeta ignored;
    NOROSHI_TRY(const std::string index, read_index_bytes(file_, chunk_bytes));
    return read_index(index, chunk_bytes, ignored);
}

Result<std::vector<ChunkPlace>> BlockFile::directory(const SeriesPlace& series) const {
    const Result<std::string> bytes = file_.read(series.offset, series.directory_bytes);
    Result<std::vector<ChunkPlace>> out =
        bytes ? read_directory(*bytes, series.offset) : Result<std::vector<ChunkPlace>>(fail(bytes.error()));
    damaged_ = damaged_ || !out;
    return out;
}

Result<Chunk> BlockFile::chunk(const ChunkPlace& place) const {
    const Result<std::string> bytes = file_.read(place.offset, place.bytes + 4);
    if (!bytes) {
        damaged_ = true;
        return fail(bytes.error());
    }
    const std::string_view content = std::string_view(*bytes).substr(0, place.bytes);
    Decoder checksum(std::string_view(*bytes).substr(place.bytes));
    if (checksum.u32() != crc32c(content)) {
        damaged_ = true;
        return tsdb::damaged("a chunk");
    }
    if (place.encoding != Encoding::floats && place.encoding != Encoding::histograms) {
        return fail(Errc::unsupported, "a chunk of a newer noroshi");
    }
    return Chunk::from_bytes(place.encoding, content, place.count, place.first_ms, place.last_ms);
}

}  // namespace noroshi::tsdb
