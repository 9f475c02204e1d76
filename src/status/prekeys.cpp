// src/status/prekeys.cpp - making, keeping and forgetting our signed prekeys.
#include "prekeys.hpp"

#include <encryption_state.pb.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "wire.hpp"

namespace noroshi::status {
namespace {

constexpr std::uint32_t form = 1;

Bytes encode(const Prekey& prekey) {
    kept::Prekey row;
    row.set_form(form);
    row.set_secret(wire::text(prekey.secret.expose()));
    row.set_version(prekey.version);
    row.set_created_ms(to_unix_ms(prekey.created));
    Bytes bytes = wire::to_bytes(row);
    wire::wipe_field(*row.mutable_secret());
    return bytes;
}

std::optional<Prekey> decode(ByteView bytes) {
    kept::Prekey row;
    const bool read = wire::parse(row, bytes) && row.form() == form;
    Result<crypto::SecretKey> secret = crypto::SecretKey::from_bytes(as_bytes(row.secret()));
    wire::wipe_field(*row.mutable_secret());
    if (!read || !secret) {
        return std::nullopt;
    }
    const CompressedKey key = secret->public_key().compressed();
    return Prekey{std::move(*secret), key, row.version(), from_unix_ms(row.created_ms())};
}

std::string row_key_of(std::uint32_t version) { return std::to_string(version); }

}  // namespace

bool Prekeys::add(const std::string& row_key, ByteView row) {
    std::uint32_t version = 0;
    const auto [end, fault] = std::from_chars(row_key.data(), row_key.data() + row_key.size(), version);
    if (fault != std::errc() || end != row_key.data() + row_key.size()) {
        return false;
    }
    highest_version_ = std::max(highest_version_, version);
    std::optional<Prekey> prekey = decode(row);
    if (!prekey || prekey->version != version) {
        return false;
    }
    by_version_.insert_or_assign(version, std::move(*prekey));
    return true;
}

const Prekey& Prekeys::current(TimestampMs now, Random& random, StateWrites& changes) {
    const Prekey* last = newest();
    if (last != nullptr && last->version == highest_version_ && std::chrono::abs(now - last->created) < age) {
        return *last;
    }
    crypto::SecretKey secret = crypto::SecretKey::generate(random);
    const CompressedKey key = secret.public_key().compressed();
    const std::uint32_t version = ++highest_version_;
    const Prekey& made =
        by_version_.insert_or_assign(version, Prekey{std::move(secret), key, version, now}).first->second;
    changes.push_back({table, row_key_of(version), encode(made)});
    while (by_version_.size() > most) {
        changes.push_back({table, row_key_of(by_version_.begin()->first), std::nullopt});
        by_version_.erase(by_version_.begin());
    }
    return made;
}

const Prekey* Prekeys::newest() const { return by_version_.empty() ? nullptr : &by_version_.rbegin()->second; }

const Prekey* Prekeys::find(ByteView key) const {
    const auto found = std::ranges::find_if(
        by_version_, [&](const auto& entry) { return std::ranges::equal(entry.second.key, key); });
    return found == by_version_.end() ? nullptr : &found->second;
}

}  // namespace noroshi::status
