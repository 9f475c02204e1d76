// src/api/json.hpp - the values of the API as JSON, and back for its client.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "api/api.hpp"

namespace noroshi::api {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json to_json(const StatusInfo& info);
[[nodiscard]] Json to_json(const PairingRequest& request);
[[nodiscard]] Json to_json(const MessageRecord& record);
/// {"error":..,"code":..,"retryable":..}.
[[nodiscard]] Json to_json(const Error& error);
/// One line; bytes that are not UTF-8 are replaced, never an exception.
[[nodiscard]] std::string dump(const Json& json);

/// Errors: parse.
[[nodiscard]] Result<StatusInfo> read_info(std::string_view text);
[[nodiscard]] Result<std::vector<PairingRequest>> read_requests(std::string_view text);
/// The objects of {"messages":[..]}, a line each.
[[nodiscard]] Result<std::vector<std::string>> read_messages(std::string_view text);
/// What the daemon said in place of an answer.
[[nodiscard]] Error read_error(std::string_view text, unsigned status);

/// A text field of a request's body, at most `most_bytes` of UTF-8. Errors: invalid_argument (what was expected).
[[nodiscard]] Result<std::string> text_field(const Json& body, const char* name, std::size_t most_bytes);
/// A number of a query ("after=3&wait=20"); `otherwise` when it is not given. Errors: invalid_argument.
[[nodiscard]] Result<std::uint64_t> number_of(std::string_view query, std::string_view name, std::uint64_t otherwise);

}  // namespace noroshi::api
