// src/base/log.hpp - structured log lines: time, level, subsystem, event, key=value fields.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace noroshi {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };

/// "debug", "info", "warn", "error" or "off". Errors: parse.
[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view text);

/// One key=value of a line. Values are made one line and quoted where needed; a Secret has no form to pass here.
struct LogField {
    std::string_view key;
    std::string value;
    LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
    LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
    LogField(std::string_view k, const char* v) : key(k), value(v) {}
    template <class T>
        requires(std::is_arithmetic_v<T>)
    LogField(std::string_view k, T v) : key(k), value(fmt::format("{}", v)) {}
};

/// Where log lines go. Cheap to copy; every stage gets one named after itself.
/// Thread: any. Lines go to standard error; never blocks on anything else.
class Log {
  public:
    /// A log that writes to standard error from `level` on.
    [[nodiscard]] static Log to_stderr(LogLevel level);
    /// A log that drops everything, for tests.
    [[nodiscard]] static Log none();
    /// A log that hands each finished line to `sink`, for tests.
    [[nodiscard]] static Log to(std::function<void(std::string_view line)> sink, LogLevel level = LogLevel::debug);

    /// The same log for another subsystem.
    [[nodiscard]] Log named(std::string_view subsystem) const;

    /// `event` is a stable snake_case word to search for; fields say the rest.
    void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {}) const;
    void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::debug, event, fields);
    }
    void info(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::info, event, fields);
    }
    void warn(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::warn, event, fields);
    }
    void error(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::error, event, fields);
    }
    [[nodiscard]] bool enabled(LogLevel level) const;

  private:
    struct Sink;
    Log(std::shared_ptr<Sink> sink, std::string subsystem) : sink_(std::move(sink)), subsystem_(std::move(subsystem)) {}
    std::shared_ptr<Sink> sink_;  // shared: every stage's Log ends in the same place
    std::string subsystem_;
};

}  // namespace noroshi
