// src/promql/native_histogram_arithmetic.cpp - sums, differences, multiples and means of native histograms.
#include <algorithm>
#include <cmath>
#include <limits>

#include "exact_sum.hpp"
#include "native_histogram.hpp"

namespace noroshi::promql {
namespace {

using model::HistogramSide;
using model::ResetHint;
using model::SideCursor;
using model::SideWriter;

/// Where the buckets of a layout go in another one: fewer by resolution, or fewer custom bounds. Never changes an
/// order.
struct IndexMap {
    int merge_by{0};
    const std::vector<double>* bounds{nullptr};  ///< with `kept`: custom bounds
    const std::vector<double>* kept{nullptr};

    [[nodiscard]] bool is_identity() const { return merge_by == 0 && bounds == nullptr; }
    std::int64_t operator()(std::int64_t index) const {
        return bounds != nullptr ? model::kept_bucket(*bounds, index, *kept) : model::merged_index(index, merge_by);
    }
};

/// Moves the buckets of a side to another layout.
void remap(HistogramSide& side, std::vector<double>* rest, const IndexMap& map) {
    SideWriter out;
    out.reserve(side.spans.size(), side.counts.size());
    std::size_t written = 0;
    for (SideCursor cursor(side); cursor.next();) {
        const std::int64_t index = map(cursor.index());
        const double lost = rest != nullptr ? (*rest)[cursor.position()] : 0;
        if (out.last() != index) {
            out.put(index, cursor.count());
            if (rest != nullptr) {
                (*rest)[written] = lost;
            }
            ++written;
        } else if (rest != nullptr) {
            double& kept = (*rest)[written - 1];
            add_exactly(out.last_count(), kept, cursor.count());
            add_exactly(out.last_count(), kept, lost);
        } else {
            out.last_count() += cursor.count();
        }
    }
    side = std::move(out).take();
    if (rest != nullptr) {
        rest->resize(written);
    }
}

/// Makes `side` name every bucket that `other` names from position `skip` on. Nothing happens if it does already.
void cover(HistogramSide& side, std::vector<double>* rest, const HistogramSide& other, std::size_t skip,
           const IndexMap& map) {
    SideWriter out;
    out.reserve(side.spans.size() + other.spans.size(), side.counts.size() + other.counts.size());
    std::vector<double> out_rest;
    SideCursor own(side);
    bool more = own.next();
    bool same = true;
    const auto put_own = [&] {
        out.put(own.index(), own.count());
        if (rest != nullptr) {
            out_rest.push_back((*rest)[own.position()]);
        }
        more = own.next();
    };
    for (SideCursor cursor(other); cursor.next();) {
        if (cursor.position() < skip) {
            continue;
        }
        const std::int64_t index = map(cursor.index());
        while (more && own.index() <= index) {
            put_own();
        }
        if (out.last() != index) {
            out.put(index, 0);
            if (rest != nullptr) {
                out_rest.push_back(0);
            }
            same = false;
        }
    }
    if (same) {
        return;
    }
    while (more) {
        put_own();
    }
    side = std::move(out).take();
    if (rest != nullptr) {
        *rest = std::move(out_rest);
    }
}

/// Calls `add(position in side, count)` for each bucket of `other` from position `skip` on, after making room for it.
/// Buckets that fall together by resolution are added up first: then equal histograms of different resolution subtract
/// to exactly nothing.
template <class Add>
void merge(HistogramSide& side, std::vector<double>* rest, const HistogramSide& other, std::size_t skip,
           const IndexMap& map, const Add& add) {
    if (skip >= other.counts.size()) {
        return;
    }
    if (skip == 0 && map.is_identity() && side.spans == other.spans) {
        for (std::size_t i = 0; i < other.counts.size(); ++i) {
            add(i, other.counts[i]);
        }
        return;
    }
    cover(side, rest, other, skip, map);
    SideCursor own(side);
    bool more = own.next();
    SideCursor cursor(other);
    bool more_other = cursor.next();
    while (more_other && cursor.position() < skip) {
        more_other = cursor.next();
    }
    while (more_other) {
        const std::int64_t index = map(cursor.index());
        double count = cursor.count();
        while ((more_other = cursor.next()) && map.merge_by > 0 && map(cursor.index()) == index) {
            count += cursor.count();
        }
        while (more && own.index() < index) {
            more = own.next();
        }
        add(own.position(), count);
    }
}

/// How many leading buckets of a side lie below `threshold` with their lower bounds.
std::size_t begun_below(const Histogram& histogram, const HistogramSide& side, double threshold) {
    std::size_t out = 0;
    for (SideCursor cursor(side); cursor.next() && model::bucket_bound(histogram, cursor.index() - 1) < threshold;) {
        ++out;
    }
    return out;
}

/// How many leading buckets of a side end within a zero bucket, when counted in a layout of `schema`.
std::size_t ended_within(const HistogramSide& side, const IndexMap& map, int schema, double threshold) {
    std::size_t out = 0;
    for (SideCursor cursor(side);
         threshold > 0 && cursor.next() && model::exponential_bound(schema, map(cursor.index())) <= threshold;) {
        ++out;
    }
    return out;
}

void drop_front(HistogramSide& side, std::vector<double>* rest, std::size_t count) {
    if (count == 0) {
        return;
    }
    SideWriter out;
    out.reserve(side.spans.size(), side.counts.size());
    for (SideCursor cursor(side); cursor.next();) {
        if (cursor.position() >= count) {
            out.put(cursor.index(), cursor.count());
        }
    }
    side = std::move(out).take();
    if (rest != nullptr) {
        rest->erase(rest->begin(), rest->begin() + static_cast<std::ptrdiff_t>(count));
    }
}

/// The narrowest zero bucket that holds both of theirs and cuts no populated bucket.
double common_threshold(const Histogram& a, const Histogram& b) {
    double threshold = std::max(a.zero_threshold, b.zero_threshold);
    if (a.zero_threshold == b.zero_threshold) {
        return threshold;
    }
    for (;;) {
        const double next = model::settled_zero_threshold(b, model::settled_zero_threshold(a, threshold));
        if (next == threshold) {
            return threshold;
        }
        threshold = next;
    }
}

/// The hint that is true of both, and whether they contradict each other.
bool merge_hints(ResetHint& to, ResetHint other) {
    if (to == other || to == ResetHint::gauge) {
        return false;
    }
    if (other == ResetHint::gauge) {
        to = ResetHint::gauge;
        return false;
    }
    const bool collision = to != ResetHint::unknown && other != ResetHint::unknown;
    to = ResetHint::unknown;
    return collision;
}

bool is_large(double value) {
    return !(std::fabs(value) < std::numeric_limits<double>::max() / 4);
}

bool any_of(const Histogram& histogram, bool (*predicate)(double)) {
    return predicate(histogram.zero_count) || predicate(histogram.count) || predicate(histogram.sum) ||
           std::ranges::any_of(histogram.positive.counts, predicate) ||
           std::ranges::any_of(histogram.negative.counts, predicate) ||
           std::ranges::any_of(histogram.bounds(), predicate);
}

void scale_all(std::vector<double>& values, double divisor) {
    for (double& value : values) {
        value /= divisor;
    }
}

/// One operand that takes in another, added or subtracted; with a rest, exactly.
class Combination {
  public:
    Combination(Histogram& to, HistogramRest* rest, const Histogram& other, double sign)
        : to_(to), rest_(rest), other_(other), sign_(sign) {}

