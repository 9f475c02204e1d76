// src/store/database.hpp - the SQLite file: schema, migrations, writes and reads; one thread at a time.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <limits>
#include <mutex>
#include <span>

#include "store/store.hpp"

namespace noroshi::store {

/// Owns the connection. Every call is serialised: the writer thread and the loads at start may meet.
class Database {
  public:
    /// Opens or creates `file` with mode 0600 and brings its schema up to date. Errors: io, corrupt, unsupported.
    [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file);

    /// All batches in one transaction, or none. Errors: io (disk full and the like; retryable).
    [[nodiscard]] Result<void> write(std::span<const Batch> batches);

    /// A stored row whose checksum fits; damaged ones are moved to the table `damaged`.
    struct Stored {
        std::string key;
        std::string content;
    };
    enum class Order { oldest_first, newest_first };
    /// Which rows: an SQL condition, with at most one value for its `?`.
    struct Which {
        std::string where{};
        std::string value{};
        Order order{Order::oldest_first};
        std::size_t limit{no_limit};
    };
    static constexpr std::size_t no_limit = std::numeric_limits<std::int32_t>::max();
    [[nodiscard]] Result<std::vector<Stored>> read(const std::string& table, const Which& which,
                                                   std::vector<Damage>& damage);
    void set_aside(const std::string& table, const std::string& key, const std::string& reason);

  private:
    explicit Database(const std::filesystem::path& file)
        : db_(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5000) {}
    void prepare();
    void apply(const Batch& batch);
    /// A row as every table has it.
    struct Put {
        std::string key;
        std::string content;
        std::string state{};
        bool first_wins{false};  ///< a row that is there already stays
        std::string only_if{};   ///< SQL condition for replacing one, over `excluded` and the table's name
    };
    void put(const std::string& table, const Put& row);
    void erase(const std::string& table, const std::string& key);

    std::mutex mutex_;
    SQLite::Database db_;
};

}  // namespace noroshi::store
