// src/status/protocol_message.cpp - ProtocolMessage and Bundle to and from protobuf; the signature of a bundle.
#include "protocol_message.hpp"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <status.pb.h>

#include <algorithm>

#include "wire.hpp"

namespace noroshi::status {
namespace {

constexpr std::size_t most_bundles = 16;
constexpr std::size_t most_prekeys = 16;
constexpr std::size_t most_entries = 64;
constexpr std::size_t most_installation_bytes = 128;
constexpr std::size_t most_bundle_id_bytes = 33;

crypto::Digest signed_digest(const Bundle& bundle) {
    std::string material;
    for (const auto& [installation, prekey] : bundle.prekeys) {
        material += installation;
        material += as_text(prekey.key);
        material += fmt::format("{}", prekey.version);
    }
    if (bundle.timestamp_ns != 0) {
        material += fmt::format("{}", bundle.timestamp_ns);
    }
    return crypto::keccak256(as_bytes(material));
}

/// How many bundles, devices of one bundle and entries there are, found without making anything of them: two bytes of a
/// stranger would become a hundred of ours each.
struct Counts {
    std::size_t bundles{0};
    std::size_t prekeys{0};
    std::size_t entries{0};
};

/// Calls `found` with each field's number and, when it is a byte string, its content. False: malformed.
template <class Found>
bool each_field(ByteView bytes, Found found) {
    using google::protobuf::internal::WireFormatLite;
    google::protobuf::io::CodedInputStream in(bytes.data(), static_cast<int>(bytes.size()));
    while (const std::uint32_t tag = in.ReadTag()) {
        const int field = WireFormatLite::GetTagFieldNumber(tag);
        if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
            if (!WireFormatLite::SkipField(&in, tag)) {
                return false;
            }
            continue;
        }
        std::uint32_t size = 0;
        const bool sized = in.ReadVarint32(&size);
        const auto at = static_cast<std::size_t>(in.CurrentPosition());
        if (!sized || size > bytes.size() - at) {
            return false;
        }
        found(field, bytes.subspan(at, size));
        in.Skip(static_cast<int>(size));
    }
    return true;
}

Result<void> check_counts(ByteView bytes) {
    Counts counts;
    const bool read = each_field(bytes, [&](int field, ByteView content) {
        counts.entries += field == wire::ProtocolMessage::kEncryptedMessageFieldNumber ? 1 : 0;
        if (field == wire::ProtocolMessage::kBundlesFieldNumber && ++counts.bundles <= most_bundles) {
            std::size_t here = 0;
            static_cast<void>(each_field(content, [&](int inner, ByteView) {
                here += inner == wire::Bundle::kSignedPreKeysFieldNumber ? 1 : 0;
            }));
            counts.prekeys = std::max(counts.prekeys, here);
        }
    });
    if (!read) {
        return fail(Errc::parse, "malformed");
    }
    if (counts.bundles > most_bundles || counts.prekeys > most_prekeys || counts.entries > most_entries) {
        return fail(Errc::parse, "too_many");
    }
    return {};
}

Result<CompressedKey> read_key(std::string_view field) {
    const auto key = wire::fixed<33>(field);
    if (!key) {
        return fail(Errc::parse, "bad_key");
    }
    return *key;
}

Result<std::string> read_installation(const std::string& field) {
    if (field.size() > most_installation_bytes) {
        return fail(Errc::parse, "bad_installation");
    }
    return field;
}

Result<Bundle> read_bundle(const wire::Bundle& in) {
    Bundle out;
    NOROSHI_TRY(out.identity, read_key(in.identity()));
    for (const wire::SignedPreKeyEntry& entry : in.signed_pre_keys()) {
        NOROSHI_TRY(std::string installation, read_installation(entry.key()));
        NOROSHI_TRY(const CompressedKey key, read_key(entry.value().signed_pre_key()));
        out.prekeys.insert_or_assign(std::move(installation),
                                     SignedPreKey{key, entry.value().version(), entry.value().protocol_version()});
    }
    out.timestamp_ns = in.timestamp();
    out.signature = wire::bytes(in.signature());
    return out;
}

Result<EncryptedMessage> read_entry(const wire::EncryptedMessage& in) {
    EncryptedMessage out;
    out.payload = wire::bytes(in.payload());
    if (in.has_dh_header()) {
        NOROSHI_TRY(out.dh, read_key(in.dh_header().key()));
    }
    if (in.has_x3dh_header()) {
        NOROSHI_TRY(const CompressedKey ephemeral, read_key(in.x3dh_header().key()));
        NOROSHI_TRY(const CompressedKey prekey, read_key(in.x3dh_header().id()));
        out.x3dh = EncryptedMessage::X3dh{ephemeral, prekey};
    }
    if (in.has_ratchet_header()) {
        const wire::RatchetHeader& header = in.ratchet_header();
        NOROSHI_TRY(const CompressedKey key, read_key(header.key()));
        if (header.id().size() > most_bundle_id_bytes) {
            return fail(Errc::parse, "bad_key");
        }
        out.ratchet = EncryptedMessage::Dr{{key, header.n(), header.pn()}, wire::bytes(header.id())};
    }
    return out;
}

void write_bundle(const Bundle& bundle, wire::Bundle& out) {
    out.set_identity(wire::text(bundle.identity));
    for (const auto& [installation, prekey] : bundle.prekeys) {
        wire::SignedPreKeyEntry& entry = *out.add_signed_pre_keys();
        entry.set_key(installation);
        entry.mutable_value()->set_signed_pre_key(wire::text(prekey.key));
        entry.mutable_value()->set_version(prekey.version);
        entry.mutable_value()->set_protocol_version(prekey.protocol_version);
    }
    out.set_signature(wire::text(bundle.signature));
    out.set_timestamp(bundle.timestamp_ns);
}

void write_entry(const EncryptedMessage& entry, wire::EncryptedMessage& out) {
    if (entry.x3dh) {
        out.mutable_x3dh_header()->set_key(wire::text(entry.x3dh->ephemeral));
        out.mutable_x3dh_header()->set_id(wire::text(entry.x3dh->prekey));
    }
    if (entry.ratchet) {
        wire::RatchetHeader& header = *out.mutable_ratchet_header();
        header.set_key(wire::text(entry.ratchet->header.key));
        header.set_n(entry.ratchet->header.n);
        header.set_pn(entry.ratchet->header.pn);
        header.set_id(wire::text(entry.ratchet->bundle_id));
    }
    out.set_payload(wire::text(entry.payload));
    if (entry.dh) {
        out.mutable_dh_header()->set_key(wire::text(*entry.dh));
    }
}

}  // namespace

