// src/base/crypto/hkdf.cpp - HKDF-SHA-256 by OpenSSL.
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>
#include <string>

#include "base/crypto/crypto.hpp"

namespace noroshi::crypto {
namespace {

constexpr std::size_t most_bytes = 255 * 32;

struct FreeKdf {
    void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
};
struct FreeKdfContext {
    void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }  // wipes the key too
};

EVP_KDF* fetched_hkdf() {
    static const std::unique_ptr<EVP_KDF, FreeKdf> fetched(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    return fetched.get();
}

/// OpenSSL only reads what its parameters point to, but declares them writable.
OSSL_PARAM octets(const char* name, ByteView bytes) {
    static std::uint8_t none = 0;
    void* start = bytes.empty() ? &none : const_cast<std::uint8_t*>(bytes.data());
    return OSSL_PARAM_construct_octet_string(name, start, bytes.size());
}

}  // namespace

void hkdf_sha256(ByteView key, ByteView salt, ByteView info, std::span<std::uint8_t> out) {
    NOROSHI_ASSERT(!out.empty() && out.size() <= most_bytes, "HKDF gives 1 to 8160 bytes");
    const std::unique_ptr<EVP_KDF_CTX, FreeKdfContext> context(EVP_KDF_CTX_new(fetched_hkdf()));
    std::string digest = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        octets(OSSL_KDF_PARAM_KEY, key),
        octets(OSSL_KDF_PARAM_SALT, salt),
        octets(OSSL_KDF_PARAM_INFO, info),
        OSSL_PARAM_construct_end(),
    };
    const bool ok = context && EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1;
    NOROSHI_ASSERT(ok, "HKDF of OpenSSL must work");
}

}  // namespace noroshi::crypto
