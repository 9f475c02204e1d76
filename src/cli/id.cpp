// src/cli/id.cpp - `noroshi id`: makes the identity when missing, shows its public half; `noroshi id protect`.
#include "id.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "status/identity.hpp"

namespace noroshi::cli {
namespace {

struct ProtectOptions {
    std::string new_passphrase_file;
    bool remove{false};
};

int show_id(const IdOptions& options) {
    SystemRandom random;
    const Result<daemon::Identity> identity = daemon::load_or_make_identity(identity_source(options), random);
    if (!identity) {
        print_error(identity.error());
        return exit_fault;
    }
    const crypto::PublicKey key = identity->key.public_key();
    const std::string url = status::share_url(key);
    if (options.json) {
        fmt::print("{}\n", nlohmann::ordered_json{{"id", key.to_string()},
                                                  {"chat_key", status::chat_key(key)},
                                                  {"url", url},
                                                  {"key_file", identity->from.string()},
                                                  {"protected", identity->sealed}}
                               .dump());
        return exit_ok;
    }
    if (!options.no_qr) {
        const Result<std::string> code = qr_code(url, ::isatty(STDOUT_FILENO) == 1);
        if (!code) {
            print_error(code.error());
            return exit_fault;
        }
        fmt::print("{}\n", *code);
    }
    fmt::print("url       {}\nchat key  {}\nid        {}\n", url, status::chat_key(key), key.to_string());
    fmt::print(stderr, "private key: {}, {}; whoever has it is this identity. `noroshi id backup` shows it as words to "
                       "write down\n",
               identity->from.string(), identity->sealed ? "under a passphrase" : "not under a passphrase");
    return exit_ok;
}

/// The passphrase to set: from a file, else asked for twice.
Result<SecretBytes> new_passphrase(const daemon::IdentitySource& source, bool was_sealed, const std::string& file) {
    daemon::IdentitySource from;
    from.credentials.clear();
    from.passphrase_file = file;
    if (file.empty() && !was_sealed) {
        from = source;  // the one that the daemon will be given
    }
    NOROSHI_TRY(std::optional<SecretBytes> given, daemon::given_passphrase(from));
    if (given) {
        return std::move(*given);
    }
    NOROSHI_TRY(SecretBytes first, ask_secret("New passphrase: ", daemon::max_passphrase_bytes));
    NOROSHI_TRY(const SecretBytes second, ask_secret("The same again: ", daemon::max_passphrase_bytes));
    if (first.expose_text() != second.expose_text()) {
        return fail(Errc::refused, "the two passphrases differ; nothing was changed");
    }
    return first;
}

Result<void> change_protection(const IdOptions& options, const ProtectOptions& protect) {
    daemon::IdentitySource source = identity_source(options);
    source.only_file = true;
    NOROSHI_TRY(const daemon::Identity identity, daemon::load_identity(source));
    SystemRandom random;
    if (protect.remove) {
        return daemon::write_identity(source.key_file, identity.key, nullptr, random);
    }
    NOROSHI_TRY(const SecretBytes passphrase, new_passphrase(source, identity.sealed, protect.new_passphrase_file));
    return daemon::write_identity(source.key_file, identity.key, &passphrase, random);
}

int protect_id(const IdOptions& options, const ProtectOptions& protect) {
    const Result<void> changed = change_protection(options, protect);
    if (!changed) {
        print_error(changed.error());
        return exit_fault;
    }
    const std::string file = identity_source(options).key_file.string();
    if (options.json) {
        fmt::print("{}\n", nlohmann::ordered_json{{"key_file", file}, {"protected", !protect.remove}}.dump());
    } else if (protect.remove) {
        fmt::print("{} is not under a passphrase any more\n", file);
    } else {
        fmt::print("{} is under the passphrase. noroshi asks for it at each start, or takes it from --passphrase-file "
                   "or the systemd credential noroshi-passphrase.\nThe disk may still hold what the file was before: "
                   "copies, backups, freed blocks.\n",
                   file);
    }
    return exit_ok;
}

}  // namespace

void add_id(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("id", "show this identity, to give to others; made when missing");
    auto options = std::make_shared<IdOptions>();  // shared: lives as long as the callbacks
    add_identity(*command, *options);
    command->add_flag("--json", options->json, "one JSON object");
    command->add_flag("--no-qr", options->no_qr, "only the text");
    command->require_subcommand(0, 1);
    command->callback([options, command, &exit_code] {
        if (command->get_subcommands().empty()) {
            exit_code = show_id(*options);
        }
    });
    CLI::App* protect = command->add_subcommand("protect", "put identity.key under a passphrase, or under another one");
    auto wanted = std::make_shared<ProtectOptions>();
    protect->fallthrough();  // --data and the others belong to `id`
    protect->add_option("--new-passphrase-file", wanted->new_passphrase_file,
                        "file (mode 0600) with the passphrase to set; else, of a key without one, that of "
                        "--passphrase-file; else the terminal");
    protect->add_flag("--remove", wanted->remove, "write the key without a passphrase")
        ->excludes("--new-passphrase-file");
    protect->callback([options, wanted, &exit_code] { exit_code = protect_id(*options, *wanted); });
    add_id_words(*command, options, exit_code);
}

}  // namespace noroshi::cli
