// src/promql/printer.hpp - a tree as text, and what it selects.
#pragma once

#include <string>
#include <vector>

#include "tree.hpp"

namespace noroshi::promql {

/// Canonical text; parsing it gives the same tree.
[[nodiscard]] std::string print(const Node& node);
/// Metric names of all selectors below, sorted, each once.
[[nodiscard]] std::vector<std::string> selected_names(const Node& node);

}  // namespace noroshi::promql
