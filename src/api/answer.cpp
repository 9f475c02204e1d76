// src/api/answer.cpp - results of queries as Prometheus's JSON.
#include "answer.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/numbers.hpp"
#include "model/histogram.hpp"

namespace noroshi::api {
namespace {

constexpr std::size_t piece_bytes = 64u << 10;
constexpr std::size_t most_annotations = 10;

struct Kind {
    std::string_view name;
    unsigned status;
};

Kind kind_of(FaultType type) {
    switch (type) {
        case FaultType::bad_data:
            return {"bad_data", 400};
        case FaultType::not_found:
            return {"not_found", 404};
        case FaultType::execution:
            return {"execution", 422};
        case FaultType::timeout:
            return {"timeout", 503};
    }
    return {"internal", 500};
}

void write_annotations(JsonWriter& json, std::string_view kind, std::string_view singular, const std::set<std::string>& texts) {
    if (texts.empty()) {
        return;
    }
    json.key(kind).open('[');
    std::size_t written = 0;
    for (const std::string& text : texts) {
        if (written++ < most_annotations) {
            json.string(text);
        }
    }
    if (texts.size() > most_annotations) {
        json.string(fmt::format("{} more {} annotations omitted", texts.size() - most_annotations, singular));
    }
    json.close(']');
}

void write_point(JsonWriter& json, TimestampMs at, std::string_view value) {
    json.open('[').raw(seconds_text(at)).string(value).close(']');
}

/// Populated buckets alone, in ascending order.
void write_histogram(JsonWriter& json, const model::Histogram& histogram) {
    json.open('{').key("count").string(format_float(histogram.count)).key("sum").string(format_float(histogram.sum));
    bool any = false;
    for (model::BucketWalk walk(histogram); const std::optional<model::Bucket> bucket = walk.next();) {
        if (bucket->count == 0) {
            continue;
        }
        if (!std::exchange(any, true)) {
            json.key("buckets").open('[');
        }
        json.open('[').raw(std::to_string(bucket->boundary_rule())).string(format_float(bucket->lower));
        json.string(format_float(bucket->upper)).string(format_float(bucket->count)).close(']');
    }
    if (any) {
        json.close(']');
    }
    json.close('}');
}

void write_point(JsonWriter& json, TimestampMs at, const model::Histogram& histogram) {
    json.open('[').raw(seconds_text(at));
    write_histogram(json, histogram);
    json.close(']');
}

/// An answer on its way: where its text stands. One step writes a series' labels, a sample or an element.
class AnswerSteps {
  public:
    AnswerSteps(promql::Value value, TimestampMs at) : value_(std::move(value)), at_(at) {}

    bool operator()(JsonWriter& json) {
        if (!begun_) {
            begun_ = true;
            json.open('{').key("resultType").string(type()).key("result");
            if (const auto* number = std::get_if<double>(&value_)) {
                write_point(json, at_, format_float(*number));
            } else if (const auto* text = std::get_if<std::string>(&value_)) {
                write_point(json, at_, *text);
            } else {
                json.open('[');
                return true;
            }
            json.close('}');
            return false;
        }
        const bool rest = std::holds_alternative<promql::Vector>(value_) ? element(json) : sample(json);
        if (!rest) {
            json.close(']').close('}');
        }
        return rest;
    }

  private:
    [[nodiscard]] std::string_view type() const {
        constexpr std::string_view names[] = {"scalar", "string", "vector", "matrix"};
        return names[value_.index()];
    }

    bool element(JsonWriter& json) {
        const auto& vector = std::get<promql::Vector>(value_);
        if (series_ == vector.size()) {
            return false;
        }
        const promql::VectorSample& element = vector[series_++];
        json.open('{').key("metric");
        write_labels(json, element.labels);
        if (element.histogram) {
            json.key("histogram");
            write_point(json, at_, *element.histogram);
        } else {
            json.key("value");
            write_point(json, at_, format_float(element.value));
        }
        json.close('}');
        return true;
    }

