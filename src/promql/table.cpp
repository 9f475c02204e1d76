// src/promql/table.cpp - rows of values.
#include "table.hpp"

#include <algorithm>
#include <unordered_map>

namespace noroshi::promql {

void Table::reserve(std::size_t rows) {
    rows_.reserve(rows);
    values_.reserve(rows * steps_);
}

std::size_t Table::add(Row row) {
    rows_.push_back(std::move(row));
    values_.resize(values_.size() + steps_, no_value);
    return rows_.size() - 1;
}

bool Table::is_empty(std::size_t i) const {
    return std::ranges::none_of(values(i), [](double value) { return has_value(value); });
}

void Table::drop_last_if_empty() {
    if (is_empty(rows_.size() - 1)) {
        rows_.pop_back();
        values_.resize(values_.size() - steps_);
    }
}

Result<void> Table::unify() {
    if (rows_.size() < 2) {
        return {};
    }
    std::unordered_map<model::Labels, std::size_t, model::LabelsHash> places;
    places.reserve(rows_.size());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const auto [place, is_new] = places.emplace(rows_[i].labels, kept);
        if (is_new) {
            if (kept != i) {
                rows_[kept] = std::move(rows_[i]);
                std::ranges::copy(values(i), values(kept).begin());
            }
            ++kept;
            continue;
        }
        rows_[place->second].drop_name = rows_[place->second].drop_name || rows_[i].drop_name;
        const std::span<double> into = values(place->second);
        for (std::size_t step = 0; step < steps_; ++step) {
            const double value = values(i)[step];
            if (!has_value(value)) {
                continue;
            }
            if (has_value(into[step])) {
                return fail(Errc::invalid_argument, "vector cannot contain metrics with the same labelset");
            }
            into[step] = value;
        }
    }
    rows_.resize(kept);
    values_.resize(kept * steps_);
    return {};
}

Table Table::reordered(std::span<const std::size_t> order) const {
    Table out(steps_);
    out.reserve(order.size());
    for (const std::size_t i : order) {
        const std::size_t row = out.add(rows_[i]);
        std::ranges::copy(values(i), out.values(row).begin());
    }
    return out;
}

}  // namespace noroshi::promql
