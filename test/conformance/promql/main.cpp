// test/conformance/promql/main.cpp - `promql_conformance [--upstream | --stock] FILE_OR_FOLDER...`: a line a file, then the
// count. --upstream: Prometheus's own files with the options they are written for; --stock: the same with those that a
// Prometheus without flags has, which fails some itself.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "runner.hpp"

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& path) {
    std::vector<std::filesystem::path> out;
    if (!std::filesystem::is_directory(path)) {
        return {path};
    }
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        if (entry.path().extension() == ".test") {
            out.push_back(entry.path());
        }
    }
    std::ranges::sort(out);
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace noroshi;
    conformance::Mode mode{.experimental = true, .unquoted_names = true, .start_times = true};
    conformance::Outcome total;
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    for (const std::string& argument : arguments) {
        if (argument == "--upstream" || argument == "--stock") {
            const bool corpus_options = argument == "--upstream";
            mode = {.lenient = true, .experimental = corpus_options, .unquoted_names = corpus_options,
                    .delayed_names = corpus_options, .start_times = corpus_options};
            continue;
        }
        for (const std::filesystem::path& file : files_of(argument)) {
            const std::string name = file.filename().string();
            const Result<std::string> text = read_file(file, 16u << 20);
            const auto commands = text ? conformance::parse_script(name, *text, mode.lenient)
                                       : Result<std::vector<conformance::Command>>(fail(text.error()));
            if (!commands) {
                fmt::print("{}: {}\n", name, commands.error().to_string());
                ++total.failed;
                continue;
            }
            const conformance::Outcome outcome = conformance::run_script(*commands, mode);
            fmt::print("{}: {} passed, {} failed, {} not run\n", name, outcome.passed, outcome.failed, outcome.not_run);
            for (const std::string& failure : outcome.failures) {
                fmt::print("    {}\n", failure);
            }
            total.passed += outcome.passed;
            total.failed += outcome.failed;
            total.not_run += outcome.not_run;
        }
    }
    fmt::print("{} not run\n{} passed, {} failed\n", total.not_run, total.passed, total.failed);
    return total.failed == 0 && total.passed > 0 ? 0 : 1;
}
