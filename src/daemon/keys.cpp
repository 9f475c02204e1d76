// src/daemon/keys.cpp - key files and the data folder.
#include <cstdlib>

#include "base/file.hpp"
#include "base/random.hpp"
#include "daemon/daemon.hpp"

namespace noroshi::daemon {
namespace {

constexpr std::size_t max_key_file_bytes = 256;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    return text;
}

void wipe_text(std::string& text) {
    wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

Result<crypto::SecretKey> load_key(const std::filesystem::path& file) {
    NOROSHI_TRY_VOID(require_private_file(file));
    NOROSHI_TRY(std::string text, read_file(file, max_key_file_bytes));
    Result<Bytes> bytes = from_hex(trimmed(text));
    wipe_text(text);
    if (!bytes || bytes->size() != 32) {
        return fail(Errc::parse, file.string() + ": expected 64 hex digits; restore the file from a backup, or remove it "
                                                 "to make a new identity");
    }
    Result<crypto::SecretKey> key = crypto::SecretKey::from_bytes(*bytes);
    wipe(*bytes);
    if (!key) {
        return fail(std::move(key).error().with(file.string()));
    }
    return key;
}

Result<crypto::SecretKey> load_or_make_key(const std::filesystem::path& file, Random& random) {
    Result<crypto::SecretKey> loaded = load_key(file);
    if (loaded || loaded.error().code != Errc::not_found) {
        return loaded;
    }
    NOROSHI_TRY_VOID(make_private_folder(file.parent_path()));
    crypto::SecretKey key = crypto::SecretKey::generate(random);
    std::string text = to_hex(key.expose()) + "\n";
    Result<void> written = write_file_atomically(file, text, FileMode::owner_only);
    wipe_text(text);
    if (!written) {
        return fail(std::move(written).error());
    }
    return key;
}

std::filesystem::path default_data_folder() {
    const auto variable = [](const char* name) -> std::string {
        const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read once before any thread starts
        return value == nullptr ? "" : value;
    };
    if (const std::string own = variable("NOROSHI_DATA"); !own.empty()) {
        return own;
    }
    if (const std::string systemd = variable("STATE_DIRECTORY"); !systemd.empty()) {
        return systemd.substr(0, systemd.find(':'));
    }
    if (const std::string state = variable("XDG_STATE_HOME"); !state.empty()) {
        return std::filesystem::path(state) / "noroshi";
    }
    if (const std::string home = variable("HOME"); !home.empty()) {
        return std::filesystem::path(home) / ".local" / "state" / "noroshi";
    }
    return "noroshi-data";
}

}  // namespace noroshi::daemon
