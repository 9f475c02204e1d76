// src/cli/listen.cpp - `noroshi listen`: the receiving side; prints every notification that this key can decrypt.
#include <CLI/CLI.hpp>
#include <csignal>

#include "base/metrics.hpp"
#include "base/runtime.hpp"
#include "cli.hpp"
#include "daemon/daemon.hpp"
#include "daemon/inbox.hpp"
#include "notification_text.hpp"

namespace noroshi::cli {
namespace {

struct ListenOptions : IdentityOptions {
    std::vector<std::string> peers;
    std::string key_file;
    std::uint16_t cluster{16};
    std::vector<std::uint16_t> shards{32};
    std::optional<std::uint16_t> autosharding;
    bool json{false};
    bool light{false};
    bool silent{false};
    std::size_t count{0};
    std::string rest;
    waku::DiscoveryConfig discovery;
    std::string since{"0"};
};

/// With autosharding the content topic of notifications decides on the shard.
std::vector<std::uint16_t> shards_of(const ListenOptions& options) {
    if (!options.autosharding) {
        return options.shards;
    }
    const auto topic = waku::parse_content_topic(deliver::notification_content_topic);
    return {*waku::autoshard(*topic, *options.autosharding)};
}

class Listener {
  public:
    Listener(const ListenOptions& options, crypto::SecretKey key, Runtime& runtime)
        : options_(options),
          key_(std::move(key)),
          runtime_(runtime),
          log_(Log::to_stderr(*parse_log_level(options.log_level))),
          tasks_(runtime.executor()) {}

    Task<int> main() {
        daemon::InboxConfig config{key_.clone(),
                                   options_.peers,
                                   options_.cluster,
                                   shards_of(options_),
                                   options_.light ? waku::Mode::light : waku::Mode::relay,
                                   !options_.silent,
                                   options_.rest,
                                   options_.discovery,
                                   *parse_duration(options_.since)};
        Result<std::unique_ptr<daemon::Inbox>> inbox =
            daemon::Inbox::create(std::move(config), runtime_, clock_, random_, metrics_, log_);
        if (!inbox) {
            print_error(inbox.error());
            co_return exit_fault;
        }
        inbox_ = std::move(*inbox);
        const Result<void> started = co_await inbox_->start();
        if (!started) {
            print_error(started.error());
            co_return exit_fault;
        }
        tasks_.spawn("signals", stop_on_signal());
        co_await print_all();
        co_await tasks_.stop();
        co_await inbox_->stop();
        co_return exit_ok;
    }

  private:
    Task<void> print_all() {
        for (std::size_t printed = 0; options_.count == 0 || printed < options_.count; ++printed) {
            const Result<deliver::ReceivedNotification> received = co_await inbox_->next();
            if (!received) {
                co_return;
            }
            const std::string text = options_.json
                                         ? notification_json(*received, key_.public_key(), clock_.now())
                                         : notification_text(*received);
            fmt::print("{}\n", text);
            std::fflush(stdout);
        }
    }

    Task<void> stop_on_signal() {
        while (true) {
            const Result<int> signal = co_await runtime_.next_signal();
            if (!signal) {
                co_return;
            }
            if (*signal != SIGHUP) {
                co_await inbox_->stop();
                co_return;
            }
        }
    }

    const ListenOptions& options_;
    crypto::SecretKey key_;
    Runtime& runtime_;
    SystemClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    Log log_;
    std::unique_ptr<daemon::Inbox> inbox_;
    TaskGroup tasks_;
};

int listen(const ListenOptions& options) {
    daemon::IdentitySource source = identity_source(options);
    if (!options.key_file.empty()) {
        source.key_file = options.key_file;
        source.only_file = true;
    }
    Result<daemon::Identity> identity = daemon::load_identity(source);
    if (!identity) {
        const bool missing = identity.error().code == Errc::not_found;
        print_error(missing ? std::move(identity).error().with("no key to decrypt with; `noroshi id` makes one")
                            : std::move(identity).error());
        return exit_fault;
    }
    Runtime runtime(0);
    Listener listener(options, std::move(identity->key), runtime);
    return runtime.run(listener.main());
}

}  // namespace

void add_listen(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("listen", "print every notification that this identity can decrypt");
    auto options = std::make_shared<ListenOptions>();  // shared: lives as long as the callback
    add_identity(*command, *options);
    options->log_level = "warn";
    CLI::Option_group* through = command->add_option_group("through", "the way into the network, at least one of");
    CLI::Option* peers = through->add_option("--peer", options->peers, "Waku node to join through: multiaddr with /p2p/<id>; may be repeated");
    through->add_option("--rest", options->rest, "nwaku or go-waku to use as the node: URL of its REST API")->excludes(peers);
    add_discovery(*through, options->discovery);
    through->require_option(1, 0);
    command->add_option("--key", options->key_file, "file with the identity's private key; default: identity.key in --data");
    command->add_option("--cluster", options->cluster, "Waku cluster")->capture_default_str();
    command->add_option("--shard", options->shards, "shard; may be repeated")->capture_default_str();
    command->add_option("--autosharding", options->autosharding,
                        "how many shards the network has, where the content topic decides; in place of --shard")
        ->check(CLI::Range(1, 1024));
    command->add_flag("--light", options->light, "subscribe through the peers' filter instead of taking part in the relay");
    command->add_flag("--silent", options->silent, "send no receipts: the sender then does not know that a message arrived");
    command->add_flag("--json", options->json, "one JSON object a line");
    command
        ->add_option("--since", options->since,
                     "also print what a store among the peers kept of this long before the start, e.g. 6h")
        ->capture_default_str()
        ->check([](const std::string& text) {
            const Result<Milliseconds> duration = parse_duration(text);
            return duration ? std::string() : duration.error().message;
        });
    command->add_option("--count", options->count, "end after this many notifications");
    command->callback([options, &exit_code] { exit_code = listen(*options); });
}

}  // namespace noroshi::cli
