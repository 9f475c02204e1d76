// src/collect/label_merge.hpp - joins the labels of a sample with those of its target.
#pragma once

#include "collect/collect.hpp"

namespace noroshi::collect {

/// The labels under which a sample is stored. Honoured: the target's labels only fill what the sample lacks, and a label
/// given empty counts as given. Not honoured: the target's labels win, and the sample's own of the same name are kept
/// as exported_<name>, with the prefix repeated until the name is free, shortest name first.
/// Pure. As Prometheus does for honor_labels.
[[nodiscard]] model::Labels merge_labels(const ScrapedSample& sample, const model::Labels& target, bool honor_labels);

}  // namespace noroshi::collect
