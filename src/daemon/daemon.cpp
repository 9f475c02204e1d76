// src/daemon/daemon.cpp - lifecycle: start the stages in order, reload, stop in the reverse order.
#include "daemon/daemon.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "api/api.hpp"
#include "api/prometheus.hpp"
#include "api_token.hpp"
#include "base/file.hpp"
#include "base/metrics.hpp"
#include "base/net/http_client.hpp"
#include "base/runtime.hpp"
#include "discovery.hpp"
#include "history.hpp"
#include "inbox.hpp"
#include "network.hpp"
#include "pipeline.hpp"
#include "plan.hpp"
#include "series.hpp"
#include "version.hpp"

namespace noroshi::daemon {
namespace {

constexpr std::string_view announced_setting = "announced_configuration";

using ErrorSink = std::function<void(const Error&)>;

model::Labels host_labels() { return model::Labels{{"job", "host"}, {"instance", host_name()}}; }

/// The stages and their lives. Built in one go by `start`; members are destroyed in reverse order.
class Daemon {
  public:
    Daemon(Options options, crypto::SecretKey identity, Runtime& runtime, ErrorSink on_error)
        : options_(std::move(options)),
          on_error_(std::move(on_error)),
          runtime_(runtime),
          log_(options_.log.named("daemon")),
          reload_ok_(metrics_.gauge("noroshi_config_last_reload_successful",
                                    "1 when the configuration in force is the one on disk.")),
          identity_(std::move(identity)),
          tasks_(runtime.executor()) {}

    Task<int> main() {
        const Result<void> started = co_await start();
        if (!started) {
            if (!started.error().message.empty()) {
                on_error_(started.error());
            }
            co_await stop();
            co_return 1;
        }
        while (true) {
            const Result<int> signal = co_await runtime_.next_signal();
            if (!signal || *signal != SIGHUP) {
                break;
            }
            reload();
        }
        log_.info("stopping");
        co_await stop();
        co_return 0;
    }

  private:
    Task<Result<void>> start() {
        NOROSHI_CO_TRY_VOID(make_private_folder(options_.data_folder));
        NOROSHI_CO_TRY_VOID(read_configuration());
        NOROSHI_CO_TRY(store_, store::Store::open(options_.data_folder, runtime_.executor(), options_.log.named("store")));
        NOROSHI_CO_TRY_VOID(make_stages());
        NOROSHI_CO_TRY_VOID(co_await start_network());
        NOROSHI_CO_TRY_VOID(serve());
        start_stages();
        announce();
        log_.info("started", {{"version", version}, {"targets", scraper_->health().size()}, {"rules", plan_.things()}});
        if (options_.on_ready) {
            options_.on_ready(summary());
        }
        co_return Result<void>{};
    }

    /// Reads the file, or makes the configuration of a run without one. Reports every fault itself.
    Result<void> read_configuration() {
        if (!options_.config_file) {
            NOROSHI_TRY(crypto::SecretKey terminal,
                        load_or_make_key(options_.data_folder / "terminal.key", random_));
            config_ = default_config(terminal.public_key());
            terminal_key_ = std::move(terminal);
            plan_ = make_plan(config_).plan;
            return {};
        }
        std::optional<std::pair<config::Config, Plan>> read = read_file_and_plan();
        if (!read) {
            return fail(Errc::invalid_argument, "");
        }
        config_ = std::move(read->first);
        plan_ = std::move(read->second);
        reload_ok_.set(1);
        return {};
    }

    std::optional<std::pair<config::Config, Plan>> read_file_and_plan() {
        config::Loaded loaded = config::load(*options_.config_file);
        for (const std::string& warning : loaded.warnings) {
            log_.warn("configuration_warning", {{"text", warning}});
        }
        std::vector<Error> errors = std::move(loaded.errors);
        if (!loaded.config) {
            std::ranges::for_each(errors, on_error_);
            return std::nullopt;
        }
        Planned planned = make_plan(*loaded.config);
        std::ranges::for_each(planned.errors, on_error_);
        if (!planned.errors.empty()) {
            return std::nullopt;
        }
        return std::pair(std::move(*loaded.config), std::move(planned.plan));
    }

