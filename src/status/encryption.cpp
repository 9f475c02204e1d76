// src/status/encryption.cpp - seals to every device of a recipient and opens what its devices sealed to us.
#include "encryption.hpp"

#include <algorithm>
#include <array>

#include "peers.hpp"
#include "prekeys.hpp"

namespace noroshi::status {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::int64_t ns_per_ms = 1'000'000;

crypto::PublicKey point(const CompressedKey& key) {
    const Result<crypto::PublicKey> read = crypto::PublicKey::from_bytes(key);
    NOROSHI_ASSERT(read, "a key that is kept was checked when it came");
    return *read;
}

EncryptedMessage seal_dh(const crypto::PublicKey& to, ByteView payload, Random& random) {
    const crypto::SecretKey ephemeral = crypto::SecretKey::generate(random);
    std::array<std::uint8_t, nonce_size> nonce{};
    random.fill(nonce);
    EncryptedMessage out;
    out.dh = ephemeral.public_key().compressed();
    out.payload = crypto::aes256_gcm_encrypt(ephemeral.shared_x(to).expose(), nonce, payload);
    out.payload.insert(out.payload.end(), nonce.begin(), nonce.end());
    return out;
}

Result<Bytes> open_dh(const EncryptedMessage& entry, const crypto::SecretKey& identity) {
    const Result<crypto::PublicKey> ephemeral = crypto::PublicKey::from_bytes(*entry.dh);
    const ByteView sealed(entry.payload);
    if (!ephemeral || sealed.size() < nonce_size) {
        return fail(Errc::corrupt, "bad_dh");
    }
    Result<Bytes> plain = crypto::aes256_gcm_decrypt(identity.shared_x(*ephemeral).expose(), sealed.last<nonce_size>(),
                                                     sealed.first(sealed.size() - nonce_size));
    if (!plain) {
        return fail(Errc::corrupt, "bad_dh");
    }
    return plain;
}

Result<void> check_bundles(const std::vector<Bundle>& bundles, const crypto::PublicKey& from) {
    for (const Bundle& bundle : bundles) {
        if (bundle.identity != from.compressed()) {
            return fail(Errc::corrupt, "foreign_bundle");
        }
        NOROSHI_TRY_VOID(verify_bundle(bundle));
        for (const auto& [installation, prekey] : bundle.prekeys) {
            if (!crypto::PublicKey::from_bytes(prekey.key)) {
                return fail(Errc::corrupt, "bad_bundle_key");
            }
        }
    }
    return {};
}

/// The sender's own device is in one of its bundles and speaks of negotiated topics.
bool negotiates(const ProtocolMessage& message) {
    return std::ranges::any_of(message.bundles, [&](const Bundle& bundle) {
        const auto found = bundle.prekeys.find(message.installation_id);
        return found != bundle.prekeys.end() && found->second.protocol_version >= 1;
    });
}

}  // namespace

struct Encryption::State {
    Config config;
    crypto::SecretKey identity;
    CompressedKey own{};
    Random& random;
    Prekeys prekeys;
    Peers peers;
    std::size_t damaged{0};

    Result<void> load(StateStore& store);
    Bundle bundle(TimestampMs now, StateWrites& changes);
    EncryptedMessage seal_ratchet(Peer& peer, const Device& device, ByteView payload, const CompressedKey& own_prekey,
                                  StateWrites& changes);
    Session begin(const Device& device, const crypto::PublicKey& to);
    Result<Bytes> open_ratchet(const crypto::PublicKey& from, const std::string& installation, EncryptedMessage& entry,
                               StateWrites& changes);
    Result<Session> answer(const crypto::PublicKey& from, const std::string& installation, const EncryptedMessage& entry);
    Result<Opened> open_entry(const crypto::PublicKey& from, ProtocolMessage& message, StateWrites& changes);
    bool learn(const CompressedKey& from, const ProtocolMessage& message, bool is_private, StateWrites& changes);
};

Encryption::Encryption(std::unique_ptr<State> state) : state_(std::move(state)) {}
Encryption::~Encryption() = default;

Result<std::unique_ptr<Encryption>> Encryption::load(Config config, crypto::SecretKey identity, StateStore& store,
                                                     Random& random) {
    const CompressedKey own = identity.public_key().compressed();
    auto state = std::make_unique<State>(State{std::move(config), std::move(identity), own, random, {}, {}, 0});
    NOROSHI_TRY_VOID(state->load(store));
    return std::unique_ptr<Encryption>(new Encryption(std::move(state)));
}

