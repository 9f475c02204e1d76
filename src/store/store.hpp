// src/store/store.hpp - the one SQLite database: alert state, groups, outbox, named rows; the only public header here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/log.hpp"
#include "base/task.hpp"
#include "base/time.hpp"
#include "model/alert.hpp"
#include "model/message.hpp"

namespace noroshi::store {

/// The persisted state of one alert instance.
struct AlertRow {
    std::string rule;  ///< "file;group;name;n": the n-th rule of that name in the group
    model::Alert alert;
    bool operator==(const AlertRow&) const = default;
};

/// One alert inside a notification group: what is true now and what the receiver was last told.
struct GroupAlert {
    model::Alert alert;
    bool told_firing{false};    ///< the last flushed message listed it as firing
    bool told_resolved{false};  ///< a flushed message listed this resolution
    bool operator==(const GroupAlert&) const = default;
};

/// A notification group between two flushes.
struct GroupRow {
    std::string key;       ///< route + group labels, unique
    std::string receiver;
    model::Labels labels;  ///< the group_by labels
    std::vector<GroupAlert> alerts;
    std::optional<TimestampMs> flush_at;      ///< next flush, when one is due
    std::optional<TimestampMs> last_flush_at;
    std::string last_message_id;              ///< the last message about this group
    bool operator==(const GroupRow&) const = default;
};

/// Where a message stands on its way out.
enum class OutboxState : std::uint8_t { queued, handed_over, stored, delivered, answered, expired };
[[nodiscard]] std::string_view outbox_state_name(OutboxState state);

/// One message in the outbox.
struct OutboxRow {
    model::Message message;
    OutboxState state{OutboxState::queued};
    std::uint32_t attempts{0};
    TimestampMs next_attempt_at{};
    std::string last_error;     ///< named reason of the last failure, for people
    std::string envelope_hash;  ///< of the last envelope handed over, hex
    std::optional<TimestampMs> handed_over_at;
    std::int64_t envelope_ns{0};        ///< timestamp of that envelope
    std::vector<std::string> taken_by;  ///< peers that took it
    bool unconfirmed{false};            ///< handed over, and the network is still to be asked whether it has it
    std::string pubsub_topic;           ///< where that envelope went
    std::string content_topic;
    std::uint32_t resends{0};           ///< envelopes that were handed over and that nobody had
    bool operator==(const OutboxRow&) const = default;
};

/// A message and every word that was said of it, in the order of ReceiptKind.
struct HistoryEntry {
    OutboxRow row;
    std::vector<model::Receipt> receipts;  ///< id, kind, at, by and envelope_hash only
};

/// Typed writes that are committed together or not at all.
/// Two kinds of batch exist: (a) alert state and the dirty groups that follow from it; (b) a group's flush and its
/// outbox rows. Each later write of the same key wins.
class Batch {
  public:
    void put_alert(AlertRow row);
    void delete_alert(std::string rule, std::uint64_t fingerprint);
    void put_group(GroupRow row);
    void delete_group(std::string key);
    /// A row that is `delivered` or `answered` never goes back, whatever is written after it.
    void put_outbox(OutboxRow row);
    /// Of each kind the first counts, but for `handed_over`: a message that was lost is handed over again.
    void put_receipt(model::Receipt receipt);
    /// A small named value, e.g. a cursor.
    void put_setting(std::string key, std::string value);
    /// A row of a table that its owner names; no line break in `table`.
    void put_row(std::string table, std::string key, Bytes value);
    void delete_row(std::string table, std::string key);
    [[nodiscard]] bool empty() const { return writes_.empty(); }
    [[nodiscard]] std::size_t size() const { return writes_.size(); }

    struct DeleteAlert {
        std::string rule;
        std::uint64_t fingerprint;
    };
    struct DeleteGroup {
        std::string key;
    };
    struct Setting {
        std::string key;
        std::string value;
    };
    struct Row {
        std::string table;
        std::string key;
        std::optional<Bytes> value;  ///< none: erase
    };
    using Write = std::variant<AlertRow, DeleteAlert, GroupRow, DeleteGroup, OutboxRow, model::Receipt, Setting, Row>;
    [[nodiscard]] const std::vector<Write>& writes() const { return writes_; }

  private:
    std::vector<Write> writes_;
};

/// What a damaged row was; it is set aside, not served.
struct Damage {
    std::string table;
    std::string key;
    std::string reason;
};

/// The database file `noroshi.db` in the data folder. WAL, synchronous=FULL; every row carries a CRC-32C over its
/// content. Writes and questions (tasks) happen on the store's own thread ("noroshi-store"), in the order of the calls;
/// loads are for the start, on the caller's thread.
/// Errors everywhere: io (disk full, no permission; retryable), corrupt, conflict (another process holds the database),
/// unsupported (written by a newer noroshi).
class Store {
  public:
    /// Opens or creates; runs migrations; takes an exclusive lock on the data folder.
    [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::filesystem::path& data_folder,
                                                             const Executor& executor, Log log);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Ends when the batch is on disk. Batches are committed in the order of the calls; those that wait together may
    /// share one transaction.
    [[nodiscard]] Task<Result<void>> commit(Batch batch);

    [[nodiscard]] Result<std::vector<AlertRow>> load_alerts();
    [[nodiscard]] Result<std::vector<GroupRow>> load_groups();
    /// Rows with something left to do (queued, unconfirmed), oldest first.
    [[nodiscard]] Result<std::vector<OutboxRow>> load_pending_outbox();
    /// Newest first, all states.
    [[nodiscard]] Result<std::vector<OutboxRow>> load_outbox_history(std::size_t limit);
    [[nodiscard]] Result<std::optional<std::string>> load_setting(const std::string& key);
    /// All rows of a table that was written with put_row, oldest first.
    [[nodiscard]] Result<std::vector<std::pair<std::string, Bytes>>> load_rows(const std::string& table);
    /// Moves a row that its owner cannot read to the damaged ones.
    void set_aside(const std::string& table, const std::string& key, const std::string& reason);

    /// The row of one message, when it is known. Errors: io, corrupt, cancelled.
    [[nodiscard]] Task<Result<std::optional<OutboxRow>>> find_outbox(std::string message_id);
    /// Newest first. Errors: io, corrupt, cancelled.
    [[nodiscard]] Task<Result<std::vector<HistoryEntry>>> history(std::size_t limit);
    /// Rows that the loads above found damaged and left out.
    [[nodiscard]] const std::vector<Damage>& damage() const;

  private:
    struct State;
    explicit Store(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Commits, again each second while the disk refuses. Errors: cancelled.
[[nodiscard]] Task<Result<void>> commit_for_sure(Store& store, Timers& timers, Log log, Batch batch);

}  // namespace noroshi::store