    Result<void> make_stages() {
        const Executor& executor = executor_;
        NOROSHI_TRY(head_, open_series(config_.storage, options_.data_folder, clock_, options_.log.named("tsdb")));
        show_series(*head_, metrics_);
        engine_ = std::make_unique<promql::Engine>(*head_, engine_options());
        rules_ = std::make_unique<rules::Manager>(
            *head_, *engine_,
            rules::Options{.evaluation_interval = config_.global.evaluation_interval,
                           .external_labels = config_.global.external_labels,
                           .restore_grace = restore_grace(),
                           .expressions = parse_options(config_.promql)},
            metrics_, options_.log.named("rules"));
        notifier_ = std::make_unique<notify::Notifier>(plan_.route, random_, metrics_, options_.log.named("notify"));
        outbox_ = std::make_unique<deliver::Outbox>(*store_, runtime_, executor, clock_, random_, metrics_,
                                                    options_.log.named("deliver"));
        http_client_ = net::make_http_client(executor, fmt::format("noroshi/{}", version));
        scraper_ = std::make_unique<collect::Scraper>(*head_, *http_client_, runtime_, clock_, executor, metrics_,
                                                      options_.log.named("collect"));
        discovery_ = std::make_unique<Discovery>(
            *http_client_, runtime_, executor, metrics_, options_.log.named("discovery"),
            [this](std::vector<collect::Target> targets) { scraper_->set_targets(std::move(targets)); });
        host_ = std::make_unique<collect::HostSource>(*head_, collect::HostCollector("/", clock_), host_labels(),
                                                      config_.host.interval, runtime_, clock_, executor, metrics_,
                                                      options_.log.named("collect"));
        pipeline_ = std::make_unique<Pipeline>(Stages{*head_, *rules_, *notifier_, *store_, *outbox_}, runtime_, clock_,
                                               executor, metrics_, options_.log.named("pipeline"));
        NOROSHI_TRY(auto alerts, store_->load_alerts());
        NOROSHI_TRY(auto groups, store_->load_groups());
        NOROSHI_TRY(pending_, store_->load_pending_outbox());
        rules_->restore(std::move(alerts));
        notifier_->restore(std::move(groups));
        return {};
    }

    /// Three scrapes of the slowest target: after them a series that is missing is really gone.
    [[nodiscard]] Milliseconds restore_grace() const {
        Milliseconds slowest = config_.host.enabled ? config_.host.interval : Milliseconds(0);
        for (const collect::Target& target : plan_.targets) {
            slowest = std::max(slowest, target.interval);
        }
        for (const config::ScrapeConfig& job : plan_.jobs) {
            slowest = std::max(slowest, job.scrape_interval);
        }
        return 3 * slowest;
    }

    Task<Result<void>> start_network() {
        // Without a configuration the owner is at this terminal, and nobody else is to be told.
        const Network::Status status = options_.config_file ? Network::Status::on : Network::Status::off;
        NOROSHI_CO_TRY(network_, Network::create(config_, identity_.clone(), options_.data_folder, status,
                                                 {runtime_, clock_, random_, metrics_, options_.log, *store_, *outbox_,
                                                  options_.on_line}));
        network_->set_receivers(plan_.receivers);
        NOROSHI_CO_TRY_VOID(co_await network_->start());
        if (terminal_key_) {
            NOROSHI_CO_TRY_VOID(co_await start_terminal());
        }
        co_return Result<void>{};
    }

    /// The terminal is a second node in this process that dials the first over loopback: what it prints has crossed
    /// the same protocols as on the way to another machine.
    Task<Result<void>> start_terminal() {
        std::vector<std::string> addresses = network_->node().listen_addresses();
        InboxConfig inbox_config{terminal_key_->clone(), std::move(addresses), config_.waku.cluster,
                                 network_->shards(), waku::Mode::relay, true};
        NOROSHI_CO_TRY(terminal_, Inbox::create(std::move(inbox_config), runtime_, clock_, random_, terminal_metrics_,
                                                options_.log.named("terminal")));
        NOROSHI_CO_TRY_VOID(co_await terminal_->start());
        tasks_.spawn("terminal", print_notifications());
        co_return Result<void>{};
    }

    Task<void> print_notifications() {
        while (true) {
            const Result<deliver::ReceivedNotification> received = co_await terminal_->next();
            if (!received) {
                co_return;
            }
            if (options_.on_notification) {
                options_.on_notification(*received);
            }
        }
    }

