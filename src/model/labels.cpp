// src/model/labels.cpp - label sets: order, hashes, text.
#include "model/labels.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

#include "base/bytes.hpp"

namespace noroshi::model {
namespace {

constexpr char separator = '\xff';

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(std::string_view name, bool colon) {
    if (name.empty() || is_digit(name.front())) {
        return false;
    }
    return std::ranges::all_of(name, [colon](char c) { return is_letter(c) || is_digit(c) || (colon && c == ':'); });
}

}  // namespace

Labels::Labels(std::vector<Label> labels) {
    labels_.reserve(labels.size());
    for (Label& label : labels) {
        const auto place = std::ranges::lower_bound(labels_, label.name, {}, &Label::name);
        if (place != labels_.end() && place->name == label.name) {
            place->value = std::move(label.value);
        } else {
            labels_.insert(place, std::move(label));
        }
    }
    std::erase_if(labels_, [](const Label& label) { return label.value.empty(); });
}

std::string_view Labels::get(std::string_view name) const {
    const auto found = std::ranges::lower_bound(labels_, name, {}, &Label::name);
    return found != labels_.end() && found->name == name ? std::string_view(found->value) : std::string_view();
}

Labels Labels::with(std::string_view name, std::string_view value) const {
    Labels out = *this;
    const auto found = std::ranges::lower_bound(out.labels_, name, {}, &Label::name);
    const bool present = found != out.labels_.end() && found->name == name;
    if (value.empty()) {
        if (present) {
            out.labels_.erase(found);
        }
    } else if (present) {
        found->value = std::string(value);
    } else {
        out.labels_.insert(found, {std::string(name), std::string(value)});
    }
    return out;
}

std::uint64_t Labels::hash() const {
    std::string bytes;
    for (const Label& label : labels_) {
        bytes += label.name;
        bytes += separator;
        bytes += label.value;
        bytes += separator;
    }
    return XXH64(bytes.data(), bytes.size(), 0);
}

std::uint64_t Labels::fingerprint() const {
    std::uint64_t sum = 14695981039346656037u;
    const auto add = [&sum](char c) { sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u; };
    for (const Label& label : labels_) {
        std::ranges::for_each(label.name, add);
        add(separator);
        std::ranges::for_each(label.value, add);
        add(separator);
    }
    return sum;
}

std::string Labels::to_string() const {
    std::string out;
    std::string name;
    for (const Label& label : labels_) {
        if (label.name == metric_name_label && is_legacy_metric_name(label.value)) {
            name = label.value;
            continue;
        }
        out += out.empty() ? "" : ", ";
        out += (is_legacy_label_name(label.name) ? label.name : quote(label.name)) + "=" + quote(label.value);
    }
    if (out.empty() && !name.empty()) {
        return name;
    }
    return name + "{" + out + "}";
}

bool is_legacy_label_name(std::string_view name) { return is_name(name, false); }

bool is_legacy_metric_name(std::string_view name) { return is_name(name, true); }

std::string quote(std::string_view text) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) {
            // A whole character, or a byte that is none.
            const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
            if (is_utf8(text.substr(i, length))) {
                out += text.substr(i, length);
                i += length - 1;
            } else {
                out += fmt::format("\\x{:02x}", byte);
            }
        } else if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c == '\r') {
            out += "\\r";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string format_fingerprint(std::uint64_t fingerprint) { return fmt::format("{:016x}", fingerprint); }

}  // namespace noroshi::model
