// src/waku/service/archive.cpp - tables, writes, pages.
#include "archive.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace noroshi::waku {
namespace {

constexpr const char* schema = R"(
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS messages (
  hash BLOB PRIMARY KEY, pubsub_topic TEXT NOT NULL, content_topic TEXT NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_topic ON messages (pubsub_topic, content_topic, at, hash);
CREATE INDEX IF NOT EXISTS by_time ON messages (at, hash);
)";

Error io(const std::exception& problem) { return Error{Errc::io, std::string("archive: ") + problem.what(), {}, true}; }

void set_blob(SQLite::Statement& statement, int index, ByteView bytes) {
    statement.bind(index, bytes.data(), static_cast<int>(bytes.size()));
}

std::string marks(std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) {
        out += i == 0 ? "?" : ",?";
    }
    return out;
}

/// The first `LIMIT` hashes of one content topic, of all, or among those that are asked for. Each is read in the order
/// of an index and ends at its limit, however much is kept.
std::string one_page(const StoreQuery& query) {
    const char* direction = query.forward ? " ASC" : " DESC";
    std::string out = "SELECT hash, at FROM messages WHERE 1=1";
    if (!query.hashes.empty()) {
        out += " AND hash IN (" + marks(query.hashes.size()) + ")";
    }
    if (!query.content_topics.empty()) {
        out += " AND pubsub_topic=? AND content_topic=?";
    }
    if (query.start_ns) {
        out += " AND at>=?";
    }
    if (query.end_ns) {
        out += " AND at<?";
    }
    if (!query.cursor.empty()) {
        out += std::string(" AND (at, hash) ") + (query.forward ? ">" : "<") + " (SELECT at, hash FROM messages WHERE hash=?)";
    }
    return "SELECT * FROM (" + out + " ORDER BY at" + direction + ", hash" + direction + " LIMIT ?)";
}

/// The values of `one_page`, in the same order.
void bind_page(SQLite::Statement& statement, int& index, const StoreQuery& query, const std::string* content_topic,
               std::int64_t limit) {
    for (const crypto::Digest& hash : query.hashes) {
        set_blob(statement, index++, hash);
    }
    if (content_topic != nullptr) {
        statement.bind(index++, query.pubsub_topic);
        statement.bind(index++, *content_topic);
    }
    for (const std::optional<std::int64_t>& bound : {query.start_ns, query.end_ns}) {
        if (bound) {
            statement.bind(index++, *bound);
        }
    }
    if (!query.cursor.empty()) {
        set_blob(statement, index++, query.cursor);
    }
    statement.bind(index++, limit);
}

Bytes blob(const SQLite::Column& column) {
    const auto* data = static_cast<const std::uint8_t*>(column.getBlob());
    return Bytes(data, data + column.getBytes());
}

}  // namespace

Archive::Archive(const std::string& file)
    : db_(file.empty() ? ":memory:" : file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 1000) {
    db_.exec(schema);
    count_bytes();
}

void Archive::count_bytes() {
    SQLite::Statement total(db_, "SELECT COALESCE(SUM(LENGTH(data)), 0) FROM messages");
    total.executeStep();
    bytes_ = static_cast<std::size_t>(total.getColumn(0).getInt64());
}

Result<std::unique_ptr<Archive>> Archive::open(const std::string& file) {
    if (!file.empty()) {
        const int descriptor = ::open(file.c_str(), O_CREAT | O_CLOEXEC | O_RDWR, 0600);
        if (descriptor < 0) {
            return fail(Errc::io, "archive: cannot open " + file);
        }
        ::close(descriptor);
    }
    try {
        return std::unique_ptr<Archive>(new Archive(file));
    } catch (const std::exception& problem) {
        return fail(io(problem));
    }
}

Result<void> Archive::put(const Archived& message) {
    try {
        if (!transaction_) {
            transaction_ = std::make_unique<SQLite::Transaction>(db_);
        }
        insert(message);
        return {};
    } catch (const std::exception& problem) {
        return fail(io(problem));
    }
}

void Archive::insert(const Archived& message) {
    SQLite::Statement statement(db_, "INSERT OR IGNORE INTO messages VALUES (?,?,?,?,?)");
    set_blob(statement, 1, message.hash);
    statement.bind(2, message.pubsub_topic);
    statement.bind(3, message.content_topic);
    statement.bind(4, message.timestamp_ns);
    set_blob(statement, 5, message.data);
    if (statement.exec() > 0) {
        bytes_ += message.data.size();
    }
}

