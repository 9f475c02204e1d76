// src/daemon/waku_tools.cpp - runs the nodes behind `noroshi waku`.
#include "waku_tools.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "api/api.hpp"
#include "base/runtime.hpp"
#include "waku/rust_host.hpp"

namespace noroshi::daemon {
namespace {

constexpr Milliseconds look_interval{100};

/// What every such node needs, in the order of its life.
struct Surroundings {
    Runtime runtime;
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
};

class Server {
  public:
    Server(ServeOptions options, Surroundings& around) : options_(std::move(options)), around_(around) {}

    Task<Result<void>> main() {
        NOROSHI_CO_TRY(node_, waku::Node::create(std::move(options_.node), waku::rust_host_factory(), around_.runtime,
                                                 around_.clock, around_.random, around_.metrics,
                                                 options_.log.named("waku")));
        Result<void> started = co_await node_->start();
        if (started) {
            started = serve_http();
        }
        if (started) {
            options_.on_ready(node_->listen_addresses());
            co_await wait_for_signal();
        }
        if (http_) {
            co_await http_->stop();
        }
        co_await node_->stop();
        co_return started;
    }

  private:
    Result<void> serve_http() {
        if (options_.http_port == 0) {
            return {};
        }
        api::Sources sources{around_.metrics, [this] {
                                 const std::size_t peers = node_->peers().size();
                                 return std::vector<api::PartHealth>{
                                     {"waku", node_->state() == waku::NodeState::running,
                                      std::to_string(peers) + " peers connected"}};
                             }};
        NOROSHI_TRY(http_, net::serve_http(around_.runtime.executor(), "127.0.0.1", options_.http_port,
                                           api::make_routes(std::move(sources)), net::ServerPolicy{},
                                           options_.log.named("api")));
        return {};
    }

    Task<void> wait_for_signal() {
        while (true) {
            const Result<int> signal = co_await around_.runtime.next_signal();
            if (!signal || *signal != SIGHUP) {
                co_return;
            }
        }
    }

    ServeOptions options_;
    Surroundings& around_;
    std::unique_ptr<waku::Node> node_;
    std::unique_ptr<net::HttpServer> http_;
};

/// Dials the peers and waits until each has said what it speaks, or patience ends.
Task<Result<std::unique_ptr<waku::Node>>> connect(const LookOptions& options, Surroundings& around) {
    waku::NodeConfig config{.key = crypto::SecretKey::generate(around.random),
                            .listen = {},
                            .peers = options.peers,
                            .discovery = options.discovery,
                            .cluster = options.cluster,
                            .shards = options.shards,
                            .mode = waku::Mode::light};
    NOROSHI_CO_TRY(std::unique_ptr<waku::Node> node,
                   waku::Node::create(std::move(config), waku::rust_host_factory(), around.runtime, around.clock,
                                      around.random, around.metrics, options.log.named("waku")));
    NOROSHI_CO_TRY_VOID(co_await node->start());
    const SteadyMs until = around.clock.steady() + options.patience;
    while (around.clock.steady() < until) {
        const std::vector<waku::PeerInfo> known = node->peers();
        const auto answered = std::ranges::count_if(
            known, [](const auto& peer) { return !peer.protocols.empty() && peer.round_trip; });
        if (!options.discovery.any() && static_cast<std::size_t>(answered) >= options.peers.size()) {
            break;
        }
        NOROSHI_CO_TRY_VOID(co_await around.runtime.sleep_for(look_interval));
    }
    // A peer of another cluster is known by its metadata, which comes a moment later.
    NOROSHI_CO_TRY_VOID(co_await around.runtime.sleep_for(2 * look_interval));
    co_return node;
}

/// Runs `task` to its end on a runtime of its own.
template <class T>
Result<T> run(Surroundings& around, Task<Result<T>> task) {
    Result<T> out = fail(Errc::cancelled, "not run");
    const auto main = [](Task<Result<T>> inner, Result<T>& result) -> Task<int> {
        result = co_await std::move(inner);
        co_return 0;
    };
    static_cast<void>(around.runtime.run(main(std::move(task), out)));
    return out;
}

Task<Result<std::vector<waku::PeerInfo>>> look(const LookOptions& options, Surroundings& around) {
    NOROSHI_CO_TRY(const std::unique_ptr<waku::Node> node, co_await connect(options, around));
    std::vector<waku::PeerInfo> out = node->peers();
    co_await node->stop();
    co_return out;
}

Task<Result<std::vector<Trace>>> ask_each(const LookOptions& options, waku::Published what, Surroundings& around) {
    std::vector<Trace> out;
    for (const std::string& peer : options.peers) {
        LookOptions one = options;
        one.peers = {peer};
        one.discovery = {};  // the word of a found store would pass for that of this peer
        NOROSHI_CO_TRY(const std::unique_ptr<waku::Node> node, co_await connect(one, around));
        const Result<waku::StoreWord> word = co_await node->find_stored(what);
        out.push_back({peer, !word ? word.error().message : word->found ? "found" : "not_found"});
        co_await node->stop();
    }
    co_return out;
}

}  // namespace

Result<void> serve_waku(ServeOptions options) {
    Surroundings around;
    Server server(std::move(options), around);
    return run<void>(around, server.main());
}

Result<std::vector<waku::PeerInfo>> look_at_peers(const LookOptions& options) {
    Surroundings around;
    return run(around, look(options, around));
}

Result<std::vector<Trace>> trace_message(const LookOptions& options, const waku::Published& what) {
    Surroundings around;
    return run(around, ask_each(options, what, around));
}

}  // namespace noroshi::daemon
