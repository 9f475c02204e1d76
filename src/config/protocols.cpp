// src/config/protocols.cpp - the keys of global and scrape_configs that say which formats are asked for and what becomes of
// histograms, by Prometheus 3.16's rules.
#include <algorithm>
#include <array>
#include <limits>

#include "base/numbers.hpp"
#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Reader;

constexpr std::array<std::string_view, 5> protocols{"PrometheusProto", "OpenMetricsText1.0.0", "OpenMetricsText0.0.1",
                                                    "PrometheusText1.0.0", "PrometheusText0.0.4"};

std::optional<std::string> read_protocol(Reader& reader, const Node& node) {
    if (node.text == "OpenMetricsText2.0.0") {
        reader.fail(node, fmt::format("\"OpenMetricsText2.0.0\" is not supported by this version; expected one of {}",
                                      fmt::join(protocols, ", ")),
                    Errc::unsupported);
        return std::nullopt;
    }
    const std::optional<std::size_t> index = yaml::read_word(reader, node, protocols);
    return index ? std::optional(std::string(protocols[*index])) : std::nullopt;
}

std::optional<std::vector<std::string>> read_protocols(Reader& reader, const Node& node) {
    std::vector<std::string> out;
    yaml::read_sequence(reader, node, "protocols", [&](const Node& item, std::size_t) {
        std::optional<std::string> protocol = read_protocol(reader, item);
        if (protocol && std::ranges::find(out, *protocol) != out.end()) {
            reader.fail(item, "duplicate " + yaml::shown(*protocol));
        } else if (protocol) {
            out.push_back(std::move(*protocol));
        }
    });
    if (node.items.empty()) {
        reader.fail(node, "expected at least one protocol; leave the key out for the default ones");
        return std::nullopt;
    }
    return out;
}

std::optional<double> read_factor(Reader& reader, const Node& node) {
    const Result<double> value = parse_float(node.text);
    if (!value) {
        reader.fail(node, "expected a number, got " + yaml::shown(node.text));
        return std::nullopt;
    }
    return *value;
}

/// What both sections have.
template <class T>
void add_shared(std::vector<yaml::Field<T>>& fields) {
    fields.push_back(yaml::field("scrape_protocols", &T::scrape_protocols, read_protocols, "formats to ask for, the dearest first"));
    fields.push_back(yaml::field("scrape_native_histograms", &T::scrape_native_histograms, yaml::read_bool,
                                 "ask for protobuf and read native histograms; default false"));
    fields.push_back(yaml::field("always_scrape_classic_histograms", &T::always_scrape_classic_histograms, yaml::read_bool,
                                 "read the classic buckets beside a native histogram; default false"));
}

}  // namespace

std::optional<std::string> read_fallback(Reader& reader, const Node& node) { return read_protocol(reader, node); }

void add_protocol_fields(std::vector<yaml::Field<Global>>& fields) { add_shared(fields); }

void add_protocol_fields(std::vector<yaml::Field<ScrapeConfig>>& fields) {
    using S = ScrapeConfig;
    add_shared(fields);
    const auto read_limit = [](Reader& r, const Node& n) { return yaml::read_integer(r, n, 0, std::numeric_limits<std::int64_t>::max()); };
    fields.push_back(yaml::field("native_histogram_bucket_limit", &S::native_histogram_bucket_limit, read_limit,
                                 "most buckets of a native histogram; 0: no limit"));
    fields.push_back(yaml::field("native_histogram_min_bucket_factor", &S::native_histogram_min_bucket_factor, read_factor,
                                 "finer buckets are merged; default 0: as they come"));
}

void finish_protocols(const Global& global, ScrapeConfig& job) {
    job.scrape_native_histograms = job.scrape_native_histograms.value_or(global.scrape_native_histograms.value_or(false));
    job.always_scrape_classic_histograms =
        job.always_scrape_classic_histograms.value_or(global.always_scrape_classic_histograms.value_or(false));
    if (job.scrape_protocols.empty()) {
        job.scrape_protocols = global.scrape_protocols;
    }
    if (job.scrape_protocols.empty()) {
        job.scrape_protocols.assign(protocols.begin() + (*job.scrape_native_histograms ? 0 : 1), protocols.end());
    }
}

}  // namespace noroshi::config
