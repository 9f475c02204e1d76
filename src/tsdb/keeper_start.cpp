// src/tsdb/keeper_start.cpp - from the files to the series in memory.
#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/file.hpp"
#include "keeper.hpp"

namespace noroshi::tsdb {
namespace {

constexpr std::size_t max_segment_bytes = 512u << 20;
/// Samples further ahead were taken under a wrong clock; kept, they would refuse those of now.
constexpr Milliseconds max_ahead = std::chrono::minutes(10);

std::optional<std::uint64_t> number_of(std::string_view name, std::string_view suffix) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || std::string_view(end, name.data() + name.size()) != suffix) {
        return std::nullopt;
    }
    return number;
}

/// Puts a segment's samples into the table.
class Replay final : public WalSink {
  public:
    Replay(SeriesTable& table, Interval wanted) : table_(table), wanted_(wanted) {}

    void series(std::uint64_t id, model::Labels labels) override {
        if (const Result<SeriesId> opened = table_.open(labels)) {
            series_.insert_or_assign(id, table_.find(*opened));
        }
    }
    void sample(std::uint64_t id, std::int64_t at_ms, const Value& value) override {
        const auto known = series_.find(id);
        if (known == series_.end() || at_ms > wanted_.to_ms) {
            return;
        }
        newest_ = std::max(newest_, at_ms);
        if (at_ms > wanted_.from_ms && table_.append(*known->second, at_ms, value).value_or(false)) {
            ++stored_;
        }
    }
    [[nodiscard]] std::int64_t newest() const { return newest_; }
    [[nodiscard]] std::size_t stored() const { return stored_; }

  private:
    SeriesTable& table_;
    Interval wanted_;
    std::unordered_map<std::uint64_t, Series*> series_;  // none is dropped while a segment is read
    std::int64_t newest_{std::numeric_limits<std::int64_t>::min()};
    std::size_t stored_{0};
};

}  // namespace

Result<std::unique_ptr<Keeper>> Keeper::open(const Options& options, SeriesTable& table, TimestampMs now, Log log) {
    NOROSHI_TRY(Folder folder, Folder::open(options.folder, options.after_step));
    std::unique_ptr<Keeper> out(new Keeper(options, table, std::move(folder), std::move(log)));
    out->clear_temporary();
    out->load_blocks();
    std::map<std::uint64_t, std::int64_t> known = out->replay(now);
    std::uint64_t first = 1;
    for (const FileEntry& file : out->folder_.list()) {
        for (const char* suffix : {".wal", ".wal.damaged"}) {
            first = std::max(first, number_of(file.name, suffix).value_or(0) + 1);
        }
        for (const char* suffix : {".block", ".block.damaged"}) {
            out->next_block_ = std::max(out->next_block_, number_of(file.name, suffix).value_or(0) + 1);
        }
    }
    // Numbers of blocks that are gone may stand in an index as replaced, numbers of segments as cut.
    for (const auto& [number, block] : out->blocks_) {
        first = std::max(first, block->meta().cut_segment);
    }
    table.drop_empty();
    out->measure();
    out->wal_ = std::make_unique<Wal>(out->folder_, first, std::move(known),
                                      Wal::Options{.flush_every = options.flush_every}, out->log_);
    return out;
}

void Keeper::clear_temporary() {
    for (const FileEntry& file : folder_.list()) {
        if (file.name.ends_with(".tmp")) {
            static_cast<void>(folder_.remove(file.name));
        }
    }
}

void Keeper::set_aside(const std::string& name, const std::string& reason) {
    ++stats_.damaged_parts;
    const Result<void> moved = folder_.rename(name, name + ".damaged");
    log_.error("file_damaged", {{"file", name},
                                {"reason", reason},
                                {"kept_as", moved ? name + ".damaged" : "not moved: " + moved.error().message}});
}

