// src/promql/window_notes.cpp - the words for what was seen in samples.
#include "window_notes.hpp"

#include <fmt/format.h>

namespace noroshi::promql {

void tell_mix(const WindowNotes& notes) {
    notes.evaluation.warn(notes.argument, fmt::format("encountered a mix of histograms and floats for metric name {}",
                                                      model::quote(notes.name)));
}

void tell_incompatible(const WindowNotes& notes) {
    notes.evaluation.warn(notes.argument, fmt::format("vector contains a mix of histograms with exponential and custom "
                                                      "buckets schemas for metric name {}",
                                                      model::quote(notes.name)));
}

void tell_overlap(const WindowNotes& notes) {
    notes.evaluation.warn(notes.argument, fmt::format("sample has start time that overlaps with previous sample timestamp for metric {}",
                                                      model::quote(notes.name)));
}

void tell(const HistogramChange& change, const WindowNotes& notes) {
    Evaluation& evaluation = notes.evaluation;
    if (change.incompatible) {
        tell_incompatible(notes);
    }
    if (change.not_a_counter) {
        evaluation.warn(notes.argument, fmt::format("this native histogram metric is not a counter: {}", model::quote(notes.name)));
    }
    if (change.not_a_gauge) {
        evaluation.warn(notes.argument, fmt::format("this native histogram metric is not a gauge: {}", model::quote(notes.name)));
    }
    if (change.reconciled_by_addition) {
        evaluation.inform(notes.argument, "mismatched custom buckets were reconciled during addition");
    }
    if (change.reconciled_by_subtraction) {
        evaluation.inform(notes.argument, "mismatched custom buckets were reconciled during subtraction");
    }
}

void tell(const HistogramNotes& found, const WindowNotes& notes) {
    if (found.incompatible) {
        tell_incompatible(notes);
    }
    if (found.reset_collision) {
        notes.evaluation.warn(notes.argument, "conflicting counter resets during histogram aggregation");
    }
    if (found.bounds_reconciled) {
        notes.evaluation.inform(notes.argument, "mismatched custom buckets were reconciled during aggregation");
    }
}

}  // namespace noroshi::promql
