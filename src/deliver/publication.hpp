// src/deliver/publication.hpp - what the channels over a Waku node have in common: the receipt, and looking for what it names.
#pragma once

#include <string>

#include "base/task.hpp"
#include "base/time.hpp"
#include "model/message.hpp"
#include "waku/waku.hpp"

namespace noroshi::deliver {

/// A message that went out as one envelope.
struct HandedOver {
    std::string message_id;
    waku::Publication publication;
    std::string pubsub_topic;
    std::string content_topic;
    std::int64_t timestamp_ns{0};
};
[[nodiscard]] model::Receipt receipt_of(HandedOver what, TimestampMs now);

/// Asks the stores of the network for the envelope that `handed_over` names; answers as Channel::confirm.
/// `node` and `clock` must outlive the task.
[[nodiscard]] Task<Result<model::Receipt>> look_for(model::Receipt handed_over, waku::Node& node, const Clock& clock);

}  // namespace noroshi::deliver