Result<StoreAnswer> Archive::find(const StoreQuery& query, std::size_t page_bytes) {
    try {
        if (!query.cursor.empty()) {
            SQLite::Statement known(db_, "SELECT 1 FROM messages WHERE hash=?");
            set_blob(known, 1, query.cursor);
            if (!known.executeStep()) {
                return fail(Errc::not_found, "unknown cursor");
            }
        }
        return select(query, page_bytes);
    } catch (const std::exception& problem) {
        return fail(io(problem));
    }
}

/// Hashes of the page, and one more that tells whether there is a next one.
std::vector<Bytes> Archive::select_hashes(const StoreQuery& query) {
    const char* direction = query.forward ? " ASC" : " DESC";
    const std::size_t pages = std::max<std::size_t>(1, query.content_topics.size());
    std::string sql = "SELECT hash FROM (" + one_page(query);
    for (std::size_t i = 1; i < pages; ++i) {
        sql += " UNION " + one_page(query);
    }
    sql += std::string(") ORDER BY at") + direction + ", hash" + direction + " LIMIT ?";
    SQLite::Statement statement(db_, sql);
    const auto limit = static_cast<std::int64_t>(query.page_size + 1);
    int index = 1;
    for (std::size_t i = 0; i < pages; ++i) {
        bind_page(statement, index, query, query.content_topics.empty() ? nullptr : &query.content_topics[i], limit);
    }
    statement.bind(index, limit);
    std::vector<Bytes> out;
    while (statement.executeStep()) {
        out.push_back(blob(statement.getColumn(0)));
    }
    return out;
}

StoreAnswer Archive::select(const StoreQuery& query, std::size_t page_bytes) {
    const std::vector<Bytes> hashes = select_hashes(query);
    SQLite::Statement statement(db_, std::string("SELECT pubsub_topic, ") + (query.include_data ? "data" : "x''") +
                                         " FROM messages WHERE hash=?");
    StoreAnswer out;
    std::size_t used = 0;
    bool more = false;
    for (const Bytes& hash : hashes) {
        statement.reset();
        set_blob(statement, 1, hash);
        if (!statement.executeStep()) {
            continue;
        }
        StoreEntry entry;
        std::copy_n(hash.begin(), std::min(hash.size(), entry.hash.size()), entry.hash.begin());
        entry.pubsub_topic = statement.getColumn(0).getString();
        entry.message = blob(statement.getColumn(1));
        const bool full = !out.entries.empty() && used + entry.message.size() > page_bytes;
        if (out.entries.size() == query.page_size || full) {
            more = true;
            break;
        }
        used += entry.message.size();
        out.entries.push_back(std::move(entry));
    }
    if (more) {
        out.cursor.assign(out.entries.back().hash.begin(), out.entries.back().hash.end());
    }
    if (!query.forward) {
        std::ranges::reverse(out.entries);
    }
    return out;
}

/// False when there was nothing.
bool Archive::forget(const std::string& where, std::int64_t argument) {
    SQLite::Statement sum(db_, "SELECT COALESCE(SUM(LENGTH(data)), 0) FROM messages WHERE " + where);
    sum.bind(1, argument);
    sum.executeStep();
    const auto gone = static_cast<std::size_t>(sum.getColumn(0).getInt64());
    if (gone == 0) {
        return false;
    }
    SQLite::Statement remove(db_, "DELETE FROM messages WHERE " + where);
    remove.bind(1, argument);
    remove.exec();
    bytes_ -= std::min(bytes_, gone);
    return true;
}

Result<void> Archive::commit(std::int64_t oldest_ns, std::size_t most_bytes) {
    try {
        forget("at<?", oldest_ns);
        // In lots, so that each message over the limit does not cost a statement.
        while (bytes_ > most_bytes && forget("hash IN (SELECT hash FROM messages ORDER BY at, hash LIMIT ?)", 100)) {
        }
        if (transaction_) {
            transaction_->commit();
            transaction_.reset();
        }
        return {};
    } catch (const std::exception& problem) {
        return fail(roll_back(problem));
    }
}

/// Nothing of the transaction counts any more; SQLite itself may have ended it.
Error Archive::roll_back(const std::exception& problem) {
    const Error error = io(problem);
    transaction_.reset();
    try {
        count_bytes();
    } catch (const std::exception&) {
        // a disk that cannot be read: what was counted last is as good as any number
    }
    return error;
}

}  // namespace noroshi::waku
