// test/unit/status/push_server.hpp - a push server by hand: what devices tell of it, what it is asked, what it answers.
#pragma once

#include <map>

#include "fields.hpp"
#include "mailbox.hpp"
#include "messenger_bench.hpp"
#include "push.hpp"
#include "topics.hpp"

namespace noroshi::status::test {

/// The fields of a message, those of bytes alone and numbers, in order.
struct Fields {
    std::multimap<std::uint32_t, Bytes> bytes;
    std::multimap<std::uint32_t, std::uint64_t> numbers;

    explicit Fields(ByteView in) {
        const auto varint = [&in] {
            std::uint64_t out = 0;
            for (int shift = 0; !in.empty(); shift += 7) {
                const std::uint8_t byte = in.front();
                in = in.subspan(1);
                out |= std::uint64_t{byte & 0x7FU} << shift;
                if ((byte & 0x80U) == 0) {
                    break;
                }
            }
            return out;
        };
        while (!in.empty()) {
            const std::uint64_t tag = varint();
            const std::uint64_t value = varint();
            if ((tag & 7U) == 2) {
                bytes.emplace(tag >> 3, Bytes(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(value)));
                in = in.subspan(value);
            } else {
                numbers.emplace(tag >> 3, value);
            }
        }
    }
    [[nodiscard]] Bytes at(std::uint32_t number) const {
        const auto found = bytes.find(number);
        return found == bytes.end() ? Bytes{} : found->second;
    }
    [[nodiscard]] std::string text(std::uint32_t number) const { return std::string(as_text(at(number))); }
};

class PushServer {
  public:
    /// A request as it came.
    struct Request {
        crypto::PublicKey signer;
        TimestampMs sent_at{};
        Bytes message_id;
        std::vector<Fields> notifications;
    };
    struct Question {
        crypto::PublicKey signer;
        std::string id;
        Bytes user;
    };

    PushServer(Bench& bench, std::uint8_t key) : identity(secret(key)), bench_(bench), random_(key) {}
    [[nodiscard]] crypto::PublicKey key() const { return identity.public_key(); }

    /// What a device of `user` tells that it registered here.
    [[nodiscard]] PushInfo info(const crypto::SecretKey& user, std::string installation, std::string token,
                                std::uint64_t version = 1) const {
        const auto server = key().compressed();
        const auto of = user.public_key().compressed();
        const Bytes material = Bytes(of.begin(), of.end()) + Bytes(server.begin(), server.end()) +
                               Bytes(as_bytes(token).begin(), as_bytes(token).end());
        const auto grant = user.sign(crypto::keccak256(material));
        const PushName name = push_name(user.public_key());
        return {std::move(token), std::move(installation), {name.begin(), name.end()}, {},
                {grant.begin(), grant.end()}, version, {server.begin(), server.end()}};
    }
    /// The same with the token sealed to contacts.
    [[nodiscard]] PushInfo info_for(const crypto::SecretKey& user, const std::vector<crypto::PublicKey>& contacts,
                                    std::string installation, const std::string& token) {
        PushInfo out = info(user, std::move(installation), token);
        out.access_token.clear();
        for (const crypto::PublicKey& contact : contacts) {
            std::array<std::uint8_t, 12> nonce{};
            random_.fill(nonce);
            const Bytes sealed = crypto::aes256_gcm_encrypt(user.shared_x(contact).expose(), nonce, as_bytes(token));
            out.allowed_keys.push_back(Bytes(nonce.begin(), nonce.end()) + sealed);
        }
        return out;
    }

    [[nodiscard]] std::vector<Request> requests() const {
        std::vector<Request> out;
        for (const Network::Flying& one : bench_.network.archive) {
            const waku::WakuMessage& message = one.message.message;
            if (message.content_topic != content_topic(partitioned_chat_id(key()))) {
                continue;
            }
            const auto opened = waku::open_asymmetric(message.payload, identity);
            const auto frame = opened ? unwrap_payload(opened->payload) : Result<SignedPayload>(fail(Errc::refused, ""));
            if (!frame || frame->type != static_cast<std::int32_t>(MessageType::push_notification_request)) {
                continue;
            }
            EXPECT_EQ(opened->signer, frame->signer);
            const Fields fields(frame->payload);
            Request request{frame->signer, from_unix_ms(*message.timestamp_ns / 1'000'000), fields.at(2), {}};
            for (auto [at, end] = fields.bytes.equal_range(1); at != end; ++at) {
                request.notifications.emplace_back(at->second);
            }
            out.push_back(std::move(request));
        }
        return out;
    }
    /// Questions about `user`, on the topic of his name.
    [[nodiscard]] std::vector<Question> questions(const crypto::PublicKey& user) {
        const std::string chat_id = to_hex(push_name(user));
        const waku::SymmetricKey topic = topic_key(chat_id);
        std::vector<Question> out;
        for (const Network::Flying& one : bench_.network.archive) {
            const waku::WakuMessage& message = one.message.message;
            if (message.content_topic == content_topic(chat_id)) {
                const auto opened = waku::open_symmetric(message.payload, topic);
                const auto frame = unwrap_payload(opened->payload);
                EXPECT_EQ(frame->type, static_cast<std::int32_t>(MessageType::push_notification_query));
                EXPECT_EQ(opened->signer, frame->signer);
                out.push_back({frame->signer, frame->id, Fields(frame->payload).at(1)});
            }
        }
        return out;
    }

    /// An answer to the key that asked.
    void answer(const crypto::PublicKey& to, MessageType type, const Bytes& payload) {
        const Bytes wrapped = wrap_payload(type, payload, identity);
        waku::WakuMessage message;
        message.payload = *waku::seal_asymmetric(wrapped, to, &identity, random_);
        message.content_topic = content_topic(partitioned_chat_id(to));
        message.version = waku::payload_version_1;
        message.timestamp_ns = to_unix_ms(bench_.loop.clock.now()) * 1'000'000;
        bench_.inject(message);
        bench_.settle();
    }
    void answer(const Question& question, const std::vector<PushInfo>& infos, bool success = true) {
        Bytes payload;
        for (const PushInfo& info : infos) {  // a server does not name itself
            Bytes one = field(1, info.access_token) + field(2, info.installation_id) + field(3, ByteView(info.user));
            for (const Bytes& key : info.allowed_keys) {
                one = one + field(4, ByteView(key));
            }
            one = one + field(5, ByteView(info.grant)) + field(6, info.version);
            payload = payload + field(1, ByteView(one));
        }
        payload = payload + field(2, ByteView(*from_hex(question.id.substr(2)))) + field(3, success ? 1 : 0);
        answer(question.signer, MessageType::push_notification_query_response, payload);
    }
    /// One report for each device of the request.
    void report(const Request& request, PushFault fault, bool success) {
        Bytes payload = field(1, ByteView(request.message_id));
        for (const Fields& one : request.notifications) {
            const Bytes report = field(1, success ? 1 : 0) + field(2, static_cast<std::uint64_t>(fault)) +
                                 field(3, ByteView(one.at(3))) + field(4, one.text(4));
            payload = payload + field(2, ByteView(report));
        }
        answer(request.signer, MessageType::push_notification_response, payload);
    }

    crypto::SecretKey identity;

  private:
    Bench& bench_;
    SeededRandom random_;
};

}  // namespace noroshi::status::test
