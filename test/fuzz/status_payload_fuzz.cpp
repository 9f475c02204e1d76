// test/fuzz/status_payload_fuzz.cpp - any bytes as the signed frame, as a payload of each type and as a push server's answer;
// what is read is read back.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "payloads.hpp"
#include "push.hpp"
#include "status/identity.hpp"

namespace {

using namespace noroshi;
using namespace noroshi::status;

constexpr std::array<std::int32_t, 9> types{1, 2, 15, 22, 24, 29, 31, 46, 47};

/// Names of others may be wider than ours.
void drop_strange_name(auto& payload) {
    if constexpr (requires { payload.display_name; }) {
        if (!check_display_name(payload.display_name)) {
            payload.display_name.clear();
        }
    } else if constexpr (requires { payload.identity->display_name; }) {
        if (payload.identity) {
            drop_strange_name(*payload.identity);
        }
    }
}

/// A refusal is one word; whoever may be woken fits into a request.
void judge(const std::vector<PushInfo>& infos, const std::optional<crypto::PublicKey>& server) {
    static const crypto::SecretKey user = *crypto::SecretKey::from_bytes(Bytes(32, 0x22));
    static const crypto::SecretKey own = *crypto::SecretKey::from_bytes(Bytes(32, 0x11));
    if (infos.size() > most_push_infos) {
        std::abort();
    }
    for (const PushInfo& info : infos) {
        const Result<PushTarget> target = judge_push_info(info, user.public_key(), own, server);
        if (target && encode_push_request({*target}, user.public_key(), own.public_key(), Bytes(32, 1)).empty()) {
            std::abort();
        }
        if (!target && (target.error().code != Errc::refused || target.error().message.find(' ') != std::string::npos)) {
            std::abort();
        }
    }
}

void read_answers(ByteView bytes) {
    static const crypto::PublicKey server = crypto::SecretKey::from_bytes(Bytes(32, 0x77))->public_key();
    if (const auto response = decode_push_query_response(bytes)) {
        judge(response->infos, server);
    }
    if (const auto response = decode_push_response(bytes); response && response->reports.size() > most_push_infos) {
        std::abort();
    }
}

void read_and_read_back(std::int32_t type, ByteView bytes) {
    Result<Payload> payload = decode_payload(type, bytes);
    if (!payload) {
        if (payload.error().code != Errc::parse || payload.error().message.find(' ') != std::string::npos) {
            std::abort();
        }
        return;
    }
    if (static_cast<std::int32_t>(type_of(*payload)) != type) {
        std::abort();
    }
    if (const auto* code = std::get_if<ContactCodeAdvertisement>(&*payload)) {
        judge(code->push_infos, std::nullopt);
    }
    std::visit([](auto& one) { drop_strange_name(one); }, *payload);
    const Result<Bytes> encoded = encode_payload(*payload);
    if (!encoded) {
        if (encoded.error().message != "not_sendable" && encoded.error().message != "image_too_large") {
            std::abort();
        }
        return;
    }
    const Result<Payload> again = decode_payload(type, *encoded);
    if (!again || *again != *payload) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    if (const auto frame = unwrap_payload(input)) {
        if (frame->id.size() != 66 || frame->payload.size() > size) {
            std::abort();
        }
        read_and_read_back(frame->type, frame->payload);
    }
    if (size > 0) {
        read_and_read_back(types[data[0] % types.size()], input.subspan(1));
        read_answers(input.subspan(1));
    }
    return 0;
}
