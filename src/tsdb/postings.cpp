// src/tsdb/postings.cpp - union over values, intersection over labels.
#include "postings.hpp"

#include <algorithm>
#include <iterator>

namespace noroshi::tsdb {

void Postings::add(SeriesId series, const model::Labels& labels) {
    for (const model::Label& label : labels) {
        names_[label.name][label.value].push_back(static_cast<std::uint32_t>(series));  // ids only grow, so the lists stay sorted
    }
}

void Postings::remove(SeriesId series, const model::Labels& labels) {
    for (const model::Label& label : labels) {
        auto& values = names_[label.name];
        Ids& ids = values[label.value];
        const auto id = static_cast<std::uint32_t>(series);
        const auto place = std::ranges::lower_bound(ids, id);
        if (place != ids.end() && *place == id) {
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
    Ids found;
    for (const model::Matcher& matcher : matchers) {
        if (matcher.matches_empty()) {
            continue;
        }
        Ids ids = matching(matcher);
        if (any) {
            Ids both;
            std::ranges::set_intersection(found, ids, std::back_inserter(both));
            found = std::move(both);
        } else {
            found = std::move(ids);
        }
        any = true;
        if (found.empty()) {
            break;
        }
    }
    out.reserve(found.size());
    std::ranges::transform(found, std::back_inserter(out), [](std::uint32_t id) { return SeriesId{id}; });
    return any;
}

}  // namespace noroshi::tsdb
