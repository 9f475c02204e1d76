// src/status/push.cpp - names, grants and tokens of push; its messages to and from bytes.
#include "push.hpp"

#include <status.pb.h>

#include <algorithm>

#include "base/crypto/shake.hpp"
#include "status/identity.hpp"
#include "wire.hpp"

namespace noroshi::status {
namespace {

constexpr std::size_t longest_token = 64;  // a UUID has 36 characters
constexpr std::size_t longest_installation = 128;
constexpr std::size_t nonce_size = 12;
constexpr std::int32_t of_a_message = 1;

tl::unexpected<Error> refused(const char* word) { return fail(Errc::refused, word); }

PushName shake(ByteView data) {
    PushName out{};
    crypto::shake256(data, out);
    return out;
}

/// The token when one of the list is sealed to us: the user lets contacts alone wake him. nonce | ciphertext | tag.
std::string token_for_us(const std::vector<Bytes>& sealed, const Secret<32>& shared) {
    for (const Bytes& one : sealed) {
        const ByteView bytes(one);
        if (bytes.size() < nonce_size) {
            continue;
        }
        if (const Result<Bytes> plain =
                crypto::aes256_gcm_decrypt(shared.expose(), bytes.first<nonce_size>(), bytes.subspan(nonce_size))) {
            return wire::text(*plain);
        }
    }
    return {};
}

/// What the user signs: both compressed keys and the token.
crypto::Digest grant_digest(const crypto::PublicKey& user, const crypto::PublicKey& server, const std::string& token) {
    const auto first = user.compressed();
    const auto second = server.compressed();
    Bytes material(first.begin(), first.end());
    material.insert(material.end(), second.begin(), second.end());
    const ByteView last = as_bytes(token);
    material.insert(material.end(), last.begin(), last.end());
    return crypto::keccak256(material);
}

}  // namespace

PushName push_name(const crypto::PublicKey& user) { return shake(user.compressed()); }

Result<PushTarget> judge_push_info(const PushInfo& info, const crypto::PublicKey& user, const crypto::SecretKey& own,
                                   const std::optional<crypto::PublicKey>& answered_by) {
    if (!std::ranges::equal(info.user, push_name(user))) {
        return refused("other_user");
    }
    const Result<crypto::PublicKey> named = crypto::PublicKey::from_bytes(info.server);
    if (!answered_by && !named) {
        return refused("bad_server");
    }
    const crypto::PublicKey server = answered_by ? *answered_by : *named;
    const std::string token =
        info.access_token.empty() ? token_for_us(info.allowed_keys, own.shared_x(user)) : info.access_token;
    if (token.empty()) {
        return refused("not_allowed");
    }
    if (token.size() > longest_token || !is_utf8(token)) {
        return refused("bad_token");
    }
    if (info.installation_id.empty() || info.installation_id.size() > longest_installation ||
        !is_utf8(info.installation_id)) {
        return refused("bad_installation");
    }
    // Else anybody could name himself as the server and learn when the user is written to.
    const Result<crypto::PublicKey> granted_by = crypto::recover(grant_digest(user, server, token), info.grant);
    if (!granted_by || *granted_by != user) {
        return refused("bad_grant");
    }
    return PushTarget{server, token, info.installation_id, info.version};
}

PushInfo read_push_info(const wire::PushNotificationQueryInfo& in) {
    PushInfo out{in.access_token(), in.installation_id(),  wire::bytes(in.public_key()), {},
                 wire::bytes(in.grant()), in.version(), wire::bytes(in.server_public_key())};
    const auto most = std::min(in.allowed_key_list_size(), static_cast<int>(most_allowed_keys));
    for (int i = 0; i < most; ++i) {
        out.allowed_keys.push_back(wire::bytes(in.allowed_key_list(i)));
    }
    return out;
}

void write_push_info(const PushInfo& info, wire::PushNotificationQueryInfo& out) {
    out.set_access_token(info.access_token);
    out.set_installation_id(info.installation_id);
    out.set_public_key(wire::text(info.user));
    for (const Bytes& key : info.allowed_keys) {
        out.add_allowed_key_list(wire::text(key));
    }
    out.set_grant(wire::text(info.grant));
    out.set_version(info.version);
    out.set_server_public_key(wire::text(info.server));
}

std::string push_query_chat_id(const crypto::PublicKey& user) { return to_hex(push_name(user)); }

Bytes encode_push_query(const crypto::PublicKey& user) {
    wire::PushNotificationQuery out;
    out.add_public_keys(wire::text(push_name(user)));
    return wire::to_bytes(out);
}

Result<PushQueryResponse> decode_push_query_response(ByteView bytes) {
    wire::PushNotificationQueryResponse in;
    if (!wire::parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    PushQueryResponse out{{}, wire::bytes(in.message_id()), in.success()};
    for (int i = 0; i < std::min(in.info_size(), static_cast<int>(most_push_infos)); ++i) {
        out.infos.push_back(read_push_info(in.info(i)));
    }
    return out;
}

Bytes encode_push_request(const std::vector<PushTarget>& targets, const crypto::PublicKey& user,
                          const crypto::PublicKey& own, ByteView message_id) {
    // The chat is named after us as the author is: what the user blocks or mutes, the server does not pass on.
    const std::string author = wire::text(shake(as_bytes(contact_id(own))));
    wire::PushNotificationRequest out;
    out.set_message_id(wire::text(message_id));
    for (const PushTarget& target : targets) {
        wire::PushNotification& one = *out.add_requests();
        one.set_access_token(target.access_token);
        one.set_chat_id(author);
        one.set_public_key(wire::text(push_name(user)));
        one.set_installation_id(target.installation_id);
        one.set_type(of_a_message);
        one.set_author(author);
    }
    return wire::to_bytes(out);
}

Result<PushResponse> decode_push_response(ByteView bytes) {
    wire::PushNotificationResponse in;
    if (!wire::parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    PushResponse out{wire::bytes(in.message_id()), {}};
    for (int i = 0; i < std::min(in.reports_size(), static_cast<int>(most_push_infos)); ++i) {
        const wire::PushNotificationReport& report = in.reports(i);
        out.reports.push_back({report.success(), static_cast<PushFault>(report.error()), wire::bytes(report.public_key()),
                               report.installation_id()});
    }
    return out;
}

}  // namespace noroshi::status
