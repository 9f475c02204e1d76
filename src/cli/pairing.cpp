// src/cli/pairing.cpp - what is shown, asked and waited for.
#include "pairing.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>

#include "printable.hpp"
#include "status/identity.hpp"

namespace noroshi::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr Milliseconds one_wait{20'000};
constexpr int poll_ms = 200;
constexpr std::size_t longest_line = 1'000;

void print_event(const Json& event) {
    fmt::print("{}\n", event.dump(-1, ' ', false, Json::error_handler_t::replace));
    std::fflush(stdout);
}

bool is_yes(std::string_view answer) { return answer == "y" || answer == "Y" || answer == "yes"; }

}  // namespace

std::optional<std::string> read_line(const std::atomic<bool>& given_up) {
    std::string line;
    while (!given_up) {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        const int ready = ::poll(&input, 1, poll_ms);
        if (ready == 0 || (ready < 0 && errno == EINTR)) {
            continue;
        }
        char c = 0;
        if (ready < 0 || ::read(STDIN_FILENO, &c, 1) != 1) {
            return std::nullopt;
        }
        if (c == '\n') {
            return line;
        }
        if (line.size() < longest_line) {
            line += c;
        }
    }
    return std::nullopt;
}

Pairing::Pairing(const PairOptions& options, daemon::Desk& desk, Runtime& runtime)
    : options_(options), desk_(desk), runtime_(runtime), finished_(runtime.executor()), tasks_(runtime.executor()) {}

Task<int> Pairing::main() {
    end_ = clock_.steady() + options_.timeout;
    tasks_.spawn("pair", talk());
    tasks_.spawn("signals", stop_on_signal());
    static_cast<void>(co_await finished_.wait());
    given_up_ = true;
    co_await tasks_.stop();
    if (status_ != nullptr) {
        static_cast<void>(co_await status_->open_pairing(Milliseconds(0)));
    }
    co_await desk_.stop();
    co_return exit_code_;
}

Task<void> Pairing::stop_on_signal() {
    while (true) {
        const Result<int> signal = co_await runtime_.next_signal();
        if (!signal) {
            co_return;
        }
        if (*signal != SIGHUP) {
            finished_.notify();
            co_return;
        }
    }
}

Task<void> Pairing::talk() {
    const Result<void> paired = co_await pair();
    if (paired) {
        exit_code_ = exit_ok;
    } else if (paired.error().code != Errc::cancelled) {
        print_error(paired.error());
    }
    finished_.notify();
}

Task<Result<void>> Pairing::pair() {
    NOROSHI_CO_TRY_VOID(co_await desk_.start());
    NOROSHI_CO_TRY(status_, desk_.status());
    NOROSHI_CO_TRY(const api::StatusInfo info, co_await status_->info());
    show_identity(info);
    Task<Result<std::string>> meeting = options_.key.empty() ? wait_for_request() : ask();
    NOROSHI_CO_TRY(std::string with, co_await std::move(meeting));
    NOROSHI_CO_TRY(const api::Contact contact, co_await wait_until_mutual(std::move(with)));
    show_paired(contact);
    co_return Result<void>{};
}

Milliseconds Pairing::rest() const { return std::max(end_ - clock_.steady(), Milliseconds(0)); }

/// Whoever is in the configuration as a receiver is accepted by the daemon itself: then a contact becomes mutual without
/// a request that we could see.
Task<Result<std::string>> Pairing::wait_for_request() {
    NOROSHI_CO_TRY(const api::StatusInfo before, co_await status_->info());
    std::uint64_t last = 0;
    while (rest().count() > 0) {
        NOROSHI_CO_TRY_VOID(co_await status_->open_pairing(rest()));
        NOROSHI_CO_TRY(const std::vector<api::PairingRequest> requests,
                       co_await status_->requests(last, std::min(rest(), one_wait)));
        for (const api::PairingRequest& request : requests) {
            last = std::max(last, request.number);
            show_request(request);
            NOROSHI_CO_TRY(const bool agreed, co_await agree(request));
            if (agreed) {
                NOROSHI_CO_TRY_VOID(co_await status_->accept(request.from, options_.role));
                co_return request.from;
            }
        }
        NOROSHI_CO_TRY(const api::StatusInfo now, co_await status_->info());
        for (const api::Contact& contact : now.contacts) {
            const auto is_same = [&](const api::Contact& other) { return other.chat_key == contact.chat_key && other.mutual; };
            if (contact.mutual && std::ranges::none_of(before.contacts, is_same)) {
                co_return contact.chat_key;
            }
        }
    }
    co_return fail(Errc::timeout, fmt::format("nobody asked within {}", format_duration(options_.timeout)));
}

