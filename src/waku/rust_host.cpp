// src/waku/rust_host.cpp - P2pHost over the C ABI of p2p/: copies events on the network thread, hands them to the I/O thread.
#include "waku/rust_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "host.hpp"
#include "noroshi_p2p.h"
#include "rust_events.hpp"

namespace noroshi::waku {
namespace {

static_assert(sizeof(nrp2p_event) == 96 && sizeof(nrp2p_config) == 200, "the C ABI is not the one this file was made for");

constexpr std::size_t max_waiting_messages = 10'000;
constexpr std::size_t max_waiting_bytes = 32 * 1024 * 1024;
constexpr std::size_t max_waiting_lines = 1'000;
constexpr std::size_t max_waiting_events = 20'000;
constexpr std::size_t max_unsent_verdicts = 10'000;
constexpr std::size_t events_in_a_turn = 256;

constexpr std::uint32_t log_warn = 2;
constexpr std::uint32_t log_debug = 4;

nrp2p_slice slice_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct LogLine {
    LogLevel level{LogLevel::debug};
    std::string from;
    std::string text;
};

LogLine line_of(const nrp2p_event& event) {
    constexpr std::array levels{LogLevel::error, LogLevel::error, LogLevel::warn, LogLevel::info};
    const auto index = static_cast<std::size_t>(std::max(event.code, 0));
    return {index < levels.size() ? levels[index] : LogLevel::debug, text_of(event.extra), text_of(event.text)};
}

struct UnsentVerdict {
    GossipId id{};
    PeerId peer;
    Verdict verdict{Verdict::ignore};
};

std::int32_t code_of(Verdict verdict) {
    constexpr std::array codes{NRP2P_VERDICT_ACCEPT, NRP2P_VERDICT_IGNORE, NRP2P_VERDICT_REJECT};
    return codes.at(static_cast<std::size_t>(verdict));
}

std::int32_t send_verdict(nrp2p_host* host, const GossipId& id, std::string_view peer, Verdict verdict) {
    return nrp2p_gossip_verdict(host, id.data(), id.size(), peer.data(), peer.size(), code_of(verdict));
}

/// What the network thread and the I/O thread share. Messages and log lines that find no room are answered or dropped,
/// and counted. For every other event the network thread waits until there is room: TCP then holds the peers back,
/// whatever they do to make events.
class Exchange : public std::enable_shared_from_this<Exchange> {
  public:
    Exchange(HostEvents events, const HostOptions& options)
        : events_(std::move(events)),
          post_(options.post),
          judge_(options.judge),
          log_(options.log),
          messages_ignored_(dropped(options.metrics, "message")),
          lines_dropped_(dropped(options.metrics, "log")),
          verdicts_lost_(dropped(options.metrics, "verdict")) {}

    void set_host(nrp2p_host* host) { host_ = host; }

    /// Network thread. What there is no room to tell of is ignored, and counted.
    std::int32_t judge(std::string_view topic, ByteView data) {
        const Judgement said = judge_(topic, data);
        if (!said.verdict) {
            return NRP2P_JUDGE_LATER;
        }
        if (!said.told) {
            return code_of(*said.verdict) | NRP2P_JUDGE_UNTOLD;
        }
        if (!room_for(data.size())) {
            messages_ignored_.add();
            return code_of(Verdict::ignore) | NRP2P_JUDGE_UNTOLD;
        }
        return code_of(*said.verdict);
    }

    /// Network thread.
    void take(const nrp2p_event& event) {
        if (event.kind == NRP2P_EVENT_STOPPED && event.code == NRP2P_OK) {
            return;
        }
        if (event.kind == NRP2P_EVENT_MESSAGE && event.code == 0 && !room_for(event.data.len)) {
            ignore_message(event);
            return;
        }
        if (event.kind == NRP2P_EVENT_LOG) {
            push(line_of(event), 0);
        } else if (std::optional<HostEvent> value = value_of(event)) {
            push(std::move(*value), event.data.len);
        }
    }

