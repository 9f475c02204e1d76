// src/tsdb/wal_format.hpp - the bytes of a log segment: batches of series definitions and samples.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chunk.hpp"
#include "codec.hpp"
#include "model/labels.hpp"

namespace noroshi::tsdb {

/// What every segment begins with.
inline constexpr std::string_view wal_header = "NRSHWAL1";
/// A batch may not be longer; one that says so is damaged.
inline constexpr std::size_t max_batch_bytes = 64u << 20;

/// Collects the entries of one batch.
class BatchEncoder {
  public:
    void series(std::uint64_t id, const model::Labels& labels);
    void sample(std::uint64_t id, std::int64_t at_ms, const Value& value);
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] std::size_t samples() const { return samples_; }
    /// The batch as it stands in a segment; and starts anew.
    [[nodiscard]] std::string take();

  private:
    Encoder entries_;
    std::int64_t last_ms_{0};
    std::size_t samples_{0};
};

/// Magic, CRC-32C over length and entries, length, entries.
[[nodiscard]] std::string whole_batch(std::string_view entries);

/// Takes what a segment holds. Ids mean something only inside their segment, and are defined before they are used.
class WalSink {
  public:
    virtual ~WalSink() = default;
    virtual void series(std::uint64_t id, model::Labels labels) = 0;
    virtual void sample(std::uint64_t id, std::int64_t at_ms, const Value& value) = 0;
};

/// How the reading of a segment went.
struct WalScan {
    std::size_t samples{0};
    std::size_t damaged_parts{0};   ///< stretches that are no batch with a right checksum, with others after or not
    std::size_t damaged_bytes{0};
    std::size_t unknown_batches{0};  ///< whole, but with entries of a kind that this version does not know
    std::size_t torn_bytes{0};      ///< at the end: a batch of which not all was written
    std::string kept;               ///< when parts are damaged: the segment without them
};

/// Hands the entries of every whole batch to `sink`; goes on at the next batch after a damaged one. `bytes` may be anything.
[[nodiscard]] WalScan scan_wal(std::string_view bytes, WalSink& sink);

}  // namespace noroshi::tsdb
