// test/unit/status/encryption_world.hpp - devices that write to each other, each with a store to restart from.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "status/encryption.hpp"
#include "vectors.hpp"

namespace noroshi::status::test {

/// Rows in memory.
class MemoryStore final : public StateStore {
  public:
    Task<Result<void>> commit(StateWrites writes) override {
        apply(writes);
        co_return Result<void>();
    }
    Result<StateRows> load(const std::string& table) override {
        StateRows out;
        for (const auto& [key, value] : tables[table]) {
            out.emplace_back(key, value);
        }
        return out;
    }
    void apply(const StateWrites& writes) {
        for (const StateWrite& write : writes) {
            if (write.value) {
                tables[write.table][write.key] = *write.value;
            } else {
                tables[write.table].erase(write.key);
            }
        }
    }
    std::map<std::string, std::map<std::string, Bytes>> tables;
};

/// A device of the identity whose secret key is `byte` 32 times.
class TestDevice {
  public:
    TestDevice(std::uint8_t byte, std::string installation, bool publish = true)
        : byte_(byte),
          installation_(std::move(installation)),
          publish_(publish),
          random_(byte + std::hash<std::string>()(installation_)) {
        restart();
    }

    [[nodiscard]] crypto::PublicKey identity() const { return key_of(byte_).public_key(); }
    [[nodiscard]] const std::string& installation() const { return installation_; }

    /// Begins anew with what was committed.
    void restart() {
        auto loaded = Encryption::load({publish_, installation_}, key_of(byte_), store_, random_);
        ASSERT_TRUE(loaded);
        encryption_ = std::move(*loaded);
    }
    void publish(bool on) {
        publish_ = on;
        restart();
    }

    Encryption::Sealed seal(const crypto::PublicKey& to, std::string_view text) {
        StateWrites changes;
        Encryption::Sealed sealed = encryption_->seal(to, as_bytes(text), now, changes);
        store_.apply(changes);
        return sealed;
    }
    Bytes write(const TestDevice& to, std::string_view text) { return seal(to.identity(), text).protocol_message; }
    Bytes write_public(std::string_view text) {
        StateWrites changes;
        Bytes out = encryption_->seal_public(as_bytes(text), now, changes);
        store_.apply(changes);
        return out;
    }

    Result<Encryption::Opened> open(const crypto::PublicKey& from, const Bytes& bytes) {
        StateWrites changes;
        Result<Encryption::Opened> opened = encryption_->open(from, bytes, changes);
        EXPECT_TRUE(opened || changes.empty()) << "a failure changed something";
        store_.apply(changes);
        return opened;
    }
    /// The text, or why there is none.
    std::string read(const TestDevice& from, const Bytes& bytes) {
        const Result<Encryption::Opened> opened = open(from.identity(), bytes);
        return opened ? std::string(as_text(opened->payload)) : "refused: " + opened.error().message;
    }

    [[nodiscard]] MemoryStore& store() { return store_; }
    [[nodiscard]] Encryption& encryption() { return *encryption_; }
    [[nodiscard]] std::size_t sessions() { return store_.tables["sessions"].size(); }

    TimestampMs now = from_unix_ms(1'700'000'000'000);

  private:
    std::uint8_t byte_;
    std::string installation_;
    bool publish_;
    SeededRandom random_;
    MemoryStore store_;
    std::unique_ptr<Encryption> encryption_;
};

inline ProtocolMessage decoded(const Bytes& bytes) { return *decode_protocol_message(bytes); }
/// The one entry of a message to one device.
inline EncryptedMessage entry_of(const Bytes& bytes) { return decoded(bytes).encrypted.begin()->second; }

}  // namespace noroshi::status::test
