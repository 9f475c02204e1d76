// src/config/promql.cpp - the section promql: which experimental parts of PromQL are on.
#include <algorithm>
#include <array>
#include <optional>

#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Reader;

struct Feature {
    std::string_view name;  ///< Prometheus's, of --enable-feature
    bool PromqlConfig::*flag;
};
constexpr std::array<Feature, 4> features{{{"promql-experimental-functions", &PromqlConfig::experimental_functions},
                                           {"promql-binop-fill-modifiers", &PromqlConfig::fill_modifiers},
                                           {"promql-unquoted-utf8-names", &PromqlConfig::unquoted_names},
                                           {"promql-delayed-name-removal", &PromqlConfig::delayed_name_removal}}};

void read_features(Reader& reader, const Node& node, PromqlConfig& out) {
    std::array<std::string_view, features.size()> names;
    std::ranges::transform(features, names.begin(), &Feature::name);
    yaml::read_sequence(reader, node, "names of features", [&](const Node& item, std::size_t) {
        if (item.text == "use-start-timestamps") {
            reader.fail(item, "\"use-start-timestamps\" is not supported: no series here has start times", Errc::unsupported);
        } else if (const std::optional<std::size_t> index = yaml::read_word(reader, item, names)) {
            out.*features.at(*index).flag = true;
        }
    });
}

}  // namespace

void read_promql(Reader& reader, const Node& node, PromqlConfig& out) {
    const std::vector<yaml::Field<PromqlConfig>> fields{
        {"features", read_features, "experimental parts of PromQL that are on, by Prometheus's names of them; default none"},
    };
    yaml::read_mapping(reader, node, fields, {}, out);
}

}  // namespace noroshi::config
