// src/waku/rest_node.cpp - life of a node behind a REST API: turns, who answers, messages out.
#include "waku/rest_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "rest_node_impl.hpp"

namespace noroshi::waku {
namespace {

constexpr Milliseconds busy_interval{100};
constexpr int polls_a_look = 10;
constexpr Milliseconds warning_interval{60'000};
constexpr Milliseconds sleep_gap{30'000};
constexpr std::array info_paths{"/info", "/debug/v1/info"};  // the first only of nwaku, which calls the other old

bool is_away(const Error& error) { return error.code == Errc::io || error.code == Errc::timeout; }

}  // namespace

RestNode::RestNode(RestConfig config, net::Url url, std::unique_ptr<net::HttpClient> http, NodeEnvironment environment)
    : config_(std::move(config)),
      api_(std::move(http), std::move(url)),
      environment_(std::move(environment)),
      topics_(pubsub_topics(config_.cluster, config_.shards)),
      content_topics_(config_.content_topics),
      received_(environment_.executor, config_.limits),
      seen_(config_.limits.remembered_hashes),
      calls_(environment_.executor),
      tasks_(environment_.executor) {}

Task<Result<void>> RestNode::start() {
    if (started_) {
        co_return fail(Errc::conflict, "node is already started");
    }
    started_ = true;
    state_ = NodeState::running;
    begin_catch_up();
    tasks_.spawn("waku rest node", run());
    environment_.log.info("started", {{"rest", api_.address()}, {"cluster", config_.cluster}});
    co_return Result<void>{};
}

Task<void> RestNode::stop() {
    stopping_ = true;
    co_await tasks_.stop();
    received_.close();
    state_ = NodeState::stopped;
    co_await calls_.all_ended();
}

Task<void> RestNode::run() {
    while (true) {
        const Milliseconds pause = co_await turn();
        const TimestampMs before = environment_.clock.now();
        const Result<void> slept = co_await environment_.timers.sleep_for(pause);
        if (!slept || stopping_) {
            co_return;
        }
        if (environment_.clock.now() - before >= sleep_gap) {
            environment_.log.info("woke_up");
            catch_up_soon();
        }
    }
}

Task<Milliseconds> RestNode::turn() {
    if (!answers_) {
        const Result<void> met = co_await meet();
        if (!met) {
            lost(met.error());
            co_return config_.poll_interval;
        }
    }
    if (environment_.clock.steady() >= look_at_) {
        co_await look_around();
    }
    // Reading empties the program's cache: nothing is read that has no room here.
    if (!answers_ || !received_.is_half_free()) {
        co_return config_.poll_interval;
    }
    const Result<std::size_t> fresh = co_await receive();
    if (!fresh && is_away(fresh.error())) {
        lost(fresh.error());
        co_return config_.poll_interval;
    }
    if (stopping_) {
        co_return config_.poll_interval;
    }
    receive_problem_ = fresh ? "" : fresh.error().message;
    if (!fresh) {
        static_cast<void>(warn("receive_failed", fresh.error()));
    }
    became_ready();
    catch_up_when_due();
    clock_watch_.show(environment_.clock.steady(), environment_.metrics, environment_.log);
    co_return fresh && *fresh > 0 ? std::min(busy_interval, config_.poll_interval) : config_.poll_interval;
}

Task<Result<void>> RestNode::meet() {
    NOROSHI_CO_TRY(info_, co_await ask_info());
    agent_ = co_await ask_version();
    answers_ = true;
    look_at_ = environment_.clock.steady();
    environment_.metrics.gauge("noroshi_waku_rest_up", "1 when the node behind waku.rest answers.").set(1);
    // As often as its absence was told.
    environment_.log.write(std::exchange(told_up_, true) ? LogLevel::debug : LogLevel::info, "rest_up",
                           {{"address", api_.address()}, {"peer", info_.peer_id}, {"agent", agent_}});
    co_return Result<void>{};
}

Task<Result<rest::Info>> RestNode::ask_info() {
    rest::Answer answer;
    for (const char* path : info_paths) {
        if (answers_ && program_ == Program::go_waku && path == info_paths.front()) {
            continue;
        }
        NOROSHI_CO_TRY(answer, co_await api_.get(path));
        if (answer.status == 200) {
            Result<rest::Info> info = rest::decode_info(answer.body);
            if (!info) {
                co_return fail(std::move(info).error().with("bad_reply"));
            }
            program_ = path == info_paths.front() ? Program::nwaku : Program::go_waku;
            co_return info;
        }
    }
    // nwaku in its first seconds, or no Waku node at all.
    std::string reason = fmt::format("host_down: HTTP {} {}", answer.status, printable(answer.body, 100));
    co_return fail(Error{Errc::io, std::move(reason), {}, true});
}

/// "go-waku v0.10.0": for people; "" when it is not told.
Task<std::string> RestNode::ask_version() {
    const Result<rest::Answer> answer = co_await api_.get("/debug/v1/version");
    std::string version = answer && answer->status == 200 ? printable(answer->body, 100) : "";
    std::erase(version, '"');
    co_return fmt::format("{} {}", program_ == Program::nwaku ? "nwaku" : "go-waku", version);
}

Task<void> RestNode::look_around() {
    // Often until it has peers: that is the time in which it has just been started.
    look_at_ = environment_.clock.steady() + config_.poll_interval * (admin_ && peers_.empty() ? 1 : polls_a_look);
    const Result<rest::Info> info = co_await ask_info();
    if (!info) {
        lost(info.error());
        co_return;
    }
    if (info->identity != info_.identity) {
        environment_.log.info("rest_restarted", {{"address", api_.address()}});
        forget_session();
        co_return;
    }
    if (program_ == Program::nwaku) {
        co_await ask_health();
    }
    if (admin_) {
        co_await ask_peers();
    }
    if (way_ == Way::filter && environment_.clock.steady() >= filter_check_at_) {
        co_await check_filter();
    }
}

Task<void> RestNode::ask_health() {
    const Result<rest::Answer> answer = co_await api_.get("/health");
    if (answer && answer->status == 200) {
        const Result<std::string> word = rest::decode_health(answer->body);
        health_ = !word || *word == "READY" ? "" : *word;
    }
}

Task<void> RestNode::ask_peers() {
    const Result<rest::Answer> answer = co_await api_.get("/admin/v1/peers");
    if (!answer) {
        co_return;
    }
    Result<std::vector<PeerInfo>> known = answer->status == 200 ? rest::decode_peers(answer->body)
                                                                : fail(Errc::unsupported, "no admin API");
    const bool knew_a_store = !named_stores().empty();
    admin_ = known.has_value();
    peers_ = known ? std::move(*known) : std::vector<PeerInfo>();
    if (!knew_a_store && !named_stores().empty()) {
        catch_up_soon();
    }
    environment_.metrics.gauge("noroshi_waku_peers", "Connected peers.").set(static_cast<double>(peers().size()));
}

void RestNode::forget_session() {
    answers_ = false;
    ready_ = false;
    way_ = Way::unknown;
    admin_ = true;
    peers_.clear();
    health_.clear();
    filter_topics_.clear();
    filter_retry_at_ = {};
    filter_delay_ = Milliseconds(0);
    push_version_.reset();
    polled_at_.reset();
}

void RestNode::lost(const Error& error) {
    if (stopping_) {
        return;
    }
    forget_session();
    away_ = error.message;
    environment_.metrics.gauge("noroshi_waku_rest_up", "1 when the node behind waku.rest answers.").set(0);
    if (warn("rest_down", error)) {
        told_up_ = false;
    }
}

void RestNode::became_ready() {
    if (!std::exchange(ready_, true)) {
        catch_up_soon();
        peer_ready_();
    }
}

/// Counts each, writes one a minute.
bool RestNode::warn(std::string_view event, const Error& error) {
    count("noroshi_waku_rest_errors_total", "Turns of asking the node behind waku.rest that failed, by reason.",
          {{"reason", first_word(error.message)}});
    const SteadyMs now = environment_.clock.steady();
    if (warned_at_ && now - *warned_at_ < warning_interval) {
        return false;
    }
    warned_at_ = now;
    environment_.log.warn(event, {{"address", api_.address()}, {"reason", error.message}});
    return true;
}

std::string RestNode::problem() const {
    if (!answers_) {
        return away_;
    }
    if (!receive_problem_.empty()) {
        return receive_problem_;
    }
    if (!health_.empty()) {
        return "not_ready: the node says " + health_;
    }
    return admin_ && ready_ && peers_.empty() ? "no_peers: the node is connected with nobody" : "";
}

std::vector<PeerInfo> RestNode::peers() const {
    if (!answers_ || admin_) {
        return peers_;
    }
    PeerInfo self;
    self.id = name();
    self.address = api_.address();
    self.agent = agent_;
    return {std::move(self)};
}

/// Of the program: who takes what is published.
std::string RestNode::name() const { return info_.peer_id.empty() ? api_.address() : info_.peer_id; }

Task<Result<Publication>> RestNode::publish(std::string pubsub_topic, WakuMessage message, PublishOptions /*options*/) {
    const Calls::Inside call(calls_);
    Task<Result<Publication>> attempt = check_and_publish(std::move(pubsub_topic), std::move(message));
    Result<Publication> result = co_await in_group<Publication>(std::move(attempt));
    count("noroshi_waku_published_total", "Calls to publish, by what became of them.",
          {{"mode", "rest"}, {"result", result ? "handed_over" : first_word(result.error().message)}});
    co_return result;
}

Task<Result<Publication>> RestNode::check_and_publish(std::string pubsub_topic, WakuMessage message) {
    NOROSHI_CO_TRY_VOID(encode_to_publish(topics_, pubsub_topic, message, config_.limits));
    if (!ready_) {
        co_return fail(Error{Errc::io, answers_ ? "host_down: not asked for messages yet" : away_, {}, true});
    }
    const crypto::Digest hash = message_hash(pubsub_topic, message);
    seen_.insert(hash, true);  // an own message is never received, wherever it comes from
    const Result<void> handed_over = co_await hand_over(std::move(pubsub_topic), std::move(message));
    if (handed_over) {
        co_return Publication{hash, {name()}};
    }
    if (handed_over.error().code == Errc::conflict) {
        co_return Publication{hash, {}};
    }
    co_return fail(handed_over.error());
}

Task<Result<void>> RestNode::hand_over(std::string pubsub_topic, WakuMessage message) {
    if (way_ != Way::filter) {
        const Result<void> posted = co_await post_relay(pubsub_topic, rest::encode_message_json(message));
        if (posted || posted.error().code != Errc::unsupported) {
            co_return posted;
        }
    }
    co_return co_await post_lightpush(rest::encode_push_json(pubsub_topic, message));
}

/// Errors: unsupported, when the program does not relay.
Task<Result<void>> RestNode::post_relay(std::string pubsub_topic, std::string json) {
    NOROSHI_CO_TRY(const rest::Answer answer,
                   co_await api_.post("/relay/v1/messages/" + net::percent_encoded(pubsub_topic), std::move(json)));
    if (answer.status >= 200 && answer.status < 300) {
        co_return Result<void>{};
    }
    if (rest::is_absent(answer)) {
        co_return fail(Errc::unsupported, "absent");
    }
    Error error = rest::refusal(answer);
    if (answer.body.empty() && admin_ && peers_.empty()) {  // go-waku names no reason; this is the likely one
        error.message = "no_peers: the node is connected with nobody";
    }
    co_return fail(std::move(error));
}

Task<Result<void>> RestNode::post_lightpush(std::string json) {
    const SteadyMs now = environment_.clock.steady();
    const SteadyMs turn = std::max(now, next_push_);
    if (turn - now > longest_push_wait) {
        co_return fail(Error{Errc::limit, "rate_limited: the service node asked to wait", {}, true});
    }
    next_push_ = turn + push_interval;  // taken before the wait, so that parallel calls queue up
    NOROSHI_CO_TRY_VOID(co_await wait_until(environment_, stopping_, turn));
    for (const LightpushVersion version : {LightpushVersion::v3, LightpushVersion::v2}) {
        if (push_version_ && *push_version_ != version) {
            continue;
        }
        const char* path = version == LightpushVersion::v3 ? "/lightpush/v3/message" : "/lightpush/v1/message";
        NOROSHI_CO_TRY(const rest::Answer answer, co_await api_.post(path, json));
        if (!rest::is_absent(answer)) {
            push_version_ = version;
            co_return judge_push(version, answer);
        }
    }
    push_version_.reset();
    co_return fail(Error{Errc::refused, "refused: the node neither relays nor has a lightpush client", {}, true});
}

Result<void> RestNode::judge_push(LightpushVersion version, const rest::Answer& answer) {
    if (answer.status < 200 || answer.status >= 300) {
        Error error = rest::refusal(answer);
        if (error.code == Errc::limit && error.retryable) {
            const unsigned doublings = std::min(pushes_limited_++, 6U);
            const Milliseconds wait = std::min(longest_limit_wait, Milliseconds(1'000) * (1 << doublings));
            next_push_ = environment_.clock.steady() + std::max(push_interval, wait);
        }
        return fail(std::move(error));
    }
    pushes_limited_ = 0;
    if (version == LightpushVersion::v2) {
        return {};
    }
    const Result<std::optional<std::uint32_t>> reached = rest::decode_push_answer(answer.body);
    if (!reached) {
        return fail(Error{Errc::parse, "bad_reply: " + reached.error().message, {}, true});
    }
    if (reached->value_or(0) == 0) {  // a success that reached nobody is none
        return fail(Error{Errc::refused, "no_peers: taken, and passed on to nobody", {}, true});
    }
    return {};
}

void RestNode::count(std::string_view name, std::string_view help, Metrics::LabelList labels) {
    environment_.metrics.counter(name, help, std::move(labels)).add();
}

Result<std::unique_ptr<Node>> make_rest_node(RestConfig config, std::unique_ptr<net::HttpClient> http,
                                             NodeEnvironment environment) {
    NOROSHI_TRY(net::Url url, net::parse_url(config.url));
    NOROSHI_TRY_VOID(check_topics(config.shards, config.content_topics));
    return std::make_unique<RestNode>(std::move(config), std::move(url), std::move(http), std::move(environment));
}

Result<std::unique_ptr<Node>> make_rest_node(RestConfig config, std::string agent, Runtime& runtime, const Clock& clock,
                                             Random& random, Metrics& metrics, Log log) {
    NodeEnvironment environment{runtime.executor(), runtime, {}, clock, random, metrics, std::move(log)};
    auto http = net::make_http_client(environment.executor, std::move(agent));
    return make_rest_node(std::move(config), std::move(http), std::move(environment));
}

}  // namespace noroshi::waku
