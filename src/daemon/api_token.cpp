// src/daemon/api_token.cpp - reading and making api.token.
#include "api_token.hpp"

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/file.hpp"

namespace noroshi::daemon {
namespace {

constexpr const char* token_file = "api.token";
constexpr std::size_t token_bytes = 32;

}  // namespace

Result<std::string> load_token(const std::filesystem::path& data_folder) {
    const std::filesystem::path file = data_folder / token_file;
    NOROSHI_TRY_VOID(require_private_file(file));
    NOROSHI_TRY(std::string text, read_file(file, 256));
    text.erase(text.find_last_not_of(" \r\n") + 1);
    if (const Result<Bytes> bytes = from_hex(text); !bytes || bytes->size() != token_bytes) {
        return fail(Errc::parse, fmt::format("{}: expected {} hex digits; remove it, and the next start makes another",
                                             file.string(), 2 * token_bytes));
    }
    return text;
}

Result<std::string> load_or_make_token(const std::filesystem::path& data_folder, Random& random) {
    Result<std::string> loaded = load_token(data_folder);
    if (loaded || loaded.error().code != Errc::not_found) {
        return loaded;
    }
    Bytes bytes(token_bytes);
    random.fill(bytes);
    std::string text = to_hex(bytes);
    NOROSHI_TRY_VOID(write_file_atomically(data_folder / token_file, text + "\n", FileMode::owner_only));
    return text;
}

}  // namespace noroshi::daemon
