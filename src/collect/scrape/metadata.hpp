// src/collect/scrape/metadata.hpp - MetadataCollector: HELP, TYPE and UNIT of one exposition, bounded.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collect/collect.hpp"

namespace noroshi::collect {

/// Most families that are remembered of a target, and the longest help: what is over is left out, or cut.
inline constexpr std::size_t max_families = 5'000;
inline constexpr std::size_t max_help_bytes = 1'024;

/// In order of first mention. Without a list to fill it does nothing.
class MetadataCollector {
  public:
    explicit MetadataCollector(std::vector<FamilyMetadata>* out) : out_(out) {}
    /// `word` as written; "untyped" is unknown.
    void type(const std::string& name, std::string_view word);
    /// `text` as written: \\, \n and, where `quotes` (OpenMetrics), \" are undone.
    void help(const std::string& name, std::string_view text, bool quotes);
    void unit(const std::string& name, std::string_view text);

  private:
    FamilyMetadata* family(const std::string& name);

    std::vector<FamilyMetadata>* out_;
    std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace noroshi::collect
