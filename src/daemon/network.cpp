// src/daemon/network.cpp - one node, one reader.
#include "network.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "daemon/keys.hpp"
#include "deliver/receipt.hpp"
#include "deliver/status_channel.hpp"
#include "deliver/waku_channel.hpp"
#include "node_factory.hpp"
#include "status_plan.hpp"
#include "waku_plan.hpp"

namespace noroshi::daemon {
namespace {

constexpr std::uint16_t status_shard = 32;  // where Status's chats travel, on whatever cluster
constexpr std::string_view read_until_setting = "network_read_until";
constexpr Milliseconds between_marks{300'000};
constexpr Milliseconds mark_tolerance{60'000};                // clocks of senders
constexpr Milliseconds longest_catch_up{30LL * 86'400'000};   // what stores keep
constexpr std::size_t most_receipts_waiting = 1'000;

/// How far back stores are asked: since the network was read last, as the store remembers it.
Milliseconds catch_up_window(store::Store& store, TimestampMs now) {
    const Result<std::optional<std::string>> text = store.load_setting(std::string(read_until_setting));
    if (!text || !*text) {
        return Milliseconds(0);
    }
    std::int64_t last = 0;
    std::from_chars((*text)->data(), (*text)->data() + (*text)->size(), last);
    const Milliseconds gone = now - from_unix_ms(last);
    return std::clamp(gone + mark_tolerance, mark_tolerance, longest_catch_up);
}

}  // namespace

Network::Network(const config::Config& config, crypto::SecretKey identity, Parts parts)
    : waku_(config.waku),
      identity_(std::move(identity)),
      parts_(std::move(parts)),
      receipts_(parts_.runtime.executor(), most_receipts_waiting),
      peer_ready_(parts_.runtime.executor()),
      tasks_(parts_.runtime.executor()) {}

Result<std::unique_ptr<Network>> Network::create(const config::Config& config, crypto::SecretKey identity,
                                                 const std::filesystem::path& data_folder, Status status, Parts parts) {
    NOROSHI_TRY(crypto::SecretKey node_key, load_or_make_key(data_folder / "node.key", parts.random));
    NOROSHI_TRY(waku::NodeConfig node_config, make_node_config(config, std::move(node_key), data_folder));
    node_config.catch_up_window = catch_up_window(parts.store, parts.clock.now());
    std::unique_ptr<Network> out(new Network(config, std::move(identity), std::move(parts)));
    out->shards_ = node_config.shards;
    Parts& own = out->parts_;
    NOROSHI_TRY(out->node_, make_node(std::move(node_config), config.waku.rest, own.runtime, own.clock, own.random,
                                      own.metrics, own.log.named("waku")));
    const bool has_shard = !config.waku.autosharding && std::ranges::count(out->shards_, status_shard) > 0;
    if (status == Status::on && has_shard) {
        NOROSHI_TRY_VOID(out->make_status(config));
    }
    return out;
}

Result<void> Network::make_status(const config::Config& config) {
    NOROSHI_TRY(status::MessengerConfig messenger_config, make_messenger_config(config, identity_.clone()));
    std::string name = messenger_config.display_name;
    const Executor executor = parts_.runtime.executor();
    const Log log = parts_.log.named("status");
    state_.emplace(identity_, StatusState::Parts{parts_.store, parts_.runtime, executor, parts_.random, log});
    messenger_ = status::make_messenger(std::move(messenger_config),
                                        {*node_, *state_, parts_.runtime, executor, parts_.clock, parts_.random,
                                         parts_.metrics, log});
    room_.emplace(StatusRoom::Self{identity_.public_key(), std::move(name)},
                  StatusRoom::Parts{*messenger_, *state_, parts_.outbox, parts_.runtime, executor, parts_.clock, log,
                                    parts_.on_line});
    room_->on_topics([this] { listen(); });
    return {};
}

Task<Result<void>> Network::start() {
    node_->on_peer_ready([this] {
        reached_somebody_ = true;
        peer_ready_.ring();
        parts_.outbox.retry_now();
    });
    NOROSHI_CO_TRY_VOID(co_await node_->start());
    if (room_) {
        NOROSHI_CO_TRY_VOID(co_await room_->start());
    }
    listen();
    tasks_.spawn("network_read", read());
    tasks_.spawn("network_receipts", take_receipts());
    tasks_.spawn("network_mark", remember_reading());
    if (waku_.mode == config::WakuMode::light) {
        heartbeat_.emplace(deliver::Heartbeat::Parts{
            *node_, waku::PubsubTopic{waku_.cluster, shards_.front()}.to_string(), identity_, parts_.runtime, parts_.clock,
            parts_.random, parts_.metrics, parts_.log.named("heartbeat")});
        tasks_.spawn("heartbeat", heartbeat_->run());
    }
    co_return Result<void>{};
}

Task<Result<void>> Network::start_alone() {
    if (room_) {
        NOROSHI_CO_TRY_VOID(co_await room_->start());
    }
    co_return Result<void>{};
}

Task<Result<void>> Network::wait_for_peers(Milliseconds patience) {
    if (!reached_somebody_) {
        NOROSHI_CO_TRY(const bool rang, co_await peer_ready_.wait(patience));
        if (!rang) {
            co_return fail(Errc::timeout, fmt::format("no_peers: nobody in the network was reached within {}", format_duration(patience)));
        }
    }
    co_return Result<void>{};
}

Task<void> Network::stop() {
    co_await tasks_.stop();
    if (room_) {
        co_await room_->stop();
        co_await state_->stop();
    }
    co_await node_->stop();
}

void Network::listen() {
    std::vector<std::string> topics{std::string(deliver::receipt_content_topic)};
    if (room_) {
        std::ranges::move(room_->topics(), std::back_inserter(topics));
    }
    node_->set_content_topics(std::move(topics));
}

Task<void> Network::read() {
    while (true) {
        Result<waku::ReceivedMessage> received = co_await node_->next_message();
        if (!received) {
            co_return;
        }
        if (received->message.content_topic != deliver::receipt_content_topic) {
            if (room_) {
                room_->messenger().receive(std::move(*received));
            }
        } else if (!receipts_.push(std::move(*received))) {
            parts_.log.warn("receipt_dropped", {{"reason", "a thousand wait"}});
        }
    }
}

/// What receivers' devices say. Whoever signs must be the receiver that the message went to.
Task<void> Network::take_receipts() {
    while (true) {
        const Result<waku::ReceivedMessage> received = co_await receipts_.take();
        if (!received) {
            co_return;
        }
        const Result<deliver::ReceivedReceipt> opened = deliver::open_receipt(*received, identity_);
        if (!opened) {
            continue;  // for somebody else
        }
        for (const config::Receiver& each : receivers_) {
            if (each.waku_configs.empty() || each.waku_configs.front().to != opened->from) {
                continue;
            }
            for (const std::string& id : opened->receipt.ids) {
                std::string receiver = each.name;
                model::Receipt receipt{id, model::ReceiptKind::delivered, parts_.clock.now(), opened->from.to_string()};
                if (!co_await parts_.outbox.take_receipt(std::move(receiver), std::move(receipt))) {
                    break;
                }
            }
        }
    }
}

/// At the very first start at once, because all that comes from then on is for us; later while there is somebody to hear
/// from. What came meanwhile is not asked of stores after the next start.
Task<void> Network::remember_reading() {
    const Result<std::optional<std::string>> last = parts_.store.load_setting(std::string(read_until_setting));
    bool begins = last && !*last;
    while (begins || co_await parts_.runtime.sleep_for(between_marks)) {
        if (!std::exchange(begins, false) && node_->peers().empty()) {
            continue;
        }
        store::Batch batch;
        batch.put_setting(std::string(read_until_setting), std::to_string(to_unix_ms(parts_.clock.now())));
        static_cast<void>(co_await parts_.store.commit(std::move(batch)));
    }
}

std::shared_ptr<deliver::Channel> Network::channel_to(const config::Receiver& receiver) {
    if (!receiver.status_configs.empty()) {
        const Result<crypto::PublicKey> key = status_user_of(receiver.status_configs.front());
        NOROSHI_ASSERT(key, "the plan has checked it");
        return room_ ? deliver::make_status_channel(*key, *messenger_, parts_.store, *node_, parts_.clock) : nullptr;
    }
    const config::WakuReceiver& waku = receiver.waku_configs.front();
    const Result<Topics> topics = topics_of(waku_, waku);
    NOROSHI_ASSERT(topics, "the plan or out_of_reach has checked it");
    deliver::WakuChannelConfig config{waku.to, topics->pubsub, topics->content};
    return deliver::make_waku_channel(std::move(config), identity_.clone(), *node_, parts_.clock, parts_.random);
}

void Network::set_receivers(const std::vector<config::Receiver>& receivers) {
    receivers_ = receivers;
    std::map<std::string, std::shared_ptr<deliver::Channel>> channels;
    std::vector<StatusReceiver> in_status;
    for (const config::Receiver& receiver : receivers_) {
        if (std::shared_ptr<deliver::Channel> channel = channel_to(receiver)) {
            channels[receiver.name] = std::move(channel);
        }
        for (const config::StatusReceiver& to : receiver.status_configs) {
            in_status.push_back({receiver.name, *status_user_of(to)});
        }
    }
    if (room_) {
        room_->set_receivers(std::move(in_status));
    }
    parts_.outbox.set_channels(std::move(channels));
}

const config::Receiver* Network::out_of_reach(const std::vector<config::Receiver>& receivers) const {
    for (const config::Receiver& receiver : receivers) {
        if (!receiver.status_configs.empty() && !room_) {
            return &receiver;
        }
        for (const config::WakuReceiver& to : receiver.waku_configs) {
            const Result<Topics> topics = topics_of(waku_, to);
            const auto is_on = [&](std::uint16_t shard) {
                return waku::PubsubTopic{waku_.cluster, shard}.to_string() == topics->pubsub;
            };
            if (!topics || std::ranges::none_of(shards_, is_on)) {
                return &receiver;
            }
        }
    }
    return nullptr;
}

std::vector<api::PartHealth> Network::health() const {
    std::vector<api::PartHealth> parts;
    const std::size_t peers = node_->peers().size();
    const bool alone = peers == 0 && (!waku_.peers.empty() || waku_.discovery.any());
    const std::optional<Milliseconds> offset = node_->clock_offset();
    const bool clock_ok = !offset || std::chrono::abs(*offset) < Milliseconds(10'000);
    const std::string problem = node_->problem();
    parts.push_back({"waku", !alone && clock_ok && problem.empty(),
                     fmt::format("{} peers{}{}", peers,
                                 clock_ok ? "" : fmt::format(", our clock is {} ms ahead", offset->count()),
                                 problem.empty() ? "" : ", " + problem)});
    if (heartbeat_ && heartbeat_->ok()) {
        parts.push_back({"heartbeat", *heartbeat_->ok(), heartbeat_->detail()});
    }
    if (room_) {
        parts.push_back(room_->health());
    }
    return parts;
}

}  // namespace noroshi::daemon
