// src/collect/scrape/negotiation.cpp - implements make_request and choose_format.
#include "scrape/negotiation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/ascii.hpp"
#include "scrape/line_reader.hpp"

namespace noroshi::collect {

namespace {

struct Protocol {
    std::string_view name;
    std::string_view accept;
};

/// Prometheus's names, in the order in which it asks for them; the first only when it is told to.
constexpr std::array<Protocol, 5> protocols{
    {{"PrometheusProto", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"},
     {"OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8"},
     {"OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1"},
     {"PrometheusText1.0.0", "text/plain;version=1.0.0;escaping=allow-utf-8"},
     {"PrometheusText0.0.4", "text/plain;version=0.0.4"}}};
/// One more than there are protocols in Prometheus 3.16: its weights go down from here.
constexpr int first_weight = 7;

/// The same text as Prometheus 3.16 sends.
std::string accept_of(const std::vector<std::string>& wanted) {
    std::string out;
    int weight = first_weight;
    const auto add = [&](const Protocol& protocol) { out += fmt::format("{};q=0.{},", protocol.accept, weight--); };
    if (wanted.empty()) {
        std::ranges::for_each(std::span(protocols).subspan(1), add);
    }
    for (const std::string& name : wanted) {
        if (const auto known = std::ranges::find(protocols, name, &Protocol::name); known != protocols.end()) {
            add(*known);
        }
    }
    return out + fmt::format("*/*;q=0.{}", weight);
}

/// The formats that have names of UTF-8 say how others are to be written.
std::string with_escaping(std::string text, const std::string& scheme) {
    constexpr std::string_view usual = "allow-utf-8";
    for (std::size_t at = 0; (at = text.find(usual, at)) != std::string::npos; at += scheme.size()) {
        text.replace(at, usual.size(), scheme);
    }
    return text;
}

std::string media_type(std::string_view content_type) {
    std::string type(content_type.substr(0, content_type.find(';')));
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    type.erase(type.begin(), std::ranges::find_if_not(type, is_blank));
    while (!type.empty() && is_blank(type.back())) {
        type.pop_back();
    }
    return ascii_lower(type);
}

}  // namespace

net::Request make_request(const Target& target) {
    net::Request request;
    request.url = target.url;
    request.timeout = target.timeout;
    request.body_limit = target.body_size_limit;
    request.accept_gzip = target.enable_compression;
    request.headers["Accept"] = with_escaping(accept_of(target.protocols), target.escaping);
    request.headers["X-Prometheus-Scrape-Timeout-Seconds"] =
        fmt::format("{}", static_cast<double>(target.timeout.count()) / 1000.0);
    if (!target.enable_compression) {
        request.headers["Accept-Encoding"] = "identity";
    }
    return request;
}

Result<ExpositionFormat> choose_format(std::string_view content_type, std::optional<ExpositionFormat> fallback) {
    const std::string type = media_type(content_type);
    if (type == "text/plain") {
        return ExpositionFormat::text_0_0_4;
    }
    if (type == "application/openmetrics-text") {
        return ExpositionFormat::openmetrics_1_0;
    }
    if (type == "application/vnd.google.protobuf") {
        return ExpositionFormat::protobuf;
    }
    if (fallback) {
        return *fallback;
    }
    return fail(Errc::unsupported,
                content_type.empty()
                    ? std::string("answer without Content-Type: set fallback_scrape_protocol to read it")
                    : "unknown Content-Type " + shown(content_type) + ": set fallback_scrape_protocol to read it");
}

}  // namespace noroshi::collect
