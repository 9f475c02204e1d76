// src/waku/discovery/peer_exchange_rpc.cpp - PeerExchangeRPC, read and written.
#include "peer_exchange_rpc.hpp"

#include <waku.pb.h>

#include "enr.hpp"
#include "protobuf.hpp"

namespace noroshi::waku {

Bytes encode_peer_exchange_query(std::uint64_t peers) {
    wire::PeerExchangeRpc out;
    out.mutable_query()->set_num_peers(peers);
    return wire::to_bytes(out);
}

Result<std::uint64_t> decode_peer_exchange_query(ByteView bytes) {
    wire::PeerExchangeRpc in;
    if (bytes.size() > max_small_frame_bytes || !wire::parse(in, bytes) || !in.has_query()) {
        return fail(Errc::parse, "malformed");
    }
    return in.query().num_peers();
}

Bytes encode_peer_exchange_answer(const PeerExchangeAnswer& answer) {
    wire::PeerExchangeRpc out;
    wire::PeerExchangeResponse& response = *out.mutable_response();
    response.set_status_code(answer.code);
    if (!answer.info.empty()) {
        response.set_status_desc(answer.info);
    }
    for (const Bytes& record : answer.records) {
        response.add_peer_infos()->set_enr(record.data(), record.size());
    }
    return wire::to_bytes(out);
}

Result<PeerExchangeAnswer> decode_peer_exchange_answer(ByteView bytes) {
    wire::PeerExchangeRpc in;
    if (bytes.size() > max_small_frame_bytes || !wire::parse(in, bytes) || !in.has_response()) {
        return fail(Errc::parse, "malformed");
    }
    PeerExchangeAnswer out;
    if (in.response().has_status_code()) {
        out.code = in.response().status_code();
    }
    out.info = printable(in.response().status_desc(), max_description_bytes);
    for (const wire::PeerExchangeInfo& info : in.response().peer_infos()) {
        if (out.records.size() < max_exchanged_peers && !info.enr().empty() && info.enr().size() <= max_enr_bytes) {
            out.records.push_back(wire::bytes(info.enr()));
        }
    }
    return out;
}

}  // namespace noroshi::waku
