// src/model/relabel.cpp - implements RelabelRule.
#include "model/relabel.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/utf8.hpp"
#include "regex.hpp"

namespace noroshi::model {
namespace {

constexpr std::string_view action_names[] = {"replace",  "keep",      "drop",      "keepequal", "dropequal", "hashmod",
                                             "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"};

std::string_view name_of(RelabelAction action) { return action_names[static_cast<std::size_t>(action)]; }

void set(LabelMap& labels, const std::string& name, std::string value) {
    if (value.empty()) {
        labels.erase(name);
    } else {
        labels[name] = std::move(value);
    }
}

std::string get(const LabelMap& labels, std::string_view name) {
    const auto found = labels.find(name);
    return found == labels.end() ? std::string() : found->second;
}

bool is_label_name(std::string_view name) { return !name.empty() && is_utf8(name); }

bool is_word_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The name after a '$' by the longest-word rule of Go's Expand; takes it off `rest`. Empty: the '$' is a plain one.
std::string_view take_reference(std::string_view& rest) {
    const bool braced = rest.starts_with('{');
    const std::size_t begin = braced ? 1 : 0;
    std::size_t end = begin;
    while (end < rest.size() && is_word_byte(rest[end])) {
        ++end;
    }
    if (end == begin || (braced && (end >= rest.size() || rest[end] != '}'))) {
        return {};
    }
    const std::string_view name = rest.substr(begin, end - begin);
    rest.remove_prefix(braced ? end + 1 : end);
    return name;
}

/// Index of the group called `name`, or -1.
int group_index(const re2::RE2& regex, std::string_view name) {
    int index = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error == std::errc{} && end == name.data() + name.size()) {
        const bool leading_zero = name.size() > 1 && name[0] == '0';
        return leading_zero || index > regex.NumberOfCapturingGroups() ? -1 : index;
    }
    const auto named = regex.NamedCapturingGroups().find(std::string(name));
    return named == regex.NamedCapturingGroups().end() ? -1 : named->second;
}

std::string hash_modulo(std::string_view value, std::uint64_t modulus) {
    const auto digest = crypto::md5(as_bytes(value));
    std::uint64_t tail = 0;
    for (std::size_t i = 8; i < digest.size(); ++i) {
        tail = tail << 8 | digest[i];
    }
    return std::to_string(tail % modulus);
}

tl::unexpected<Error> refuse(std::string message) { return fail(Errc::invalid_argument, std::move(message)); }

Result<void> check_target(const RelabelSpec& spec) {
    using enum RelabelAction;
    switch (spec.action) {
        case replace:
        case hashmod:
        case lowercase:
        case uppercase:
        case keepequal:
        case dropequal:
            break;
        case keep:
        case drop:
        case labelmap:
        case labeldrop:
        case labelkeep:
            return {};
    }
    if (!is_label_name(spec.target_label)) {
        return refuse(fmt::format("target_label: action {} needs the name of a label", name_of(spec.action)));
    }
    return {};
}

Result<void> check_fields(const RelabelSpec& spec) {
    using enum RelabelAction;
    const RelabelSpec plain;
    const bool equal = spec.action == keepequal || spec.action == dropequal;
    const bool cased = spec.action == lowercase || spec.action == uppercase;
    const bool names = spec.action == labeldrop || spec.action == labelkeep;
    if (spec.action == hashmod && spec.modulus == 0) {
        return refuse("modulus: action hashmod needs a number above 0");
    }
    if (spec.action == labelmap && !is_label_name(spec.replacement)) {
        return refuse("replacement: action labelmap needs the name of a label");
    }
    if (cased && spec.replacement != plain.replacement) {
        return refuse(fmt::format("replacement: action {} takes none", name_of(spec.action)));
    }
    const bool others = spec.modulus != 0 || spec.separator != plain.separator || spec.replacement != plain.replacement;
    if (equal && (others || spec.regex != plain.regex)) {
        return refuse(fmt::format("action {} takes source_labels and target_label only", name_of(spec.action)));
    }
    if (names && (others || !spec.source_labels.empty() || !spec.target_label.empty())) {
        return refuse(fmt::format("action {} takes regex only", name_of(spec.action)));
    }
    return {};
}

}  // namespace

