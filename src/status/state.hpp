// src/status/state.hpp - what must survive a restart, and the interface of whoever keeps it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace noroshi::status {

/// One row to write, or to erase when `value` is none.
struct StateWrite {
    std::string table;  ///< "contacts", "sessions", ...: named by the part that owns it
    std::string key;
    std::optional<Bytes> value;
};
using StateWrites = std::vector<StateWrite>;
using StateRows = std::vector<std::pair<std::string, Bytes>>;

/// Rows by table and key. Values hold private keys: whoever keeps them encrypts them. Thread: the I/O thread.
class StateStore {
  public:
    virtual ~StateStore() = default;
    /// All of them or none; ends when they are on disk, in the order of the calls. Tried again while the disk refuses.
    /// Errors: cancelled.
    [[nodiscard]] virtual Task<Result<void>> commit(StateWrites writes) = 0;
    /// Every row of a table; for the start. Errors: io, corrupt.
    [[nodiscard]] virtual Result<StateRows> load(const std::string& table) = 0;
};

}  // namespace noroshi::status
