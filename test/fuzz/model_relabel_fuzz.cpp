// test/fuzz/model_relabel_fuzz.cpp - lines as fields of relabel rules and as labels; what comes out are labels again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "model/relabel.hpp"

namespace {

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

std::string_view take_word(std::string_view& line) {
    const std::size_t end = line.find('\t');
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    return word;
}

}  // namespace

/// The first line has labels (name, value, name, value .., set apart by tabs); each other is a rule: action (a letter), source
/// label, source label, separator, regex, target label, replacement, modulus (a letter).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi::model;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    if (!noroshi::is_utf8(rest)) {
        return 0;
    }
    LabelMap labels;
    for (std::string_view line = take_line(rest); !line.empty();) {
        const std::string name(take_word(line));
        const std::string value(take_word(line));
        if (!name.empty() && !value.empty()) {
            labels.emplace(name, value);
        }
    }
    std::vector<RelabelRule> rules;
    while (!rest.empty() && rules.size() < 8) {
        std::string_view line = take_line(rest);
        const std::string_view action = take_word(line);
        RelabelSpec spec{.action = static_cast<RelabelAction>(action.empty() ? 0 : static_cast<unsigned char>(action[0]) % 11)};
        for (int i = 0; i < 2; ++i) {
            spec.source_labels.emplace_back(take_word(line));
        }
        spec.separator = take_word(line);
        spec.regex = take_word(line).substr(0, 100);
        spec.target_label = take_word(line);
        spec.replacement = take_word(line).substr(0, 100);
        spec.modulus = line.empty() ? 0 : static_cast<unsigned char>(line[0]);
        if (auto rule = RelabelRule::create(spec)) {
            rules.push_back(std::move(*rule));
        } else if (rule.error().message.empty()) {
            std::abort();
        }
    }
    LabelMap again = labels;
    const bool kept = relabel(rules, labels);
    if (kept != relabel(rules, again) || labels != again) {
        std::abort();  // the same labels and rules give the same
    }
    for (const auto& [name, value] : labels) {
        if (value.empty() || !noroshi::is_utf8(name)) {
            std::abort();
        }
    }
    return 0;
}
