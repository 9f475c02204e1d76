// src/deliver/waku_channel.cpp - sends a message as a signed, encrypted WakuMessage.
#include "deliver/waku_channel.hpp"

#include <algorithm>
#include <utility>

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
        const std::string by = published->peers.empty() ? "" : published->peers.front();
        model::Receipt receipt{message.id, model::ReceiptKind::handed_over, clock_.now(), by, to_hex(published->hash)};
        receipt.envelope_ns = sealed_ns;
        receipt.taken_by = std::move(published->peers);
        co_return receipt;
    }

    Task<Result<model::Receipt>> confirm(model::Receipt handed_over) override {
        waku::Published what{config_.pubsub_topic, config_.content_topic, handed_over.envelope_ns, {}, handed_over.taken_by};
        const Result<Bytes> hash = from_hex(handed_over.envelope_hash);
        if (!hash || hash->size() != what.hash.size()) {
            co_return fail(Errc::unsupported, "unsupported: the envelope's hash is not known");
        }
        std::ranges::copy(*hash, what.hash.begin());
        const Result<waku::StoreWord> word = co_await node_.find_stored(std::move(what));
        if (!word) {
            // "nobody to ask" is not "nobody has it"
            const Error& error = word.error();
            co_return fail(Error{error.code == Errc::not_found ? Errc::io : error.code, error.message, {}, true});
        }
        if (!word->found) {
            co_return fail(Error{Errc::not_found, "not_stored: " + word->peer + " does not have it", {}, true});
        }
        co_return model::Receipt{handed_over.message_id, model::ReceiptKind::stored, clock_.now(), word->peer,
                                 handed_over.envelope_hash};
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
