// src/tsdb/block_writer.cpp - writing of blocks.
#include <algorithm>

#include "base/crc32c.hpp"
#include "block.hpp"
#include "block_layout.hpp"

namespace noroshi::tsdb {
namespace {

constexpr std::size_t write_at_once = 1u << 20;

std::string temporary(std::uint64_t number) { return BlockFile::file_name(number) + ".tmp"; }

std::uint64_t difference(std::int64_t later, std::int64_t earlier) {
    return static_cast<std::uint64_t>(later) - static_cast<std::uint64_t>(earlier);
}

void put_meta(Encoder& out, const BlockMeta& meta) {
    out.signed_varint(meta.min_ms);
    out.signed_varint(meta.max_ms);
    out.varint(meta.samples);
    out.signed_varint(meta.cut_ms);
    out.varint(meta.cut_segment);
    out.varint(meta.replaces.size());
    for (const std::uint64_t number : meta.replaces) {
        out.varint(number);
    }
}

}  // namespace

Result<BlockWriter> BlockWriter::create(const Folder& folder, std::uint64_t number) {
    NOROSHI_TRY(OutFile file, OutFile::create(folder, temporary(number)));
    NOROSHI_TRY_VOID(file.append(block_header));
    return BlockWriter(folder, number, std::move(file));
}

std::uint64_t BlockWriter::symbol(const std::string& text) {
    const auto [place, is_new] = symbols_.try_emplace(text, symbol_texts_.size());
    if (is_new) {
        symbol_texts_.push_back(&place->first);
    }
    return place->second;
}

Result<void> BlockWriter::add(const model::Labels& labels, const std::vector<const Chunk*>& chunks) {
    Entry entry;
    for (const model::Label& label : labels) {
        entry.symbols.push_back(symbol(label.name));
        entry.symbols.push_back(symbol(label.value));
    }
    Encoder directory;
    Encoder content;
    directory.varint(chunks.size());
    std::int64_t before = 0;
    for (const Chunk* chunk : chunks) {
        const std::string bytes = chunk->to_bytes();
        directory.u8(static_cast<std::uint8_t>(chunk->encoding()));
        directory.varint(chunk->count());
        directory.varint(difference(chunk->first_ms(), before));
        directory.varint(difference(chunk->last_ms(), chunk->first_ms()));
        directory.varint(bytes.size());
        content.raw(bytes);
        content.u32(crc32c(bytes));
        before = chunk->last_ms();
        meta_.samples += chunk->count();
    }
    directory.u32(crc32c(directory.bytes()));
    entry.place = {file_.size() + buffer_.size(), static_cast<std::uint32_t>(directory.size()), chunks.front()->first_ms(),
                   chunks.back()->last_ms()};
    meta_.min_ms = std::min(meta_.min_ms, entry.place.min_ms);
    meta_.max_ms = std::max(meta_.max_ms, entry.place.max_ms);
    series_.push_back(std::move(entry));
    buffer_ += directory.bytes();
    buffer_ += content.bytes();
    if (buffer_.size() < write_at_once) {
        return {};
    }
    return file_.append(std::exchange(buffer_, {}));
}

Result<void> BlockWriter::finish(BlockMeta meta) {
    meta.min_ms = meta_.min_ms;
    meta.max_ms = meta_.max_ms;
    meta.samples = meta_.samples;
    Encoder index;
    put_meta(index, meta);
    index.varint(symbol_texts_.size());
    for (const std::string* text : symbol_texts_) {
        index.text(*text);
    }
    index.varint(series_.size());
    for (const Entry& entry : series_) {
        index.varint(entry.symbols.size() / 2);
        for (const std::uint64_t number : entry.symbols) {
            index.varint(number);
        }
        index.varint(entry.place.offset);
        index.varint(entry.place.directory_bytes);
        index.signed_varint(entry.place.min_ms);
        index.signed_varint(entry.place.max_ms);
    }
    Encoder footer;
    footer.u64(file_.size() + buffer_.size());
    footer.u64(index.size());
    footer.u32(crc32c(index.bytes()));
    footer.u32(crc32c(footer.bytes()));
    NOROSHI_TRY_VOID(file_.append(buffer_));
    NOROSHI_TRY_VOID(file_.append(index.bytes()));
    NOROSHI_TRY_VOID(file_.append(footer.bytes()));
    NOROSHI_TRY_VOID(file_.sync());
    return folder_->rename(temporary(number_), BlockFile::file_name(number_));
}

}  // namespace noroshi::tsdb
