// src/api/parameters.hpp - the parameters of Prometheus's API, checked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/net/form.hpp"
#include "base/net/http_server.hpp"
#include "base/time.hpp"
#include "model/matcher.hpp"

namespace noroshi::api {

/// The error of a request that is refused, Errc::invalid_argument: Prometheus's bad_data. The text goes to the client.
[[nodiscard]] tl::unexpected<Error> bad_data(std::string text);
/// `invalid parameter "name": text`.
[[nodiscard]] tl::unexpected<Error> invalid_parameter(std::string_view name, std::string_view text);

/// The times of requests that name none, and the widest that are taken: far enough from the ends of 64 bits that
/// offsets and steps cannot run over.
inline constexpr TimestampMs earliest_time = from_unix_ms(-9'223'309'901'257'974'000);
inline constexpr TimestampMs latest_time = from_unix_ms(9'223'309'901'257'974'999);

/// Seconds since the epoch with a fraction, or RFC 3339. Error text: `cannot parse "x" to a valid timestamp`.
[[nodiscard]] Result<TimestampMs> parse_time(std::string_view text);
/// Seconds, or a Prometheus duration; cut to milliseconds. May be negative. Error text: `cannot parse "x" to a valid duration`.
[[nodiscard]] Result<Milliseconds> parse_step(std::string_view text);
/// A label name as paths carry it: "U__" and `_HEX_` for what is no letter, `__` for `_`. Anything else stays as it is.
[[nodiscard]] std::string unescaped_name(std::string_view name);

/// The parameters of one request: those of a form in the body come before those of the URL.
class Parameters {
  public:
    [[nodiscard]] static Result<Parameters> read(const net::ServerRequest& request);
    explicit Parameters(net::Form form) : form_(std::move(form)) {}

    /// The first of that name, "" when there is none.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;

    [[nodiscard]] Result<TimestampMs> time(std::string_view name) const;
    [[nodiscard]] Result<TimestampMs> time(std::string_view name, TimestampMs otherwise) const;
    /// 0: no limit.
    [[nodiscard]] Result<std::size_t> limit() const;
    /// Of `timeout`; nothing when it is not given.
    [[nodiscard]] Result<std::optional<Milliseconds>> timeout() const;
    /// Of every match[]; each set has a matcher that the empty string does not match.
    [[nodiscard]] Result<std::vector<std::vector<model::Matcher>>> match() const;

  private:
    net::Form form_;
};

}  // namespace noroshi::api
