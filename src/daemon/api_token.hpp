// src/daemon/api_token.hpp - the token that whoever may read the data folder shows to the API.
#pragma once

#include <filesystem>
#include <string>

#include "base/random.hpp"
#include "base/result.hpp"

namespace noroshi::daemon {

/// The file `api.token` in the data folder, mode 0600: 64 hex digits. Errors: not_found, refused (others can read it),
/// parse, io.
[[nodiscard]] Result<std::string> load_token(const std::filesystem::path& data_folder);
/// The same; made when missing.
[[nodiscard]] Result<std::string> load_or_make_token(const std::filesystem::path& data_folder, Random& random);

}  // namespace noroshi::daemon
