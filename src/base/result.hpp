// src/base/result.hpp - Result<T>: a value, or an Error that says what failed, where, and whether to try again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace noroshi {

/// Kinds of failure, usable as the `reason` label of a metric (`errc_name`).
enum class Errc : std::uint8_t {
    invalid_argument,
    not_found,
    parse,
    limit,
    io,
    timeout,
    cancelled,
    refused,
    corrupt,
    unsupported,
    conflict,
    internal
};

/// The enumerator's own name, e.g. "timeout".
[[nodiscard]] std::string_view errc_name(Errc code);

/// A place in a file. Lines and columns count from 1; 0 means unknown.
struct SourcePos {
    std::string file;
    std::uint32_t line{0};
    std::uint32_t column{0};
    bool operator==(const SourcePos&) const = default;
};

/// Why something failed. `message` is lower case without a full stop and names what was expected.
struct Error {
    Errc code{Errc::internal};
    std::string message;
    SourcePos where{};
    bool retryable{false};

    /// The same error with `context` in front: "context: message".
    [[nodiscard]] Error with(std::string_view context) &&;
    /// "file:line:column: message", leaving out what is unknown.
    [[nodiscard]] std::string to_string() const;
    bool operator==(const Error&) const = default;
};

template <class T>
using Result = tl::expected<T, Error>;

/// Makes the failure side of a Result: `return fail(Errc::parse, "expected a number, got \"x\"");`
[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message), {}, false});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

/// The word in front of the first colon or blank: the reason that an error's message names, for a metric label.
[[nodiscard]] std::string first_word(std::string_view message);

/// Aborts with `why` on standard error. For broken promises inside the program, never for input.
[[noreturn]] void assertion_failed(const char* condition, const char* why, const char* file, int line);

}  // namespace noroshi

/// Stays on in release builds.
#define NOROSHI_ASSERT(condition, why) \
    ((condition) ? static_cast<void>(0) : ::noroshi::assertion_failed(#condition, why, __FILE__, __LINE__))

#define NOROSHI_CONCAT_INNER(a, b) a##b
#define NOROSHI_CONCAT(a, b) NOROSHI_CONCAT_INNER(a, b)
#define NOROSHI_TRY_INNER(ret, tmp, declaration, expression)         \
    auto tmp = (expression);                                         \
    if (!tmp) {                                                      \
        ret ::tl::unexpected<::noroshi::Error>(std::move(tmp).error()); \
    }                                                                \
    declaration = std::move(*tmp)
#define NOROSHI_TRY_VOID_INNER(ret, tmp, expression)                 \
    auto tmp = (expression);                                         \
    if (!tmp) {                                                      \
        ret ::tl::unexpected<::noroshi::Error>(std::move(tmp).error()); \
    }                                                                \
    static_cast<void>(0)

/// `NOROSHI_TRY(auto x, f());` declares x, or returns f's error upwards. The CO_ forms are for coroutines.
#define NOROSHI_TRY(declaration, expression) \
    NOROSHI_TRY_INNER(return, NOROSHI_CONCAT(noroshi_try_, __LINE__), declaration, expression)
#define NOROSHI_CO_TRY(declaration, expression) \
    NOROSHI_TRY_INNER(co_return, NOROSHI_CONCAT(noroshi_try_, __LINE__), declaration, expression)
#define NOROSHI_TRY_VOID(expression) \
    NOROSHI_TRY_VOID_INNER(return, NOROSHI_CONCAT(noroshi_try_, __LINE__), expression)
#define NOROSHI_CO_TRY_VOID(expression) \
    NOROSHI_TRY_VOID_INNER(co_return, NOROSHI_CONCAT(noroshi_try_, __LINE__), expression)