    bool sample(JsonWriter& json) {
        const auto& matrix = std::get<promql::Matrix>(value_);
        if (series_ == matrix.size()) {
            return false;
        }
        const promql::MatrixSeries& series = matrix[series_];
        if (sample_ == 0) {
            json.open('{').key("metric");
            write_labels(json, series.labels);
        }
        // Numbers first, then histograms, each list only when there is something in it.
        const std::size_t numbers = series.samples.size();
        const std::size_t all = numbers + series.histograms.size();
        if (sample_ < all && (sample_ == 0 || sample_ == numbers)) {
            json.key(sample_ < numbers ? "values" : "histograms").open('[');
        }
        if (sample_ < numbers) {
            const model::Sample& point = series.samples[sample_++];
            write_point(json, point.at, format_float(point.value));
        } else if (sample_ < all) {
            const model::HistogramSample& point = series.histograms[sample_++ - numbers];
            write_point(json, point.at, *point.value);
        }
        if (all > 0 && (sample_ == numbers || sample_ == all)) {
            json.close(']');
        }
        if (sample_ == all) {
            json.close('}');
            ++series_;
            sample_ = 0;
        }
        return true;
    }

    promql::Value value_;
    TimestampMs at_;
    bool begun_{false};
    std::size_t series_{0};
    std::size_t sample_{0};
};

}  // namespace

net::ServerResponse fault_response(FaultType type, std::string_view text) {
    const Kind kind = kind_of(type);
    net::ServerResponse out;
    out.status = kind.status;
    out.content_type = "application/json";
    JsonWriter json(out.body);
    json.open('{').key("status").string("error").key("errorType").string(kind.name).key("error").string(text).close('}');
    return out;
}

net::ServerResponse evaluation_fault(const Error& error) {
    if (error.code == Errc::timeout) {
        return fault_response(FaultType::timeout, "query timed out in expression evaluation");
    }
    return fault_response(FaultType::execution, error.message);
}

net::ServerResponse data_response(const Json& data) {
    net::ServerResponse out;
    out.content_type = "application/json";
    out.body = R"({"status":"success","data":)" + dump(data) + "}";
    return out;
}

net::ServerResponse streamed_response(Step step, promql::Annotations annotations) {
    struct State {
        Step step;
        promql::Annotations annotations;
        std::string unused;
        JsonWriter json{unused};
        bool ended{false};
    };
    // shared: std::function is copied, and goes on where its last call ended
    const auto state = std::make_shared<State>();
    state->step = std::move(step);
    state->annotations = std::move(annotations);
    net::ServerResponse out;
    out.content_type = "application/json";
    const auto more = [state](std::string& text) {
        state->json.continue_in(text);
        const std::size_t full = text.size() + piece_bytes;
        while (!state->ended && text.size() < full) {
            state->ended = !state->step(state->json);
        }
        if (state->ended) {
            write_annotations(state->json, "warnings", "warning", state->annotations.warnings);
            write_annotations(state->json, "infos", "info", state->annotations.infos);
            state->json.close('}');
        }
        return !state->ended;
    };
    state->json.continue_in(out.body);
    state->json.open('{').key("status").string("success").key("data");
    if (more(out.body)) {
        out.more = more;
    }
    return out;
}

net::ServerResponse answer_response(promql::Answer answer, TimestampMs at) {
    const auto steps = std::make_shared<AnswerSteps>(std::move(answer.value), at);  // shared: std::function is copied
    return streamed_response([steps](JsonWriter& json) { return (*steps)(json); }, std::move(answer.annotations));
}

net::ServerResponse list_response(std::vector<std::string> texts, promql::Annotations annotations) {
    const auto list = std::make_shared<const std::vector<std::string>>(std::move(texts));  // shared: std::function is copied
    return streamed_response(
        [list, next = std::size_t{0}](JsonWriter& json) mutable {
            if (next == 0) {
                json.open('[');
            }
            if (next < list->size()) {
                json.string((*list)[next]);
            }
            const bool rest = ++next <= list->size();
            if (!rest) {
                json.close(']');
            }
            return rest;
        },
        std::move(annotations));
}

void write_labels(JsonWriter& json, const model::Labels& labels) {
    json.open('{');
    for (const model::LabelView label : labels) {
        json.key(label.name).string(label.value);
    }
    json.close('}');
}

std::string seconds_text(TimestampMs at) {
    const std::int64_t ms = to_unix_ms(at);
    const std::uint64_t size = ms < 0 ? 0 - static_cast<std::uint64_t>(ms) : static_cast<std::uint64_t>(ms);
    const std::string_view sign = ms < 0 ? "-" : "";
    if (ms >= 0 && size % 1'000 == 0) {
        return std::to_string(size / 1'000);
    }
    return size % 1'000 == 0 ? fmt::format("{}{}", sign, size / 1'000) : fmt::format("{}{}.{:03}", sign, size / 1'000, size % 1'000);
}

}  // namespace noroshi::api
