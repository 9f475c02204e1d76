// src/daemon/keys.hpp - the identity, in a plain file, under a passphrase or from a credential; the keys of nodes.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "base/crypto/crypto.hpp"
#include "base/crypto/sealed_key.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

/// Thread: any, but before the I/O thread runs: opening a protected key takes about a second and 256 MiB.
namespace noroshi::daemon {

inline constexpr const char* identity_key_file = "identity.key";
/// Names of systemd credentials (systemd.exec(5), LoadCredential=).
inline constexpr const char* identity_credential = "noroshi-identity";
inline constexpr const char* passphrase_credential = "noroshi-passphrase";
/// Longest passphrase in bytes, and the shortest that is set.
inline constexpr std::size_t max_passphrase_bytes = 1024;
inline constexpr std::size_t min_passphrase_bytes = 8;

/// $CREDENTIALS_DIRECTORY, or "".
[[nodiscard]] std::filesystem::path credentials_folder();

/// Where the identity is looked for, and its passphrase: in the credential, else in the file, else from the person.
struct IdentitySource {
    std::filesystem::path key_file;
    bool only_file{false};  ///< the file was named by the person: the credential noroshi-identity does not win over it
    std::filesystem::path passphrase_file;  ///< --passphrase-file; empty: none
    std::filesystem::path credentials = credentials_folder();
    std::function<Result<SecretBytes>()> ask;  ///< asks for the passphrase; null: nobody is there to be asked
    crypto::PassphraseCost cost{};             ///< of a file that is written
};

struct Identity {
    crypto::SecretKey key;
    std::filesystem::path from;
    bool sealed{false};              ///< a passphrase opened it
    bool passphrase_unused{false};   ///< a passphrase was given for a key that lies there plain
};

/// Errors: not_found (no key), refused (wrong or missing passphrase, or a file that others can read), parse, limit, io;
/// the message names the file.
[[nodiscard]] Result<Identity> load_identity(const IdentitySource& source);
/// The same; a key that is missing is made, under the passphrase when a credential or file gives one.
[[nodiscard]] Result<Identity> load_or_make_identity(const IdentitySource& source, Random& random);
/// The passphrase of the credential or the file; none when neither is named. Errors: refused, not_found, limit, io.
[[nodiscard]] Result<std::optional<SecretBytes>> given_passphrase(const IdentitySource& source);
/// Writes the key to `file` with mode 0600, in one step: plain, or under `passphrase`.
/// Errors: io, limit (no memory for argon2), refused (passphrase too short).
[[nodiscard]] Result<void> write_identity(const std::filesystem::path& file, const crypto::SecretKey& key,
                                          const SecretBytes* passphrase, Random& random,
                                          crypto::PassphraseCost cost = {});

/// A plain key file: 64 hex digits, mode 0600. Errors: refused (others can read it), parse, not_found, io.
[[nodiscard]] Result<crypto::SecretKey> load_key(const std::filesystem::path& file);
/// The same; made when missing.
[[nodiscard]] Result<crypto::SecretKey> load_or_make_key(const std::filesystem::path& file, Random& random);

/// $NOROSHI_DATA, else $STATE_DIRECTORY (systemd), else $XDG_STATE_HOME/noroshi, else ~/.local/state/noroshi.
[[nodiscard]] std::filesystem::path default_data_folder();

}  // namespace noroshi::daemon
