// src/collect/host/reading.cpp - implements ReadingBuilder and the splitting of kernel files.
#include "host/reading.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "base/numbers.hpp"

namespace noroshi::collect {

namespace {

constexpr std::size_t max_file_bytes = 4u << 20;

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> out;
    for (std::size_t begin = text.find_first_not_of(separators); begin != std::string_view::npos;) {
        const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
        out.push_back(text.substr(begin, end - begin));
        begin = text.find_first_not_of(separators, end);
    }
    return out;
}

}  // namespace

std::string ReadingBuilder::path(std::string_view absolute) const {
    return (fs::path(root_) / fs::path(absolute).relative_path()).string();
}

std::string ReadingBuilder::need(std::string_view file) {
    Result<std::string> text = read_file(path(file), max_file_bytes);
    if (!text) {
        problem(fmt::format("{}: {}", file, text.error().message));
        return {};
    }
    return std::move(*text);
}

std::optional<std::string> ReadingBuilder::want(std::string_view file) const {
    Result<std::string> text = read_file(path(file), max_file_bytes);
    return text ? std::optional(std::move(*text)) : std::nullopt;
}

void ReadingBuilder::add(std::string_view name, std::vector<model::Label> labels, double value) {
    if (!std::ranges::all_of(labels, is_utf8, &model::Label::value)) {
        problem(fmt::format("{}: a label value is not UTF-8", name));
        return;
    }
    labels.push_back({std::string(model::metric_name_label), std::string(name)});
    reading_.samples.push_back({.labels = model::Labels(std::move(labels)), .value = value, .at = {}, .emptied = {}});
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines = split(text, "\n");
    std::erase_if(lines, [](std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; });
    return lines;
}

std::vector<std::string_view> fields_of(std::string_view line) { return split(line, " \t\n"); }

std::optional<double> number_of(std::string_view text) {
    const Result<double> value = parse_float(text);
    return value ? std::optional(*value) : std::nullopt;
}

}  // namespace noroshi::collect
