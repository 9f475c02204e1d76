// src/collect/scrape/metadata.cpp - implements MetadataCollector.
#include "scrape/metadata.hpp"

namespace noroshi::collect {

namespace {

/// At most `max_help_bytes`, whole characters.
std::string unescaped(std::string_view text, bool quotes) {
    std::string out;
    for (std::size_t i = 0; i < text.size() && out.size() <= max_help_bytes; ++i) {
        const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
        if (next == '\\' || next == 'n' || (quotes && next == '"')) {
            out += next == 'n' ? '\n' : next;
            ++i;
        } else {
            out += text[i];
        }
    }
    if (out.size() > max_help_bytes) {
        std::size_t cut = max_help_bytes;
        while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xc0) == 0x80) {
            --cut;
        }
        out.resize(cut);
    }
    return out;
}

}  // namespace

FamilyMetadata* MetadataCollector::family(const std::string& name) {
    if (out_ == nullptr || name.size() > max_help_bytes) {
        return nullptr;
    }
    if (const auto known = places_.find(name); known != places_.end()) {
        return &(*out_)[known->second];
    }
    if (out_->size() >= max_families) {
        return nullptr;
    }
    places_.emplace(name, out_->size());
    return &out_->emplace_back(name);
}

void MetadataCollector::type(const std::string& name, std::string_view word) {
    if (FamilyMetadata* each = family(name)) {
        each->type = word == "untyped" ? "unknown" : word;
    }
}

void MetadataCollector::help(const std::string& name, std::string_view text, bool quotes) {
    if (FamilyMetadata* each = family(name)) {
        each->help = unescaped(text, quotes);
    }
}

void MetadataCollector::unit(const std::string& name, std::string_view text) {
    if (FamilyMetadata* each = family(name)) {
        each->unit = text.substr(0, max_help_bytes);
    }
}

}  // namespace noroshi::collect