Result<void> Encryption::State::load(StateStore& store) {
    NOROSHI_TRY(StateRows prekey_rows, store.load(Prekeys::table));
    NOROSHI_TRY(StateRows device_rows, store.load(Peers::devices_table));
    NOROSHI_TRY(StateRows session_rows, store.load(Peers::sessions_table));
    for (auto& [key, row] : prekey_rows) {
        damaged += prekeys.add(key, row) ? 0 : 1;
        wipe(row);
    }
    for (auto& [key, row] : device_rows) {
        damaged += peers.add_peer_row(row) ? 0 : 1;
    }
    for (auto& [key, row] : session_rows) {
        damaged += peers.add_session_row(row) ? 0 : 1;
        wipe(row);
    }
    return {};
}

std::size_t Encryption::damaged_rows() const { return state_->damaged; }

// ---- out

Bundle Encryption::State::bundle(TimestampMs now, StateWrites& changes) {
    const Prekey& prekey = prekeys.current(now, random, changes);
    Bundle out;
    out.identity = own;
    out.prekeys[config.installation_id] = {prekey.key, prekey.version, bundle_protocol_version};
    out.timestamp_ns = to_unix_ms(now) * ns_per_ms;
    sign_bundle(out, identity);
    return out;
}

Session Encryption::State::begin(const Device& device, const crypto::PublicKey& to) {
    const crypto::PublicKey prekey = point(device.prekey);
    const crypto::SecretKey ephemeral = crypto::SecretKey::generate(random);
    const Secret<32> shared = x3dh_initiator(identity, ephemeral, to, prekey);
    Ratchet ratchet = Ratchet::initiate(shared, prekey, crypto::SecretKey::generate(random));
    return {device.installation, device.prekey, ephemeral.public_key().compressed(), 0, 0, std::move(ratchet)};
}

EncryptedMessage Encryption::State::seal_ratchet(Peer& peer, const Device& device, ByteView payload,
                                                 const CompressedKey& own_prekey, StateWrites& changes) {
    Session* session = peer.session_for(device, own_prekey);
    if (session == nullptr) {
        session = &peers.add_session(peer, begin(device, point(peer.identity)), changes);
    }
    RatchetMessage sealed = session->ratchet.encrypt(payload);
    session->used = peer.seen = peers.tick();
    Peers::write(peer, *session, changes);
    EncryptedMessage out;
    if (session->ephemeral) {
        out.x3dh = EncryptedMessage::X3dh{*session->ephemeral, session->prekey};
    }
    out.ratchet = EncryptedMessage::Dr{sealed.header, {session->prekey.begin(), session->prekey.end()}};
    out.payload = std::move(sealed.payload);
    return out;
}

Encryption::Sealed Encryption::seal(const crypto::PublicKey& to, ByteView payload, TimestampMs now,
                                    StateWrites& changes, Recipient recipient) {
    State& state = *state_;
    Peer* peer = state.peers.find(to.compressed());
    if (peer != nullptr && recipient == Recipient::contact) {
        state.peers.set_contact(*peer, true, changes);
    }
    ProtocolMessage out;
    out.installation_id = state.config.installation_id;
    bool negotiated = false;
    if (state.config.publish_bundles) {
        out.bundles.push_back(state.bundle(now, changes));
        const CompressedKey own_prekey = out.bundles.front().prekeys.begin()->second.key;
        const auto devices = peer == nullptr ? std::vector<const Device*>() : peer->newest_devices(devices_sent_to);
        negotiated = !devices.empty() && recipient == Recipient::contact;
        for (const Device* device : devices) {
            out.encrypted.emplace(device->installation, state.seal_ratchet(*peer, *device, payload, own_prekey, changes));
            negotiated = negotiated && device->negotiated;
        }
    }
    if (out.encrypted.empty()) {
        out.encrypted.emplace(any_device, seal_dh(to, payload, state.random));
    }
    return {encode_protocol_message(out), negotiated};
}

Bytes Encryption::seal_public(ByteView payload, TimestampMs now, StateWrites& changes) {
    ProtocolMessage out;
    out.installation_id = state_->config.installation_id;
    if (state_->config.publish_bundles) {
        out.bundles.push_back(state_->bundle(now, changes));
    }
    out.public_message.assign(payload.begin(), payload.end());
    return encode_protocol_message(out);
}

// ---- in

/// A session that the sender began on one of our prekeys.
Result<Session> Encryption::State::answer(const crypto::PublicKey& from, const std::string& installation,
                                          const EncryptedMessage& entry) {
    const Prekey* prekey = prekeys.find(entry.x3dh->prekey);
    if (prekey == nullptr) {
        return fail(Errc::not_found, "unknown_prekey");
    }
    const Result<crypto::PublicKey> ephemeral = crypto::PublicKey::from_bytes(entry.x3dh->ephemeral);
    if (!ephemeral) {
        return fail(Errc::corrupt, "bad_key");
    }
    const Secret<32> shared = x3dh_responder(identity, prekey->secret, from, *ephemeral);
    return Session{installation, prekey->key, std::nullopt, 0, 0, Ratchet::respond(shared, prekey->secret.clone())};
}

