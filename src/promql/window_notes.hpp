// src/promql/window_notes.hpp - where what is computed over samples tells of what it saw.
#pragma once

#include <string_view>

#include "evaluate.hpp"
#include "native_histogram.hpp"

namespace noroshi::promql {

/// Numbers and histograms where only one of both has a meaning.
void tell_mix(const WindowNotes& notes);
/// Exponential and custom bounds.
void tell_incompatible(const WindowNotes& notes);
/// Two samples that count the same time twice.
void tell_overlap(const WindowNotes& notes);
void tell(const HistogramChange& change, const WindowNotes& notes);
/// Of histograms that were added up.
void tell(const HistogramNotes& found, const WindowNotes& notes);

}  // namespace noroshi::promql
