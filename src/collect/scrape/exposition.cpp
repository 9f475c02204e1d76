// src/collect/scrape/exposition.cpp - parse_exposition: chooses the parser of the format.
#include "collect/collect.hpp"
#include "scrape/protobuf.hpp"
#include "scrape/sample_line.hpp"

namespace noroshi::collect {

Result<std::vector<ScrapedSample>> parse_exposition(std::string_view body, ExpositionFormat format,
                                                    const ParseLimits& limits, std::vector<FamilyMetadata>* metadata,
                                                    const HistogramOptions& histograms) {
    switch (format) {
        case ExpositionFormat::text_0_0_4:
            return parse_text(body, limits, metadata);
        case ExpositionFormat::openmetrics_1_0:
            return parse_openmetrics(body, limits, metadata);
        case ExpositionFormat::protobuf:
            return parse_protobuf(body, limits, histograms);
    }
    return fail(Errc::invalid_argument, "unknown exposition format");
}

}  // namespace noroshi::collect
