// src/collect/scrape/openmetrics_families.hpp - OpenMetricsFamilies: which sample may stand under which family.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "scrape/sample_line.hpp"

namespace noroshi::collect {

/// Follows the families of one OpenMetrics body: metadata before samples, each once, families contiguous, sample names
/// made of the family's name and a suffix of its type. Ordered maps, so that no choice of names makes it slow.
class OpenMetricsFamilies {
  public:
    /// A HELP, TYPE or UNIT line of `name`. Errors: parse.
    [[nodiscard]] Result<void> help(const std::string& name, const LineReader& reader);
    [[nodiscard]] Result<void> type(const std::string& name, std::string_view type, const LineReader& reader);
    [[nodiscard]] Result<void> unit(const std::string& name, std::string_view unit, const LineReader& reader);
    /// The body is through. Errors: parse.
    [[nodiscard]] Result<void> finish() const;
    /// A sample of this name comes next. Errors: parse.
    [[nodiscard]] Result<void> sample(const std::string& name, const LineReader& reader);
    /// The family of the last metadata or sample.
    [[nodiscard]] const Family& current() const { return current_; }

  private:
    struct Given {
        bool help{false};
        bool type{false};
        bool unit{false};
    };
    Result<void> metadata(const std::string& name, bool Given::* what, std::string_view keyword, const LineReader& reader);
    [[nodiscard]] Result<void> check_unitless(const LineReader& reader) const;
    static tl::unexpected<Error> second_time(const std::string& name, const LineReader& reader);
    Result<void> open(const std::string& name, const LineReader& reader);

    Family current_;
    Given given_;
    bool has_unit_{false};
    bool has_samples_{false};
    std::string last_sample_;
    std::size_t ordinal_{0};                                     // of the current family, from 1
    /// Go's client library gives a gauge x and a counter x_total as two families x (go_memstats_alloc_bytes): their samples
    /// don't clash, so a name may stand once for a counter and once for something else.
    struct Seen {
        FamilyType type{FamilyType::unknown};
        bool twice{false};
    };
    std::map<std::string, Seen, std::less<>> families_;
    bool again_{false};                                          // a second one of its name, whose type is not known yet
    std::uint32_t again_line_{0};
    std::map<std::string, std::size_t, std::less<>> sample_of_;  // sample name to the ordinal of its family
};

}  // namespace noroshi::collect
