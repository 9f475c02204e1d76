// src/tsdb/wal.hpp - Wal: the log of what was appended since the last block, written by a thread of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "files.hpp"
#include "wal_format.hpp"

namespace noroshi::tsdb {

/// Segments are files of ascending number. Each is read without the others: a series is defined again at its first sample
/// in a segment, so that a segment can be deleted, or lost, alone. The thread "noroshi-wal" takes what has come together
/// every `flush_every`, writes it as one batch and syncs. A batch that can't be written is given up with its segment and
/// counted; the next goes to a new segment. Thread: the owner's, but for the writer inside.
class Wal {
  public:
    struct Options {
        Milliseconds flush_every{std::chrono::seconds(3)};
        std::uint64_t segment_bytes{16u << 20};
        std::size_t early_flush_bytes{1u << 20};   ///< so much is not kept waiting
        std::size_t most_waiting_bytes{32u << 20};  ///< more than that while the disk stalls is given up
    };

    /// `folder` outlives it. The first segment gets the number `first`; `known` are those of earlier runs with the time
    /// of their newest sample (ms).
    Wal(const Folder& folder, std::uint64_t first, std::map<std::uint64_t, std::int64_t> known, Options options, Log log);
    /// Writes what waits.
    ~Wal();
    Wal(const Wal&) = delete;
    Wal& operator=(const Wal&) = delete;

    /// `defined_in` is the series' own memory of the segment it was last defined in; 0: none.
    void append(std::uint64_t id, const model::Labels& labels, std::uint64_t& defined_in, std::int64_t at_ms,
                const Value& value);
    /// What comes from now on goes to a new segment, whose number is returned.
    std::uint64_t rotate();
    /// Waits until all that was appended is on disk. Errors: io (then it is not, and counted as lost).
    [[nodiscard]] Result<void> flush();
    /// Segments before `segment` whose samples are all before `before_ms`; they are forgotten here, the caller deletes them.
    [[nodiscard]] std::vector<std::uint64_t> take_before(std::uint64_t segment, std::int64_t before_ms);
    /// The oldest segment that is not being written; forgotten here.
    [[nodiscard]] std::optional<std::uint64_t> take_oldest();

    [[nodiscard]] std::uint64_t lost_samples() const { return lost_; }
    [[nodiscard]] std::uint64_t written_bytes() const { return written_; }

    [[nodiscard]] static std::string file_name(std::uint64_t segment);

  private:
    struct Waiting {
        std::uint64_t segment;
        std::size_t samples;
        std::string bytes;
    };
    void work();
    /// Puts what was collected in line. The mutex is held, here and below.
    void line_up();
    void next_segment();
    void give_up(std::unique_lock<std::mutex>& held, std::size_t samples, const Error& error);
    [[nodiscard]] Result<void> write(const Waiting& batch);

    const Folder& folder_;
    const Options options_;
    Log log_;
    std::optional<OutFile> file_;     // the writer's
    std::uint64_t file_segment_{0};   // the writer's
    std::atomic<std::uint64_t> lost_{0};
    std::atomic<std::uint64_t> written_{0};

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable written_up_to_;
    BatchEncoder open_;                              // guarded by mutex_, and so is all below
    std::deque<Waiting> line_;
    std::map<std::uint64_t, std::int64_t> newest_;  // by segment: its newest sample
    std::uint64_t segment_;
    std::int64_t newest_here_{std::numeric_limits<std::int64_t>::min()};  // of segment_; not in newest_ yet
    std::uint64_t asked_{0};
    std::uint64_t answered_{0};
    bool failing_{false};
    bool stopping_{false};
    std::thread writer_;
};

}  // namespace noroshi::tsdb
