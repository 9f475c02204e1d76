// src/store/rows.hpp - rows as JSON text and back; the stored form of every state row.
#pragma once

#include <string>
#include <string_view>

#include "store/store.hpp"

namespace noroshi::store {

[[nodiscard]] std::string encode(const AlertRow& row);
[[nodiscard]] std::string encode(const GroupRow& row);
[[nodiscard]] std::string encode(const OutboxRow& row);

/// Unix milliseconds, envelope and witness, a line each; the message and the kind are in the key.
[[nodiscard]] std::string encode(const model::Receipt& receipt);
[[nodiscard]] std::string receipt_key(const std::string& message_id, model::ReceiptKind kind);
/// The key of a row of a table that its owner names.
[[nodiscard]] std::string row_key(const std::string& table, const std::string& key);

/// Errors: corrupt.
[[nodiscard]] Result<model::Receipt> decode_receipt(const std::string& message_id, model::ReceiptKind kind,
                                                    std::string_view text);
[[nodiscard]] Result<AlertRow> decode_alert(std::string_view text);
[[nodiscard]] Result<GroupRow> decode_group(std::string_view text);
[[nodiscard]] Result<OutboxRow> decode_outbox(std::string_view text);

}  // namespace noroshi::store
