// src/promql/series_selector.cpp - a selector alone, as `match[]` of the HTTP API has it.
#include "parser.hpp"
#include "promql/promql.hpp"

namespace noroshi::promql {

Result<std::vector<model::Matcher>> parse_series_selector(std::string_view text) {
    NOROSHI_TRY(const NodePtr root, parse_tree(text, {}));
    const auto* selector = std::get_if<Selector>(&root->kind);
    if (selector == nullptr || selector->range.is_set() || selector->shift.offset.is_set() || selector->shift.at) {
        return parse_fault(text, 0, "expected a series selector such as up{job=\"node\"}, without range, offset and @");
    }
    return selector->matchers;
}

}  // namespace noroshi::promql
