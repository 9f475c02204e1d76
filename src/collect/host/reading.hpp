// src/collect/host/reading.hpp - ReadingBuilder: what each part of the host collector reads through and writes to.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/collect.hpp"

namespace noroshi::collect {

/// Gathers the samples of one reading. Files are named from the root, e.g. "proc/stat".
class ReadingBuilder {
  public:
    explicit ReadingBuilder(const std::string& root) : root_(root) {}

    /// The file's text; when it can't be read the problem is noted and the text is empty.
    [[nodiscard]] std::string need(std::string_view file);
    /// The file's text, or nothing: for files that many machines lack.
    [[nodiscard]] std::optional<std::string> want(std::string_view file) const;
    /// Where `path`, absolute on the host, is from here.
    [[nodiscard]] std::string path(std::string_view absolute) const;

    void add(std::string_view name, double value) { add(name, {}, value); }
    /// A label value that is not UTF-8 is a problem, not a sample.
    void add(std::string_view name, std::vector<model::Label> labels, double value);
    void problem(std::string text) { reading_.problems.push_back(std::move(text)); }
    [[nodiscard]] HostCollector::Reading take() { return std::move(reading_); }

  private:
    const std::string& root_;
    HostCollector::Reading reading_;
};

/// The lines of a file of /proc but blank ones; `fields_of` splits each at blanks into one or more. Views point into the text.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);
[[nodiscard]] std::vector<std::string_view> fields_of(std::string_view line);
/// A number of the kernel's; nothing when it is none.
[[nodiscard]] std::optional<double> number_of(std::string_view text);

}  // namespace noroshi::collect
