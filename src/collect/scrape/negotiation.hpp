// src/collect/scrape/negotiation.hpp - what a scrape asks for, and which format an answer is in.
#pragma once

#include "collect/collect.hpp"

namespace noroshi::collect {

/// The request of one scrape: Accept, X-Prometheus-Scrape-Timeout-Seconds, limits. Pure.
[[nodiscard]] net::Request make_request(const Target& target);

/// The format by the media type of Content-Type alone, as Prometheus 3 has it; `fallback` for a missing, broken or
/// unknown one. Pure. Errors: unsupported.
[[nodiscard]] Result<ExpositionFormat> choose_format(std::string_view content_type, std::optional<ExpositionFormat> fallback);

}  // namespace noroshi::collect
