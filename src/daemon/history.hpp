// src/daemon/history.hpp - the outbox's history as the API and `noroshi history` tell it.
#pragma once

#include <vector>

#include "api/api.hpp"
#include "store/store.hpp"

namespace noroshi::daemon {

/// Newest first. `store` must outlive the task. Errors: as Store::history.
[[nodiscard]] Task<Result<std::vector<api::MessageRecord>>> message_history(store::Store& store, std::size_t limit);

}  // namespace noroshi::daemon
