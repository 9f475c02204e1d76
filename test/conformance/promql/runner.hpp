// test/conformance/promql/runner.hpp - evaluates a script and compares.
#pragma once

#include <string>
#include <vector>

#include "script.hpp"

namespace noroshi::conformance {

struct Outcome {
    std::size_t passed{0};
    std::size_t failed{0};
    std::size_t not_run{0};  ///< needs what this engine lacks by plan; never counted as passed
    std::vector<std::string> failures;
};

struct Mode {
    bool lenient{false};       ///< what the engine calls unsupported is not run instead of failed
    bool experimental{false};  ///< functions and modifiers behind a flag
    bool unquoted_names{false};  ///< in expressions; series are always read so
    bool delayed_names{false};  ///< names go at the end
    bool start_times{false};    ///< the engine knows the start times of samples
};

[[nodiscard]] Outcome run_script(const std::vector<Command>& commands, const Mode& mode);

}  // namespace noroshi::conformance
