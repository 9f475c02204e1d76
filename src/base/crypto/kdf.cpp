// src/base/crypto/kdf.cpp - PBKDF2 over OpenSSL's SHA-256.
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "base/crypto/crypto.hpp"

namespace noroshi::crypto {
namespace {

constexpr std::size_t block_bytes = 64;

/// HMAC-SHA-256 under one key, whose two first blocks are hashed once. OpenSSL's own PBKDF2 sets up a context for each of
/// its thousands of rounds and takes four times as long.
class KeyedHmac {
  public:
    explicit KeyedHmac(ByteView key) {
        std::array<std::uint8_t, block_bytes> padded{};
        if (key.size() > padded.size()) {
            std::ranges::copy(sha256(key), padded.begin());
        } else {
            std::ranges::copy(key, padded.begin());
        }
        begin(inner_, padded, 0x36);
        begin(outer_, padded, 0x5C);
        wipe(padded);
    }
    KeyedHmac(const KeyedHmac&) = delete;
    KeyedHmac& operator=(const KeyedHmac&) = delete;
    ~KeyedHmac() {
        wipe_state(inner_);
        wipe_state(outer_);
    }
    [[nodiscard]] Digest of(std::initializer_list<ByteView> parts) const {
        Digest out{};
        SHA256_CTX state = inner_;
        for (const ByteView part : parts) {
            SHA256_Update(&state, part.data(), part.size());
        }
        SHA256_Final(out.data(), &state);
        state = outer_;
        SHA256_Update(&state, out.data(), out.size());
        SHA256_Final(out.data(), &state);
        return out;
    }

  private:
    static void begin(SHA256_CTX& state, std::array<std::uint8_t, block_bytes> block, std::uint8_t pad) {
        for (std::uint8_t& byte : block) {
            byte ^= pad;
        }
        SHA256_Init(&state);
        SHA256_Update(&state, block.data(), block.size());
        wipe(block);
    }
    static void wipe_state(SHA256_CTX& state) { wipe({reinterpret_cast<std::uint8_t*>(&state), sizeof state}); }

    SHA256_CTX inner_{};
    SHA256_CTX outer_{};
};

}  // namespace

Secret<32> pbkdf2_hmac_sha256(ByteView password, ByteView salt, std::uint32_t rounds) {
    constexpr std::array<std::uint8_t, 4> first_block{0, 0, 0, 1};
    const KeyedHmac hmac(password);
    Digest round = hmac.of({salt, first_block});
    Secret<32> out(round);
    for (std::uint32_t i = 1; i < rounds; ++i) {
        round = hmac.of({round});
        for (std::size_t j = 0; j < round.size(); ++j) {
            out.expose_mutable()[j] ^= round[j];
        }
    }
    wipe(round);
    return out;
}

}  // namespace noroshi::crypto
