// src/tsdb/cursor.cpp - implements the three cursors.
#include "cursor.hpp"

#include <algorithm>

namespace noroshi::tsdb {
namespace {

class HeadCursor final : public Cursor {
  public:
    HeadCursor(const std::vector<Chunk>& chunks, std::size_t first, Interval wanted)
        : chunks_(chunks), next_chunk_(first), wanted_(wanted) {}

    bool next(model::Sample& out) override {
        while (true) {
            model::Sample sample{};
            if (reader_ && reader_->next(sample)) {
                const std::int64_t at = to_unix_ms(sample.at);
                if (at > wanted_.to_ms) {
                    return false;
                }
                if (at > wanted_.from_ms) {
                    out = sample;
                    return true;
                }
                continue;
            }
            if (next_chunk_ == chunks_.size() || chunks_[next_chunk_].first_ms() > wanted_.to_ms) {
                return false;
            }
            reader_.emplace(chunks_[next_chunk_++]);
        }
    }

  private:
    const std::vector<Chunk>& chunks_;
    std::size_t next_chunk_;
    Interval wanted_;
    std::optional<Chunk::Reader> reader_;
};

class BlockCursor final : public Cursor {
  public:
    BlockCursor(BlockPtr block, SeriesPlace place, Interval wanted)
        : block_(std::move(block)), place_(place), wanted_(wanted) {}

    bool next(model::Sample& out) override {
        if (!places_) {
            places_ = block_->directory(place_).value_or(std::vector<ChunkPlace>());
        }
        while (true) {
            model::Sample sample{};
            while (reader_ && reader_->next(sample)) {
                const std::int64_t at = to_unix_ms(sample.at);
                if (at > wanted_.to_ms) {
                    return false;
                }
                if (at > wanted_.from_ms) {
                    out = sample;
                    return true;
                }
            }
            if (!open_next_chunk()) {
                return false;
            }
        }
    }

  private:
    bool open_next_chunk() {
        reader_.reset();
        while (next_chunk_ < places_->size()) {
            const ChunkPlace& place = (*places_)[next_chunk_++];
            if (place.last_ms <= wanted_.from_ms) {
                continue;
            }
            if (place.first_ms > wanted_.to_ms) {
                return false;
            }
            if (Result<Chunk> chunk = block_->chunk(place)) {
                chunk_ = std::move(*chunk);
                reader_.emplace(chunk_);
                return true;
            }
        }
        return false;
    }

    BlockPtr block_;
    SeriesPlace place_;
    Interval wanted_;
    std::optional<std::vector<ChunkPlace>> places_;
    std::size_t next_chunk_{0};
    Chunk chunk_;
    std::optional<Chunk::Reader> reader_;
};

class JoinedCursor final : public Cursor {
  public:
    explicit JoinedCursor(std::vector<CursorPart> parts) : parts_(std::move(parts)) {}

    bool next(model::Sample& out) override {
        while (true) {
            open_parts();
            if (open_.empty()) {
                return false;
            }
            const auto first = std::ranges::min_element(open_, {}, [](const Open& part) { return part.sample.at; });
            const model::Sample sample = first->sample;
            if (!first->cursor->next(first->sample)) {
                open_.erase(first);
            }
            if (!last_ || sample.at > *last_) {
                last_ = sample.at;
                out = sample;
                return true;
            }
        }
    }

  private:
    struct Open {
        std::unique_ptr<Cursor> cursor;
        model::Sample sample;
    };

    /// A part is opened when it may hold the next sample, so that one block is read after the other.
    void open_parts() {
        while (next_part_ < parts_.size()) {
            CursorPart& part = parts_[next_part_];
            const bool later = std::ranges::any_of(
                open_, [&part](const Open& open) { return to_unix_ms(open.sample.at) < part.min_ms; });
            if (later) {
                return;
            }
            model::Sample sample{};
            if (part.cursor->next(sample)) {
                open_.push_back({std::move(part.cursor), sample});
            }
            ++next_part_;
        }
    }

    std::vector<CursorPart> parts_;
    std::size_t next_part_{0};
    std::vector<Open> open_;
    std::optional<TimestampMs> last_;
};

}  // namespace

std::unique_ptr<Cursor> make_head_cursor(const std::vector<Chunk>& chunks, std::size_t first, Interval wanted) {
    return std::make_unique<HeadCursor>(chunks, first, wanted);
}

std::unique_ptr<Cursor> make_block_cursor(BlockPtr block, SeriesPlace place, Interval wanted) {
    return std::make_unique<BlockCursor>(std::move(block), place, wanted);
}

std::unique_ptr<Cursor> join_cursors(std::vector<CursorPart> parts) {
    if (parts.size() == 1) {
        return std::move(parts.front().cursor);
    }
    return std::make_unique<JoinedCursor>(std::move(parts));
}

}  // namespace noroshi::tsdb
