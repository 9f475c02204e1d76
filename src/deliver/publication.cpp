// src/deliver/publication.cpp - receipts of envelopes, and the word of stores.
#include "publication.hpp"

#include <algorithm>
#include <utility>

namespace noroshi::deliver {

model::Receipt receipt_of(HandedOver what, TimestampMs now) {
    std::vector<std::string>& peers = what.publication.peers;
    model::Receipt out{std::move(what.message_id), model::ReceiptKind::handed_over, now,
                       peers.empty() ? "" : peers.front(), to_hex(what.publication.hash)};
    out.envelope_ns = what.timestamp_ns;
    out.taken_by = std::move(peers);
    out.pubsub_topic = std::move(what.pubsub_topic);
    out.content_topic = std::move(what.content_topic);
    return out;
}

// NOLINTNEXTLINE(*-reference-coroutine-parameters): both outlive every channel
Task<Result<model::Receipt>> look_for(model::Receipt handed_over, waku::Node& node, const Clock& clock) {
    waku::Published what{handed_over.pubsub_topic, handed_over.content_topic, handed_over.envelope_ns, {}, handed_over.taken_by};
    const Result<Bytes> hash = from_hex(handed_over.envelope_hash);
    if (!hash || hash->size() != what.hash.size()) {
        co_return fail(Errc::unsupported, "unsupported: the envelope's hash is not known");
    }
    std::ranges::copy(*hash, what.hash.begin());
    const Result<waku::StoreWord> word = co_await node.find_stored(std::move(what));
    if (!word) {
        // "nobody to ask" is not "nobody has it"
        const Error& error = word.error();
        co_return fail(Error{error.code == Errc::not_found ? Errc::io : error.code, error.message, {}, true});
    }
    if (!word->found) {
        co_return fail(Error{Errc::not_found, "not_stored: " + word->peer + " does not have it", {}, true});
    }
    co_return model::Receipt{handed_over.message_id, model::ReceiptKind::stored, clock.now(), word->peer,
                             handed_over.envelope_hash};
}

}  // namespace noroshi::deliver
