// src/store/database.cpp - SQL of the store.
#include "database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/crc32c.hpp"
#include "rows.hpp"

namespace noroshi::store {
namespace {

constexpr int application_id = 0x6e6f726f;  // "noro"

// Each step brings the schema from its index to the next version. Never change a step that was released.
// Every state table has the same shape: a key, the row as JSON, a state for the outbox's queries, and a checksum.
constexpr const char* migrations[] = {
    "CREATE TABLE alerts  (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, content TEXT NOT "
    "NULL, crc INTEGER NOT NULL) STRICT;"
    "CREATE TABLE groups  (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, content TEXT NOT "
    "NULL, crc INTEGER NOT NULL) STRICT;"
    "CREATE TABLE outbox  (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, content TEXT NOT "
    "NULL, crc INTEGER NOT NULL) STRICT;"
    "CREATE INDEX outbox_state ON outbox (state);"
    "CREATE TABLE receipts (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, content TEXT NOT "
    "NULL, crc INTEGER NOT NULL) STRICT;"
    "CREATE TABLE settings (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, content TEXT NOT "
    "NULL, crc INTEGER NOT NULL) STRICT;"
    "CREATE TABLE damaged (seq INTEGER PRIMARY KEY, origin TEXT NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL, "
    "content TEXT) STRICT;",
    // Rows of tables that other parts name: the table is the row's state.
    "CREATE TABLE rows (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, content BLOB NOT "
    "NULL, crc INTEGER NOT NULL) STRICT;"
    "CREATE INDEX rows_state ON rows (state);"};
constexpr int kept_history = 10'000;
/// What a receiver said of a message is the end of it, whichever batch the disk took last: one that was refused is tried
/// again, after others that were decided later.
constexpr std::string_view nothing_back =
    "outbox.state NOT IN ('delivered', 'answered') OR excluded.state = outbox.state OR excluded.state = 'answered'";
constexpr int newest_version = static_cast<int>(std::size(migrations));

tl::unexpected<Error> sql_fault(const SQLite::Exception& fault) {
    const int code = fault.getErrorCode();
    const bool corrupt = code == 11 || code == 26;  // SQLITE_CORRUPT, SQLITE_NOTADB
    return fail(Error{corrupt ? Errc::corrupt : Errc::io, fmt::format("database: {}", fault.what()), {}, !corrupt});
}

std::string alert_key(const std::string& rule, std::uint64_t fingerprint) {
    return rule + "\n" + model::format_fingerprint(fingerprint);
}

/// The checksum covers the key too: a row that moved is a damaged row.
std::int64_t checksum(const std::string& key, const std::string& content) { return crc32c(key + "\n" + content); }

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file) {
    // SQLite gives its side files the mode of the main file, so that one is made first.
    const int fd = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(Errc::io, fmt::format("cannot open {}", file.string()));
    }
    ::close(fd);
    try {
        std::unique_ptr<Database> out(new Database(file));
        const int id = out->db_.execAndGet("PRAGMA application_id").getInt();
        const int version = out->db_.execAndGet("PRAGMA user_version").getInt();
        if (id != 0 && id != application_id) {
            return fail(Errc::refused, fmt::format("{} is the database of another program", file.string()));
        }
        if (version > newest_version) {
            return fail(Errc::unsupported, fmt::format("{} was written by a newer noroshi (schema {}, this one knows {})",
                                                       file.string(), version, newest_version));
        }
        out->prepare();
        return out;
    } catch (const SQLite::Exception& fault) {
        return sql_fault(fault);
    }
}

void Database::prepare() {
    db_.exec("PRAGMA journal_mode=WAL");
    db_.exec("PRAGMA synchronous=FULL");
    db_.exec("PRAGMA foreign_keys=ON");
    db_.exec("PRAGMA wal_autocheckpoint=400");
    db_.exec("PRAGMA cache_size=-512");
    for (int version = db_.execAndGet("PRAGMA user_version").getInt(); version < newest_version; ++version) {
        SQLite::Transaction transaction(db_);
        db_.exec(migrations[version]);
        db_.exec(fmt::format("PRAGMA application_id={}", application_id));
        db_.exec(fmt::format("PRAGMA user_version={}", version + 1));
        transaction.commit();
    }
    // What was handed over long ago is history; it must not grow for ever.
    for (const char* table : {"outbox", "receipts"}) {
        db_.exec(fmt::format("DELETE FROM {0} WHERE state NOT IN ('queued', 'unconfirmed') AND seq <= (SELECT max(seq) FROM {0}) - {1}", table,
                             kept_history));
    }
}

