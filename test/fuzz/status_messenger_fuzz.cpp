// test/fuzz/status_messenger_fuzz.cpp - any payloads of an owner and a stranger, in any order: bounds hold and rows read back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>

#include "application.hpp"
#include "base/runtime.hpp"

namespace {

using namespace noroshi;
using namespace noroshi::status;

constexpr TimestampMs now = from_unix_ms(1'767'225'600'000);

class NoStore final : public StateStore {
  public:
    Task<Result<void>> commit(StateWrites /*writes*/) override { co_return Result<void>{}; }
    Result<StateRows> load(const std::string& /*table*/) override { return StateRows{}; }
};
class NoNode final : public waku::Node {
  public:
    using waku::Node::publish;
    Task<Result<void>> start() override { co_return Result<void>{}; }
    Task<void> stop() override { co_return; }
    Task<Result<waku::Publication>> publish(std::string, waku::WakuMessage, waku::PublishOptions) override {
        co_return waku::Publication{};
    }
    [[nodiscard]] std::vector<std::string> echoed_by(const crypto::Digest&) const override { return {}; }
    [[nodiscard]] std::optional<Milliseconds> clock_offset() const override { return std::nullopt; }
    Task<Result<waku::StoreWord>> find_stored(waku::Published) override { co_return waku::StoreWord{}; }
    void doubt(const std::vector<std::string>&) override {}
    Task<Result<waku::ReceivedMessage>> next_message() override { co_return fail(Errc::cancelled, "none"); }
    void on_peer_ready(std::function<void()>) override {}
    void set_content_topics(std::vector<std::string>) override {}
    [[nodiscard]] std::vector<waku::PeerInfo> peers() const override { return {}; }
    [[nodiscard]] std::string peer_id() const override { return ""; }
    [[nodiscard]] std::vector<std::string> listen_addresses() const override { return {}; }
    [[nodiscard]] waku::NodeState state() const override { return waku::NodeState::running; }
};

crypto::SecretKey secret(std::uint8_t fill) { return *crypto::SecretKey::from_bytes(Bytes(32, fill)); }

/// The rules with all that they stand on; nothing is sent.
struct Rules {
    Rules() {
        StateWrites writes;
        if (!core.state.load(store, core.own, random, metrics, Log::none(), writes)) {
            std::abort();
        }
        core.encryption = std::move(*Encryption::load({false, "here"}, secret(1), store, random));
        core.set_owners({secret(2).public_key()});
        core.requests_open = true;
    }
    Runtime runtime{0};
    ManualClock clock{now};
    SeededRandom random{1};
    Metrics metrics;
    NoStore store;
    NoNode node;
    MessengerCore core{MessengerConfig{secret(1), "noroshi", std::nullopt, false, true},
                       MessengerEnvironment{node, store, runtime, runtime.executor(), clock, random, metrics, Log::none()}};
    Application application{core};
};

void check(const StateWrites& writes) {
    static const std::map<std::string, bool (*)(ByteView)> readers{
        {"own", [](ByteView row) { return decode_own(row).has_value(); }},
        {"contacts", [](ByteView row) { return decode_contact(row).has_value(); }},
        {"sent", [](ByteView row) { return decode_sent(row).has_value(); }},
        {"out", [](ByteView row) { return decode_out(row).has_value(); }},
        {"seen", [](ByteView row) { return decode_seen(row).has_value(); }},
        {"events", [](ByteView row) { return decode_event(row).has_value(); }}};
    for (const StateWrite& write : writes) {
        const auto reader = readers.find(write.table);
        if (write.value && reader != readers.end() && !reader->second(*write.value)) {
            std::abort();
        }
    }
}

/// Any bytes as each row; what is read is written and read as the same.
void check_rows(ByteView bytes) {
    if (const auto row = decode_own(bytes); row && *decode_own(encode_own(*row)) != *row) {
        std::abort();
    }
    if (const auto row = decode_sent(bytes); row && *decode_sent(encode_sent(*row)) != *row) {
        std::abort();
    }
    if (const auto row = decode_out(bytes); row && *decode_out(encode_out(*row)) != *row) {
        std::abort();
    }
    if (const auto row = decode_seen(bytes); row && *decode_seen(encode_seen(*row)) != *row) {
        std::abort();
    }
    if (const auto row = decode_event(bytes); row && encode_event(*decode_event(encode_event(*row))) != encode_event(*row)) {
        std::abort();
    }
}

}  // namespace

/// The owner was told something; what is then asked of push servers is bounded.
void wake(Rules& rules) {
    rules.core.pushes.told(secret(2).public_key(), "0x" + std::string(64, '7'));
    for (std::size_t steps = 0; rules.core.pushes.rest() == Milliseconds(0); ++steps) {
        const std::optional<PushStep> step = rules.core.pushes.next();
        if (steps > most_push_infos || (step && step->wrapped.empty())) {
            std::abort();
        }
    }
}

/// One input: messages of a byte who and how, a byte type, two bytes length, payload. Bit 0 of the first byte: the stranger
/// says it; bit 1: an hour passes; bit 2: requests are let in, or no longer; bit 3: in a contact code; bit 4: as a push
/// server's answer about the owner; bit 5: the owner was told something before.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::array<crypto::PublicKey, 2> speakers{secret(2).public_key(), secret(3).public_key()};
    Rules rules;
    ByteView rest(data, size);
    check_rows(rest);
    for (std::uint8_t count = 0; rest.size() >= 4 && count < 64; ++count) {
        const std::uint8_t how = rest[0];
        const std::int32_t type = rest[1];
        const std::size_t length = std::min<std::size_t>(rest[2] + 256U * rest[3], rest.size() - 4);
        const ByteView payload = rest.subspan(4, length);
        rest = rest.subspan(4 + length);
        if ((how & 2U) != 0) {
            rules.clock.advance(Milliseconds(3'600'000));
        }
        rules.core.requests_open = (how & 4U) == 0;
        if ((how & 32U) != 0) {
            wake(rules);
        }
        const InboundMessage message{
            {speakers[how & 1U], type, {payload.begin(), payload.end()}, "0x" + to_hex(crypto::sha256(payload))},
            payload,
            rules.clock.now(),
            rules.clock.now()};
        if ((how & 16U) != 0) {
            rules.core.pushes.take_answer(speakers[0], message.signed_payload);
            continue;
        }
        Effects effects;
        const Judgement judged = (how & 8U) != 0 ? rules.application.take_contact_code(message, effects)
                                                 : rules.application.take(message, effects);
        if (judged.word.empty() || judged.word.find(' ') != std::string::npos) {
            std::abort();
        }
        check(effects.writes);
        if (rules.core.state.contacts().size() > 2 || rules.core.state.events() > 200) {
            std::abort();
        }
    }
    return 0;
}
