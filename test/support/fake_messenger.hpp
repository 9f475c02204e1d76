// test/support/fake_messenger.hpp - a Status messenger without any protocol: notes what it is told, gives the events of a test.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "status/status.hpp"

namespace noroshi::test {

class FakeMessenger final : public status::Messenger {
  public:
    FakeMessenger(waku::Node& node, const Executor& executor) : node_(node), events_(executor, 1'000) {}

    Task<Result<void>> start() override {
        started = true;
        co_return Result<void>{};
    }
    Task<void> stop() override {
        events_.close();
        co_return;
    }
    [[nodiscard]] std::vector<std::string> content_topics() const override { return {"/waku/1/0x00000001/rfc26"}; }
    void on_topics(std::function<void()> changed) override { topics_changed = std::move(changed); }
    void receive(waku::ReceivedMessage message) override { received.push_back(std::move(message)); }
    Task<Result<status::Event>> next_event() override { co_return co_await events_.take(); }
    Task<Result<void>> done(std::string event_id) override {
        dealt_with.push_back(std::move(event_id));
        co_return Result<void>{};
    }
    void allow(std::vector<crypto::PublicKey> owners) override { allowed = std::move(owners); }
    void let_requests_in(bool open) override { lets_in = open; }

    Task<Result<status::Sent>> send(status::Outgoing message) override {
        if (!is_mutual(message.to)) {
            co_return fail(Error{Errc::not_found, "not_paired", {}, true});
        }
        sent.push_back(message);
        co_return co_await publish();
    }
    Task<Result<status::Sent>> edit(std::string key, crypto::PublicKey /*to*/, std::string of_key, std::string text) override {
        edits.push_back({std::move(key), std::move(of_key), std::move(text)});
        if (refuses_edits) {
            co_return fail(Errc::not_found, "unknown_message");
        }
        co_return co_await publish();
    }
    Task<Result<status::Sent>> request_contact(crypto::PublicKey to, std::string text) override {
        asked.emplace_back(to, std::move(text));
        co_return co_await publish();
    }
    Task<Result<status::Sent>> accept_contact(crypto::PublicKey from) override {
        if (std::ranges::count(open_requests, from) == 0) {
            co_return fail(Errc::not_found, "no_request");
        }
        contacts_.push_back({from, "", true, true, true});
        co_return co_await publish();
    }
    Task<Result<void>> remove_contact(crypto::PublicKey other) override {
        const bool known = std::erase_if(contacts_, [&](const auto& each) { return each.key == other; }) > 0;
        co_return known ? Result<void>{} : fail(Errc::not_found, "unknown_contact");
    }
    [[nodiscard]] std::vector<status::ContactInfo> contacts() const override { return contacts_; }
    [[nodiscard]] std::size_t unacknowledged() const override { return sent.size(); }

    void make_contact(const crypto::PublicKey& key, std::string name = "") {
        contacts_.push_back({key, std::move(name), true, true, true});
    }
    /// A request that nobody answered.
    void ask_us(const crypto::PublicKey& key, std::string name) {
        contacts_.push_back({key, std::move(name), false, true, false});
    }
    /// What next_event gives next.
    void happen(std::string id, status::EventContent content) {
        static_cast<void>(events_.push({std::move(id), std::move(content)}));
    }

    struct Edit {
        std::string key;
        std::string of_key;
        std::string text;
    };
    bool started{false};
    bool lets_in{false};
    bool refuses_edits{false};
    std::vector<status::Outgoing> sent;
    std::vector<Edit> edits;
    std::vector<std::pair<crypto::PublicKey, std::string>> asked;
    std::vector<crypto::PublicKey> allowed;
    std::vector<crypto::PublicKey> open_requests;
    std::vector<std::string> dealt_with;
    std::vector<waku::ReceivedMessage> received;
    std::function<void()> topics_changed;

  private:
    [[nodiscard]] bool is_mutual(const crypto::PublicKey& key) const {
        return std::ranges::any_of(contacts_, [&](const auto& each) { return each.key == key && each.mutual; });
    }
    /// Some envelope through the node, with a timestamp of its own.
    Task<Result<status::Sent>> publish() {
        waku::WakuMessage message;
        message.payload = {1};
        message.content_topic = content_topics().front();
        message.timestamp_ns = ++last_ns_;
        std::string topic = "/waku/2/rs/16/32";
        NOROSHI_CO_TRY(waku::Publication publication, co_await node_.publish(topic, std::move(message)));
        co_return status::Sent{std::move(publication), std::move(topic), content_topics().front(), last_ns_};
    }

    waku::Node& node_;
    Queue<status::Event> events_;
    std::vector<status::ContactInfo> contacts_;
    std::int64_t last_ns_{0};
};

}  // namespace noroshi::test
