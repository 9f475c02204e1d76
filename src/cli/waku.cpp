// src/cli/waku.cpp - `noroshi waku serve|peers|ping|trace`: a service node, and what the network looks like from here.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>

#include "base/file.hpp"
#include "base/random.hpp"
#include "cli.hpp"
#include "daemon/daemon.hpp"
#include "daemon/tls_files.hpp"
#include "daemon/waku_tools.hpp"

namespace noroshi::cli {
namespace {

constexpr const char* serve_key_file = "serve.key";
constexpr const char* archive_file = "waku-archive.db";
constexpr const char* book_file = "serve-peers.json";

struct NetworkOptions : CommonOptions {
    std::vector<std::string> peers;
    waku::DiscoveryConfig discovery;
    std::uint16_t cluster{16};
    std::vector<std::uint16_t> shards{32};
};

struct ServeCommand : NetworkOptions {
    std::vector<std::string> listen;
    std::vector<std::string> announce;
    daemon::TlsFiles tls;
    std::vector<std::string> roles{"filter", "lightpush", "store", "peer-exchange"};
    bool alone{false};
    std::optional<std::uint16_t> autosharding;
    std::string keep{"2d"};
    std::size_t keep_mib{256};
    std::uint16_t http_port{0};
    std::uint32_t connections{200};
    std::uint32_t connections_per_ip{waku::NodeLimits{}.connections_per_ip};
    std::uint32_t gossip_rate{waku::NodeLimits{}.gossip_messages_per_s};
};

struct LookCommand : NetworkOptions {
    bool json{false};
    std::string hash;
    std::string content_topic{"/noroshi/1/alerts/proto"};
    double timeout{5};
};

void add_network(CLI::App& command, NetworkOptions& options) {
    add_common(command, options);
    command.add_option("--cluster", options.cluster, "Waku cluster")->capture_default_str();
    command.add_option("--shard", options.shards, "shard; may be repeated")->capture_default_str();
    add_discovery(command, options.discovery);
}

std::string duration_fault(const std::string& text) {
    const Result<Milliseconds> duration = parse_duration(text);
    return duration ? std::string() : duration.error().message;
}

int serve(const ServeCommand& command) {
    const std::filesystem::path folder = data_folder(command);
    SystemRandom random;
    Result<crypto::SecretKey> key = daemon::load_or_make_key(folder / serve_key_file, random);
    if (!key) {
        print_error(key.error());
        return exit_fault;
    }
    const auto has = [&command](const char* role) { return std::ranges::count(command.roles, role) > 0; };
    daemon::ServeOptions options{
        .node = {.key = std::move(*key),
                 .listen = command.listen,
                 .peers = command.peers,
                 .announce = command.announce,
                 .discovery = command.discovery,
                 .cluster = command.cluster,
                 .shards = command.shards,
                 .services = {.filter = has("filter"),
                              .lightpush = has("lightpush"),
                              .store = has("store"),
                              .peer_exchange = has("peer-exchange"),
                              .alone = command.alone,
                              .archive_file = (folder / archive_file).string(),
                              .archive_age = *parse_duration(command.keep),
                              .archive_bytes = command.keep_mib << 20}},
        .http_port = command.http_port,
        .log = Log::to_stderr(*parse_log_level(command.log_level)),
        .on_ready = {}};
    options.node.limits.connections = command.connections;
    options.node.services.autosharding = command.autosharding;
    if (command.autosharding) {
        options.node.shards.resize(*command.autosharding);
        std::iota(options.node.shards.begin(), options.node.shards.end(), std::uint16_t{0});
    }
    if (const Result<void> tls = daemon::read_tls(command.tls, options.node); !tls) {
        print_error(tls.error());
        return exit_fault;
    }
    options.node.discovery.book_file = (folder / book_file).string();
    options.node.limits.connections_per_ip = command.connections_per_ip;
    options.node.limits.gossip_messages_per_s = command.gossip_rate;
    if (command.gossip_rate == 0) {
        options.node.limits.gossip_kib_per_s = 0;
    }
    options.on_ready = [](const std::vector<std::string>& addresses) {
        for (const std::string& address : addresses) {
            fmt::print("{}\n", address);
        }
        std::fflush(stdout);
    };
    const Result<void> served = daemon::serve_waku(std::move(options));
    if (!served) {
        print_error(served.error());
    }
    return served ? exit_ok : exit_fault;
}

daemon::LookOptions look_options(const LookCommand& command) {
    return {.peers = command.peers,
            .discovery = command.discovery,
            .cluster = command.cluster,
            .shards = command.shards,
            .patience = Milliseconds(static_cast<std::int64_t>(command.timeout * 1000)),
            .log = Log::to_stderr(*parse_log_level(command.log_level))};
}

std::string shown_round_trip(const waku::PeerInfo& peer) {
    return peer.round_trip ? fmt::format("{:.2f} ms", static_cast<double>(peer.round_trip->count()) / 1000.0)
                           : std::string("no answer to ping");
}

void print_peer(const waku::PeerInfo& peer) {
    fmt::print("{}\n  {}\n  agent {}, {}\n", peer.id, peer.address, peer.agent.empty() ? "(none)" : peer.agent,
               shown_round_trip(peer));
    for (const std::string& protocol : peer.protocols) {
        fmt::print("  {}\n", protocol);
    }
}

/// True when each peer that was named is among those that answered; the others are named.
bool all_answered(const LookCommand& command, const std::vector<waku::PeerInfo>& found) {
    bool all = true;
    for (const std::string& address : command.peers) {
        const bool answered =
            std::ranges::any_of(found, [&](const waku::PeerInfo& peer) { return address.ends_with("/p2p/" + peer.id); });
        if (!answered) {
            fmt::print(stderr, "no answer: {} (not reachable, or of another cluster than {}; --log-level info says more)\n",
                       address, command.cluster);
            all = false;
        }
    }
    return all;
}

int peers(const LookCommand& command) {
    if (command.peers.empty() && !command.discovery.any()) {
        print_error(Error{Errc::invalid_argument, "nobody to look at: name --peer, or where to find some (--dns, --discv5)", {}, false});
        return exit_usage;
    }
    const Result<std::vector<waku::PeerInfo>> found = daemon::look_at_peers(look_options(command));
    if (!found) {
        print_error(found.error());
        return exit_fault;
    }
    if (command.json) {
        nlohmann::json out = nlohmann::json::array();
        for (const waku::PeerInfo& peer : *found) {
            out.push_back({{"peer", peer.id}, {"address", peer.address}, {"agent", peer.agent},
                           {"protocols", peer.protocols}});
            if (peer.round_trip) {
                out.back()["round_trip_seconds"] = static_cast<double>(peer.round_trip->count()) / 1e6;
            }
        }
        fmt::print("{}\n", out.dump());
    } else {
        std::ranges::for_each(*found, print_peer);
    }
    return all_answered(command, *found) ? exit_ok : exit_fault;
}

int ping(const LookCommand& command) {
    const Result<std::vector<waku::PeerInfo>> found = daemon::look_at_peers(look_options(command));
    if (!found) {
        print_error(found.error());
        return exit_fault;
    }
    bool all = true;
    for (const waku::PeerInfo& peer : *found) {
        fmt::print("{} {} {}\n", peer.id, shown_round_trip(peer), peer.agent);
        all = all && peer.round_trip;
    }
    return all_answered(command, *found) && all ? exit_ok : exit_fault;
}

Result<crypto::Digest> read_hash(std::string text) {
    if (text.starts_with("0x")) {
        text.erase(0, 2);
    }
    const Result<Bytes> bytes = from_hex(text);
    crypto::Digest out{};
    if (!bytes || bytes->size() != out.size()) {
        return fail(Errc::parse, "HASH: expected 64 hex digits, as `envelope` in the log");
    }
    std::ranges::copy(*bytes, out.begin());
    return out;
}

int trace(const LookCommand& command) {
    const Result<crypto::Digest> hash = read_hash(command.hash);
    if (!hash) {
        print_error(hash.error());
        return exit_usage;
    }
    const waku::Published what{fmt::format("/waku/2/rs/{}/{}", command.cluster, command.shards.front()),
                               command.content_topic, 0, *hash, {}};
    const Result<std::vector<daemon::Trace>> said = daemon::trace_message(look_options(command), what);
    if (!said) {
        print_error(said.error());
        return exit_fault;
    }
    bool found = false;
    for (const daemon::Trace& one : *said) {
        fmt::print("{:<10} {}\n", one.word, one.peer);
        found = found || one.word == "found";
    }
    return found ? exit_ok : exit_fault;
}

void add_serve(CLI::App& waku, int& exit_code) {
    CLI::App* command = waku.add_subcommand("serve", "run a node that keeps, pushes and relays messages for other nodes");
    auto options = std::make_shared<ServeCommand>();  // shared: lives as long as the callback
    add_network(*command, *options);
    command->add_option("--listen", options->listen, "multiaddr, e.g. /ip4/0.0.0.0/tcp/60000; may be repeated")->required();
    command->add_option("--autosharding", options->autosharding,
                        "serve all shards of a network of this many, where the content topic decides; in place of --shard")
        ->check(CLI::Range(1, 64));
    command->add_option("--announce", options->announce,
                        "multiaddr under which others reach it, for its node record; may be repeated; default: --listen");
    command->add_option("--tls-cert", options->tls.cert_file, "PEM file with the certificate for --listen /ip4/.../tcp/PORT/wss")
        ->needs(command->add_option("--tls-key", options->tls.key_file, "PEM file with its private key"));
    command->add_option("--tls-ca", options->tls.ca_file, "PEM file with roots that a dialled /wss is believed for");
    command->add_option("--peer", options->peers, "node to stay connected with: multiaddr with /p2p/<id>; may be repeated");
    command->add_option("--role", options->roles, "filter, lightpush, store, peer-exchange; may be repeated; default: all")
        ->check(CLI::IsMember({"filter", "lightpush", "store", "peer-exchange"}));
    command->add_flag("--alone", options->alone,
                      "a push counts as taken also when no other relay is connected: this store and subscribers are enough");
    command->add_option("--keep", options->keep, "how long the store keeps messages")->capture_default_str()->check(duration_fault);
    command->add_option("--keep-mib", options->keep_mib, "and at most how much, MiB")->capture_default_str();
    command->add_option("--http", options->http_port, "port of /metrics and /healthz on loopback; default: none");
    command->add_option("--connections", options->connections, "most peers at a time")->capture_default_str();
    command->add_option("--connections-per-ip", options->connections_per_ip,
                        "most inbound connections of one IPv4 address or IPv6 /64; 0: no limit")->capture_default_str();
    command->add_option("--gossip-rate", options->gossip_rate,
                        "new messages a second that are taken from all peers together, and 2 MiB of them; 0: no limit")->capture_default_str();
    command->callback([options, &exit_code] { exit_code = serve(*options); });
}

/// `needs_peers`: --peer is required; else discovery may do.
std::shared_ptr<LookCommand> add_look(CLI::App& command, bool needs_peers) {
    auto options = std::make_shared<LookCommand>();
    options->log_level = "off";
    add_network(command, *options);
    command.add_option("--peer", options->peers, "multiaddr with /p2p/<id>; may be repeated")->required(needs_peers);
    command.add_option("--timeout", options->timeout, "seconds to wait for a peer")->capture_default_str();
    return options;
}

}  // namespace

void add_waku(CLI::App& app, int& exit_code) {
    CLI::App* waku = app.add_subcommand("waku", "the Waku network: a service node, peers, messages");
    waku->require_subcommand(1);
    add_serve(*waku, exit_code);
    CLI::App* list = waku->add_subcommand("peers", "connect to peers, named or found, and print who they are and what they speak");
    const auto list_options = add_look(*list, false);
    list->add_flag("--json", list_options->json, "one JSON array");
    list->callback([list_options, &exit_code] { exit_code = peers(*list_options); });
    CLI::App* pinged = waku->add_subcommand("ping", "connect to peers and print how long an answer takes");
    const auto ping_options = add_look(*pinged, true);
    pinged->callback([ping_options, &exit_code] { exit_code = ping(*ping_options); });
    CLI::App* traced = waku->add_subcommand("trace", "ask the stores among peers whether they have a message");
    const auto trace_options = add_look(*traced, true);
    traced->add_option("HASH", trace_options->hash, "hash of the envelope, hex, as the log and history show it")->required();
    traced->add_option("--content-topic", trace_options->content_topic, "for stores of version 2, which know no hashes")
        ->capture_default_str();
    traced->callback([trace_options, &exit_code] { exit_code = trace(*trace_options); });
}

}  // namespace noroshi::cli
