// src/tsdb/histogram_codec.hpp - native histograms as bits, each as what differs from the one before it.
#pragma once

#include <string>
#include <string_view>

#include "bits.hpp"
#include "model/histogram.hpp"

namespace noroshi::tsdb {

/// Two bits of `hint`; a bit whether a layout follows (there is none before, or another one); a bit whether the counts are
/// whole; sum, count, zero count and buckets as differences from `before`, or from 0 when the layout is new. `before`: what
/// a reader has read before it, or null.
void put_histogram(BitStream& out, const model::Histogram& histogram, model::ResetHint hint, const model::Histogram* before);
/// The next one. `value` is the one read before, a fresh one at first. False: the bits make no sense. What it gives has a
/// layout that model::validate_layout accepts; its counts may be any numbers.
[[nodiscard]] bool take_histogram(BitReader& reader, const BitStream& in, model::Histogram& value, bool first);

/// One alone, as bytes, with its own hint.
[[nodiscard]] std::string histogram_bytes(const model::Histogram& histogram);
/// Null: the bytes, which may be any, are none.
[[nodiscard]] model::HistogramPtr histogram_of(std::string_view bytes);

}  // namespace noroshi::tsdb