void Database::put(const std::string& table, const Put& row) {
    std::string conflict = row.first_wins ? "DO NOTHING"
                                          : "DO UPDATE SET state = excluded.state, content = excluded.content, "
                                            "crc = excluded.crc";
    if (!row.only_if.empty()) {
        conflict += " WHERE " + row.only_if;
    }
    SQLite::Statement statement(db_, "INSERT INTO " + table + " (key, state, content, crc) VALUES (?, ?, ?, ?) ON "
                                                              "CONFLICT (key) " + conflict);
    statement.bind(1, row.key);
    statement.bind(2, row.state);
    if (table == "rows") {
        statement.bind(3, row.content.data(), static_cast<int>(row.content.size()));
    } else {
        statement.bind(3, row.content);
    }
    statement.bind(4, checksum(row.key, row.content));
    statement.exec();
}

void Database::erase(const std::string& table, const std::string& key) {
    SQLite::Statement statement(db_, "DELETE FROM " + table + " WHERE key = ?");
    statement.bind(1, key);
    statement.exec();
}

void Database::apply(const Batch& batch) {
    struct Writer {
        Database& self;
        void operator()(const AlertRow& row) const {
            self.put("alerts", {alert_key(row.rule, row.alert.fingerprint()), encode(row)});
        }
        void operator()(const Batch::DeleteAlert& d) const { self.erase("alerts", alert_key(d.rule, d.fingerprint)); }
        void operator()(const GroupRow& row) const { self.put("groups", {row.key, encode(row)}); }
        void operator()(const Batch::DeleteGroup& d) const { self.erase("groups", d.key); }
        void operator()(const OutboxRow& row) const {
            const std::string_view state = row.unconfirmed ? "unconfirmed" : outbox_state_name(row.state);
            self.put("outbox", {row.message.id, encode(row), std::string(state), false, std::string(nothing_back)});
        }
        void operator()(const model::Receipt& receipt) const {
            self.put("receipts", {receipt_key(receipt.message_id, receipt.kind), encode(receipt),
                                  std::string(model::receipt_kind_name(receipt.kind)),
                                  receipt.kind != model::ReceiptKind::handed_over});
        }
        void operator()(const Batch::Setting& setting) const { self.put("settings", {setting.key, setting.value}); }
        void operator()(const Batch::Row& row) const {
            const std::string key = row_key(row.table, row.key);
            if (row.value) {
                self.put("rows", {key, std::string(as_text(*row.value)), row.table});
            } else {
                self.erase("rows", key);
            }
        }
    };
    for (const Batch::Write& write : batch.writes()) {
        std::visit(Writer{*this}, write);
    }
}

Result<void> Database::write(std::span<const Batch> batches) {
    const std::lock_guard lock(mutex_);
    try {
        SQLite::Transaction transaction(db_);
        for (const Batch& batch : batches) {
            apply(batch);
        }
        transaction.commit();
        return {};
    } catch (const SQLite::Exception& fault) {
        return sql_fault(fault);
    }
}

Result<std::vector<Database::Stored>> Database::read(const std::string& table, const Which& which,
                                                     std::vector<Damage>& damage) {
    std::vector<Stored> out;
    std::vector<std::string> damaged;
    {
        const std::lock_guard lock(mutex_);
        try {
            SQLite::Statement statement(
                db_, fmt::format("SELECT key, content, crc FROM {} WHERE {} ORDER BY seq {} LIMIT {}", table,
                                 which.where.empty() ? "1" : which.where,
                                 which.order == Order::oldest_first ? "ASC" : "DESC", which.limit));
            if (which.where.find('?') != std::string::npos) {
                statement.bind(1, which.value);
            }
            while (statement.executeStep()) {
                Stored row{statement.getColumn(0).getString(), statement.getColumn(1).getString()};
                if (statement.getColumn(2).getInt64() == checksum(row.key, row.content)) {
                    out.push_back(std::move(row));
                } else {
                    damaged.push_back(row.key);
                }
            }
        } catch (const SQLite::Exception& fault) {
            return sql_fault(fault);
        }
    }
    for (const std::string& key : damaged) {
        set_aside(table, key, "checksum does not fit");
        damage.push_back({table, key, "checksum does not fit"});
    }
    return out;
}

void Database::set_aside(const std::string& table, const std::string& key, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    try {
        SQLite::Transaction transaction(db_);
        SQLite::Statement copy(db_, fmt::format("INSERT INTO damaged (origin, key, reason, content) SELECT '{}', key, ?, "
                                                "CAST(content AS TEXT) FROM {} WHERE key = ?",
                                                table, table));
        copy.bind(1, reason);
        copy.bind(2, key);
        copy.exec();
        erase(table, key);
        transaction.commit();
    } catch (const SQLite::Exception&) {
        // The row was left out of the answer already; it is met again at the next start.
    }
}

}  // namespace noroshi::store
