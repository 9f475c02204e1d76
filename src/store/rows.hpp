// src/store/rows.hpp - rows as JSON text and back; the stored form of every state row.
#pragma once

#include <string>
#include <string_view>

#include "store/store.hpp"

namespace noroshi::store {

[[nodiscard]] std::string encode(const AlertRow& row);
[[nodiscard]] std::string encode(const GroupRow& row);
[[nodiscard]] std::string encode(const OutboxRow& row);

/// Errors: corrupt.
[[nodiscard]] Result<AlertRow> decode_alert(std::string_view text);
[[nodiscard]] Result<GroupRow> decode_group(std::string_view text);
[[nodiscard]] Result<OutboxRow> decode_outbox(std::string_view text);

[[nodiscard]] std::string_view outbox_state_name(OutboxState state);

}  // namespace noroshi::store
