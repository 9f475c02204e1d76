// src/store/store.cpp - the writer thread and the loads.
#include "store/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <thread>

#include "database.hpp"
#include "rows.hpp"

namespace noroshi::store {
namespace {

constexpr std::size_t most_shared = 64;  // batches that wait together in one transaction
constexpr Milliseconds commit_retry{1'000};

/// Asked on the store's thread; what it refers to is shared with whoever waits.
using Question = std::function<Result<void>(Database&)>;

/// A batch or a question on its way; lives in the coroutine that waits for it and in the queue.
struct Pending {
    Pending(Batch b, Question q, const Executor& executor)
        : batch(std::move(b)), question(std::move(q)), done(executor) {}
    Batch batch;
    Question question;
    Signal done;
    Result<void> result;
};

/// One process a data folder. The kernel lets go of the lock when the process ends, however it ends.
class FolderLock {
  public:
    static Result<std::unique_ptr<FolderLock>> take(const std::filesystem::path& folder) {
        const std::filesystem::path file = folder / "noroshi.lock";
        const int fd = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0) {
            return fail(Errc::io, fmt::format("cannot open {}", file.string()));
        }
        std::unique_ptr<FolderLock> lock(new FolderLock(fd));
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            return fail(Errc::conflict, fmt::format("another noroshi uses {}; stop it, or give this one its own folder "
                                                    "with --data",
                                                    folder.string()));
        }
        return lock;
    }
    ~FolderLock() { ::close(fd_); }
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

  private:
    explicit FolderLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace

namespace {

void report(const Log& log, std::span<const Damage> damage) {
    for (const Damage& row : damage) {
        log.error("row_damaged", {{"table", row.table}, {"key", row.key}, {"reason", row.reason}});
    }
}

/// Reads and decodes a table; rows that can't be decoded are set aside like those with a wrong checksum.
template <class T>
Result<std::vector<T>> decoded(Database& database, const std::string& table, const Database::Which& which,
                               Result<T> (*decode)(std::string_view), const Log& log, std::vector<Damage>& damage) {
    const std::size_t known = damage.size();
    NOROSHI_TRY(std::vector<Database::Stored> rows, database.read(table, which, damage));
    std::vector<T> out;
    for (const Database::Stored& row : rows) {
        Result<T> one = decode(row.content);
        if (one) {
            out.push_back(std::move(*one));
            continue;
        }
        database.set_aside(table, row.key, one.error().message);
        damage.push_back({table, row.key, one.error().message});
    }
    report(log, std::span(damage).subspan(known));
    return out;
}

constexpr std::array receipt_kinds{model::ReceiptKind::handed_over, model::ReceiptKind::stored,
                                   model::ReceiptKind::delivered, model::ReceiptKind::answered};

Result<std::vector<HistoryEntry>> read_history(Database& database, std::size_t limit, const Log& log) {
    std::vector<Damage> damage;
    const Database::Which newest{.order = Database::Order::newest_first, .limit = limit};
    NOROSHI_TRY(std::vector<OutboxRow> rows, decoded<OutboxRow>(database, "outbox", newest, decode_outbox, log, damage));
    std::vector<HistoryEntry> out;
    for (OutboxRow& row : rows) {
        HistoryEntry entry{std::move(row), {}};
        for (const model::ReceiptKind kind : receipt_kinds) {
            const std::string& id = entry.row.message.id;
            NOROSHI_TRY(const auto stored, database.read("receipts", {.where = "key = ?", .value = receipt_key(id, kind)}, damage));
            for (const Database::Stored& each : stored) {
                if (Result<model::Receipt> receipt = decode_receipt(id, kind, each.content)) {
                    entry.receipts.push_back(std::move(*receipt));
                }
            }
        }
        out.push_back(std::move(entry));
    }
    return out;
}

}  // namespace

struct Store::State {
    State(std::unique_ptr<FolderLock> l, std::unique_ptr<Database> d, const Executor& e, Log g)
        : lock(std::move(l)), database(std::move(d)), executor(e), log(std::move(g)) {}

    std::unique_ptr<FolderLock> lock;
    std::unique_ptr<Database> database;
    Executor executor;
    Log log;
    std::vector<Damage> damage;

    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::shared_ptr<Pending>> queue;  // guarded by mutex
    bool stopping{false};                        // guarded by mutex
    std::thread writer;

    /// The thread "noroshi-store": takes what waits, commits it, answers on the executor.
    void work() {
        ::pthread_setname_np(::pthread_self(), "noroshi-store");
        while (true) {
            std::vector<std::shared_ptr<Pending>> taken;
            {
                std::unique_lock held(mutex);
                wake.wait(held, [this] { return stopping || !queue.empty(); });
                if (queue.empty()) {
                    return;
                }
                while (!queue.empty() && taken.size() < most_shared) {
                    taken.push_back(std::move(queue.front()));
                    queue.pop_front();
                }
            }
            answer(taken);
            boost::asio::post(executor, [taken = std::move(taken)] {
                for (const std::shared_ptr<Pending>& pending : taken) {
                    pending->done.notify();
                }
            });
        }
    }

    /// Batches up to the next question share a transaction.
    void answer(std::span<const std::shared_ptr<Pending>> taken) {
        const auto asks = [](const std::shared_ptr<Pending>& pending) { return pending->question != nullptr; };
        while (!taken.empty()) {
            if (asks(taken.front())) {
                taken.front()->result = taken.front()->question(*database);
                taken = taken.subspan(1);
                continue;
            }
            const auto together = taken.first(static_cast<std::size_t>(std::ranges::find_if(taken, asks) - taken.begin()));
            std::vector<Batch> batches;
            for (const std::shared_ptr<Pending>& pending : together) {
                batches.push_back(pending->batch);
            }
            const Result<void> result = database->write(batches);
            for (const std::shared_ptr<Pending>& pending : together) {
                pending->result = result;
            }
            taken = taken.subspan(together.size());
        }
    }

