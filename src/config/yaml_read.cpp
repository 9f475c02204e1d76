// src/config/yaml_read.cpp - the reader: faults with their path, keys of mappings, lists.
#include <algorithm>
#include <map>
#include <numeric>

#include "yaml.hpp"

namespace noroshi::config::yaml {
namespace {

constexpr std::size_t max_errors = 100;
constexpr std::size_t max_shown_bytes = 60;

/// Edits between two words; a swap of neighbours is one edit.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        std::swap(before_last, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

const Refused* find_refused(std::string_view key, std::span<const Refused> refused) {
    const auto found = std::ranges::find_if(refused, [&](const Refused& r) {
        return r.key.starts_with('*') ? key.ends_with(r.key.substr(1))
             : r.key.ends_with('*')   ? key.starts_with(r.key.substr(0, r.key.size() - 1))
                                      : key == r.key;
    });
    return found == refused.end() ? nullptr : &*found;
}

void fail_unknown(Reader& reader, const Node& key, std::span<const KeyInfo> keys) {
    std::vector<std::string_view> known;
    for (const KeyInfo& info : keys) {
        known.push_back(info.key);
    }
    std::string message = "unknown key " + shown(key.text);
    if (const std::string_view near = nearest(key.text, known); !near.empty()) {
        message += fmt::format("; did you mean \"{}\"?", near);
    }
    reader.fail(key, fmt::format("{} (expected one of: {})", message, fmt::join(known, ", ")));
}

/// True when the key is a scalar that has not been seen before in this mapping.
bool is_fresh_key(Reader& reader, const Node& key, std::map<std::string_view, const Node*>& seen) {
    if (key.kind != Kind::scalar) {
        reader.fail(key, fmt::format("expected a key, got {}", kind_name(key)));
        return false;
    }
    if (key.text == "<<" && !key.quoted) {
        reader.fail(key, "expected a mapping or a list of mappings behind \"<<\", once");
        return false;
    }
    const auto [first, fresh] = seen.emplace(key.text, &key);
    if (!fresh) {
        reader.fail(key, fmt::format("duplicate key {}, first given in line {}", shown(key.text), first->second->line));
    }
    return fresh;
}

}  // namespace

Reader::Scope::Scope(Reader& reader, std::string_view step) : reader_(reader), length_(reader.path_.size()) {
    reader.path_ += step;
}

Reader::Scope Reader::key(std::string_view key) {
    const bool separate = !path_.empty() && !path_.ends_with(": ");
    return {*this, (separate ? "." : "") + std::string(key)};
}
Reader::Scope Reader::index(std::size_t index) { return {*this, fmt::format("[{}]", index)}; }
Reader::Scope Reader::context(std::string_view text) { return {*this, text}; }

void Reader::fail_at(SourcePos where, std::string_view message, Errc code) {
    if (errors_.size() >= max_errors) {
        ++more_errors_;
        return;
    }
    const bool separate = !path_.empty() && !path_.ends_with(": ");
    const auto place = [](const Error& e) { return std::pair(e.where.line, e.where.column); };
    const auto after = std::ranges::upper_bound(errors_, std::pair(where.line, where.column), {}, place);
    errors_.insert(after, {code, path_ + (separate ? ": " : "") + std::string(message), std::move(where)});
}

void Reader::fail(const Node& at, std::string_view message, Errc code) { fail_at(where(at), message, code); }

void Reader::warn(const Node& at, std::string_view message) {
    if (warnings_.size() < max_errors) {
        const bool separate = !path_.empty() && !path_.ends_with(": ");
        const Error warning{Errc::parse, path_ + (separate ? ": " : "") + std::string(message), where(at)};
        warnings_.push_back(warning.to_string());
    }
}

std::vector<Error> Reader::take_errors() {
    if (more_errors_ > 0) {
        errors_.push_back({Errc::limit, fmt::format("and {} more faults", more_errors_), {file_}});
    }
    return std::move(errors_);
}

std::vector<std::pair<std::size_t, NodePtr>> check_keys(Reader& reader, const Node& node,
                                                        std::span<const KeyInfo> keys,
                                                        std::span<const Refused> refused) {
    std::vector<std::pair<std::size_t, NodePtr>> out;
    if (node.kind != Kind::mapping && node.kind != Kind::null) {
        reader.fail(node, fmt::format("expected a mapping, got {}", kind_name(node)));
        return out;
    }
    std::map<std::string_view, const Node*> seen;
    for (const auto& [key, value] : node.entries) {
        if (!is_fresh_key(reader, *key, seen)) {
            continue;
        }
        const auto known = std::ranges::find(keys, std::string_view(key->text), &KeyInfo::key);
        if (known != keys.end()) {
            if (value->kind != Kind::null) {
                out.emplace_back(static_cast<std::size_t>(known - keys.begin()), value);
            }
        } else if (const Refused* other = find_refused(key->text, refused); other != nullptr) {
            reader.fail(*key, fmt::format("{} is not supported by this version; {}", shown(key->text), other->instead),
                        Errc::unsupported);
        } else if (!reader.ignores_unknown_keys()) {
            fail_unknown(reader, *key, keys);
        }
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const bool given = std::ranges::any_of(out, [&](const auto& found) { return found.first == i; });
        if (keys[i].presence == Presence::required && !given) {
            reader.fail(node, fmt::format("missing key \"{}\": {}", keys[i].key, keys[i].doc));
        }
    }
    return out;
}

void read_sequence(Reader& reader, const Node& node, std::string_view expected,
                   const std::function<void(const Node&, std::size_t)>& read) {
    if (node.kind != Kind::sequence && node.kind != Kind::null) {
        reader.fail(node, fmt::format("expected a list of {}, got {}", expected, kind_name(node)));
        return;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const Reader::Scope scope = reader.index(i);
        read(*node.items[i], i);
    }
}

void read_entries(Reader& reader, const Node& node, std::string_view expected,
                  const std::function<void(const Node&, const Node&)>& read) {
    if (node.kind != Kind::mapping && node.kind != Kind::null) {
        reader.fail(node, fmt::format("expected a mapping of {}, got {}", expected, kind_name(node)));
        return;
    }
    std::map<std::string_view, const Node*> seen;
    for (const auto& [key, value] : node.entries) {
        if (is_fresh_key(reader, *key, seen)) {
            const Reader::Scope scope = reader.key(key->text.substr(0, max_shown_bytes));
            read(*key, *value);
        }
    }
}

std::string_view kind_name(const Node& node) {
    switch (node.kind) {
        case Kind::null:
            return "nothing";
        case Kind::scalar:
            return "text";
        case Kind::sequence:
            return "a list";
        case Kind::mapping:
            return "a mapping";
    }
    return "nothing";
}

std::string shown(std::string_view text) {
    std::size_t cut = std::min(text.size(), max_shown_bytes);
    while (cut < text.size() && cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) {
        --cut;
    }
    std::string out(text.substr(0, cut));
    std::ranges::replace(out, '\n', ' ');
    return "\"" + out + (cut < text.size() ? "…\"" : "\"");
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.size() > max_shown_bytes) {
        return "";
    }
    std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
    std::string_view found;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best && distance < candidate.size()) {
            best = distance;
            found = candidate;
        }
    }
    return found;
}

}  // namespace noroshi::config::yaml
