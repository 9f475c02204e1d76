// src/model/names.cpp - the words for states, in one place.
#include <fmt/format.h>

#include "model/alert.hpp"
#include "model/message.hpp"

namespace noroshi::model {

std::string_view alert_state_name(AlertState state) {
    switch (state) {
        case AlertState::inactive:
            return "inactive";
        case AlertState::pending:
            return "pending";
        case AlertState::firing:
            return "firing";
    }
    return "inactive";
}

std::string_view message_status_name(MessageStatus status) {
    switch (status) {
        case MessageStatus::firing:
            return "firing";
        case MessageStatus::resolved:
            return "resolved";
        case MessageStatus::event:
            return "event";
    }
    return "event";
}

Result<MessageStatus> parse_message_status(std::string_view text) {
    for (const MessageStatus status : {MessageStatus::firing, MessageStatus::resolved, MessageStatus::event}) {
        if (message_status_name(status) == text) {
            return status;
        }
    }
    return fail(Errc::parse, fmt::format("expected firing, resolved or event, got \"{}\"", text.substr(0, 32)));
}

std::string_view receipt_kind_name(ReceiptKind kind) {
    switch (kind) {
        case ReceiptKind::handed_over:
            return "handed_over";
        case ReceiptKind::stored:
            return "stored";
        case ReceiptKind::delivered:
            return "delivered";
        case ReceiptKind::answered:
            return "answered";
    }
    return "handed_over";
}

}  // namespace noroshi::model
