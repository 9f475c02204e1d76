// src/model/labels.cpp - label sets: order, hashes, text.
#include "model/labels.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <new>

#include "base/bytes.hpp"
#include "model/text_hash.hpp"

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

/// One allocation: this, where each name and value ends in the text, and the text, which is name 0xff value 0xff of each.
struct Labels::Block {
    mutable std::atomic<std::uint32_t> references{1};
    std::uint32_t count{0};
    std::uint64_t hash{0};

    using End = std::uint32_t;
    [[nodiscard]] const End* ends() const { return reinterpret_cast<const End*>(this + 1); }
    [[nodiscard]] End* ends() { return reinterpret_cast<End*>(this + 1); }
    [[nodiscard]] const char* text() const { return reinterpret_cast<const char*>(ends() + 2 * std::size_t{count}); }
    [[nodiscard]] char* text() { return reinterpret_cast<char*>(ends() + 2 * std::size_t{count}); }
    [[nodiscard]] std::size_t text_bytes() const { return ends()[2 * std::size_t{count} - 1] + 1; }
    [[nodiscard]] LabelView at(std::size_t i) const {
        const End begin = i == 0 ? 0 : ends()[2 * i - 1] + 1;
        const End name_end = ends()[2 * i];
        return {{text() + begin, name_end - begin}, {text() + name_end + 1, ends()[2 * i + 1] - name_end - 1}};
    }
};

Labels::Labels(std::vector<Label> labels) {
    std::ranges::stable_sort(labels, {}, &Label::name);
    std::vector<LabelView> kept;
    kept.reserve(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const bool given_again = i + 1 < labels.size() && labels[i + 1].name == labels[i].name;
        if (!given_again && !labels[i].value.empty()) {
            kept.push_back({labels[i].name, labels[i].value});
        }
    }
    *this = of_sorted(kept);
}

Labels Labels::of_sorted(std::span<const LabelView> labels) {
    if (labels.empty()) {
        return {};
    }
    std::size_t bytes = 0;
    for (const LabelView label : labels) {
        bytes += label.name.size() + label.value.size() + 2;
    }
    NOROSHI_ASSERT(bytes <= std::numeric_limits<Block::End>::max(), "who reads labels bounds them");
    void* memory = ::operator new(sizeof(Block) + 2 * labels.size() * sizeof(Block::End) + bytes);
    auto* block = new (memory) Block;
    block->count = static_cast<std::uint32_t>(labels.size());
    Block::End* end = block->ends();
    char* const text = block->text();
    char* out = text;
    for (const LabelView label : labels) {
        for (const std::string_view part : {label.name, label.value}) {
            out = std::ranges::copy(part, out).out;
            *end++ = static_cast<Block::End>(out - text);
            *out++ = separator;
        }
    }
    block->hash = XXH64(text, bytes, 0);
    return Labels(block);
}

Labels::Labels(const Labels& other) : block_(other.block_) {
    if (block_ != nullptr) {
        block_->references.fetch_add(1, std::memory_order_relaxed);
    }
}

Labels::~Labels() {
    if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        block_->~Block();
        ::operator delete(const_cast<Block*>(block_));
    }
}

LabelView Labels::Iterator::operator[](difference_type by) const { return block_->at(static_cast<std::size_t>(index_ + by)); }

std::size_t Labels::size() const { return block_ == nullptr ? 0 : block_->count; }

std::string_view Labels::text() const {
    return block_ == nullptr ? std::string_view() : std::string_view(block_->text(), block_->text_bytes());
}

std::size_t Labels::memory() const {
    return block_ == nullptr ? 0 : sizeof(Block) + 2 * size() * sizeof(Block::End) + text().size();
}

bool Labels::operator==(const Labels& other) const {
    if (block_ == other.block_) {
        return true;
    }
    // Where the parts end counts, too: a separator may be a byte of a name or a value.
    return size() == other.size() && hash() == other.hash() && text() == other.text() &&
           std::equal(block_->ends(), block_->ends() + 2 * size(), other.block_->ends());
}

std::strong_ordering Labels::operator<=>(const Labels& other) const {
    if (block_ == other.block_) {
        return std::strong_ordering::equal;
    }
    const std::size_t both = std::min(size(), other.size());
    for (std::size_t i = 0; i < both; ++i) {
        const LabelView a = block_->at(i);
        const LabelView b = other.block_->at(i);
        // Sets that are compared mostly have the same names.
        if (const int name = a.name.compare(b.name); name != 0) {
            return name <=> 0;
        }
        if (const int value = a.value.compare(b.value); value != 0) {
            return value <=> 0;
        }
    }
    return size() <=> other.size();
}

std::string_view Labels::get(std::string_view name) const {
    const auto found = std::ranges::lower_bound(*this, name, {}, &LabelView::name);
    return found != end() && found->name == name ? found->value : std::string_view();
}

Labels Labels::with(std::string_view name, std::string_view value) const {
    std::vector<LabelView> out;
    out.reserve(size() + 1);
    bool placed = value.empty();
    for (const LabelView label : *this) {
        if (!placed && label.name >= name) {
            out.push_back({name, value});
            placed = true;
        }
        if (label.name != name) {
            out.push_back(label);
        }
    }
    if (!placed) {
        out.push_back({name, value});
    }
    return of_sorted(out);
}

std::uint64_t Labels::hash() const {
    static const std::uint64_t of_none = XXH64("", 0, 0);  // immutable
    return block_ == nullptr ? of_none : block_->hash;
}

std::uint64_t Labels::fingerprint() const {
    std::uint64_t sum = 14695981039346656037u;
    const auto add = [&sum](char c) { sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u; };
    for (const LabelView label : *this) {
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
    for (const LabelView label : *this) {
        if (label.name == metric_name_label && is_legacy_metric_name(label.value)) {
            name = label.value;
            continue;
        }
        out += out.empty() ? "" : ", ";
        out += (is_legacy_label_name(label.name) ? std::string(label.name) : quote(label.name)) + "=" + quote(label.value);
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

std::uint64_t text_hash(std::string_view text, std::uint64_t seed) {
    return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

std::string format_fingerprint(std::uint64_t fingerprint) { return fmt::format("{:016x}", fingerprint); }

}  // namespace noroshi::model
