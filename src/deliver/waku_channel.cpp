// src/deliver/waku_channel.cpp - sends a message as a signed, encrypted WakuMessage.
#include "deliver/waku_channel.hpp"

#include <utility>

#include "publication.hpp"

namespace noroshi::deliver {
namespace {

class WakuChannel final : public Channel {
  public:
    WakuChannel(WakuChannelConfig config, crypto::SecretKey key, waku::Node& node, const Clock& clock, Random& random)
        : config_(std::move(config)), key_(std::move(key)), node_(node), clock_(clock), random_(random) {}

    Task<Result<model::Receipt>> send(model::Message message, SendOptions options) override {
        if (options.deadline.count() <= 0) {
            co_return fail(Errc::invalid_argument, "deadline must be positive");
        }
        NOROSHI_CO_TRY(waku::WakuMessage sealed, seal(message));
        const std::int64_t sealed_ns = *sealed.timestamp_ns;
        Task<Result<waku::Publication>> publish = node_.publish(config_.pubsub_topic, std::move(sealed));
        Result<waku::Publication> published =
            co_await with_deadline<waku::Publication>(std::move(publish), options.deadline);
        health_ = published ? Health::ok : Health::failing;
        if (!published) {
            co_return fail(std::move(published).error());
        }
        co_return receipt_of({message.id, std::move(*published), config_.pubsub_topic, config_.content_topic, sealed_ns},
                             clock_.now());
    }

    Task<Result<model::Receipt>> confirm(model::Receipt handed_over) override {
        if (handed_over.pubsub_topic.empty()) {  // written by an older noroshi
            handed_over.pubsub_topic = config_.pubsub_topic;
            handed_over.content_topic = config_.content_topic;
        }
        return look_for(std::move(handed_over), node_, clock_);
    }
    void doubt(const model::Receipt& handed_over) override { node_.doubt(handed_over.taken_by); }

    [[nodiscard]] Capabilities capabilities() const override { return {.max_bytes = 8u << 10, .verified_identity = true}; }
    [[nodiscard]] Health health() const override { return health_; }
    [[nodiscard]] std::string kind() const override { return "waku"; }

  private:
    Result<waku::WakuMessage> seal(const model::Message& message) const {
        const TimestampMs now = clock_.now();
        NOROSHI_TRY(const Bytes plain, encode_notification(message, now));
        waku::WakuMessage out;
        NOROSHI_TRY(out.payload, waku::seal_asymmetric(plain, config_.to, &key_, random_));
        out.content_topic = config_.content_topic;
        out.version = waku::payload_version_1;
        out.timestamp_ns = to_unix_ms(now) * 1'000'000;
        return out;
    }

    WakuChannelConfig config_;
    crypto::SecretKey key_;
    waku::Node& node_;
    const Clock& clock_;
    Random& random_;
    Health health_{Health::unknown};
};

}  // namespace

std::shared_ptr<Channel> make_waku_channel(WakuChannelConfig config, crypto::SecretKey key, waku::Node& node,
                                           const Clock& clock, Random& random) {
    return std::make_shared<WakuChannel>(std::move(config), std::move(key), node, clock, random);
}

}  // namespace noroshi::deliver
