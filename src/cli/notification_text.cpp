// src/cli/notification_text.cpp - print what was received.
#include "notification_text.hpp"

#include <nlohmann/json.hpp>

namespace noroshi::cli {
namespace {

/// A signed sender is still an outsider to the terminal: escape sequences must not reach it.
std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
        const bool control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
        const bool c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;  // terminals obey these too
        out += control || c1 ? '?' : text[i];
        i += c1 ? 1 : 0;
    }
    return out;
}

}  // namespace

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