    /// I/O thread; nothing is delivered after it.
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
            items_.clear();
            bytes_ = 0;
            unsent_.clear();
        }
        room_.notify_all();
    }

    /// Any thread.
    void answer(const GossipId& id, std::string_view peer, Verdict verdict) {
        nrp2p_host* host = host_.load();
        if (host == nullptr || send_verdict(host, id, peer, verdict) != NRP2P_EAGAIN) {
            return;
        }
        const std::lock_guard lock(mutex_);
        if (closed_) {
            return;  // nobody sends it any more: a delivery that is still posted may run when the host is gone
        }
        if (unsent_.size() < max_unsent_verdicts) {
            unsent_.push_back({id, std::string(peer), verdict});
        } else {
            verdicts_lost_.add();
        }
    }

    /// I/O thread: verdicts that the host had no room for.
    void answer_again() {
        const std::lock_guard lock(mutex_);
        nrp2p_host* host = host_.load();
        while (!unsent_.empty()) {
            const UnsentVerdict& next = unsent_.front();
            if (send_verdict(host, next.id, next.peer, next.verdict) == NRP2P_EAGAIN) {
                return;
            }
            unsent_.pop_front();
        }
    }

  private:
    using Item = std::variant<HostEvent, LogLine>;

    static Counter& dropped(Metrics& metrics, const char* kind) {
        return metrics.counter("noroshi_waku_p2p_events_dropped_total",
                               "What the libp2p host had to say and noroshi had no room for.", {{"kind", kind}});
    }

    bool room_for(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        return items_.size() < max_waiting_messages && bytes_ + bytes <= max_waiting_bytes;
    }

    [[nodiscard]] bool has_room() const {
        return items_.size() < max_waiting_events && bytes_ < 2 * max_waiting_bytes;
    }

    void ignore_message(const nrp2p_event& event) {
        messages_ignored_.add();
        answer(gossip_id_of(event.extra), text_of(event.peer), Verdict::ignore);
    }

    void push(Item item, std::size_t bytes) {
        {
            std::unique_lock lock(mutex_);
            const bool line = std::holds_alternative<LogLine>(item);
            room_.wait(lock, [this, line] { return line || closed_ || has_room(); });
            if (closed_) {
                return;
            }
            if (line && items_.size() >= max_waiting_lines) {
                lines_dropped_.add();
                return;
            }
            items_.emplace_back(std::move(item), bytes);
            bytes_ += bytes;
            if (std::exchange(scheduled_, true)) {
                return;
            }
        }
        schedule();
    }

    void schedule() {
        post_([self = shared_from_this()] { self->deliver(); });
    }

    /// I/O thread. A limited number at a time, so that other work of the loop comes in between.
    void deliver() {
        answer_again();
        for (std::size_t i = 0; i < events_in_a_turn; ++i) {
            std::optional<Item> item;
            {
                const std::lock_guard lock(mutex_);
                if (items_.empty()) {
                    scheduled_ = false;
                    return;
                }
                item = std::move(items_.front().first);
                bytes_ -= items_.front().second;
                items_.pop_front();
            }
            room_.notify_one();
            if (auto* line = std::get_if<LogLine>(&*item)) {
                log_.write(line->level, "p2p", {{"from", line->from}, {"line", line->text}});
            } else {
                events_.deliver(std::get<HostEvent>(std::move(*item)));
            }
        }
        schedule();
    }

    HostEvents events_;
    std::function<void(std::function<void()>)> post_;
    std::function<Judgement(std::string_view, ByteView)> judge_;
    Log log_;
    Counter& messages_ignored_;
    Counter& lines_dropped_;
    Counter& verdicts_lost_;
    std::atomic<nrp2p_host*> host_{nullptr};

