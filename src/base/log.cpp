// src/base/log.cpp - formats lines and hands them to spdlog.
#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <functional>

#include "base/time.hpp"

namespace noroshi {
namespace {

constexpr std::string_view level_names[] = {"debug", "info", "warn", "error", "off"};
constexpr std::string_view level_words[] = {"DEBUG", "INFO ", "WARN ", "ERROR", "OFF  "};
constexpr std::size_t longest_value = 2'000;

bool needs_quotes(std::string_view value) {
    if (value.empty()) {
        return true;
    }
    for (const char c : value) {
        if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\\' || c == 0x7f) {
            return true;
        }
    }
    return false;
}

/// One line, whatever a remote put into it.
std::string escaped(std::string_view value) {
    std::string out = "\"";
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string formatted(std::string_view value) {
    const bool cut = value.size() > longest_value;
    std::string text(value.substr(0, longest_value));
    if (cut) {
        text += "...";
    }
    return needs_quotes(text) ? escaped(text) : text;
}

}  // namespace

struct Log::Sink {
    LogLevel level{LogLevel::info};
    std::function<void(std::string_view)> write;
};

Result<LogLevel> parse_log_level(std::string_view text) {
    for (std::size_t i = 0; i < std::size(level_names); ++i) {
        if (level_names[i] == text) {
            return static_cast<LogLevel>(i);
        }
    }
    return fail(Errc::parse, fmt::format("expected debug, info, warn, error or off, got \"{}\"", text));
}

Log Log::to(std::function<void(std::string_view line)> sink, LogLevel level) {
    return Log(std::make_shared<Sink>(Sink{level, std::move(sink)}), "");
}

Log Log::to_stderr(LogLevel level) {
    auto logger = std::make_shared<spdlog::logger>("noroshi", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
    return to([logger](std::string_view line) { logger->info("{}", line); }, level);
}

Log Log::none() { return to([](std::string_view) {}, LogLevel::off); }

Log Log::named(std::string_view subsystem) const { return Log(sink_, std::string(subsystem)); }

bool Log::enabled(LogLevel level) const { return level >= sink_->level && sink_->level != LogLevel::off; }

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
    if (!enabled(level)) {
        return;
    }
    std::string line = fmt::format("{} {} {} event={}", format_rfc3339(SystemClock{}.now()),
                                   level_words[static_cast<std::size_t>(level)],
                                   subsystem_.empty() ? "noroshi" : subsystem_, event);
    for (const LogField& field : fields) {
        line += fmt::format(" {}={}", field.key, formatted(field.value));
    }
    sink_->write(line);
}

}  // namespace noroshi