    Result<void> serve() {
        NOROSHI_TRY(std::string token, load_or_make_token(options_.data_folder, random_));
        api::Sources sources{metrics_, [this] { return health(); },
                             [this](std::size_t limit) { return message_history(*store_, limit); }, network_->status()};
        std::vector<net::Route> routes = api::make_routes(std::move(sources));
        std::ranges::move(api::prometheus_routes({*head_, clock_, runtime_, engine_options(),
                                                  [this] { return scraper_->health(); },
                                                  [this] { return rules_->status(); }, [this] { return facts(); },
                                                  parse_options(config_.promql)}),
                          std::back_inserter(routes));
        if (config_.http.remote_write) {
            write_receiver_.emplace(*head_, clock_, metrics_, config_.storage.retention);
            routes.push_back(api::write_route(*write_receiver_));
        }
        if (config_.http.otlp) {
            otlp_receiver_.emplace(*head_, clock_, metrics_, config_.storage.retention);
            routes.push_back(api::otlp_route(*otlp_receiver_));
        }
        NOROSHI_TRY(server_, net::serve_http(executor_, config_.http.address, config_.http.port, std::move(routes),
                                             net::ServerPolicy{.allowed_hosts = {}, .token = std::move(token)},
                                             options_.log.named("api")));
        return {};
    }

    [[nodiscard]] promql::EngineOptions engine_options() const {
        promql::EngineOptions out;
        out.subquery_step = config_.global.evaluation_interval;
        out.delayed_name_removal = config_.promql.delayed_name_removal;
        return out;
    }

    [[nodiscard]] api::DaemonFacts facts() const {
        return {std::string(version),      host_name(), started_, reload_ok_.value() != 0 || !options_.config_file, last_reload_,
                config_.storage.retention, fmt::format("{}:{}", config_.http.address, config_.http.port)};
    }

    void start_stages() {
        outbox_->enqueue(std::exchange(pending_, {}));
        outbox_->start();
        pipeline_->change(plan_.groups, plan_.route);
        tasks_.spawn("pipeline", pipeline_->run());
        discovery_->set_jobs(plan_.jobs);
        if (config_.host.enabled) {
            host_->start();
        }
    }

    [[nodiscard]] std::string summary() const {
        const std::size_t things = plan_.things();
        return fmt::format("noroshi watches {} thing{} on {}", things, things == 1 ? "" : "s", host_name());
    }

    /// Tells the receiver that noroshi is up: at each start without a configuration, else once for each configuration.
    void announce() {
        const std::string text = config_text_digest();
        if (options_.config_file) {
            const Result<std::optional<std::string>> last = store_->load_setting(std::string(announced_setting));
            if (last && *last == text) {
                return;
            }
        }
        std::string body = fmt::format("{} scrape targets, this machine's own metrics {}, {} alerting rules.",
                                       scraper_->health().size(), config_.host.enabled ? "on" : "off", plan_.things());
        pipeline_->announce(summary(), std::move(body));
        store::Batch batch;
        batch.put_setting(std::string(announced_setting), text);
        tasks_.spawn("announced", remember(std::move(batch)));
    }

    Task<void> remember(store::Batch batch) {
        const Result<void> written = co_await store_->commit(std::move(batch));
        if (!written) {
            log_.warn("setting_not_written", {{"reason", written.error().to_string()}});
        }
    }

    [[nodiscard]] std::string config_text_digest() const {
        if (!options_.config_file) {
            return "";
        }
        const Result<std::string> text = read_file(*options_.config_file, 4u << 20);
        return text ? to_hex(crypto::sha256(as_bytes(*text))) : "";
    }

    void reload() {
        if (!options_.config_file) {
            log_.info("reload_without_configuration_file");
            return;
        }
        std::optional<std::pair<config::Config, Plan>> read = read_file_and_plan();
        if (!read) {
            reload_ok_.set(0);
            log_.error("reload_refused", {{"kept", "the configuration in force"}});
            return;
        }
        if (const config::Receiver* receiver = network_->out_of_reach(read->first.receivers)) {
            reload_ok_.set(0);
            log_.error("reload_refused", {{"kept", "the configuration in force"},
                                          {"reason", "receiver \"" + receiver->name +
                                                         "\": its topic is on a shard that is joined at the next start"}});
            return;
        }
        reload_ok_.set(1);
        last_reload_ = clock_.now();
        plan_ = std::move(read->second);
        config_.global = read->first.global;
        config_.receivers = read->first.receivers;
        network_->set_receivers(plan_.receivers);
        discovery_->set_jobs(plan_.jobs);
        pipeline_->change(plan_.groups, plan_.route);
        log_.info("reloaded", {{"targets", scraper_->health().size()},
                               {"rules", plan_.things()},
                               {"note", "waku, http, host and storage take effect at the next start"}});
    }

