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

/// The conditions of a query and, in the same order, their values.
std::string where(const StoreQuery& query) {
    std::string out = "1=1";
    if (!query.hashes.empty()) {
        return "hash IN (" + marks(query.hashes.size()) + ")";
    }
    if (!query.pubsub_topic.empty()) {
        out += " AND pubsub_topic=? AND content_topic IN (" + marks(query.content_topics.size()) + ")";
    }
    if (query.start_ns) {
        out += " AND at>=?";
    }
    if (query.end_ns) {
        out += " AND at<?";
    }
    return out;
}

int bind_all(SQLite::Statement& statement, const StoreQuery& query) {
    int index = 1;
    if (!query.hashes.empty()) {
        for (const crypto::Digest& hash : query.hashes) {
            set_blob(statement, index++, hash);
        }
        return index;
    }
    if (!query.pubsub_topic.empty()) {
        statement.bind(index++, query.pubsub_topic);
        for (const std::string& topic : query.content_topics) {
            statement.bind(index++, topic);
        }
    }
    for (const std::optional<std::int64_t>& bound : {query.start_ns, query.end_ns}) {
        if (bound) {
            statement.bind(index++, *bound);
        }
    }
    return index;
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

StoreAnswer Archive::select(const StoreQuery& query, std::size_t page_bytes) {
    const char* direction = query.forward ? " ASC" : " DESC";
    std::string sql = "SELECT hash, pubsub_topic, " + std::string(query.include_data ? "data" : "x''") +
                      " FROM messages WHERE " + where(query);
    if (!query.cursor.empty()) {
        sql += std::string(" AND (at, hash) ") + (query.forward ? ">" : "<") +
               " (SELECT at, hash FROM messages WHERE hash=?)";
    }
    sql += std::string(" ORDER BY at") + direction + ", hash" + direction + " LIMIT ?";
    SQLite::Statement statement(db_, sql);
    int index = bind_all(statement, query);
    if (!query.cursor.empty()) {
        set_blob(statement, index++, query.cursor);
    }
    statement.bind(index, static_cast<std::int64_t>(query.page_size + 1));  // one more tells whether there is a next page
    StoreAnswer out;
    std::size_t used = 0;
    bool more = false;
    while (statement.executeStep()) {
        StoreEntry entry;
        const Bytes hash = blob(statement.getColumn(0));
        std::copy_n(hash.begin(), std::min(hash.size(), entry.hash.size()), entry.hash.begin());
        entry.pubsub_topic = statement.getColumn(1).getString();
        entry.message = blob(statement.getColumn(2));
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
