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
    if (!histograms_.empty()) {
        histograms_.resize(values_.size());
    }
    return rows_.size() - 1;
}

void Table::set(std::size_t i, std::size_t step, HistogramPtr histogram) {
    histograms_.resize(values_.size());
    values_[i * steps_ + step] = 0;
    histograms_[i * steps_ + step] = std::move(histogram);
}

void Table::set(std::size_t i, std::size_t step, double value) {
    values_[i * steps_ + step] = value;
    if (!histograms_.empty()) {
        histograms_[i * steps_ + step] = nullptr;
    }
}

void Table::clear(std::size_t i, std::size_t step) { set(i, step, no_value); }

void Table::copy(std::size_t i, std::size_t step, const Table& other, std::size_t from_row, std::size_t from_step) {
    if (HistogramPtr histogram = other.histogram(from_row, from_step)) {
        set(i, step, std::move(histogram));
    } else {
        set(i, step, other.values(from_row)[from_step]);
    }
}

void Table::copy_row(std::size_t i, const Table& other, std::size_t from_row) {
    if (!other.has_histograms() && histograms_.empty()) {
        std::ranges::copy(other.values(from_row), values(i).begin());
        return;
    }
    for (std::size_t step = 0; step < steps_; ++step) {
        copy(i, step, other, from_row, step);
    }
}

bool Table::any_histogram() const {
    return std::ranges::any_of(histograms_, [](const HistogramPtr& histogram) { return histogram != nullptr; });
}

void Table::drop_histograms() {
    for (std::size_t cell = 0; cell < histograms_.size(); ++cell) {
        if (histograms_[cell]) {
            values_[cell] = no_value;
        }
    }
    histograms_.clear();
}

bool Table::is_empty(std::size_t i) const {
    return std::ranges::none_of(values(i), [](double value) { return has_value(value); });
}

void Table::drop_last_if_empty() {
    if (is_empty(rows_.size() - 1)) {
        rows_.pop_back();
        values_.resize(values_.size() - steps_);
        if (!histograms_.empty()) {
            histograms_.resize(values_.size());
        }
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
                copy_row(kept, *this, i);
            }
            ++kept;
            continue;
        }
        const std::size_t into = place->second;
        rows_[into].drop_name = rows_[into].drop_name || rows_[i].drop_name;
        for (std::size_t step = 0; step < steps_; ++step) {
            if (!has_value(values(i)[step])) {
                continue;
            }
            if (has_value(values(into)[step])) {
                return fail(Errc::invalid_argument, "vector cannot contain metrics with the same labelset");
            }
            copy(into, step, *this, i, step);
        }
    }
    rows_.resize(kept);
    values_.resize(kept * steps_);
    if (!histograms_.empty()) {
        histograms_.resize(values_.size());
    }
    return {};
}

void Table::drop_empty_rows() {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < size(); ++i) {
        if (!is_empty(i)) {
            order.push_back(i);
        }
    }
    if (order.size() != size()) {
        *this = reordered(order);
    }
}

Table Table::repeated(std::size_t steps) const {
    Table out(steps);
    out.reserve(size());
    for (std::size_t i = 0; i < size(); ++i) {
        out.add(row(i));
        for (std::size_t step = 0; step < steps; ++step) {
            out.copy(i, step, *this, i, 0);
        }
    }
    return out;
}

Table Table::reordered(std::span<const std::size_t> order) const {
    Table out(steps_);
    out.reserve(order.size());
    for (const std::size_t i : order) {
        out.copy_row(out.add(rows_[i]), *this, i);
    }
    return out;
}

}  // namespace noroshi::promql
