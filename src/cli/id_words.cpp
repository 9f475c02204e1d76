// src/cli/id_words.cpp - `noroshi id backup` and `noroshi id restore`: the identity as 24 words, and back.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/random.hpp"
#include "id.hpp"
#include "rust_words.hpp"
#include "status/identity.hpp"

namespace noroshi::cli {
namespace {

constexpr std::size_t words_a_line = 4;
constexpr std::string_view warning =
    "Whoever has these 24 words is this identity: can read what it was sent and speak in its name. Write them down "
    "on paper, keep them apart from this machine.\nThey are no wallet and no recovery phrase of the Status app: "
    "enter them nowhere but in `noroshi id restore`.\n";

std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Standard output without its buffer, which nobody wipes.
Result<void> print_secret(const SecretBytes& secret) {
    std::string_view rest = secret.expose_text();
    while (!rest.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return fail(Errc::io, "standard output: " + std::generic_category().message(errno));
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

/// Lines of four words, or one JSON object.
SecretBytes laid_out(const SecretBytes& words, const std::string& id, bool json) {
    SecretBytes out(2 * max_words_bytes);
    const std::string before = json ? R"({"id":")" + id + R"(","words":")" : "";
    bool fits = out.append(bytes_of(before));
    std::size_t blanks = 0;
    for (const char letter : words.expose_text()) {
        const bool line_ends = letter == ' ' && ++blanks % words_a_line == 0 && !json;
        const char put = line_ends ? '\n' : letter;
        fits = out.append(bytes_of({&put, 1})) && fits;
    }
    fits = out.append(bytes_of(json ? "\"}\n" : "\n")) && fits;
    NOROSHI_ASSERT(fits, "24 words are shorter than the room for them");
    return out;
}

Result<void> back_up(const IdOptions& options, bool force) {
    if (!force && ::isatty(STDOUT_FILENO) != 1) {
        return fail(Errc::refused, "standard output is no terminal: the words would lie in a file or a log; expected a "
                                   "terminal, or --force");
    }
    NOROSHI_TRY(const daemon::Identity identity, daemon::load_identity(identity_source(options)));
    NOROSHI_TRY(const SecretBytes words, words_of(Secret<32>(identity.key.expose())));
    fmt::print(stderr, "{}\n", warning);
    return print_secret(laid_out(words, identity.key.public_key().to_string(), options.json));
}

std::size_t count_words(std::string_view text) {
    std::size_t count = 0;
    bool inside = false;
    for (const char letter : text) {
        const bool blank = letter == ' ' || letter == '\n' || letter == '\t' || letter == '\r';
        count += !blank && !inside ? 1 : 0;
        inside = !blank;
    }
    return count;
}

/// Lines from the terminal until there are 24 words or an empty line.
Result<SecretBytes> ask_words() {
    fmt::print(stderr, "Type or paste the 24 words; they are not shown. An empty line ends it.\n");
    SecretBytes all(max_words_bytes);
    while (count_words(all.expose_text()) < 24) {
        const std::string prompt = fmt::format("{} words> ", count_words(all.expose_text()));
        NOROSHI_TRY(const SecretBytes line, ask_secret(prompt, max_words_bytes));
        if (line.size() == 0) {
            break;
        }
        if (!all.append(line.expose()) || !all.append(bytes_of(" "))) {
            return fail(Errc::limit, fmt::format("expected 24 words, got more than {} bytes", max_words_bytes));
        }
    }
    return all;
}

Result<SecretBytes> read_words() {
    if (::isatty(STDIN_FILENO) == 1) {
        return ask_words();
    }
    SecretBytes all(max_words_bytes);
    std::array<std::uint8_t, 256> part{};
    while (true) {
        const ssize_t got = ::read(STDIN_FILENO, part.data(), part.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        const bool fits = got <= 0 || all.append(std::span(part).first(static_cast<std::size_t>(got)));
        wipe(part);
        if (got < 0) {
            return fail(Errc::io, "standard input: " + std::generic_category().message(errno));
        }
        if (!fits) {
            return fail(Errc::limit, fmt::format("expected 24 words, got more than {} bytes", max_words_bytes));
        }
        if (got == 0) {
            return all;
        }
    }
}

/// Gives the key file a second name, which stays when the first is written anew: at no moment is there none.
Result<void> keep_old(const std::filesystem::path& file) {
    const std::filesystem::path old = file.string() + ".old";
    std::error_code error;
    std::filesystem::create_hard_link(file, old, error);
    if (error == std::errc::file_exists) {
        return fail(Errc::conflict, old.string() + " is there already: move it away first, it is an identity too");
    }
    if (error) {
        return fail(Errc::io, fmt::format("cannot keep {} as {}: {}", file.string(), old.string(), error.message()));
    }
    return {};
}

Result<crypto::SecretKey> restore(const IdOptions& options, bool force) {
    const daemon::IdentitySource source = identity_source(options);
    std::error_code error;
    const bool there = std::filesystem::exists(std::filesystem::symlink_status(source.key_file, error));
    if (there && !force) {
        return fail(Errc::conflict, source.key_file.string() +
                                        " is there already: another identity would take its place; --force keeps it as "
                                        "identity.key.old");
    }
    // Known before the words are typed.
    NOROSHI_TRY(const std::optional<SecretBytes> passphrase, daemon::given_passphrase(source));
    NOROSHI_TRY(const SecretBytes words, read_words());
    NOROSHI_TRY(const Secret<32> bytes, key_of_words(words));
    NOROSHI_TRY(crypto::SecretKey key, crypto::SecretKey::from_bytes(bytes.expose()));
    if (there) {
        NOROSHI_TRY_VOID(keep_old(source.key_file));
    }
    SystemRandom random;
    NOROSHI_TRY_VOID(daemon::write_identity(source.key_file, key, passphrase ? &*passphrase : nullptr, random));
    return key;
}

int restore_id(const IdOptions& options, bool force) {
    const Result<crypto::SecretKey> key = restore(options, force);
    if (!key) {
        print_error(key.error());
        return exit_fault;
    }
    const crypto::PublicKey shown = key->public_key();
    if (options.json) {
        const nlohmann::ordered_json line{{"id", shown.to_string()}, {"chat_key", status::chat_key(shown)}};
        fmt::print("{}\n", line.dump());
    } else {
        fmt::print("chat key  {}\nid        {}\n", status::chat_key(shown), shown.to_string());
        fmt::print(stderr, "a daemon that runs takes it at its next start\n");
    }
    return exit_ok;
}

}  // namespace

void add_id_words(CLI::App& command, const std::shared_ptr<IdOptions>& options, int& exit_code) {
    CLI::App* backup = command.add_subcommand("backup", "show the identity as 24 words to write down");
    CLI::App* restored = command.add_subcommand("restore", "make identity.key from the 24 words, typed or on stdin");
    auto force = std::make_shared<bool>(false);
    for (CLI::App* each : {backup, restored}) {
        each->fallthrough();  // --data and the others belong to `id`
    }
    backup->add_flag("--force", *force, "also where standard output is no terminal");
    restored->add_flag("--force", *force, "also where there is an identity, which is kept as identity.key.old");
    backup->callback([options, force, &exit_code] {
        const Result<void> done = back_up(*options, *force);
        if (!done) {
            print_error(done.error());
        }
        exit_code = done ? exit_ok : exit_fault;
    });
    restored->callback([options, force, &exit_code] { exit_code = restore_id(*options, *force); });
}

}  // namespace noroshi::cli