void Keeper::load_blocks() {
    std::map<std::uint64_t, std::vector<IndexEntry>> entries;
    for (const FileEntry& file : folder_.list()) {
        const std::optional<std::uint64_t> number = number_of(file.name, ".block");
        if (!number || file.name != BlockFile::file_name(*number)) {
            continue;
        }
        Result<std::shared_ptr<BlockFile>> block = BlockFile::open(folder_, *number, entries[*number]);
        if (block) {
            blocks_[*number] = std::move(*block);
        } else if (block.error().code == Errc::corrupt) {
            set_aside(file.name, block.error().message);
        } else {
            log_.error("block_not_read", {{"file", file.name}, {"reason", block.error().to_string()}});
        }
    }
    std::set<std::uint64_t> replaced;
    for (const auto& [number, block] : blocks_) {
        replaced.insert(block->meta().replaces.begin(), block->meta().replaces.end());
    }
    for (const std::uint64_t number : replaced) {
        if (blocks_.erase(number) > 0) {
            static_cast<void>(folder_.remove(BlockFile::file_name(number)));
        }
        next_block_ = std::max(next_block_, number + 1);
    }
    for (const auto& [number, block] : blocks_) {
        table_.attach(block, std::move(entries[number]));
        last_cut_ms_ = std::max(last_cut_ms_, block->meta().cut_ms);
    }
}

std::map<std::uint64_t, std::int64_t> Keeper::replay(TimestampMs now) {
    std::map<std::uint64_t, std::int64_t> out;
    const std::int64_t keep_from = to_unix_ms(now - options_.retention);
    for (const FileEntry& file : folder_.list()) {
        const std::optional<std::uint64_t> number = number_of(file.name, ".wal");
        if (!number || file.name != Wal::file_name(*number)) {
            continue;
        }
        const Result<std::string> content = read_file(folder_ / file.name, max_segment_bytes);
        if (!content) {
            log_.error("log_not_read", {{"file", file.name}, {"reason", content.error().to_string()}});
            continue;
        }
        Interval wanted{keep_from, to_unix_ms(now + max_ahead)};
        for (const auto& [unused, block] : blocks_) {
            if (*number < block->meta().cut_segment) {
                wanted.from_ms = std::max(wanted.from_ms, block->meta().cut_ms - 1);
            }
        }
        Replay sink(table_, wanted);
        const WalScan scan = scan_wal(*content, sink);
        stats_.replayed_samples += sink.stored();
        out[*number] = sink.newest();
        if (scan.torn_bytes > 0) {
            log_.info("log_ends_early", {{"file", file.name}, {"bytes", scan.torn_bytes}});
        }
        if (scan.unknown_batches > 0) {
            log_.warn("log_of_a_newer_version", {{"file", file.name}, {"batches_not_understood", scan.unknown_batches}});
        }
        if (scan.damaged_parts > 0) {
            stats_.damaged_parts += scan.damaged_parts;
            log_.error("file_damaged", {{"file", file.name},
                                        {"bytes_lost", scan.damaged_bytes},
                                        {"kept_as", file.name + ".damaged"}});
            keep_salvage(file.name, scan.kept);
        }
    }
    return out;
}

/// The readable part takes the segment's place, so that the damage is met once.
void Keeper::keep_salvage(const std::string& name, const std::string& content) {
    const auto write = [&]() -> Result<void> {
        NOROSHI_TRY(OutFile file, OutFile::create(folder_, name + ".tmp"));
        NOROSHI_TRY_VOID(file.append(content));
        NOROSHI_TRY_VOID(file.sync());
        NOROSHI_TRY_VOID(folder_.keep_as_damaged(name));
        return folder_.rename(name + ".tmp", name);
    };
    if (const Result<void> written = write(); !written) {
        log_.error("log_not_repaired", {{"file", name}, {"reason", written.error().to_string()}});
        static_cast<void>(folder_.remove(name + ".tmp"));
    }
}

}  // namespace noroshi::tsdb
