// src/tsdb/postings.hpp - Postings: which series have which label value.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "model/labels.hpp"
#include "model/matcher.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::tsdb {

/// Inverted index. Lists are in order of id. Matchers are evaluated once a distinct value, not once a series.
class Postings {
  public:
    /// Ids are below 2^32, and larger than all before.
    void add(SeriesId series, const model::Labels& labels);
    void remove(SeriesId series, const model::Labels& labels);
    /// Ids of series that match every matcher whose label must be there; the rest must still be checked on the labels
    /// of each candidate. Nothing when no matcher demands a label: then every series is a candidate.
    [[nodiscard]] bool candidates(std::span<const model::Matcher> matchers, std::vector<SeriesId>& out) const;

  private:
    using Ids = std::vector<std::uint32_t>;  // the table gives no larger ones
    [[nodiscard]] Ids matching(const model::Matcher& matcher) const;
    std::map<std::string, std::map<std::string, Ids, std::less<>>, std::less<>> names_;
};

}  // namespace noroshi::tsdb