Result<RelabelRule> RelabelRule::create(RelabelSpec spec) {
    NOROSHI_TRY_VOID(check_target(spec));
    NOROSHI_TRY_VOID(check_fields(spec));
    auto regex = anchored_regex(spec.regex);
    if (!regex) {
        return fail(std::move(regex).error().with("regex"));
    }
    return RelabelRule(std::move(spec), std::move(*regex));
}

bool RelabelRule::matches(const std::string& text) const { return re2::RE2::PartialMatch(text, *regex_); }

std::optional<std::string> RelabelRule::expand(std::string_view text, const std::string& value) const {
    std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex_->NumberOfCapturingGroups()) + 1);
    if (!regex_->Match(value, 0, value.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
        return std::nullopt;
    }
    std::string out;
    while (!text.empty()) {
        const std::size_t dollar = text.find('$');
        out += text.substr(0, dollar);
        if (dollar == std::string_view::npos) {
            break;
        }
        text.remove_prefix(dollar + 1);
        if (text.starts_with('$')) {
            out += '$';
            text.remove_prefix(1);
        } else if (const std::string_view name = take_reference(text); name.empty()) {
            out += '$';
        } else if (const int index = group_index(*regex_, name); index >= 0) {
            const re2::StringPiece& group = groups[static_cast<std::size_t>(index)];
            out.append(group.data() == nullptr ? "" : group.data(), group.size());
        }
    }
    return out;
}

void RelabelRule::replace(LabelMap& labels, const std::string& value) const {
    const std::optional<std::string> target = expand(spec_.target_label, value);
    if (target && is_label_name(*target)) {
        set(labels, *target, expand(spec_.replacement, value).value_or(""));
    }
}

void RelabelRule::map_names(LabelMap& labels) const {
    const LabelMap before = labels;
    for (const auto& [name, value] : before) {
        if (const std::optional<std::string> mapped = expand(spec_.replacement, name); mapped && !mapped->empty()) {
            set(labels, *mapped, value);
        }
    }
}

bool RelabelRule::apply(LabelMap& labels) const {
    std::string value;
    for (std::size_t i = 0; i < spec_.source_labels.size(); ++i) {
        value += (i == 0 ? "" : spec_.separator) + get(labels, spec_.source_labels[i]);
    }
    switch (spec_.action) {
        case RelabelAction::keep:
            return matches(value);
        case RelabelAction::drop:
            return !matches(value);
        case RelabelAction::keepequal:
            return get(labels, spec_.target_label) == value;
        case RelabelAction::dropequal:
            return get(labels, spec_.target_label) != value;
        case RelabelAction::replace:
            replace(labels, value);
            break;
        case RelabelAction::hashmod:
            set(labels, spec_.target_label, hash_modulo(value, spec_.modulus));
            break;
        case RelabelAction::labelmap:
            map_names(labels);
            break;
        case RelabelAction::labeldrop:
            std::erase_if(labels, [this](const auto& label) { return matches(label.first); });
            break;
        case RelabelAction::labelkeep:
            std::erase_if(labels, [this](const auto& label) { return !matches(label.first); });
            break;
        case RelabelAction::lowercase:
            set(labels, spec_.target_label, to_lower_utf8(value));
            break;
        case RelabelAction::uppercase:
            set(labels, spec_.target_label, to_upper_utf8(value));
            break;
    }
    return true;
}

bool relabel(std::span<const RelabelRule> rules, LabelMap& labels) {
    return std::ranges::all_of(rules, [&](const RelabelRule& rule) { return rule.apply(labels); });
}

}  // namespace noroshi::model