Task<Result<bool>> Pairing::agree(api::PairingRequest request) {
    if (options_.yes) {
        co_return request.from.starts_with(*options_.yes);
    }
    fmt::print(stderr, "Is this you? Accept? [y/N] ");
    std::fflush(stderr);
    auto answer = std::make_shared<std::optional<std::string>>();  // shared with the thread that reads
    co_await runtime_.offload([answer, this] { *answer = read_line(given_up_); });
    if (given_up_) {
        co_return fail(Errc::cancelled, "cancelled");
    }
    if (!*answer) {
        co_return fail(Errc::refused, "nobody is there to be asked: standard input has ended; --yes accepts by itself");
    }
    co_return is_yes(**answer);
}

Task<Result<std::string>> Pairing::ask() {
    NOROSHI_CO_TRY(const status::SharedUser user, status::parse_user(options_.key));
    std::string chat_key = status::chat_key(user.key);
    const Result<void> asked = co_await status_->request(chat_key, options_.text);
    if (!asked && !asked.error().retryable) {
        co_return fail(asked.error());
    }
    if (!asked) {
        fmt::print(stderr, "warning: not sent yet, it is tried again: {}\n", asked.error().to_string());
    }
    if (!options_.json) {
        fmt::print("Asked {} to be a contact. Accept the request in the Status app; waiting up to {}.\n", chat_key,
                   format_duration(options_.timeout));
        std::fflush(stdout);
    }
    co_return chat_key;
}

Task<Result<api::Contact>> Pairing::wait_until_mutual(std::string chat_key) {
    while (true) {
        NOROSHI_CO_TRY(const api::StatusInfo info, co_await status_->info());
        const auto found = std::ranges::find(info.contacts, chat_key, &api::Contact::chat_key);
        if (found != info.contacts.end() && found->mutual) {
            co_return *found;
        }
        if (rest().count() == 0) {
            co_return fail(Errc::timeout, fmt::format("{} has not accepted within {}; the request stays, and it is paired "
                                                      "when it is accepted",
                                                      chat_key, format_duration(options_.timeout)));
        }
        // No number is above this one: it ends when a contact changes.
        NOROSHI_CO_TRY_VOID(co_await status_->requests(std::numeric_limits<std::uint64_t>::max(), std::min(rest(), one_wait)));
    }
}

// ---- what is shown

void Pairing::show_identity(const api::StatusInfo& info) const {
    if (options_.json) {
        print_event({{"event", "identity"}, {"chat_key", info.chat_key}, {"url", info.share_url}});
        return;
    }
    if (const Result<std::string> code = qr_code(info.share_url, ::isatty(STDOUT_FILENO) == 1)) {
        fmt::print("{}\n", *code);
    }
    fmt::print("{}\n{}\n\n", info.share_url, info.chat_key);
    if (options_.key.empty()) {
        fmt::print("1. In the Status app on your phone open Messages, then + and \"Add a contact\".\n"
                   "2. Scan the code above, or paste the key.\n"
                   "3. Send the contact request: it is shown here. Waiting up to {}, Ctrl-C ends it.\n",
                   format_duration(options_.timeout));
    }
    std::fflush(stdout);
}

void Pairing::show_request(const api::PairingRequest& request) const {
    if (options_.json) {
        print_event({{"event", "request"}, {"from", request.from}, {"name", request.name}, {"text", request.text}});
        return;
    }
    fmt::print("\n{} asks to be a contact.\n  name: {}\n  text: {}\n", request.from, escaped_line(request.name),
               escaped_line(request.text));
    std::fflush(stdout);
}

void Pairing::show_paired(const api::Contact& contact) const {
    if (options_.json) {
        print_event({{"event", "paired"}, {"with", contact.chat_key}});
        return;
    }
    fmt::print("\nPaired with {}{}.\n", contact.chat_key,
               contact.name.empty() ? "" : " (" + escaped_line(contact.name) + ")");
    if (!contact.receiver.empty()) {
        fmt::print("It is the receiver \"{}\" of the configuration.\n", escaped_line(contact.receiver));
        return;
    }
    fmt::print("To be told there, name it in noroshi.yml and in its route; a running daemon takes it at SIGHUP:\n\n"
               "receivers:\n  - name: {}\n    status_configs:\n      - to: {}\n",
               options_.name, contact.chat_key);
    std::fflush(stdout);
}

}  // namespace noroshi::cli
