// src/daemon/status_state.hpp - what Status must not lose, sealed, in the daemon's own database.
#pragma once

#include <deque>
#include <memory>

#include "base/crypto/crypto.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/task.hpp"
#include "status/status.hpp"
#include "store/store.hpp"

namespace noroshi::daemon {

/// Rows are sealed with AES-256-GCM under a key derived from the identity (HKDF-SHA-256), each with a random nonce; table
/// and key are inside, so that a row that was moved is a damaged one. The names on disk are a digest of the identity and the table,
/// and an HMAC of the key: who has the disk and not the identity sees how many rows of what size a table has, and not
/// with whom. Each identity has rows of its own: another one that is put into the data folder finds none of these.
/// Rows that cannot be opened are set aside and logged. Thread: the I/O thread.
class StatusState final : public status::StateStore {
  public:
    /// All must outlive it, and `stop` must have ended before its end.
    struct Parts {
        store::Store& store;
        Timers& timers;
        Executor executor;
        Random& random;
        Log log;
    };
    StatusState(const crypto::SecretKey& identity, Parts parts);

    [[nodiscard]] Task<Result<void>> commit(status::StateWrites writes) override;
    [[nodiscard]] Result<status::StateRows> load(const std::string& table) override;
    /// Ends waiting commits with `cancelled`, and every later one.
    [[nodiscard]] Task<void> stop();

  private:
    struct Waiting;
    [[nodiscard]] Task<void> write();
    [[nodiscard]] store::Batch sealed(const status::StateWrites& writes);
    [[nodiscard]] std::string table_name(const std::string& table) const;
    [[nodiscard]] std::string row_name(const std::string& table, const std::string& key) const;
    [[nodiscard]] Result<std::pair<std::string, Bytes>> open(const std::string& table, ByteView row) const;

    Parts parts_;
    Secret<32> seal_key_;
    Secret<32> name_key_;
    std::string owner_;  ///< digest of the identity
    /// One writer, so that a commit that is tried again is not overtaken by a later one.
    std::deque<std::shared_ptr<Waiting>> waiting_;  // shared with the coroutine that waits
    bool writing_{false};
    bool stopped_{false};
    Signal wake_;
    TaskGroup tasks_;
};

}  // namespace noroshi::daemon
