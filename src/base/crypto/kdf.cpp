// src/base/crypto/kdf.cpp - PBKDF2 by OpenSSL.
#include <openssl/evp.h>

#include "base/crypto/crypto.hpp"

namespace noroshi::crypto {

Secret<32> pbkdf2_hmac_sha256(ByteView password, ByteView salt, std::uint32_t rounds) {
    Secret<32> out;
    const std::string_view text = as_text(password);
    const int done = PKCS5_PBKDF2_HMAC(text.data(), static_cast<int>(text.size()), salt.data(),
                                       static_cast<int>(salt.size()), static_cast<int>(rounds), EVP_sha256(),
                                       static_cast<int>(out.expose().size()), out.expose_mutable().data());
    NOROSHI_ASSERT(done == 1, "PBKDF2 of OpenSSL must work");
    return out;
}

}  // namespace noroshi::crypto
