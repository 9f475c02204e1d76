// src/status/ratchet_kdf.hpp - the key derivations and the message cipher under the double ratchet.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "ratchet.hpp"

/// The constants of status-im/doubleratchet's Ethereum variant. Thread: any; pure functions.
namespace noroshi::status {

struct RootStep {
    Secret<32> root;
    Secret<32> chain;
};
/// What a shared secret of two ratchet keys makes of the root key.
[[nodiscard]] RootStep root_step(const Secret<32>& root, const Secret<32>& shared);

struct ChainStep {
    Secret<32> chain;
    Secret<32> message;  ///< for one message
};
[[nodiscard]] ChainStep chain_step(const Secret<32>& chain);

/// iv(16) | AES-256-CTR | HMAC-SHA-256(32) over header and the rest.
[[nodiscard]] Bytes seal_with(const Secret<32>& message_key, const RatchetHeader& header, ByteView plain);
/// Errors: corrupt (too_short, bad_mac).
[[nodiscard]] Result<Bytes> open_with(const Secret<32>& message_key, const RatchetHeader& header, ByteView payload);

}  // namespace noroshi::status