    std::mutex mutex_;  // guards what follows
    std::condition_variable room_;
    std::deque<std::pair<Item, std::size_t>> items_;
    std::deque<UnsentVerdict> unsent_;
    std::size_t bytes_{0};
    bool scheduled_{false};
    bool closed_{false};
};

void on_event(void* user, const nrp2p_event* event) noexcept { static_cast<Exchange*>(user)->take(*event); }
std::int32_t on_gossip(void* user, nrp2p_slice topic, nrp2p_slice data) noexcept {
    return static_cast<Exchange*>(user)->judge({reinterpret_cast<const char*>(topic.ptr), topic.len},
                                               {data.ptr, data.len});
}

Result<void> checked(std::int32_t code, std::string_view what) {
    switch (code) {
        case NRP2P_OK:
            return {};
        case NRP2P_EAGAIN:
            return fail(Error{Errc::limit, fmt::format("{}: the p2p host is busy", what), {}, true});
        case NRP2P_EPIPE:
            return fail(Error{Errc::io, fmt::format("{}: the p2p host has stopped", what), {}, true});
        case NRP2P_ENOENT:
            return fail(Errc::not_found, fmt::format("{}: no such stream", what));
        case NRP2P_EINVAL:
            return fail(Errc::invalid_argument, fmt::format("{}: malformed argument", what));
        case NRP2P_EEXIST:
            return fail(Errc::conflict, fmt::format("{}: it is there already", what));
        case NRP2P_BAD_CERTIFICATE:
            return fail(Errc::invalid_argument,
                        fmt::format("{}: the TLS certificate and its key are not PEM, or don't belong together", what));
        case NRP2P_BAD_ROOTS:
            return fail(Errc::invalid_argument, fmt::format("{}: the extra TLS roots are not PEM certificates", what));
        case NRP2P_EMSGSIZE:
            return fail(Errc::limit, fmt::format("{}: too large", what));
        case NRP2P_ENOTSUP:
            return fail(Errc::unsupported, fmt::format("{}: gossip is off", what));
        default:
            return fail(Errc::internal, fmt::format("{}: p2p host answered {}", what, code));
    }
}

class RustHost final : public P2pHost {
  public:
    RustHost(nrp2p_host* host, std::shared_ptr<Exchange> exchange) : host_(host), exchange_(std::move(exchange)) {}
    ~RustHost() override {
        exchange_->close();
        nrp2p_free(host_);  // joins the thread: the callback's target must live until here
    }
    RustHost(const RustHost&) = delete;
    RustHost& operator=(const RustHost&) = delete;