    Task<Result<void>> wait_for(Batch batch, Question question) {
        // shared with the writer thread
        auto pending = std::make_shared<Pending>(std::move(batch), std::move(question), executor);
        {
            const std::lock_guard held(mutex);
            queue.push_back(pending);
        }
        wake.notify_all();
        NOROSHI_CO_TRY_VOID(co_await pending->done.wait());
        co_return pending->result;
    }

    /// For the start: what is damaged is remembered.
    template <class T>
    Result<std::vector<T>> load(const std::string& table, const Database::Which& which,
                                Result<T> (*decode)(std::string_view)) {
        return decoded<T>(*database, table, which, decode, log, damage);
    }
};


Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& data_folder, const Executor& executor, Log log) {
    NOROSHI_TRY(std::unique_ptr<FolderLock> lock, FolderLock::take(data_folder));
    NOROSHI_TRY(std::unique_ptr<Database> database, Database::open(data_folder / "noroshi.db"));
    auto state = std::make_unique<State>(std::move(lock), std::move(database), executor, std::move(log));
    state->writer = std::thread(&State::work, state.get());
    return std::unique_ptr<Store>(new Store(std::move(state)));
}

Store::~Store() {
    {
        const std::lock_guard held(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    state_->writer.join();
}

Task<Result<void>> Store::commit(Batch batch) { return state_->wait_for(std::move(batch), nullptr); }

Result<std::vector<AlertRow>> Store::load_alerts() { return state_->load<AlertRow>("alerts", {}, decode_alert); }

Result<std::vector<GroupRow>> Store::load_groups() { return state_->load<GroupRow>("groups", {}, decode_group); }

Result<std::vector<OutboxRow>> Store::load_pending_outbox() {
    return state_->load<OutboxRow>("outbox", {.where = "state IN ('queued', 'unconfirmed')"}, decode_outbox);
}

Result<std::vector<OutboxRow>> Store::load_outbox_history(std::size_t limit) {
    const Database::Which newest{.order = Database::Order::newest_first, .limit = limit};
    return state_->load<OutboxRow>("outbox", newest, decode_outbox);
}

Result<std::optional<std::string>> Store::load_setting(const std::string& key) {
    std::vector<Damage> ignored;
    NOROSHI_TRY(std::vector<Database::Stored> rows,
                state_->database->read("settings", {.where = "key = ?", .value = key}, ignored));
    return rows.empty() ? std::optional<std::string>() : std::optional(std::move(rows.front().content));
}

Result<std::vector<std::pair<std::string, Bytes>>> Store::load_rows(const std::string& table) {
    const std::size_t known = state_->damage.size();
    NOROSHI_TRY(const std::vector<Database::Stored> rows,
                state_->database->read("rows", {.where = "state = ?", .value = table}, state_->damage));
    report(state_->log, std::span(state_->damage).subspan(known));
    const std::size_t prefix = row_key(table, "").size();
    std::vector<std::pair<std::string, Bytes>> out;
    for (const Database::Stored& row : rows) {
        out.emplace_back(row.key.substr(prefix), Bytes(row.content.begin(), row.content.end()));
    }
    return out;
}

void Store::set_aside(const std::string& table, const std::string& key, const std::string& reason) {
    state_->database->set_aside("rows", row_key(table, key), reason);
    state_->damage.push_back({table, key, reason});
    report(state_->log, std::span(state_->damage).last(1));
}

Task<Result<std::optional<OutboxRow>>> Store::find_outbox(std::string message_id) {
    auto found = std::make_shared<std::vector<OutboxRow>>();  // shared with the store's thread
    Question question = [found, id = std::move(message_id), log = state_->log](Database& database) -> Result<void> {
        std::vector<Damage> damage;
        const Database::Which which{.where = "key = ?", .value = id};
        NOROSHI_TRY(*found, decoded<OutboxRow>(database, "outbox", which, decode_outbox, log, damage));
        return {};
    };
    NOROSHI_CO_TRY_VOID(co_await state_->wait_for({}, std::move(question)));
    co_return found->empty() ? std::optional<OutboxRow>() : std::optional(std::move(found->front()));
}

Task<Result<std::vector<HistoryEntry>>> Store::history(std::size_t limit) {
    auto found = std::make_shared<std::vector<HistoryEntry>>();  // shared with the store's thread
    Question question = [found, limit, log = state_->log](Database& database) -> Result<void> {
        NOROSHI_TRY(*found, read_history(database, limit, log));
        return {};
    };
    NOROSHI_CO_TRY_VOID(co_await state_->wait_for({}, std::move(question)));
    co_return std::move(*found);
}

const std::vector<Damage>& Store::damage() const { return state_->damage; }

// NOLINTNEXTLINE(*-reference-coroutine-parameters): both outlive every task of the stages
Task<Result<void>> commit_for_sure(Store& store, Timers& timers, Log log, Batch batch) {
    while (true) {
        Batch once = batch;
        const Result<void> done = co_await store.commit(std::move(once));
        if (done || done.error().code == Errc::cancelled) {
            co_return done;
        }
        log.error("outcome_not_committed", {{"reason", done.error().to_string()}});
        NOROSHI_CO_TRY_VOID(co_await timers.sleep_for(commit_retry));
    }
}

}  // namespace noroshi::store
