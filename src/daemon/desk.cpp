// src/daemon/desk.cpp - a daemon's API, or a network of our own.
#include "daemon/desk.hpp"

#include <algorithm>
#include <utility>

#include "api/client.hpp"
#include "api_token.hpp"
#include "base/file.hpp"
#include "config/config.hpp"
#include "history.hpp"
#include "network.hpp"
#include "plan.hpp"
#include "version.hpp"

namespace noroshi::daemon {
namespace {

constexpr Milliseconds patience_for_peers{20'000};

/// The configuration, or one of our own: whoever only looks needs no way into the network.
Result<config::Config> read_config(const DeskOptions& options, const std::function<void(const Error&)>& on_error) {
    if (!options.config_file) {
        return config::Config{};
    }
    config::Loaded loaded = config::load(*options.config_file);
    std::vector<Error> errors = std::move(loaded.errors);
    if (loaded.config) {
        std::ranges::move(make_plan(*loaded.config).errors, std::back_inserter(errors));
    }
    std::ranges::for_each(errors, on_error);
    if (!errors.empty()) {
        return fail(Errc::invalid_argument, "");
    }
    return std::move(*loaded.config);
}

std::string base_url(const config::HttpConfig& http) {
    const bool any = http.address == "0.0.0.0" || http.address == "::";
    const bool ipv6 = !any && http.address.find(':') != std::string::npos;
    const std::string host = any ? "localhost" : ipv6 ? "[" + http.address + "]" : http.address;
    return fmt::format("http://{}:{}", host, http.port);
}

bool has_way_out(const config::WakuConfig& waku) {
    return !waku.peers.empty() || !waku.listen.empty() || !waku.rest.empty() || waku.discovery.any();
}

}  // namespace

struct Desk::State {
    explicit State(Runtime& r) : runtime(r) {}

    Runtime& runtime;
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    DeskNeeds needs{DeskNeeds::network};
    /// Of a running daemon.
    std::unique_ptr<net::HttpClient> http;
    std::optional<api::Client> client;
    /// Of this process.
    std::unique_ptr<store::Store> store;
    std::unique_ptr<deliver::Outbox> outbox;  ///< never started: only what is said of messages goes through it
    std::unique_ptr<Network> network;

    Result<void> connect_to_daemon(const DeskOptions& options, const config::HttpConfig& http_config) {
        NOROSHI_TRY(std::string token, load_token(options.data_folder));
        http = net::make_http_client(runtime.executor(), fmt::format("noroshi/{}", version));
        client.emplace(*http, base_url(http_config), std::move(token));
        return {};
    }

    Result<void> make_network(const DeskOptions& options, const config::Config& config) {
        if (needs == DeskNeeds::network && !has_way_out(config.waku)) {
            return fail(Errc::invalid_argument, "no way into the network: no daemon runs on this data folder, and no "
                                                "configuration names peers or discovery under waku; give it with --config");
        }
        Result<Identity> identity = load_or_make_identity(options.identity, random);
        if (!identity) {
            return fail(std::move(identity).error());
        }
        outbox = std::make_unique<deliver::Outbox>(*store, runtime, runtime.executor(), clock, random, metrics,
                                                   options.log.named("deliver"));
        NOROSHI_TRY(network, Network::create(config, std::move(identity->key), options.data_folder, Network::Status::on,
                                             {runtime, clock, random, metrics, options.log, *store, *outbox}));
        network->set_receivers(config.receivers);
        return {};
    }
};

Desk::Desk(std::unique_ptr<State> state) : state_(std::move(state)) {}
Desk::~Desk() = default;

Result<std::unique_ptr<Desk>> Desk::open(DeskOptions options, Runtime& runtime,
                                         const std::function<void(const Error&)>& on_error) {
    auto state = std::make_unique<State>(runtime);
    state->needs = options.needs;
    NOROSHI_TRY(const config::Config config, read_config(options, on_error));
    NOROSHI_TRY_VOID(make_private_folder(options.data_folder));
    Result<std::unique_ptr<store::Store>> store =
        store::Store::open(options.data_folder, runtime.executor(), options.log.named("store"));
    if (store) {
        state->store = std::move(*store);
        if (options.needs != DeskNeeds::history) {
            NOROSHI_TRY_VOID(state->make_network(options, config));
        }
    } else if (store.error().code == Errc::conflict) {
        NOROSHI_TRY_VOID(state->connect_to_daemon(options, config.http));
    } else {
        return fail(std::move(store).error());
    }
    return std::unique_ptr<Desk>(new Desk(std::move(state)));
}

Result<ApiAddress> api_address(const DeskOptions& options, const std::function<void(const Error&)>& on_error) {
    NOROSHI_TRY(const config::Config config, read_config(options, on_error));
    // Without a token it is asked all the same: reading is free on loopback.
    return ApiAddress{base_url(config.http), load_token(options.data_folder).value_or("")};
}

Task<Result<void>> Desk::start() {
    if (!state_->network) {
        co_return Result<void>{};
    }
    if (state_->needs == DeskNeeds::contacts) {
        co_return co_await state_->network->start_alone();
    }
    NOROSHI_CO_TRY_VOID(co_await state_->network->start());
    co_return co_await state_->network->wait_for_peers(patience_for_peers);
}

Task<void> Desk::stop() {
    if (state_->network) {
        co_await state_->network->stop();
    }
}

bool Desk::is_remote() const { return state_->client.has_value(); }

Result<api::StatusDesk*> Desk::status() {
    if (state_->client) {
        return &*state_->client;
    }
    if (state_->network == nullptr || state_->network->status() == nullptr) {
        return fail(Errc::not_found, "no_status: Status's chats travel on shard 32; expected it among waku.shards, and no "
                                     "autosharding");
    }
    return state_->network->status();
}

Task<Result<std::vector<std::string>>> Desk::messages(std::size_t limit) {
    if (state_->client) {
        co_return co_await state_->client->messages(limit);
    }
    NOROSHI_CO_TRY(const std::vector<api::MessageRecord> records, co_await message_history(*state_->store, limit));
    std::vector<std::string> out;
    for (const api::MessageRecord& record : records) {
        out.push_back(api::message_json(record));
    }
    co_return out;
}

}  // namespace noroshi::daemon
