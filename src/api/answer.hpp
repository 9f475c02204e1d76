// src/api/answer.hpp - the envelope of Prometheus's API, and query results as its JSON, made in pieces.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "base/json_writer.hpp"
#include "base/net/http_server.hpp"
#include "json.hpp"
#include "parameters.hpp"
#include "promql/promql.hpp"

namespace noroshi::api {

/// Prometheus's names and HTTP codes: bad_data 400, not_found 404, execution 422, timeout 503.
enum class FaultType { bad_data, not_found, execution, timeout };
/// {"status":"error","errorType":..,"error":..}.
[[nodiscard]] net::ServerResponse fault_response(FaultType type, std::string_view text);
/// What an evaluation failed of, as Prometheus names it.
[[nodiscard]] net::ServerResponse evaluation_fault(const Error& error);
/// {"status":"success","data":..}, for answers of some kilobytes.
[[nodiscard]] net::ServerResponse data_response(const Json& data);

/// Appends a bit to an answer; false when it was the last.
using Step = std::function<bool(JsonWriter&)>;

/// {"status":"success","data":<what `step` writes>,"warnings":[..],"infos":[..]}: `step` is called while the answer is
/// sent. At most ten annotations of a kind, then how many are left out.
[[nodiscard]] net::ServerResponse streamed_response(Step step, promql::Annotations annotations);

/// {"resultType":..,"result":..} of an evaluation at `at`, which a matrix does not need.
[[nodiscard]] net::ServerResponse answer_response(promql::Answer answer, TimestampMs at);
/// Texts as an array.
[[nodiscard]] net::ServerResponse list_response(std::vector<std::string> texts, promql::Annotations annotations);

/// {"name":"value",..}.
void write_labels(JsonWriter& json, const model::Labels& labels);
/// Seconds with up to three decimals.
[[nodiscard]] std::string seconds_text(TimestampMs at);
/// Keeps the first `limit` of `list` (0: all) and says in a warning that it did.
template <class List>
void truncate(List& list, std::size_t limit, promql::Annotations& annotations) {
    if (limit > 0 && list.size() > limit) {
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(limit), list.end());
        annotations.warnings.insert("results truncated due to limit");
    }
}

}  // namespace noroshi::api
