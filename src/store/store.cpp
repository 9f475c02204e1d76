// src/store/store.cpp - the writer thread and the loads.
#include "store/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>

#include "database.hpp"
#include "rows.hpp"

namespace noroshi::store {
namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t most_shared = 64;  // batches that wait together in one transaction

/// A batch on its way; lives in the coroutine that waits for it and in the queue.
struct Pending {
    Pending(Batch b, const Executor& executor) : batch(std::move(b)), done(executor) {}
    Batch batch;
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
            commit(std::move(taken));
        }
    }

    void commit(std::vector<std::shared_ptr<Pending>> taken) {
        std::vector<Batch> batches;
        for (const std::shared_ptr<Pending>& pending : taken) {
            batches.push_back(pending->batch);
        }
        const Result<void> result = database->write(batches);
        boost::asio::post(executor, [taken = std::move(taken), result] {
            for (const std::shared_ptr<Pending>& pending : taken) {
                pending->result = result;
                pending->done.notify();
            }
        });
    }

    /// Reads and decodes a table; rows that can't be decoded are set aside like those with a wrong checksum.
    template <class T>
    Result<std::vector<T>> load(const std::string& table, const std::string& where, Database::Order order,
                                std::size_t limit, Result<T> (*decode)(std::string_view)) {
        const std::size_t known = damage.size();
        NOROSHI_TRY(std::vector<Database::Stored> rows, database->read(table, where, order, limit, damage));
        std::vector<T> out;
        for (const Database::Stored& row : rows) {
            Result<T> decoded = decode(row.content);
            if (decoded) {
                out.push_back(std::move(*decoded));
                continue;
            }
            database->set_aside(table, row.key, decoded.error().message);
            damage.push_back({table, row.key, decoded.error().message});
        }
        for (std::size_t i = known; i < damage.size(); ++i) {
            log.error("row_damaged", {{"table", damage[i].table}, {"key", damage[i].key}, {"reason", damage[i].reason}});
        }
        return out;
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

Task<Result<void>> Store::commit(Batch batch) {
    auto pending = std::make_shared<Pending>(std::move(batch), state_->executor);  // shared with the writer thread
    {
        const std::lock_guard held(state_->mutex);
        state_->queue.push_back(pending);
    }
    state_->wake.notify_all();
    NOROSHI_CO_TRY_VOID(co_await pending->done.wait());
    co_return pending->result;
}

Result<std::vector<AlertRow>> Store::load_alerts() {
    return state_->load<AlertRow>("alerts", "", Database::Order::oldest_first, no_limit, decode_alert);
}

Result<std::vector<GroupRow>> Store::load_groups() {
    return state_->load<GroupRow>("groups", "", Database::Order::oldest_first, no_limit, decode_group);
}

Result<std::vector<OutboxRow>> Store::load_pending_outbox() {
    return state_->load<OutboxRow>("outbox", "state IN ('queued', 'unconfirmed')", Database::Order::oldest_first, no_limit, decode_outbox);
}

Result<std::vector<OutboxRow>> Store::load_outbox_history(std::size_t limit) {
    return state_->load<OutboxRow>("outbox", "", Database::Order::newest_first, limit, decode_outbox);
}

Result<std::optional<std::string>> Store::load_setting(const std::string& key) {
    std::vector<Damage> ignored;
    NOROSHI_TRY(std::vector<Database::Stored> rows,
                state_->database->read("settings", "", Database::Order::oldest_first, no_limit, ignored));
    for (Database::Stored& row : rows) {
        if (row.key == key) {
            return std::optional(std::move(row.content));
        }
    }
    return std::optional<std::string>();
}

const std::vector<Damage>& Store::damage() const { return state_->damage; }

}  // namespace noroshi::store
