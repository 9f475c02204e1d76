// src/status/ratchet.cpp - the double ratchet: chains, skipped messages, and its form on disk.
#include "ratchet.hpp"

#include <encryption_state.pb.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "ratchet_kdf.hpp"
#include "wire.hpp"

namespace noroshi::status {
namespace {

constexpr std::uint32_t form = 1;

struct Chain {
    Secret<32> key;
    std::uint32_t n{0};  ///< number of its next message
    [[nodiscard]] Chain clone() const { return {key.clone(), n}; }
};

struct KeptKey {
    CompressedKey chain{};
    std::uint32_t n{0};
    Secret<32> key;
    std::uint64_t step{0};
};
using KeptKeys = std::deque<KeptKey>;

/// All that a step of the ratchet changes, apart from the kept keys.
struct Chains {
    crypto::SecretKey own;
    CompressedKey own_public{};
    std::optional<crypto::PublicKey> other;
    Secret<32> root;
    Chain send;
    Chain receive;
    std::uint32_t previous_n{0};
    std::uint64_t steps{0};  ///< of all receiving chains; the age of kept keys

    [[nodiscard]] Chains clone() const {
        return {own.clone(), own_public, other, root.clone(), send.clone(), receive.clone(), previous_n, steps};
    }
};

Secret<32> step(Chain& chain) {
    ChainStep next = chain_step(chain.key);
    chain.key = std::move(next.chain);
    ++chain.n;
    return std::move(next.message);
}

/// Takes over the other side's new ratchet key, and answers with a new one of ours.
void turn(Chains& chains, const crypto::PublicKey& other, Random& random) {
    chains.previous_n = chains.send.n;
    RootStep receive = root_step(chains.root, chains.own.shared_x(other));
    chains.receive = {std::move(receive.chain), 0};
    chains.own = crypto::SecretKey::generate(random);
    chains.own_public = chains.own.public_key().compressed();
    RootStep send = root_step(receive.root, chains.own.shared_x(other));
    chains.send = {std::move(send.chain), 0};
    chains.root = std::move(send.root);
    chains.other = other;
}

/// Keeps the keys of the receiving chain before message `until`.
Result<void> skip(Chains& chains, std::uint32_t until, const RatchetLimits& limits, KeptKeys& skipped) {
    if (until < chains.receive.n) {
        return fail(Errc::not_found, "used_key");
    }
    if (until - chains.receive.n > limits.most_skipped) {
        return fail(Errc::limit, "too_many_skipped");
    }
    const CompressedKey chain = chains.other->compressed();
    while (chains.receive.n < until) {
        const std::uint32_t n = chains.receive.n;
        skipped.push_back({chain, n, step(chains.receive), chains.steps++});
    }
    return {};
}

void keep(KeptKeys& kept, KeptKeys skipped, std::uint64_t steps, const RatchetLimits& limits) {
    std::ranges::move(skipped, std::back_inserter(kept));
    while (!kept.empty() && (kept.size() > limits.most_kept || steps - kept.front().step > limits.longest_kept)) {
        kept.pop_front();
    }
}

std::string field(ByteView bytes) { return wire::text(bytes); }

/// What protobuf held for us must not stay in its memory.
void wipe_secrets(kept::Ratchet& row) {
    for (std::string* secret :
         {row.mutable_own_key(), row.mutable_root(), row.mutable_send_chain(), row.mutable_receive_chain()}) {
        wire::wipe_field(*secret);
    }
    for (kept::KeptKey& key : *row.mutable_kept()) {
        wire::wipe_field(*key.mutable_key());
    }
}

std::optional<Secret<32>> secret(std::string_view text) {
    if (text.size() != 32) {
        return std::nullopt;
    }
    return Secret<32>(as_bytes(text).first<32>());
}

std::optional<Chain> read_chain(std::string_view key, std::uint32_t n) {
    std::optional<Secret<32>> read = secret(key);
    return read ? std::optional(Chain{std::move(*read), n}) : std::nullopt;
}

std::optional<Chains> read_chains(const kept::Ratchet& row) {
    Result<crypto::SecretKey> own = crypto::SecretKey::from_bytes(as_bytes(row.own_key()));
    std::optional<Secret<32>> root = secret(row.root());
    std::optional<Chain> send = read_chain(row.send_chain(), row.send_n());
    std::optional<Chain> receive = read_chain(row.receive_chain(), row.receive_n());
    if (!own || !root || !send || !receive) {
        return std::nullopt;
    }
    std::optional<crypto::PublicKey> other;
    if (!row.other_key().empty()) {
        const Result<crypto::PublicKey> read = crypto::PublicKey::from_bytes(as_bytes(row.other_key()));
        if (!read) {
            return std::nullopt;
        }
        other = *read;
    }
    const CompressedKey own_public = own->public_key().compressed();
    return Chains{std::move(*own), own_public, other, std::move(*root), std::move(*send), std::move(*receive),
                  row.previous_n(), row.steps()};
}

std::optional<KeptKeys> read_kept(const kept::Ratchet& row) {
    KeptKeys out;
    for (const kept::KeptKey& key : row.kept()) {
        const auto chain = wire::fixed<33>(key.chain());
        std::optional<Secret<32>> read = secret(key.key());
        if (!chain || !read || key.step() >= row.steps() || (!out.empty() && key.step() <= out.back().step)) {
            return std::nullopt;
        }
        out.push_back({*chain, key.n(), std::move(*read), key.step()});
    }
    return out;
}

}  // namespace

struct Ratchet::State {
    Chains chains;
    KeptKeys kept;
};

Ratchet::Ratchet(std::unique_ptr<State> state) : state_(std::move(state)) {}
Ratchet::Ratchet(Ratchet&&) noexcept = default;
Ratchet& Ratchet::operator=(Ratchet&&) noexcept = default;
Ratchet::~Ratchet() = default;

Ratchet Ratchet::initiate(const Secret<32>& shared, const crypto::PublicKey& prekey, crypto::SecretKey first) {
    RootStep send = root_step(shared, first.shared_x(prekey));
    const CompressedKey own_public = first.public_key().compressed();
    Chains chains{std::move(first),          own_public,          prekey, std::move(send.root),
                  {std::move(send.chain), 0}, {shared.clone(), 0}, 0,      0};
    return Ratchet(std::make_unique<State>(State{std::move(chains), {}}));
}

Ratchet Ratchet::respond(const Secret<32>& shared, crypto::SecretKey prekey) {
    const CompressedKey own_public = prekey.public_key().compressed();
    Chains chains{std::move(prekey),   own_public,          std::nullopt, shared.clone(),
                  {shared.clone(), 0}, {shared.clone(), 0}, 0,            0};
    return Ratchet(std::make_unique<State>(State{std::move(chains), {}}));
}

RatchetMessage Ratchet::encrypt(ByteView plain) {
    Chains& chains = state_->chains;
    const RatchetHeader header{chains.own_public, chains.send.n, chains.previous_n};
    const Secret<32> key = step(chains.send);
    return {header, seal_with(key, header, plain)};
}

Result<Bytes> Ratchet::decrypt(const RatchetMessage& message, Random& random, const RatchetLimits& limits) {
    const RatchetHeader& header = message.header;
    const auto old = std::ranges::find_if(
        state_->kept, [&](const KeptKey& kept) { return kept.n == header.n && kept.chain == header.key; });
    if (old != state_->kept.end()) {
        NOROSHI_TRY(Bytes plain, open_with(old->key, header, message.payload));
        state_->kept.erase(old);
        return plain;
    }
    Chains next = state_->chains.clone();
    KeptKeys skipped;
    if (!next.other || next.other->compressed() != header.key) {
        const Result<crypto::PublicKey> key = crypto::PublicKey::from_bytes(header.key);
        if (!key) {
            return fail(Errc::corrupt, "bad_key");
        }
        if (next.other) {
            NOROSHI_TRY_VOID(skip(next, header.pn, limits, skipped));
        }
        turn(next, *key, random);
    }
    NOROSHI_TRY_VOID(skip(next, header.n, limits, skipped));
    const Secret<32> key = step(next.receive);
    ++next.steps;
    NOROSHI_TRY(Bytes plain, open_with(key, header, message.payload));
    keep(state_->kept, std::move(skipped), next.steps, limits);
    state_->chains = std::move(next);
    return plain;
}

std::size_t Ratchet::kept_keys() const { return state_->kept.size(); }

Bytes Ratchet::serialize() const {
    const Chains& chains = state_->chains;
    kept::Ratchet row;
    row.set_form(form);
    row.set_own_key(field(chains.own.expose()));
    if (chains.other) {
        row.set_other_key(field(chains.other->compressed()));
    }
    row.set_root(field(chains.root.expose()));
    row.set_send_chain(field(chains.send.key.expose()));
    row.set_send_n(chains.send.n);
    row.set_receive_chain(field(chains.receive.key.expose()));
    row.set_receive_n(chains.receive.n);
    row.set_previous_n(chains.previous_n);
    row.set_steps(chains.steps);
    for (const KeptKey& key : state_->kept) {
        kept::KeptKey& out = *row.add_kept();
        out.set_chain(field(key.chain));
        out.set_n(key.n);
        out.set_key(field(key.key.expose()));
        out.set_step(key.step);
    }
    Bytes bytes = wire::to_bytes(row);
    wipe_secrets(row);
    return bytes;
}

Result<Ratchet> Ratchet::parse(ByteView bytes) {
    kept::Ratchet row;
    const bool read = wire::parse(row, bytes) && row.form() == form;
    std::optional<Chains> chains = read ? read_chains(row) : std::nullopt;
    std::optional<KeptKeys> keys = chains ? read_kept(row) : std::nullopt;
    wipe_secrets(row);
    if (!keys) {
        return fail(Errc::corrupt, "damaged_session");
    }
    Ratchet ratchet(std::make_unique<State>(State{std::move(*chains), std::move(*keys)}));
    Bytes again = ratchet.serialize();
    const bool same = std::ranges::equal(again, bytes);  // no unknown field, nothing twice
    wipe(again);
    if (!same) {
        return fail(Errc::corrupt, "damaged_session");
    }
    return ratchet;
}

}  // namespace noroshi::status
