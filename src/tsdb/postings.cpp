// src/tsdb/postings.cpp - union over values, intersection over labels.
#include "postings.hpp"

#include <algorithm>
#include <iterator>

namespace noroshi::tsdb {

void Postings::add(SeriesId series, const model::Labels& labels) {
    for (const model::Label& label : labels) {
        names_[label.name][label.value].push_back(series);  // ids only grow, so the lists stay sorted
    }
}

void Postings::remove(SeriesId series, const model::Labels& labels) {
    for (const model::Label& label : labels) {
        auto& values = names_[label.name];
        Ids& ids = values[label.value];
        const auto place = std::ranges::lower_bound(ids, series);
        if (place != ids.end() && *place == series) {
            ids.erase(place);
        }
        if (ids.empty()) {
            values.erase(label.value);
        }
        if (values.empty()) {
            names_.erase(label.name);
        }
    }
}

Postings::Ids Postings::matching(const model::Matcher& matcher) const {
    const auto name = names_.find(matcher.name());
    if (name == names_.end()) {
        return {};
    }
    if (matcher.op() == model::MatchOp::equal) {
        const auto value = name->second.find(matcher.value());
        return value == name->second.end() ? Ids{} : value->second;
    }
    Ids out;
    for (const auto& [value, ids] : name->second) {
        if (matcher.matches(value)) {
            out.insert(out.end(), ids.begin(), ids.end());
        }
    }
    std::ranges::sort(out);
    return out;
}

bool Postings::candidates(std::span<const model::Matcher> matchers, std::vector<SeriesId>& out) const {
    bool any = false;
    for (const model::Matcher& matcher : matchers) {
        if (matcher.matches_empty()) {
            continue;
        }
        Ids ids = matching(matcher);
        if (any) {
            Ids both;
            std::ranges::set_intersection(out, ids, std::back_inserter(both));
            out = std::move(both);
        } else {
            out = std::move(ids);
        }
        any = true;
        if (out.empty()) {
            return true;
        }
    }
    return any;
}

}  // namespace noroshi::tsdb
