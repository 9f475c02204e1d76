// src/tsdb/cursor.cpp - implements the three cursors.
#include "cursor.hpp"

#include <algorithm>

namespace noroshi::tsdb {
namespace {

/// One chunk after the other, and of each the samples of an interval.
class ChunkCursor : public Cursor {
  public:
    explicit ChunkCursor(Interval wanted) : wanted_(wanted) {}

    bool next(model::Sample& out) final {
        while (true) {
            model::Sample sample{};
            while (reader_ && reader_->next(sample)) {
                const std::int64_t at = to_unix_ms(sample.at);
                if (at > wanted_.to_ms) {
                    return false;
                }
                if (at > wanted_.from_ms) {
                    out = sample;
                    const model::Histogram* histogram = reader_->histogram();
                    histogram_ = histogram == nullptr ? nullptr : std::make_shared<const model::Histogram>(*histogram);
                    return true;
                }
            }
            const Chunk* chunk = next_chunk();
            if (chunk == nullptr) {
                return false;
            }
            reader_.emplace(*chunk);
        }
    }

    bool read_numbers(std::vector<model::Sample>& out, bool with_stale_markers) final {
        model::Sample sample{};
        while (true) {
            if (!reader_) {
                const Chunk* chunk = next_chunk();
                if (chunk == nullptr) {
                    return true;
                }
                reader_.emplace(*chunk);
            }
            if (reader_->histogram() != nullptr) {
                return false;
            }
            while (reader_->next(sample)) {
                const std::int64_t at = to_unix_ms(sample.at);
                if (at > wanted_.to_ms) {
                    return true;
                }
                if (at > wanted_.from_ms && (with_stale_markers || !model::is_stale_marker(sample.value))) {
                    out.push_back(sample);
                }
            }
            reader_.reset();
        }
    }

  protected:
    /// The next one that may hold wanted samples, valid until the next call; null: there is none.
    virtual const Chunk* next_chunk() = 0;
    [[nodiscard]] const Interval& wanted() const { return wanted_; }

  private:
    Interval wanted_;
    std::optional<Chunk::Reader> reader_;
};

class HeadCursor final : public ChunkCursor {
  public:
    HeadCursor(const std::vector<Chunk>& chunks, std::size_t first, Interval wanted)
        : ChunkCursor(wanted), chunks_(chunks), next_(first) {}

  private:
    const Chunk* next_chunk() override {
        const bool has_next = next_ < chunks_.size() && chunks_[next_].first_ms() <= wanted().to_ms;
        return has_next ? &chunks_[next_++] : nullptr;
    }

    const std::vector<Chunk>& chunks_;
    std::size_t next_;
};

class BlockCursor final : public ChunkCursor {
  public:
    BlockCursor(BlockPtr block, SeriesPlace place, Interval wanted)
        : ChunkCursor(wanted), block_(std::move(block)), place_(place) {}

  private:
    const Chunk* next_chunk() override {
        if (!places_) {
            places_ = block_->directory(place_).value_or(std::vector<ChunkPlace>());
        }
        while (next_ < places_->size()) {
            const ChunkPlace& place = (*places_)[next_++];
            if (place.last_ms <= wanted().from_ms) {
                continue;
            }
            if (place.first_ms > wanted().to_ms) {
                return nullptr;
            }
            if (Result<Chunk> chunk = block_->chunk(place)) {
                chunk_ = std::move(*chunk);
                return &chunk_;
            }
        }
        return nullptr;
    }

    BlockPtr block_;
    SeriesPlace place_;
    std::optional<std::vector<ChunkPlace>> places_;
    std::size_t next_{0};
    Chunk chunk_;
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
            const std::size_t part = first->part;
            model::HistogramPtr histogram = first->cursor->histogram();
            if (!first->cursor->next(first->sample)) {
                open_.erase(first);
            }
            if (!last_ || sample.at > *last_) {
                histogram_ = part == last_part_ ? std::move(histogram) : unhinted(std::move(histogram));
                last_part_ = part;
                last_ = sample.at;
                out = sample;
                return true;
            }
        }
    }

  private:
    struct Open {
        std::unique_ptr<Cursor> cursor;
        model::Sample sample;  // with the cursor's histogram
        std::size_t part;
    };

    /// What a histogram says of the one before it is not true of one from another part.
    static model::HistogramPtr unhinted(model::HistogramPtr histogram) {
        if (!histogram || histogram->hint == model::ResetHint::unknown || histogram->hint == model::ResetHint::gauge) {
            return histogram;
        }
        auto out = std::make_shared<model::Histogram>(*histogram);
        out->hint = model::ResetHint::unknown;
        return out;
    }

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
                open_.push_back({std::move(part.cursor), sample, next_part_});
            }
            ++next_part_;
        }
    }

    std::vector<CursorPart> parts_;
    std::size_t next_part_{0};
    std::vector<Open> open_;
    std::optional<TimestampMs> last_;
    std::size_t last_part_{0};
};

}  // namespace

bool Cursor::read_numbers(std::vector<model::Sample>& /*out*/, bool /*with_stale_markers*/) { return false; }

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
