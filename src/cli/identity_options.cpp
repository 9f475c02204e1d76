// src/cli/identity_options.cpp - --passphrase-file, and asking for a secret at the terminal.
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>

#include "cli.hpp"

namespace noroshi::cli {
namespace {

constexpr std::uint8_t ctrl_c = 3;
constexpr std::uint8_t ctrl_d = 4;
constexpr std::uint8_t ctrl_u = 21;
constexpr std::uint8_t backspace = 8;
constexpr std::uint8_t erase = 127;

/// The terminal without echo, byte by byte. Ctrl-C comes as a byte, so that nothing ends the program with the echo off.
class QuietTerminal {
  public:
    QuietTerminal() {
        ok_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
        quiet.c_cc[VMIN] = 1;
        quiet.c_cc[VTIME] = 0;
        ok_ = ok_ && ::tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet) == 0;
    }
    ~QuietTerminal() {
        if (ok_) {
            ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
        }
    }
    QuietTerminal(const QuietTerminal&) = delete;
    QuietTerminal& operator=(const QuietTerminal&) = delete;
    [[nodiscard]] bool ok() const { return ok_; }

  private:
    termios before_{};
    bool ok_{false};
};

/// Takes the last character off: in UTF-8 its first byte and those that go on from it.
void drop_character(SecretBytes& line) {
    while (line.size() > 0 && (line.expose().back() & 0xc0) == 0x80) {
        line.drop_last();
    }
    line.drop_last();
}

Result<SecretBytes> read_quiet_line(std::size_t max_bytes) {
    SecretBytes line(max_bytes);
    while (true) {
        std::uint8_t byte = 0;
        const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || byte == ctrl_c || (byte == ctrl_d && line.size() == 0)) {
            return fail(Errc::cancelled, "nothing was entered");
        }
        if (byte == '\n' || byte == '\r') {
            return line;
        }
        if (byte == backspace || byte == erase) {
            drop_character(line);
        } else if (byte == ctrl_u) {
            line = SecretBytes(max_bytes);
        } else if (byte >= ' ' && !line.append({&byte, 1})) {
            return fail(Errc::limit, fmt::format("expected at most {} bytes", max_bytes));
        }
    }
}

}  // namespace

void add_identity(CLI::App& command, IdentityOptions& options) {
    add_common(command, options);
    command.add_option("--passphrase-file", options.passphrase_file,
                       "file (mode 0600) with the passphrase of identity.key; else the systemd credential "
                       "noroshi-passphrase, else the terminal");
}

daemon::IdentitySource identity_source(const IdentityOptions& options) {
    daemon::IdentitySource source;
    source.key_file = data_folder(options) / daemon::identity_key_file;
    source.passphrase_file = options.passphrase_file;
    if (::isatty(STDIN_FILENO) == 1) {
        source.ask = [] { return ask_secret("Passphrase of the identity: ", daemon::max_passphrase_bytes); };
    }
    return source;
}

Result<SecretBytes> ask_secret(std::string_view question, std::size_t max_bytes) {
    if (::isatty(STDIN_FILENO) != 1) {
        return fail(Errc::refused, "standard input is no terminal to ask at");
    }
    const QuietTerminal quiet;
    if (!quiet.ok()) {
        return fail(Errc::io, "the terminal's echo can't be turned off");
    }
    fmt::print(stderr, "{}", question);  // now that nothing is shown any more
    Result<SecretBytes> line = read_quiet_line(max_bytes);
    fmt::print(stderr, "\n");
    return line;
}

}  // namespace noroshi::cli
