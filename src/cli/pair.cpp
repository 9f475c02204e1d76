// src/cli/pair.cpp - `noroshi pair [KEY]`, `pair list`, `pair remove KEY`: who the daemon talks to in Status.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli.hpp"
#include "pairing.hpp"
#include "printable.hpp"

namespace noroshi::cli {
namespace {

/// Runs `main` over a desk; prints why when there is none.
int with_desk(const PairOptions& options, daemon::DeskNeeds needs, const std::function<Task<int>(daemon::Desk&, Runtime&)>& main) {
    Runtime runtime(1);
    daemon::DeskOptions desk_options{.config_file = std::nullopt,
                                     .data_folder = data_folder(options),
                                     .identity = identity_source(options),
                                     .needs = needs,
                                     .log = Log::to_stderr(*parse_log_level(options.log_level))};
    if (!options.config.empty()) {
        desk_options.config_file = options.config;
    }
    Result<std::unique_ptr<daemon::Desk>> desk = daemon::Desk::open(std::move(desk_options), runtime, print_error);
    if (!desk) {
        if (!desk.error().message.empty()) {  // else every fault of the configuration was printed
            print_error(desk.error());
        }
        return exit_fault;
    }
    return runtime.run(main(**desk, runtime));
}

int pair(const PairOptions& options) {
    std::optional<Pairing> pairing;
    return with_desk(options, daemon::DeskNeeds::network, [&](daemon::Desk& desk, Runtime& runtime) {
        pairing.emplace(options, desk, runtime);
        return pairing->main();
    });
}

void print_contact(const api::Contact& contact, bool json) {
    if (json) {
        const nlohmann::ordered_json line{{"chat_key", contact.chat_key}, {"name", contact.name},
                                          {"mutual", contact.mutual},     {"asked_us", contact.asked_us},
                                          {"asked_by_us", contact.asked_by_us}, {"receiver", contact.receiver},
                                          {"role", contact.role}};
        fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
        return;
    }
    const char* state = contact.mutual        ? "paired"
                        : contact.asked_by_us ? "asked, not accepted yet"
                        : contact.asked_us    ? "asks us"
                                              : "not paired";
    fmt::print("{}  {}{}{}{}\n", contact.chat_key, state, contact.name.empty() ? "" : ", name " + escaped_line(contact.name),
               contact.role.empty() ? "" : ", " + contact.role,
               contact.receiver.empty() ? "" : ", receiver " + escaped_line(contact.receiver));
}

Task<Result<void>> print_contacts(daemon::Desk& desk, bool json) {  // NOLINT(*-reference-coroutine-parameters): outlives the loop
    NOROSHI_CO_TRY_VOID(co_await desk.start());
    NOROSHI_CO_TRY(api::StatusDesk* const status, desk.status());
    NOROSHI_CO_TRY(const api::StatusInfo info, co_await status->info());
    for (const api::Contact& contact : info.contacts) {
        print_contact(contact, json);
    }
    if (info.contacts.empty() && !json) {
        fmt::print("nobody yet; `noroshi pair` makes a contact\n");
    }
    co_return Result<void>{};
}

Task<Result<void>> remove_contact(daemon::Desk& desk, std::string key, bool json) {  // NOLINT(*-reference-coroutine-parameters): outlives the loop
    NOROSHI_CO_TRY_VOID(co_await desk.start());
    NOROSHI_CO_TRY(api::StatusDesk* const status, desk.status());
    NOROSHI_CO_TRY_VOID(co_await status->remove(key));
    NOROSHI_CO_TRY(const api::StatusInfo info, co_await status->info());
    if (json) {
        fmt::print("{}\n", nlohmann::ordered_json{{"event", "removed"}, {"key", key}}.dump());
    } else {
        fmt::print("removed\n");
    }
    for (const api::Contact& contact : info.contacts) {
        if (contact.chat_key == key && !contact.receiver.empty()) {
            fmt::print(stderr, "warning: it is the receiver \"{}\" of the configuration still, and is accepted when it asks again\n",
                       escaped_line(contact.receiver));
        }
    }
    co_return Result<void>{};
}

// NOLINTNEXTLINE(*-reference-coroutine-parameters): outlives the loop
Task<int> to_the_end(daemon::Desk& desk, Task<Result<void>> work) {
    const Result<void> done = co_await std::move(work);
    if (!done) {
        print_error(done.error());
    }
    co_await desk.stop();
    co_return done ? exit_ok : exit_fault;
}

std::string duration_fault(const std::string& text) {
    const Result<Milliseconds> duration = parse_duration(text);
    return duration ? std::string() : duration.error().message;
}

void add_shared(CLI::App& command, PairOptions& options) {
    add_identity(command, options);
    options.log_level = "warn";
    command.add_option("-c,--config", options.config,
                       "noroshi.yml: where the running daemon's API is, or without a daemon the way into the network");
    command.add_flag("--json", options.json, "one JSON object a line");
}

}  // namespace

void add_pair(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("pair", "make a contact in the Status app: it asks us, or with KEY we ask it");
    auto options = std::make_shared<PairOptions>();  // shared: lives as long as the callbacks
    add_shared(*command, *options);
    command->add_option("KEY", options->key, "chat key (zQ3sh..) or share URL of whom to ask");
    command->add_option("--yes", options->yes, "accept without a question, whose chat key begins like this, or anybody")
        ->expected(0, 1)
        ->default_str("");
    command->add_option("--name", options->name, "name of the receiver in the lines for noroshi.yml")->capture_default_str();
    command->add_option("--role", options->role, "viewer or operator")->capture_default_str()->check(CLI::IsMember({"viewer", "operator"}));
    command->add_option("--text", options->text, "what is said when asking")
        ->default_val("noroshi would like to send you its alerts");
    command->add_option_function<std::string>("--timeout", [options](const std::string& text) { options->timeout = *parse_duration(text); },
                                              "how long to wait, e.g. 30m")
        ->default_str("10m")
        ->check(duration_fault);
    command->callback([options, command, &exit_code] {
        if (!command->get_subcommands().empty()) {
            return;
        }
        if (options->yes == "true") {  // given without a value
            options->yes = "";
        }
        exit_code = pair(*options);
    });

    CLI::App* list = command->add_subcommand("list", "who is a contact, who may be one");
    auto list_options = std::make_shared<PairOptions>();
    add_shared(*list, *list_options);
    list->callback([list_options, &exit_code] {
        exit_code = with_desk(*list_options, daemon::DeskNeeds::contacts, [&](daemon::Desk& desk, Runtime&) {
            return to_the_end(desk, print_contacts(desk, list_options->json));
        });
    });

    CLI::App* remove = command->add_subcommand("remove", "end a contact");
    auto remove_options = std::make_shared<PairOptions>();
    add_shared(*remove, *remove_options);
    remove->add_option("KEY", remove_options->key, "chat key (zQ3sh..) or share URL")->required();
    remove->callback([remove_options, &exit_code] {
        exit_code = with_desk(*remove_options, daemon::DeskNeeds::network, [&](daemon::Desk& desk, Runtime&) {
            return to_the_end(desk, remove_contact(desk, remove_options->key, remove_options->json));
        });
    });
}

}  // namespace noroshi::cli
