// src/collect/label_merge.cpp - implements merge_labels.
#include "label_merge.hpp"

#include <algorithm>

namespace noroshi::collect {

namespace {

bool is_among(const std::vector<model::Label>& labels, std::string_view name) {
    return std::ranges::find(labels, name, &model::Label::name) != labels.end();
}

model::Labels fill_missing(const ScrapedSample& sample, const model::Labels& target) {
    std::vector<model::Label> out(sample.labels.begin(), sample.labels.end());
    for (const model::Label& label : target) {
        if (!sample.labels.has(label.name) && std::ranges::count(sample.emptied, label.name) == 0) {
            out.push_back(label);
        }
    }
    return model::Labels(std::move(out));
}

}  // namespace

model::Labels merge_labels(const ScrapedSample& sample, const model::Labels& target, bool honor_labels) {
    if (honor_labels) {
        return fill_missing(sample, target);
    }
    std::vector<model::Label> out(target.begin(), target.end());
    std::vector<model::Label> clashing;
    for (const model::Label& label : sample.labels) {
        (target.has(label.name) ? clashing : out).push_back(label);
    }
    std::ranges::stable_sort(clashing, {}, [](const model::Label& label) { return label.name.size(); });
    for (model::Label& label : clashing) {
        do {
            label.name.insert(0, "exported_");
        } while (is_among(out, label.name));
        out.push_back(std::move(label));
    }
    return model::Labels(std::move(out));
}

}  // namespace noroshi::collect
