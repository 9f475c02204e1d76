// src/status/prekeys.hpp - our own signed prekeys: the one that our bundle offers, and the older ones that still open.
#pragma once

#include <cstdint>
#include <map>

#include "base/crypto/crypto.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "protocol_message.hpp"
#include "state.hpp"

namespace noroshi::status {

/// One prekey.
struct Prekey {
    crypto::SecretKey secret;
    CompressedKey key{};
    std::uint32_t version{0};
    TimestampMs created{};
};

/// Table "prekeys". Thread: one.
class Prekeys {
  public:
    static constexpr const char* table = "prekeys";
    /// A month of daily ones and some: as long as a stored message, or a bundle that somebody kept, may name one.
    static constexpr std::size_t most = 40;
    static constexpr Milliseconds age{24 * 3'600'000};

    /// Takes a row in. False: it is damaged; its version is not given again all the same.
    bool add(const std::string& row_key, ByteView row);
    /// The one to offer now: made when there is none, or when the newest is `age` away from now, by a wall clock that may
    /// jump either way.
    const Prekey& current(TimestampMs now, Random& random, StateWrites& changes);
    /// The one that was offered last, or null.
    [[nodiscard]] const Prekey* newest() const;
    [[nodiscard]] const Prekey* find(ByteView key) const;

  private:
    std::map<std::uint32_t, Prekey> by_version_;
    std::uint32_t highest_version_{0};
};

}  // namespace noroshi::status
