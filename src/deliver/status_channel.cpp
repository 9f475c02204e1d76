// src/deliver/status_channel.cpp - sends a message as a chat text.
#include "deliver/status_channel.hpp"

#include <utility>

#include "publication.hpp"

namespace noroshi::deliver {
namespace {

constexpr std::size_t most_bytes = 12u << 10;       // a few chat messages
constexpr std::size_t longest_edit_bytes = 3'500;   // an edit is one chat message
constexpr Milliseconds edit_deadline{5'000};

std::string text_of(const model::Message& message) {
    return message.body.empty() ? message.title : message.title + "\n" + message.body;
}

std::string over_text(const model::Message& message) {
    const std::string whole = text_of(message);
    return "[over] " + (whole.size() <= longest_edit_bytes ? whole : message.title);
}

class StatusChannel final : public Channel {
  public:
    StatusChannel(crypto::PublicKey to, status::Messenger& messenger, store::Store& store, waku::Node& node,
                  const Clock& clock)
        : to_(to), messenger_(messenger), store_(store), node_(node), clock_(clock) {}

    Task<Result<model::Receipt>> send(model::Message message, SendOptions options) override {
        if (options.deadline.count() <= 0) {
            co_return fail(Errc::invalid_argument, "deadline must be positive");
        }
        if (message.title.size() + message.body.size() > most_bytes) {
            co_return fail(Errc::limit, "too_large: title and body are longer than a few chat messages");
        }
        status::Outgoing outgoing{message.id, to_, text_of(message), message.replaces, {}};
        Task<Result<status::Sent>> send = messenger_.send(std::move(outgoing));
        Result<status::Sent> sent = co_await with_deadline<status::Sent>(std::move(send), options.deadline);
        health_ = sent ? Health::ok : Health::failing;
        if (!sent) {
            co_return fail(with_advice(std::move(sent).error()));
        }
        model::Receipt receipt = receipt_of({message.id, std::move(sent->publication), std::move(sent->pubsub_topic),
                                             std::move(sent->content_topic), sent->timestamp_ns},
                                            clock_.now());
        if (message.status == model::MessageStatus::resolved && !message.replaces.empty()) {
            co_await say_it_is_over(message.id, message.replaces);
        }
        co_return receipt;
    }

    Task<Result<model::Receipt>> confirm(model::Receipt handed_over) override {
        return look_for(std::move(handed_over), node_, clock_);
    }
    void doubt(const model::Receipt& handed_over) override { node_.doubt(handed_over.taken_by); }

    [[nodiscard]] Capabilities capabilities() const override {
        return {.max_bytes = most_bytes, .edits = true, .verified_identity = true};
    }
    [[nodiscard]] Health health() const override { return health_; }
    [[nodiscard]] std::string kind() const override { return "status"; }

  private:
    [[nodiscard]] Error with_advice(Error error) const {
        if (first_word(error.message) == "not_paired") {
            error.message = fmt::format("not_paired: {} is no contact yet; run `noroshi pair`, or add this daemon in the "
                                        "Status app",
                                        status::chat_key(to_));
            error.retryable = true;
        }
        return error;
    }

    /// The text of `replaced` is in the outbox's history, also after a restart.
    Task<void> say_it_is_over(std::string id, std::string replaced) {
        std::string key = replaced;
        const Result<std::optional<store::OutboxRow>> row = co_await store_.find_outbox(std::move(key));
        if (!row || !*row || (*row)->message.status != model::MessageStatus::firing) {
            co_return;
        }
        Task<Result<status::Sent>> edit =
            messenger_.edit(id + ".edit", to_, std::move(replaced), over_text((*row)->message));
        static_cast<void>(co_await with_deadline<status::Sent>(std::move(edit), edit_deadline));
    }

    crypto::PublicKey to_;
    status::Messenger& messenger_;
    store::Store& store_;
    waku::Node& node_;
    const Clock& clock_;
    Health health_{Health::unknown};
};

}  // namespace

std::shared_ptr<Channel> make_status_channel(crypto::PublicKey to, status::Messenger& messenger, store::Store& store,
                                             waku::Node& node, const Clock& clock) {
    return std::make_shared<StatusChannel>(to, messenger, store, node, clock);
}

}  // namespace noroshi::deliver
