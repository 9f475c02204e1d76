// src/cli/notification_text.cpp - print what was received.
#include "notification_text.hpp"

#include <nlohmann/json.hpp>

#include "printable.hpp"

namespace noroshi::cli {
std::string notification_text(const deliver::ReceivedNotification& received) {
    const model::Message& message = received.message;
    std::string text = fmt::format("--- {}  {}\n", format_rfc3339(received.sent_at), printable(message.title));
    if (!message.body.empty()) {
        text += printable(message.body) + "\n";
    }
    text += fmt::format("    decrypted; signed by {}\n", received.from.to_string());
    return text;
}

std::string notification_json(const deliver::ReceivedNotification& received, const crypto::PublicKey& to,
                              TimestampMs received_at) {
    const model::Message& message = received.message;
    nlohmann::ordered_json line;
    line["id"] = message.id;
    line["from"] = received.from.to_string();
    line["to"] = to.to_string();
    line["received_at"] = format_rfc3339(received_at);
    line["sent_at"] = format_rfc3339(received.sent_at);
    line["status"] = model::message_status_name(message.status);
    line["title"] = message.title;
    line["body"] = message.body;
    line["labels"] = nlohmann::ordered_json::object();
    for (const model::Label& label : message.labels) {
        line["labels"][label.name] = label.value;
    }
    line["hash"] = received.envelope_hash;
    return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace noroshi::cli
