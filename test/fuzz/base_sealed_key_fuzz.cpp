// test/fuzz/base_sealed_key_fuzz.cpp - any bytes as a key file under a passphrase: read as written, never opened by a guess.
#include <cstdint>
#include <cstdlib>

#include "base/crypto/sealed_key.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi::crypto;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const noroshi::Result<SealedKey> sealed = parse_sealed_key(text);
    if (!sealed) {
        return 0;
    }
    if (!is_sealed_key(text) || sealed->cost.bytes > (1u << 30) || sealed->cost.passes > 16) {
        std::abort();
    }
    const noroshi::Result<SealedKey> again = parse_sealed_key(sealed_key_text(*sealed));
    if (!again || *again != *sealed) {
        std::abort();
    }
    // Only what is cheap is tried.
    if (sealed->cost.bytes <= 64 * 1024 && open_with_passphrase(*sealed, noroshi::SecretBytes(0))) {
        std::abort();
    }
    return 0;
}