    HistogramNotes run() {
        if (to_.has_custom_bounds() != other_.has_custom_bounds()) {
            notes_.incompatible = true;
            return notes_;
        }
        notes_.reset_collision = merge_hints(to_.hint, other_.hint);
        number(to_.count, &HistogramRest::count, other_.count);
        number(to_.sum, &HistogramRest::sum, other_.sum);
        to_.has_custom_bounds() ? custom() : exponential();
        return notes_;
    }

  private:
    void custom() {
        if (to_.custom_values == other_.custom_values || to_.bounds() == other_.bounds()) {
            side(to_.positive, positive_rest(), other_.positive, 0, {});
            return;
        }
        notes_.bounds_reconciled = true;
        std::vector<double> kept = model::common_bounds(to_.bounds(), other_.bounds());
        remap(to_.positive, positive_rest(), {0, &to_.bounds(), &kept});
        side(to_.positive, positive_rest(), other_.positive, 0, {0, &other_.bounds(), &kept});
        to_.custom_values = std::make_shared<const std::vector<double>>(std::move(kept));
    }

    void exponential() {
        const double threshold = common_threshold(to_, other_);
        widen(threshold);
        number(to_.zero_count, &HistogramRest::zero_count, model::zero_count_within(other_, threshold));
        const int schema = std::min(to_.schema, other_.schema);
        if (schema != to_.schema) {
            remap(to_.positive, positive_rest(), {to_.schema - schema});
            remap(to_.negative, negative_rest(), {to_.schema - schema});
            to_.schema = schema;
        }
        const IndexMap map{other_.schema - schema};
        const auto skip = [&](const HistogramSide& from) {
            return threshold != other_.zero_threshold ? begun_below(other_, from, threshold)
                                                      : ended_within(from, map, schema, threshold);
        };
        side(to_.positive, positive_rest(), other_.positive, skip(other_.positive), map);
        side(to_.negative, negative_rest(), other_.negative, skip(other_.negative), map);
    }

    /// Moves the buckets that a wider zero bucket takes in.
    void widen(double threshold) {
        if (threshold == to_.zero_threshold) {
            return;
        }
        to_.zero_count = model::zero_count_within(to_, threshold);
        widen(to_.positive, positive_rest(), threshold);
        widen(to_.negative, negative_rest(), threshold);
        to_.zero_threshold = threshold;
    }
    void widen(HistogramSide& from, std::vector<double>* rest, double threshold) {
        const std::size_t count = begun_below(to_, from, threshold);
        for (std::size_t i = 0; rest != nullptr && i < count; ++i) {
            rest_->zero_count += (*rest)[i];
        }
        drop_front(from, rest, count);
    }

