// src/daemon/status_state.cpp - sealing, opening, and one commit after the other.
#include "status_state.hpp"

#include <algorithm>
#include <utility>

namespace noroshi::daemon {
namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::string_view seal_purpose = "noroshi status state: rows";
constexpr std::string_view name_purpose = "noroshi status state: names";

Secret<32> derived(const crypto::SecretKey& identity, std::string_view purpose) {
    Secret<32> out;
    crypto::hkdf_sha256(identity.expose(), {}, as_bytes(purpose), out.expose_mutable());
    return out;
}

/// Length (4 bytes, big-endian), then the bytes.
void append_text(Bytes& out, std::string_view text) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::uint8_t>(text.size() >> shift));
    }
    out.insert(out.end(), text.begin(), text.end());
}

std::optional<std::string> take_text(ByteView& in) {
    if (in.size() < 4) {
        return std::nullopt;
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        size = size << 8 | in[i];
    }
    in = in.subspan(4);
    if (size > in.size()) {
        return std::nullopt;
    }
    std::string out(as_text(in.first(size)));
    in = in.subspan(size);
    return out;
}

}  // namespace

struct StatusState::Waiting {
    Waiting(store::Batch b, const Executor& executor) : batch(std::move(b)), done(executor) {}
    store::Batch batch;
    Signal done;
    Result<void> result;
};

StatusState::StatusState(const crypto::SecretKey& identity, Parts parts)
    : parts_(std::move(parts)),
      seal_key_(derived(identity, seal_purpose)),
      name_key_(derived(identity, name_purpose)),
      owner_(to_hex(crypto::sha256(identity.public_key().compressed())).substr(0, 16)),
      wake_(parts_.executor),
      tasks_(parts_.executor) {}

Task<Result<void>> StatusState::commit(status::StateWrites writes) {
    if (stopped_) {
        co_return fail(Errc::cancelled, "cancelled");
    }
    if (!std::exchange(writing_, true)) {
        tasks_.spawn("status_state", write());
    }
    auto own = std::make_shared<Waiting>(sealed(writes), parts_.executor);
    for (status::StateWrite& write : writes) {
        if (write.value) {
            wipe(*write.value);
        }
    }
    waiting_.push_back(own);
    wake_.notify();
    NOROSHI_CO_TRY_VOID(co_await own->done.wait());
    co_return own->result;
}

Task<void> StatusState::write() {
    while (true) {
        if (waiting_.empty()) {
            if (!co_await wake_.wait()) {
                co_return;
            }
            continue;
        }
        const std::shared_ptr<Waiting> next = waiting_.front();
        next->result = co_await store::commit_for_sure(parts_.store, parts_.timers, parts_.log, std::move(next->batch));
        waiting_.pop_front();
        next->done.notify();
    }
}

Task<void> StatusState::stop() {
    stopped_ = true;
    co_await tasks_.stop();
    for (const std::shared_ptr<Waiting>& each : std::exchange(waiting_, {})) {
        each->result = fail(Errc::cancelled, "cancelled");
        each->done.notify();
    }
}

store::Batch StatusState::sealed(const status::StateWrites& writes) {
    store::Batch out;
    for (const status::StateWrite& write : writes) {
        std::string table = table_name(write.table);
        std::string name = row_name(write.table, write.key);
        if (!write.value) {
            out.delete_row(std::move(table), std::move(name));
            continue;
        }
        Bytes plain;
        append_text(plain, write.table);
        append_text(plain, write.key);
        plain.insert(plain.end(), write.value->begin(), write.value->end());
        std::array<std::uint8_t, nonce_bytes> nonce{};
        parts_.random.fill(nonce);
        Bytes row(nonce.begin(), nonce.end());
        const Bytes cipher = crypto::aes256_gcm_encrypt(seal_key_.expose(), nonce, plain);
        row.insert(row.end(), cipher.begin(), cipher.end());
        wipe(plain);
        out.put_row(std::move(table), std::move(name), std::move(row));
    }
    return out;
}

Result<status::StateRows> StatusState::load(const std::string& table) {
    const std::string name = table_name(table);
    NOROSHI_TRY(const auto rows, parts_.store.load_rows(name));
    status::StateRows out;
    for (const auto& [key, row] : rows) {
        Result<std::pair<std::string, Bytes>> opened = open(table, row);
        if (opened && row_name(table, opened->first) == key) {
            out.push_back(std::move(*opened));
        } else {
            parts_.store.set_aside(name, key, opened ? "under another name than its own" : opened.error().message);
        }
    }
    return out;
}

Result<std::pair<std::string, Bytes>> StatusState::open(const std::string& table, ByteView row) const {
    if (row.size() < nonce_bytes) {
        return fail(Errc::corrupt, "too short");
    }
    NOROSHI_TRY(Bytes plain, crypto::aes256_gcm_decrypt(seal_key_.expose(), row.first<nonce_bytes>(), row.subspan(nonce_bytes)));
    ByteView rest = plain;
    const std::optional<std::string> own_table = take_text(rest);
    std::optional<std::string> key = take_text(rest);
    if (!own_table || !key || *own_table != table) {
        return fail(Errc::corrupt, "of another table");
    }
    std::pair out(std::move(*key), Bytes(rest.begin(), rest.end()));
    wipe(plain);
    return out;
}

std::string StatusState::table_name(const std::string& table) const { return "status " + owner_ + " " + table; }

std::string StatusState::row_name(const std::string& table, const std::string& key) const {
    Bytes name;
    append_text(name, table);
    append_text(name, key);
    return to_hex(crypto::hmac_sha256(name_key_.expose(), name)).substr(0, 32);
}

}  // namespace noroshi::daemon
