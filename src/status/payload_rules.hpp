// src/status/payload_rules.hpp - the rules that a payload keeps whichever way it goes.
#pragma once

#include <cstdint>
#include <string_view>

#include "payloads.hpp"

/// Thread: any; pure functions.
namespace noroshi::status {

/// Last millisecond of the year 9999: a clock beyond it can only be meant to stop all later ones.
inline constexpr std::uint64_t max_clock = 253'402'300'799'999;
/// Longest chat id: those of communities have 168 characters.
inline constexpr std::size_t max_chat_id_bytes = 256;

/// The word of the first rule that a payload breaks, or null.
using Fault = const char*;
[[nodiscard]] Fault fault_of(const ChatMessage& message);
[[nodiscard]] Fault fault_of(const ContactUpdate& update);
[[nodiscard]] Fault fault_of(const AcceptContactRequest& answer);
[[nodiscard]] Fault fault_of(const RetractContactRequest& answer);
[[nodiscard]] Fault fault_of(const EditMessage& message);
[[nodiscard]] Fault fault_of(const DeleteMessage& message);
[[nodiscard]] Fault fault_of(const EmojiReaction& reaction);
[[nodiscard]] Fault fault_of(const ChatIdentity& identity);
[[nodiscard]] Fault fault_of(const ContactCodeAdvertisement& advertisement);

[[nodiscard]] bool is_content_type(std::int32_t number);
[[nodiscard]] bool is_image_format(std::int32_t number);
[[nodiscard]] bool is_emoji(std::int32_t number);

}  // namespace noroshi::status