    void number(double& value, double HistogramRest::* rest, double by) {
        if (rest_ != nullptr) {
            add_exactly(value, rest_->*rest, sign_ * by);
        } else {
            value += sign_ * by;
        }
    }
    void side(HistogramSide& out, std::vector<double>* rest, const HistogramSide& from, std::size_t skip,
              const IndexMap& map) {
        if (rest == nullptr) {
            merge(out, rest, from, skip, map,
                  [&out, sign = sign_](std::size_t position, double count) { out.counts[position] += sign * count; });
        } else {
            merge(out, rest, from, skip, map, [&out, rest, sign = sign_](std::size_t position, double count) {
                add_exactly(out.counts[position], (*rest)[position], sign * count);
            });
        }
    }
    std::vector<double>* positive_rest() { return rest_ != nullptr ? &rest_->positive : nullptr; }
    std::vector<double>* negative_rest() { return rest_ != nullptr ? &rest_->negative : nullptr; }

    Histogram& to_;
    HistogramRest* rest_;
    const Histogram& other_;
    double sign_;
    HistogramNotes notes_;
};

}  // namespace

HistogramNotes add(Histogram& to, const Histogram& other) {
    return Combination(to, nullptr, other, 1).run();
}
HistogramNotes subtract(Histogram& from, const Histogram& other) {
    return Combination(from, nullptr, other, -1).run();
}

void multiply(Histogram& histogram, double factor) {
    histogram.zero_count *= factor;
    histogram.count *= factor;
    histogram.sum *= factor;
    for (model::HistogramSide* side : {&histogram.positive, &histogram.negative}) {
        for (double& count : side->counts) {
            count *= factor;
        }
    }
    if (factor < 0) {
        histogram.hint = ResetHint::gauge;
    }
}

void divide(Histogram& histogram, double divisor) {
    histogram.zero_count /= divisor;
    histogram.count /= divisor;
    histogram.sum /= divisor;
    if (divisor == 0) {
        histogram.positive = {};
        histogram.negative = {};
        return;
    }
    scale_all(histogram.positive.counts, divisor);
    scale_all(histogram.negative.counts, divisor);
    if (divisor < 0) {
        histogram.hint = ResetHint::gauge;
    }
}

HistogramSum::HistogramSum(const Histogram& first) : sum_(first) {
    rest_.positive.resize(first.positive.counts.size());
    rest_.negative.resize(first.negative.counts.size());
    note(first);
}

void HistogramSum::note(const Histogram& histogram) {
    saw_reset_ = saw_reset_ || histogram.hint == ResetHint::reset;
    saw_no_reset_ = saw_no_reset_ || histogram.hint == ResetHint::not_reset;
    notes_.reset_collision = saw_reset_ && saw_no_reset_;
}

void HistogramSum::add(const Histogram& histogram) {
    if (notes_.incompatible) {
        return;
    }
    note(histogram);
    const HistogramNotes notes = Combination(sum_, &rest_, histogram, 1).run();
    notes_.incompatible = notes.incompatible;
    notes_.bounds_reconciled = notes_.bounds_reconciled || notes.bounds_reconciled;
}

void HistogramSum::scale(double divisor) {
    divide(sum_, divisor);
    rest_.zero_count /= divisor;
    rest_.count /= divisor;
    rest_.sum /= divisor;
    scale_all(rest_.positive, divisor);
    scale_all(rest_.negative, divisor);
}

Histogram HistogramSum::take() && {
    NOROSHI_ASSERT(!notes_.incompatible, "incompatible histograms have no sum");
    sum_.zero_count += rest_.zero_count;
    sum_.count += rest_.count;
    sum_.sum += rest_.sum;
    std::ranges::transform(sum_.positive.counts, rest_.positive, sum_.positive.counts.begin(), std::plus<>());
    std::ranges::transform(sum_.negative.counts, rest_.negative, sum_.negative.counts.begin(), std::plus<>());
    return std::move(sum_);
}

void HistogramMean::add(const Histogram& histogram) {
    if (notes().incompatible) {
        return;
    }
    count_ += 1;
    if (!incremental_) {
        if (!any_of(sum_.sum_, is_large) && !any_of(histogram, is_large)) {
            sum_.add(histogram);
            return;
        }
        HistogramSum tried = sum_;
        tried.add(histogram);
        if (tried.notes().incompatible || !any_of(tried.sum_, [](double value) { return std::isinf(value); })) {
            sum_ = std::move(tried);
            return;
        }
        incremental_ = true;
        sum_.scale(count_ - 1);
    }
    // The mean of n is that of n - 1, taken (n - 1) / n times, and an nth of the new one.
    sum_.scale(count_ / (count_ - 1));
    Histogram part = histogram;
    divide(part, count_);
    sum_.add(part);
}

Histogram HistogramMean::take() && {
    if (!incremental_) {
        sum_.scale(count_);
    }
    return std::move(sum_).take();
}

}  // namespace noroshi::promql
