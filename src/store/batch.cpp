// src/store/batch.cpp - the typed writes of a batch.
#include "store/store.hpp"

namespace noroshi::store {

void Batch::put_alert(AlertRow row) { writes_.emplace_back(std::move(row)); }
void Batch::delete_alert(std::string rule, std::uint64_t fingerprint) {
    writes_.emplace_back(DeleteAlert{std::move(rule), fingerprint});
}
void Batch::put_group(GroupRow row) { writes_.emplace_back(std::move(row)); }
void Batch::delete_group(std::string key) { writes_.emplace_back(DeleteGroup{std::move(key)}); }
void Batch::put_outbox(OutboxRow row) { writes_.emplace_back(std::move(row)); }
void Batch::put_receipt(model::Receipt receipt) { writes_.emplace_back(std::move(receipt)); }
void Batch::put_setting(std::string key, std::string value) {
    writes_.emplace_back(Setting{std::move(key), std::move(value)});
}
void Batch::put_row(std::string table, std::string key, Bytes value) {
    writes_.emplace_back(Row{std::move(table), std::move(key), std::move(value)});
}
void Batch::delete_row(std::string table, std::string key) {
    writes_.emplace_back(Row{std::move(table), std::move(key), std::nullopt});
}

}  // namespace noroshi::store
