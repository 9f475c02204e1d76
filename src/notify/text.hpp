// src/notify/text.hpp - makes foreign text safe and short for a message.
#pragma once

#include <string>
#include <string_view>

namespace noroshi::notify {

/// Without control and direction-changing characters (newlines kept when `lines`), and with bytes that are not UTF-8
/// replaced by '?': a label value or annotation can't break or disguise a message.
[[nodiscard]] std::string cleaned(std::string_view text, bool lines);
/// At most `max_bytes`, cut between characters, with "…" at the end when something was cut.
[[nodiscard]] std::string shortened(std::string text, std::size_t max_bytes);

}  // namespace noroshi::notify
