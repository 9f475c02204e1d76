// src/waku/discovery/discovery.cpp - the sources, and the choice among what they gave.
#include "discovery.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "multiaddr.hpp"

namespace noroshi::waku {
namespace {

constexpr std::size_t most_book_bytes = 4u << 20;
constexpr std::uint64_t asked_peers = 20;

std::uint8_t served_flags(const NodeConfig& config) {
    const ServiceConfig& services = config.services;
    return static_cast<std::uint8_t>((config.mode == Mode::relay ? enr_flag::relay : 0) |
                                     (services.store ? enr_flag::store : 0) | (services.filter ? enr_flag::filter : 0) |
                                     (services.lightpush ? enr_flag::lightpush : 0));
}

PeerNeeds needs_of(const NodeConfig& config) {
    const bool relay = config.mode == Mode::relay;
    const std::uint8_t flags = relay ? enr_flag::relay
                                     : std::uint8_t{enr_flag::lightpush | enr_flag::filter | enr_flag::store};
    return {config.cluster, config.shards, flags};
}

/// Whether others can use it: no wildcard address.
bool is_specific(std::string_view address) {
    return !address.starts_with("/ip4/0.0.0.0/") && !address.starts_with("/ip6/::/");
}

/// "/ip4/A/tcp/P" as the two keys of a record that every reader knows. False for another form.
bool set_ip_and_port(Enr& out, const std::string& address) {
    const bool ip4 = address.starts_with("/ip4/");
    if ((!ip4 && !address.starts_with("/ip6/")) || (ip4 ? out.ip4 : out.ip6)) {
        return false;
    }
    const std::size_t tcp = address.find("/tcp/");
    const std::string port = address.substr(tcp + 5);
    if (tcp == std::string::npos || port.find('/') != std::string::npos) {
        return false;
    }
    (ip4 ? out.ip4 : out.ip6) = address.substr(5, tcp - 5);
    (ip4 ? out.tcp : out.tcp6) = static_cast<std::uint16_t>(std::stoul(port));
    return true;
}

}  // namespace

Discovery::Discovery(const NodeConfig& config, Streams& streams, NodeEnvironment& environment)
    : config_(config),
      streams_(streams),
      environment_(environment),
      book_(needs_of(config), peer_id_of(config.key.public_key())) {}

void Discovery::load() {
    if (config_.discovery.book_file.empty()) {
        return;
    }
    const Result<std::string> text = read_file(config_.discovery.book_file, most_book_bytes);
    if (!text) {
        if (text.error().code != Errc::not_found) {
            environment_.log.warn("peer_book_unread", {{"file", config_.discovery.book_file}, {"reason", text.error().message}});
        }
        return;
    }
    const std::size_t taken = book_.load(*text, environment_.clock.now());
    environment_.log.info("peer_book", {{"peers", taken}});
    show();
}

void Discovery::save() {
    if (config_.discovery.book_file.empty() || !book_.changed()) {
        return;
    }
    const Result<void> written = write_file_atomically(config_.discovery.book_file, book_.save(), FileMode::owner_only);
    if (!written) {
        environment_.log.warn("peer_book_unwritten", {{"file", config_.discovery.book_file}, {"reason", written.error().message}});
    }
}

Task<void> Discovery::read_trees() {
    if (config_.discovery.dns.empty()) {
        co_return;
    }
    while (true) {
        const Result<std::size_t> read = co_await read_trees_once();
        if (!read && read.error().code == Errc::cancelled) {
            co_return;
        }
        const Result<void> slept = co_await environment_.timers.sleep_for(read ? tree_interval : tree_retry);
        if (!slept) {
            co_return;
        }
    }
}

/// All of them; the error of the last that failed.
Task<Result<std::size_t>> Discovery::read_trees_once() {
    std::size_t records = 0;
    std::optional<Error> last;
    for (const std::string& text : config_.discovery.dns) {
        NOROSHI_CO_TRY(TreeLink link, parse_tree_link(text));  // checked when the node was made
        const std::string domain = link.domain;
        Task<Result<std::vector<Bytes>>> reading =
            read_tree(std::move(link), environment_.look_up_txt, environment_.clock, TreeLimits{}, environment_.log);
        const Result<std::vector<Bytes>> tree = co_await std::move(reading);
        count("noroshi_waku_dns_trees_total", "Node lists read from DNS, by what became of them.",
              {{"result", tree ? "ok" : tree.error().code == Errc::corrupt ? "forged" : "failed"}});
        if (!tree) {
            last = tree.error();
            environment_.log.warn("dns_tree_failed", {{"domain", domain}, {"reason", tree.error().message}});
            continue;
        }
        for (const Bytes& record : *tree) {
            learn(record, PeerSource::dns);
        }
        records += tree->size();
        environment_.log.info("dns_tree_read", {{"domain", domain}, {"records", tree->size()}});
    }
    if (last) {
        co_return fail(*last);
    }
    co_return records;
}

void Discovery::learn(ByteView record, PeerSource source) {
    const std::string_view word = book_.learn(record, source, environment_.clock.now());
    count("noroshi_waku_records_total", "Node records heard of, by source and what became of them.",
          {{"source", std::string(to_string(source))}, {"result", std::string(word)}});
    if (word == "new") {
        next_save_ = std::min(next_save_, environment_.clock.steady() + Milliseconds(1'000));
    }
}

Result<Bytes> Discovery::make_record(const std::vector<std::string>& listening) const {
    Enr out(config_.key.public_key());
    out.sequence = static_cast<std::uint64_t>(to_unix_ms(environment_.clock.now()));
    out.waku2 = served_flags(config_);
    out.shards = ShardSet{config_.cluster, config_.shards};
    std::ranges::sort(out.shards->shards);
    for (const std::string& address : config_.announce.empty() ? listening : config_.announce) {
        const std::string plain = without_peer(address);
        if (is_specific(plain) && !set_ip_and_port(out, plain)) {
            out.multiaddrs.push_back(plain);
        }
    }
    return encode_enr(out, config_.key);
}

void Discovery::host_ready(P2pHost& host, const std::vector<std::string>& listening) {
    if (!config_.discovery.discv5) {
        return;
    }
    const Result<Bytes> record = make_record(listening);
    const Result<void> begun =
        !record ? fail(record.error())
                : host.discover({config_.discovery.discv5_address, config_.discovery.discv5_port, enr_to_text(*record),
                                 config_.discovery.bootstrap});
    if (!begun) {
        environment_.log.error("discv5_failed", {{"reason", begun.error().message}});
    }
}

void Discovery::on(const event::Discovered& event) {
    const Result<Bytes> record = enr_from_text(event.record);
    if (record) {
        learn(*record, PeerSource::discv5);
    }
}

void Discovery::on(const event::Discv5Listening& event) {
    own_record_ = event.record;
    environment_.log.info("discv5_listening", {{"address", event.address}, {"record", event.record}});
}

void Discovery::on(const event::Discv5Failed& event) {
    environment_.log.error("discv5_failed", {{"reason", printable(event.reason, max_description_bytes)}});
}

/// A new host counts from 0.
void Discovery::on(const event::Discv5Counters& event) {
    const auto counter = [this](std::string_view name, std::string_view help, Metrics::LabelList labels,
                                std::uint64_t now, std::uint64_t before) {
        environment_.metrics.counter(name, help, std::move(labels)).add(now >= before ? now - before : now);
    };
    const auto refused = [&counter](const char* reason, std::uint64_t now, std::uint64_t before) {
        counter("noroshi_waku_discv5_refused_total", "Datagrams and sessions that discv5 did not take, by reason.",
                {{"reason", reason}}, now, before);
    };
    environment_.metrics.gauge("noroshi_waku_discv5_nodes", "Nodes in the table of discv5, as of the last query.")
        .set(static_cast<double>(event.nodes));
    counter("noroshi_waku_discv5_sessions_total", "Sessions of discv5 with other nodes.", {}, event.sessions, shown_.sessions);
    counter("noroshi_waku_discv5_queries_total", "Queries of discv5 that ended.", {}, event.queries, shown_.queries);
    refused("unrecognized", event.unrecognized, shown_.unrecognized);
    refused("unverifiable", event.unverifiable, shown_.unverifiable);
    shown_ = event;
}

/// Each is asked once soon after it came.
void Discovery::exchange_ready(const PeerId& peer) {
    if (exchangers_.insert(peer).second) {
        next_exchange_ = {};
    }
}

void Discovery::connected(const PeerId& peer) {
    dialling_.erase(peer);
    book_.connected(peer, environment_.clock.now());
}

void Discovery::disconnected(const PeerId& peer) {
    exchangers_.erase(peer);
    asked_.erase(peer);
    book_.disconnected(peer, environment_.clock.now());
}

void Discovery::blame(const PeerId& peer) { book_.blame(peer, environment_.clock.now()); }

void Discovery::dial_failed(const PeerId& peer) {
    dialling_.erase(peer);
    book_.dial_failed(peer, environment_.clock.now());
}

std::vector<PeerBook::Due> Discovery::tick(SteadyMs now, std::size_t useful_peers) {
    std::erase_if(dialling_, [now](const auto& entry) { return now - entry.second >= dial_deadline; });
    const std::size_t wanted = config_.mode == Mode::relay ? wanted_relay : wanted_light;
    const bool hungry = useful_peers < wanted;
    if (config_.discovery.peer_exchange && now >= next_exchange_) {
        ask_a_peer(now);
        next_exchange_ = now + (hungry ? exchange_hungry : exchange_interval);
    }
    if (now >= next_save_) {
        save();
        next_save_ = now + save_interval;
        show();
    }
    std::vector<PeerBook::Due> out;
    while (hungry && dialling_.size() < std::min(dials_at_once, wanted - useful_peers)) {
        std::optional<PeerBook::Due> due = book_.next_to_dial(environment_.clock.now(), environment_.random);
        if (!due) {
            break;
        }
        dialling_[due->peer] = now;
        out.push_back(std::move(*due));
    }
    return out;
}

/// The one that was asked longest ago; go-waku takes one request a second.
void Discovery::ask_a_peer(SteadyMs now) {
    const PeerId* best = nullptr;
    for (const PeerId& peer : exchangers_) {
        if (best == nullptr || asked_[peer] < asked_[*best]) {
            best = &peer;
        }
    }
    if (best == nullptr) {
        return;
    }
    asked_[*best] = now;
    streams_.request(*best, peer_exchange_protocol, encode_peer_exchange_query(asked_peers), now,
                     [this, peer = *best](const Result<Bytes>& answer) { take_exchange(peer, answer); });
}

void Discovery::take_exchange(const PeerId& peer, const Result<Bytes>& body) {
    const auto counted = [this](std::string result) {
        count("noroshi_waku_peer_exchanges_total", "Peers asked for other peers, by what became of it.",
              {{"result", std::move(result)}});
    };
    const Result<PeerExchangeAnswer> answer = body ? decode_peer_exchange_answer(*body) : fail(body.error());
    if (!answer) {
        counted(first_word(answer.error().message));
        return;
    }
    counted(answer->code == status::ok ? "ok" : answer->code == status::rate_limited ? "rate_limited" : "refused");
    environment_.log.debug("peer_exchange", {{"peer", peer}, {"records", answer->records.size()}, {"code", answer->code}});
    for (const Bytes& record : answer->records) {
        learn(record, PeerSource::peer_exchange);
    }
}

std::vector<Bytes> Discovery::share(std::size_t most) const {
    return book_.share(std::min(most, max_exchanged_peers), environment_.clock.now());
}

void Discovery::count(std::string_view name, std::string_view help, Metrics::LabelList labels) {
    environment_.metrics.counter(name, help, std::move(labels)).add();
}

void Discovery::show() {
    environment_.metrics.gauge("noroshi_waku_known_peers", "Nodes in the peer book.").set(static_cast<double>(book_.size()));
}

}  // namespace noroshi::waku