    PeerId peer_id() const override {
        std::array<char, 128> text{};
        std::size_t length = 0;
        return nrp2p_peer_id(host_, text.data(), text.size(), &length) == NRP2P_OK ? PeerId(text.data(), length)
                                                                                  : PeerId();
    }
    Result<void> listen(std::string_view address) override {
        return checked(nrp2p_listen(host_, address.data(), address.size()), "listen");
    }
    Result<void> dial(RequestId request, std::string_view address) override {
        return checked(nrp2p_dial(host_, request, address.data(), address.size()), "dial");
    }
    void disconnect(std::string_view peer) override { nrp2p_disconnect(host_, peer.data(), peer.size()); }
    Result<void> discover(const DiscoveryStart& start) override {
        const std::string bootstrap = fmt::format("{}", fmt::join(start.bootstrap, "\n"));
        return checked(nrp2p_discv5_start(host_, start.ip.data(), start.ip.size(), start.port, start.record.data(),
                                          start.record.size(), bootstrap.data(), bootstrap.size()),
                       "discover");
    }
    void ask_discv5() override { nrp2p_stats(host_, 1); }
    void ban(std::string_view peer, bool on) override { nrp2p_ban(host_, peer.data(), peer.size(), on ? 1 : 0); }
    Result<void> subscribe(std::string_view topic) override {
        return checked(nrp2p_gossip_subscribe(host_, topic.data(), topic.size()), "subscribe");
    }
    Result<void> publish(RequestId request, std::string_view topic, ByteView data) override {
        return checked(nrp2p_gossip_publish(host_, request, topic.data(), topic.size(), data.data(), data.size()),
                       "publish");
    }
    void verdict(const GossipId& id, std::string_view peer, Verdict verdict) override {
        exchange_->answer(id, peer, verdict);
    }
    void ask_mesh(std::string_view topic) override {
        exchange_->answer_again();
        nrp2p_gossip_mesh(host_, 1, topic.data(), topic.size());
    }
    Result<void> accept(std::string_view protocol, std::uint32_t max_streams) override {
        return checked(nrp2p_protocol_accept(host_, protocol.data(), protocol.size(), max_streams), "accept");
    }
    Result<void> open(StreamId stream, std::string_view peer, std::string_view protocol,
                      Milliseconds timeout) override {
        return checked(nrp2p_stream_open(host_, stream, peer.data(), peer.size(), protocol.data(), protocol.size(),
                                         static_cast<std::uint32_t>(timeout.count())),
                       "open");
    }
    Result<void> write(StreamId stream, ByteView data) override {
        return checked(nrp2p_stream_write(host_, stream, data.data(), data.size()), "write");
    }
    void credit(StreamId stream, std::uint64_t bytes) override { nrp2p_stream_credit(host_, stream, bytes); }
    void finish(StreamId stream) override { nrp2p_stream_finish(host_, stream); }
    void reset(StreamId stream) override { nrp2p_stream_reset(host_, stream); }

  private:
    nrp2p_host* host_;
    std::shared_ptr<Exchange> exchange_;  // shared with the deliveries that are posted
};

Result<std::unique_ptr<P2pHost>> make_rust_host(const HostOptions& options, HostEvents events) {
    if (nrp2p_abi_version() != NRP2P_ABI_VERSION) {
        return fail(Errc::internal, fmt::format("the p2p library speaks version {} of its interface, expected {}",
                                                nrp2p_abi_version(), NRP2P_ABI_VERSION));
    }
    nrp2p_config config{};
    config.struct_size = sizeof(config);
    NOROSHI_TRY_VOID(checked(nrp2p_config_default(&config), "config"));
    config.max_connections = options.max_connections;
    config.gossip_enabled = options.gossip ? 1 : 0;
    config.hide_listen_addrs = options.hide_listen_addresses ? 1 : 0;
    config.max_transmit_bytes = options.max_transmit_bytes;
    config.ip_colocation_threshold = options.ip_colocation;
    config.max_connections_per_ip = options.connections_per_ip;
    config.gossip_messages_per_s = options.gossip_messages_per_s;
    config.gossip_kib_per_s = options.gossip_kib_per_s;
    config.log_level = options.log.enabled(LogLevel::debug) ? log_debug : log_warn;
    config.agent = slice_of(options.agent);
    config.tls_certificate = slice_of(options.tls_certificate);
    config.tls_key = slice_of(options.tls_key);
    config.extra_roots = slice_of(options.extra_roots);
    std::ranges::copy(options.key.expose(), config.secret_key);
    auto exchange = std::make_shared<Exchange>(std::move(events), options);
    nrp2p_host* host = nullptr;
    Result<void> made = checked(nrp2p_new(&config, on_event, exchange.get(), &host), "cannot start the p2p host");
    wipe(config.secret_key);
    if (!made) {
        return fail(std::move(made).error());
    }
    exchange->set_host(host);
    if (options.gossip && options.judge) {
        const std::int32_t judged = nrp2p_gossip_judge(host, on_gossip, exchange.get());
        NOROSHI_ASSERT(judged == NRP2P_OK, "a new host has no judge");
    }
    return std::make_unique<RustHost>(host, std::move(exchange));
}

}  // namespace

HostFactory rust_host_factory() { return make_rust_host; }

}  // namespace noroshi::waku