void sign_bundle(Bundle& bundle, const crypto::SecretKey& identity) {
    const crypto::RecoverableSignature signature = identity.sign(signed_digest(bundle));
    bundle.signature.assign(signature.begin(), signature.end());
}

Result<crypto::PublicKey> verify_bundle(const Bundle& bundle) {
    const Result<crypto::PublicKey> signer = crypto::recover(signed_digest(bundle), bundle.signature);
    if (!signer || signer->compressed() != bundle.identity) {
        return fail(Errc::corrupt, "bad_bundle_signature");
    }
    return *signer;
}

Bytes encode_protocol_message(const ProtocolMessage& message) {
    wire::ProtocolMessage out;
    out.set_installation_id(message.installation_id);
    for (const Bundle& bundle : message.bundles) {
        write_bundle(bundle, *out.add_bundles());
    }
    for (const auto& [installation, encrypted] : message.encrypted) {
        wire::EncryptedMessageEntry& entry = *out.add_encrypted_message();
        entry.set_key(installation);
        write_entry(encrypted, *entry.mutable_value());
    }
    out.set_public_message(wire::text(message.public_message));
    return wire::to_bytes(out);
}

Result<ProtocolMessage> decode_protocol_message(ByteView bytes) {
    if (bytes.size() > wire::max_message_bytes) {
        return fail(Errc::parse, "malformed");
    }
    NOROSHI_TRY_VOID(check_counts(bytes));
    wire::ProtocolMessage in;
    if (!wire::parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    if (in.bundles().empty() && in.encrypted_message().empty() && in.public_message().empty()) {
        return fail(Errc::parse, "empty");
    }
    ProtocolMessage out;
    NOROSHI_TRY(out.installation_id, read_installation(in.installation_id()));
    for (const wire::Bundle& bundle : in.bundles()) {
        NOROSHI_TRY(Bundle read, read_bundle(bundle));
        out.bundles.push_back(std::move(read));
    }
    for (const wire::EncryptedMessageEntry& entry : in.encrypted_message()) {
        NOROSHI_TRY(std::string installation, read_installation(entry.key()));
        NOROSHI_TRY(EncryptedMessage read, read_entry(entry.value()));
        out.encrypted.insert_or_assign(std::move(installation), std::move(read));
    }
    out.public_message = wire::bytes(in.public_message());
    return out;
}

}  // namespace noroshi::status