Result<Bytes> Encryption::State::open_ratchet(const crypto::PublicKey& from, const std::string& installation,
                                              EncryptedMessage& entry, StateWrites& changes) {
    CompressedKey id{};
    if (entry.ratchet->bundle_id.size() != id.size()) {
        return fail(Errc::corrupt, "bad_header");
    }
    std::ranges::copy(entry.ratchet->bundle_id, id.begin());
    if (entry.x3dh && entry.x3dh->prekey != id) {
        return fail(Errc::corrupt, "bad_header");
    }
    Peer* peer = peers.find(from.compressed());
    Session* session = peer != nullptr ? peer->session(installation, id) : nullptr;
    const RatchetMessage sealed{entry.ratchet->header, std::move(entry.payload)};
    const RatchetLimits limits = peer != nullptr ? ratchet_limits(*peer) : ratchet_limits(Peer{});
    Bytes plain;
    // The header of X3DH is repeated until the sender hears from us: a session that is there goes on.
    if (session != nullptr) {
        NOROSHI_TRY(plain, session->ratchet.decrypt(sealed, random, limits));
        session->ephemeral.reset();
    } else if (entry.x3dh) {
        NOROSHI_TRY(Session made, answer(from, installation, entry));
        NOROSHI_TRY(plain, made.ratchet.decrypt(sealed, random, limits));
        peer = &peers.obtain(from.compressed(), changes);
        session = &peers.add_session(*peer, std::move(made), changes);
    } else {
        return fail(Errc::not_found, "unknown_session");
    }
    session->used = session->heard = peer->seen = peers.tick();
    Peers::write(*peer, *session, changes);
    return plain;
}

Result<Encryption::Opened> Encryption::State::open_entry(const crypto::PublicKey& from, ProtocolMessage& message,
                                                         StateWrites& changes) {
    auto entry = message.encrypted.find(config.installation_id);
    if (entry == message.encrypted.end()) {
        entry = message.encrypted.find(any_device);
    }
    if (entry == message.encrypted.end()) {
        return fail(Errc::not_found, "other_device");
    }
    if (entry->second.ratchet) {
        NOROSHI_TRY(Bytes plain, open_ratchet(from, message.installation_id, entry->second, changes));
        return Opened{std::move(plain), Protection::ratchet, false};
    }
    if (entry->second.dh) {
        NOROSHI_TRY(Bytes plain, open_dh(entry->second, identity));
        return Opened{std::move(plain), Protection::dh, false};
    }
    return fail(Errc::parse, "no_header");
}

/// Takes over the bundles of a message that was opened. True when its sender is the first device to negotiate a topic.
bool Encryption::State::learn(const CompressedKey& from, const ProtocolMessage& message, bool is_private,
                              StateWrites& changes) {
    if (message.bundles.empty() || from == own) {
        return false;
    }
    Peer& peer = peers.obtain(from, changes);
    peer.seen = peers.tick();
    bool changed = false;
    for (const Bundle& bundle : message.bundles) {
        changed = peer.take_bundle(bundle, Peers::most_devices) || changed;
    }
    const bool before = peer.negotiated();
    Device* sender = is_private && negotiates(message) ? peer.device(message.installation_id) : nullptr;
    if (sender != nullptr && !sender->negotiated) {
        sender->negotiated = true;
        changed = true;
    }
    if (changed) {
        Peers::write(peer, changes);
    }
    return !before && peer.negotiated();
}

Result<Encryption::Opened> Encryption::open(const crypto::PublicKey& from, Bytes bytes, StateWrites& changes) {
    Result<ProtocolMessage> message = decode_protocol_message(bytes);
    if (!message && (message.error().message == "malformed" || message.error().message == "empty")) {
        return Opened{std::move(bytes), Protection::none, false};
    }
    if (!message) {
        return fail(std::move(message).error());
    }
    NOROSHI_TRY_VOID(check_bundles(message->bundles, from));
    Opened opened;
    const bool is_private = message->public_message.empty() && !message->encrypted.empty();
    if (is_private) {
        NOROSHI_TRY(opened, state_->open_entry(from, *message, changes));
    } else {
        opened.payload = std::move(message->public_message);
    }
    opened.new_negotiated_topic = state_->learn(from.compressed(), *message, is_private, changes);
    return opened;
}

std::vector<crypto::PublicKey> Encryption::negotiated_with() const {
    std::vector<crypto::PublicKey> out;
    for (const auto& [identity, peer] : state_->peers.all()) {
        if (peer.negotiated()) {
            out.push_back(point(identity));
        }
    }
    return out;
}

void Encryption::forget(const crypto::PublicKey& other, StateWrites& changes) {
    if (Peer* peer = state_->peers.find(other.compressed())) {
        state_->peers.set_contact(*peer, false, changes);
    }
}

}  // namespace noroshi::status