    [[nodiscard]] std::vector<api::PartHealth> health() const {
        std::vector<api::PartHealth> parts = network_->health();
        parts.push_back({"store", pipeline_->store_error().empty(),
                         pipeline_->store_error().empty() ? "committing" : pipeline_->store_error()});
        std::size_t down = 0;
        for (const collect::TargetHealth& target : scraper_->health()) {
            down += target.up || target.last_scrape == TimestampMs{} ? 0 : 1;
        }
        // A target that is down is what noroshi is there to tell; it is no fault of its own.
        parts.push_back({"targets", true, fmt::format("{} down", down)});
        const std::vector<std::string> unread = discovery_->failing();
        parts.push_back({"discovery", unread.empty(), fmt::format("{} cannot be read{}{}", unread.size(), unread.empty() ? "" : ": ",
                                                                  fmt::join(unread, ", "))});
        std::size_t failing = 0;
        for (const rules::RuleHealth& rule : rules_->health()) {
            failing += rule.last_error.empty() ? 0 : 1;
        }
        parts.push_back({"rules", failing == 0, fmt::format("{} cannot be evaluated", failing)});
        parts.push_back({"outbox", true, fmt::format("{} waiting, {} unconfirmed", outbox_->waiting(), outbox_->unconfirmed())});
        return parts;
    }

    /// Safe after a start that went only part of the way.
    Task<void> stop() {
        if (server_) {
            co_await server_->stop();
        }
        if (discovery_) {
            co_await discovery_->stop();
            co_await scraper_->stop();
            co_await host_->stop();
        }
        co_await tasks_.stop();
        if (outbox_) {
            co_await outbox_->stop();
        }
        if (terminal_) {
            co_await terminal_->stop();
        }
        if (network_) {
            co_await network_->stop();
        }
    }

    Options options_;
    ErrorSink on_error_;
    Runtime& runtime_;
    const Executor executor_{runtime_.executor()};
    SystemClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    Metrics terminal_metrics_;  // the terminal's node must not be counted as the daemon's
    Log log_;
    Gauge& reload_ok_;
    const TimestampMs started_{clock_.now()};
    TimestampMs last_reload_{started_};

    config::Config config_;
    Plan plan_;
    crypto::SecretKey identity_;
    std::optional<crypto::SecretKey> terminal_key_;
    std::vector<store::OutboxRow> pending_;

    std::unique_ptr<store::Store> store_;
    std::unique_ptr<tsdb::Head> head_;
    std::unique_ptr<promql::Engine> engine_;
    std::unique_ptr<rules::Manager> rules_;
    std::unique_ptr<notify::Notifier> notifier_;
    std::unique_ptr<net::HttpClient> http_client_;
    std::unique_ptr<collect::Scraper> scraper_;
    std::unique_ptr<Discovery> discovery_;
    std::unique_ptr<collect::HostSource> host_;
    std::unique_ptr<deliver::Outbox> outbox_;
    std::unique_ptr<Network> network_;
    std::unique_ptr<Inbox> terminal_;
    std::unique_ptr<Pipeline> pipeline_;
    std::optional<collect::RemoteWriteReceiver> write_receiver_;
    std::optional<collect::OtlpReceiver> otlp_receiver_;
    std::unique_ptr<net::HttpServer> server_;
    TaskGroup tasks_;
};

}  // namespace

int run(Options options, const std::function<void(const Error&)>& on_error) {
    SystemRandom random;
    Result<Identity> identity = load_or_make_identity(options.identity, random);
    if (!identity) {
        on_error(identity.error());
        return 1;
    }
    if (identity->passphrase_unused) {
        options.log.named("daemon").warn("identity_not_protected",
                                         {{"file", identity->from.string()}, {"remedy", "noroshi id protect"}});
    }
    Runtime runtime;
    Daemon daemon(std::move(options), std::move(identity->key), runtime, on_error);
    return runtime.run(daemon.main());
}

}  // namespace noroshi::daemon
