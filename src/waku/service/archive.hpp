// src/waku/service/archive.hpp - the messages that a store keeps, in one SQLite file.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <exception>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "store_rpc.hpp"

namespace noroshi::waku {

/// What is kept: a message as it came, under its hash.
struct Archived {
    crypto::Digest hash{};
    std::string pubsub_topic;
    std::string content_topic;
    std::int64_t timestamp_ns{0};
    Bytes data;
};

/// Ordered by the sender's timestamp, then by hash. Writes gather in a transaction until `commit`; a power cut loses
/// what came after the last one. Thread: the I/O thread; a write is a page in memory, a commit one append to the log
/// file without a sync.
class Archive {
  public:
    /// `file` empty: in memory. Opens or creates it with mode 0600. Errors: io.
    [[nodiscard]] static Result<std::unique_ptr<Archive>> open(const std::string& file);

    /// Keeps it once. Errors: io (disk full).
    [[nodiscard]] Result<void> put(const Archived& message);
    /// One page of at most `query.page_size` entries, and fewer when their bytes pass `page_bytes`; the cursor is set
    /// when there are more. Errors: not_found (the cursor is none of ours), io.
    [[nodiscard]] Result<StoreAnswer> find(const StoreQuery& query, std::size_t page_bytes);
    /// Forgets what is older than `oldest_ns`, and the oldest beyond `most_bytes`; ends the transaction. Errors: io.
    [[nodiscard]] Result<void> commit(std::int64_t oldest_ns, std::size_t most_bytes);
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

  private:
    explicit Archive(const std::string& file);
    void insert(const Archived& message);
    void count_bytes();
    [[nodiscard]] Error roll_back(const std::exception& problem);
    bool forget(const std::string& where, std::int64_t argument);
    [[nodiscard]] std::vector<Bytes> select_hashes(const StoreQuery& query);
    [[nodiscard]] StoreAnswer select(const StoreQuery& query, std::size_t page_bytes);

    SQLite::Database db_;
    std::unique_ptr<SQLite::Transaction> transaction_;
    std::size_t bytes_{0};  ///< of the messages
};

}  // namespace noroshi::waku
