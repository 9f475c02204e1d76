// test/fuzz/status_protocol_fuzz.cpp - any bytes as a message of the encryption layer, from a peer with a session.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "encryption.hpp"
#include "peers.hpp"

namespace {

using namespace noroshi;
using namespace noroshi::status;

class MemoryStore final : public StateStore {
  public:
    Task<Result<void>> commit(StateWrites writes) override {
        apply(writes);
        co_return Result<void>();
    }
    Result<StateRows> load(const std::string& table) override {
        StateRows out;
        for (const auto& [key, value] : tables_[table]) {
            out.emplace_back(key, value);
        }
        return out;
    }
    void apply(const StateWrites& writes) {
        for (const StateWrite& write : writes) {
            if (write.value) {
                tables_[write.table][write.key] = *write.value;
            } else {
                tables_[write.table].erase(write.key);
            }
        }
    }
    [[nodiscard]] std::size_t rows(const std::string& table) { return tables_[table].size(); }

  private:
    std::map<std::string, std::map<std::string, Bytes>> tables_;
};

void check(bool holds) {
    if (!holds) {
        std::abort();
    }
}

crypto::SecretKey key_of(std::uint8_t byte) { return *crypto::SecretKey::from_bytes(Bytes(32, byte)); }

/// Bob, who has met alice, and messages of alice on their way to him.
struct World {
    SeededRandom random{1};
    MemoryStore bobs_rows;
    std::vector<Bytes> sent;

    World() {
        MemoryStore alices_rows;
        auto alice = *Encryption::load({true, "alice-1"}, key_of(0x11), alices_rows, random);
        auto bob = *Encryption::load({true, "bob-1"}, key_of(0x22), bobs_rows, random);
        const crypto::PublicKey alices = key_of(0x11).public_key();
        const crypto::PublicKey bobs = key_of(0x22).public_key();
        const TimestampMs now = from_unix_ms(1'700'000'000'000);
        StateWrites of_alice;
        StateWrites of_bob;
        check(bob->open(alices, alice->seal(bobs, as_bytes("a"), now, of_alice).protocol_message, of_bob).has_value());
        check(alice->open(bobs, bob->seal(alices, as_bytes("b"), now, of_bob).protocol_message, of_alice).has_value());
        for (int i = 0; i < 4; ++i) {
            sent.push_back(alice->seal(bobs, as_bytes("c"), now, of_alice).protocol_message);
        }
        bobs_rows.apply(of_bob);
    }
};

/// Bundles as alice could have signed them: the fuzzer cannot.
Bytes with_signed_bundles(ByteView bytes) {
    Result<ProtocolMessage> message = decode_protocol_message(bytes);
    if (!message) {
        return {bytes.begin(), bytes.end()};
    }
    for (Bundle& bundle : message->bundles) {
        bundle.identity = key_of(0x11).public_key().compressed();
        sign_bundle(bundle, key_of(0x11));
    }
    return encode_protocol_message(*message);
}

/// True when something changed.
bool open(Encryption& bob, MemoryStore& rows, Bytes bytes) {
    StateWrites changes;
    const auto opened = bob.open(key_of(0x11).public_key(), std::move(bytes), changes);
    check(opened.has_value() || changes.empty());
    rows.apply(changes);
    return !changes.empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    if (size == 0) {
        return 0;
    }
    const std::uint8_t how = data[0];
    const ByteView input(data + 1, size - 1);
    if (const auto message = decode_protocol_message(input)) {
        const auto again = decode_protocol_message(encode_protocol_message(*message));
        check(again.has_value() && *again == *message);
    }
    MemoryStore rows = world.bobs_rows;
    SeededRandom random(size);
    auto bob = *Encryption::load({true, "bob-1"}, key_of(0x22), rows, random);
    check(bob->damaged_rows() == 0);
    bool changed = false;
    if (how % 2 == 0) {
        changed = open(*bob, rows, how % 4 == 0 ? Bytes(input.begin(), input.end()) : with_signed_bundles(input));
    } else {
        // Genuine messages in any order, each perhaps with one bit changed.
        for (std::size_t i = 0; i + 2 < input.size() && i < 24; i += 3) {
            Bytes bytes = world.sent[input[i] % world.sent.size()];
            bytes[(input[i + 1] * 256U + input[i + 2]) % bytes.size()] ^= static_cast<std::uint8_t>(input[i] & 0xc0U);
            changed = open(*bob, rows, std::move(bytes)) || changed;
        }
    }
    check(rows.rows(Peers::devices_table) <= 1 && rows.rows(Peers::sessions_table) <= Peers::most_sessions_of_contact);
    // What was kept can be read again.
    check(!changed || (*Encryption::load({true, "bob-1"}, key_of(0x22), rows, random))->damaged_rows() == 0);
    return 0;
}
