// src/base/file.hpp - small whole files: bounded reads, atomic writes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace noroshi {

namespace fs = std::filesystem;

/// Who may read a written file.
enum class FileMode { owner_only /* 0600 */, world_readable /* 0644 */ };

/// The whole file, at most `max_bytes`. Errors: not_found, limit, io.
[[nodiscard]] Result<std::string> read_file(const fs::path& path, std::size_t max_bytes);
/// Writes beside `path`, syncs, renames over it: a reader sees the old or the new file whole. Errors: not_found
/// (no such folder), io.
[[nodiscard]] Result<void> write_file_atomically(const fs::path& path, std::string_view content, FileMode mode);
/// Makes the folder with mode 0700, and its parents, when missing. Errors: io, refused (not a folder).
[[nodiscard]] Result<void> make_private_folder(const fs::path& path);
/// Refuses a secret file that others than its owner can read. Errors: refused, not_found, io.
[[nodiscard]] Result<void> require_private_file(const fs::path& path);
/// The whole of a secret file, at most `max_bytes`, read from the same open file that was judged: only its owner may have
/// access, or its group too where `group_may_read` (credentials of systemd). Errors: refused, not_found, limit, io.
[[nodiscard]] Result<SecretBytes> read_secret_file(const fs::path& path, std::size_t max_bytes,
                                                   bool group_may_read = false);
/// Files that match a glob of the shell's form ("rules/*.yml"), sorted; a relative pattern starts at `base`.
[[nodiscard]] std::vector<fs::path> glob_files(const fs::path& base, std::string_view pattern);

}  // namespace noroshi
