// src/promql/functions_element.cpp - functions that map each value by itself.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "functions.hpp"

namespace noroshi::promql {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// An element function that looks at the value alone.
template <double (*F)(double)>
double plain(double value, double, double) {
    return F(value);
}

double sign(double v) { return v > 0 ? 1.0 : v < 0 ? -1.0 : v; }
// The factor first: the product of a large value and 180 would overflow.
double degrees(double v) { return v * (180 / std::numbers::pi); }
double radians(double v) { return v * (std::numbers::pi / 180); }
double absolute(double v) { return std::fabs(v); }
double upper(double v) { return std::ceil(v); }
double lower_(double v) { return std::floor(v); }
double root(double v) { return std::sqrt(v); }
double exponential(double v) { return std::exp(v); }
double log_e(double v) { return std::log(v); }
double log_2(double v) { return std::log2(v); }
double log_10(double v) { return std::log10(v); }
double sine(double v) { return std::sin(v); }
double cosine(double v) { return std::cos(v); }
double tangent(double v) { return std::tan(v); }
double arc_sine(double v) { return std::asin(v); }
double arc_cosine(double v) { return std::acos(v); }
double arc_tangent(double v) { return std::atan(v); }
double sine_h(double v) { return std::sinh(v); }
double cosine_h(double v) { return std::cosh(v); }
double tangent_h(double v) { return std::tanh(v); }
double arc_sine_h(double v) { return std::asinh(v); }
double arc_cosine_h(double v) { return std::acosh(v); }
double arc_tangent_h(double v) { return std::atanh(v); }

/// Ties go up. Divides by the inverse, so that 0.1 rounds as Prometheus does.
double round_to(double value, double to, double) {
    const double inverse = 1 / to;
    return std::floor(value * inverse + 0.5) / inverse;
}

/// NaN unless the other one is the infinity that no number is beyond.
double larger(double a, double b) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return a == infinity || b == infinity ? infinity : std::isnan(a) || std::isnan(b) ? nan : std::max(a, b);
}
double smaller(double a, double b) { return -larger(-a, -b); }

double clamp(double value, double low, double high) { return larger(low, smaller(high, value)); }
double clamp_min(double value, double low, double) { return larger(low, value); }
double clamp_max(double value, double high, double) { return smaller(high, value); }

/// An argument that may be left out is 1 then: that of round.
Function row(std::string_view name, ElementFunction run, std::size_t scalars = 0, int optional = 0) {
    std::vector<ValueType> arguments{ValueType::vector};
    arguments.insert(arguments.end(), scalars, ValueType::scalar);
    return {name, std::move(arguments), optional, ValueType::vector, run, false, false, optional > 0 ? 1.0 : 0.0};
}

}  // namespace

std::vector<Function> element_functions() {
    return {row("abs", plain<absolute>),      row("ceil", plain<upper>),           row("floor", plain<lower_>),
            row("sqrt", plain<root>),         row("exp", plain<exponential>),      row("ln", plain<log_e>),
            row("log2", plain<log_2>),        row("log10", plain<log_10>),         row("sgn", plain<sign>),
            row("sin", plain<sine>),          row("cos", plain<cosine>),           row("tan", plain<tangent>),
            row("asin", plain<arc_sine>),     row("acos", plain<arc_cosine>),      row("atan", plain<arc_tangent>),
            row("sinh", plain<sine_h>),       row("cosh", plain<cosine_h>),        row("tanh", plain<tangent_h>),
            row("asinh", plain<arc_sine_h>),  row("acosh", plain<arc_cosine_h>),   row("atanh", plain<arc_tangent_h>),
            row("deg", plain<degrees>),       row("rad", plain<radians>),          row("round", round_to, 1, 1),
            row("clamp", clamp, 2),           row("clamp_min", clamp_min, 1),      row("clamp_max", clamp_max, 1)};
}

}  // namespace noroshi::promql
