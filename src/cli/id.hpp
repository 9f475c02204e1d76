// src/cli/id.hpp - what the subcommands of `noroshi id` share.
#pragma once

#include <memory>

#include "cli.hpp"

namespace noroshi::cli {

struct IdOptions : IdentityOptions {
    bool json{false};
    bool no_qr{false};
};

/// `noroshi id backup` and `noroshi id restore`.
void add_id_words(CLI::App& command, const std::shared_ptr<IdOptions>& options, int& exit_code);

}  // namespace noroshi::cli
