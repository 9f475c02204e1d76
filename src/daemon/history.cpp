// src/daemon/history.cpp - rows of the store as records of the API.
#include "history.hpp"

#include <utility>

namespace noroshi::daemon {

// NOLINTNEXTLINE(*-reference-coroutine-parameters): the store outlives the daemon's tasks
Task<Result<std::vector<api::MessageRecord>>> message_history(store::Store& store, std::size_t limit) {
    NOROSHI_CO_TRY(std::vector<store::HistoryEntry> entries, co_await store.history(limit));
    std::vector<api::MessageRecord> out;
    for (store::HistoryEntry& entry : entries) {
        out.push_back({std::move(entry.row.message), std::string(store::outbox_state_name(entry.row.state)),
                       entry.row.attempts, std::move(entry.row.last_error), std::move(entry.row.envelope_hash),
                       std::move(entry.receipts)});
    }
    co_return out;
}

}  // namespace noroshi::daemon
