// src/daemon/keys.cpp - key files, credentials and the data folder.
#include "daemon/keys.hpp"

#include <cstdlib>

#include "base/bytes.hpp"
#include "base/file.hpp"

namespace noroshi::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_key_file_bytes = 1024;

std::string variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read once before any thread starts
    return value == nullptr ? "" : value;
}

Result<crypto::SecretKey> key_of_hex(std::string_view text) {
    Result<Bytes> bytes = from_hex(text);
    if (!bytes || bytes->size() != 32) {
        return fail(Errc::parse, "expected 64 hex digits; restore the file from a backup, or remove it to make a new "
                                 "identity");
    }
    Result<crypto::SecretKey> key = crypto::SecretKey::from_bytes(*bytes);
    wipe(*bytes);
    return key;
}

Result<SecretBytes> read_passphrase(const fs::path& file, bool group_may_read) {
    NOROSHI_TRY(SecretBytes text, read_secret_file(file, max_passphrase_bytes, group_may_read));
    text.trim_end();
    if (text.size() == 0) {
        return fail(Errc::refused, file.string() + ": expected a passphrase, the file is empty");
    }
    return text;
}

struct KeyText {
    SecretBytes text;
    fs::path from;
};

/// The content of the credential or of the key file.
Result<KeyText> read_key_text(const IdentitySource& source) {
    if (!source.only_file && !source.credentials.empty()) {
        const fs::path credential = source.credentials / identity_credential;
        Result<SecretBytes> text = read_secret_file(credential, max_key_file_bytes, true);
        if (text) {
            return KeyText{std::move(*text), credential};
        }
        if (text.error().code != Errc::not_found) {
            return fail(std::move(text).error());
        }
    }
    NOROSHI_TRY(SecretBytes text, read_secret_file(source.key_file, max_key_file_bytes));
    return KeyText{std::move(text), source.key_file};
}

Result<crypto::SecretKey> unseal(std::string_view text, const IdentitySource& source,
                                 std::optional<SecretBytes> passphrase) {
    NOROSHI_TRY(const crypto::SealedKey sealed, crypto::parse_sealed_key(text));
    if (!passphrase) {
        if (!source.ask) {
            return fail(Errc::refused, "protected by a passphrase; expected the credential noroshi-passphrase, "
                                       "--passphrase-file, or a terminal to ask at");
        }
        NOROSHI_TRY(passphrase, source.ask());
    }
    NOROSHI_TRY(const Secret<32> bytes, crypto::open_with_passphrase(sealed, *passphrase));
    return crypto::SecretKey::from_bytes(bytes.expose());
}

}  // namespace

std::filesystem::path credentials_folder() { return variable("CREDENTIALS_DIRECTORY"); }

Result<std::optional<SecretBytes>> given_passphrase(const IdentitySource& source) {
    if (!source.credentials.empty()) {
        Result<SecretBytes> text = read_passphrase(source.credentials / passphrase_credential, true);
        if (text || text.error().code != Errc::not_found) {
            return text;
        }
    }
    if (source.passphrase_file.empty()) {
        return std::nullopt;
    }
    return read_passphrase(source.passphrase_file, false);
}

Result<Identity> load_identity(const IdentitySource& source) {
    NOROSHI_TRY(KeyText found, read_key_text(source));
    NOROSHI_TRY(std::optional<SecretBytes> passphrase, given_passphrase(source));
    const bool sealed = crypto::is_sealed_key(found.text.expose_text());
    const bool unused = passphrase && !sealed && found.from == source.key_file;
    found.text.trim_end();
    Result<crypto::SecretKey> key = sealed ? unseal(found.text.expose_text(), source, std::move(passphrase))
                                           : key_of_hex(found.text.expose_text());
    if (!key) {
        return fail(std::move(key).error().with(found.from.string()));
    }
    return Identity{std::move(*key), std::move(found.from), sealed, unused};
}

Result<Identity> load_or_make_identity(const IdentitySource& source, Random& random) {
    Result<Identity> loaded = load_identity(source);
    // Only a key file that is missing: a passphrase file that is missing is a fault.
    std::error_code ignored;
    if (loaded || loaded.error().code != Errc::not_found || fs::exists(source.key_file, ignored)) {
        return loaded;
    }
    NOROSHI_TRY(const std::optional<SecretBytes> passphrase, given_passphrase(source));
    crypto::SecretKey key = crypto::SecretKey::generate(random);
    NOROSHI_TRY_VOID(write_identity(source.key_file, key, passphrase ? &*passphrase : nullptr, random, source.cost));
    return Identity{std::move(key), source.key_file, passphrase.has_value(), false};
}

Result<void> write_identity(const fs::path& file, const crypto::SecretKey& key, const SecretBytes* passphrase,
                            Random& random, crypto::PassphraseCost cost) {
    if (passphrase != nullptr && passphrase->size() < min_passphrase_bytes) {
        return fail(Errc::refused,
                    fmt::format("expected a passphrase of at least {} characters", min_passphrase_bytes));
    }
    NOROSHI_TRY_VOID(make_private_folder(fs::absolute(file).parent_path()));
    if (passphrase != nullptr) {
        NOROSHI_TRY(const crypto::SealedKey sealed,
                    crypto::seal_with_passphrase(Secret<32>(key.expose()), *passphrase, random, cost));
        return write_file_atomically(file, crypto::sealed_key_text(sealed), FileMode::owner_only);
    }
    std::string text = to_hex(key.expose()) + "\n";
    Result<void> written = write_file_atomically(file, text, FileMode::owner_only);
    wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    return written;
}

Result<crypto::SecretKey> load_key(const fs::path& file) {
    NOROSHI_TRY(SecretBytes text, read_secret_file(file, max_key_file_bytes));
    text.trim_end();
    Result<crypto::SecretKey> key = key_of_hex(text.expose_text());
    if (!key) {
        return fail(std::move(key).error().with(file.string()));
    }
    return key;
}

Result<crypto::SecretKey> load_or_make_key(const fs::path& file, Random& random) {
    Result<crypto::SecretKey> loaded = load_key(file);
    if (loaded || loaded.error().code != Errc::not_found) {
        return loaded;
    }
    crypto::SecretKey key = crypto::SecretKey::generate(random);
    NOROSHI_TRY_VOID(write_identity(file, key, nullptr, random));
    return key;
}

std::filesystem::path default_data_folder() {
    if (const std::string own = variable("NOROSHI_DATA"); !own.empty()) {
        return own;
    }
    if (const std::string systemd = variable("STATE_DIRECTORY"); !systemd.empty()) {
        return systemd.substr(0, systemd.find(':'));
    }
    if (const std::string state = variable("XDG_STATE_HOME"); !state.empty()) {
        return fs::path(state) / "noroshi";
    }
    if (const std::string home = variable("HOME"); !home.empty()) {
        return fs::path(home) / ".local" / "state" / "noroshi";
    }
    return "noroshi-data";
}

}  // namespace noroshi::daemon
