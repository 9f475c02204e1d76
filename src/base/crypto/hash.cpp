// src/base/crypto/hash.cpp - SHA-256, HMAC-SHA-256 and constant-time comparison by OpenSSL.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

#include "base/crypto/crypto.hpp"

namespace noroshi::crypto {
namespace {

struct FreeMdContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeMd {
    void operator()(EVP_MD* md) const { EVP_MD_free(md); }
};

/// Looked up once: behind EVP_sha256() OpenSSL 3 searches its providers at each use.
const EVP_MD* fetched_sha256() {
    static const std::unique_ptr<EVP_MD, FreeMd> fetched(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    return fetched.get();
}

}  // namespace

Digest sha256(ByteView data) { return sha256({data}); }

std::array<std::uint8_t, 16> md5(ByteView data) {
    std::array<std::uint8_t, 16> digest{};
    const bool ok = EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_md5(), nullptr) == 1;
    NOROSHI_ASSERT(ok, "MD5 of OpenSSL must work");
    return digest;
}

Digest sha256(std::initializer_list<ByteView> parts) {
    const std::unique_ptr<EVP_MD_CTX, FreeMdContext> context(EVP_MD_CTX_new());
    bool ok = context && EVP_DigestInit_ex(context.get(), fetched_sha256(), nullptr) == 1;
    for (const ByteView part : parts) {
        ok = ok && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
    }
    Digest digest{};
    ok = ok && EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
    NOROSHI_ASSERT(ok, "SHA-256 of OpenSSL must work");
    return digest;
}

Digest hmac_sha256(ByteView key, ByteView data) {
    Digest digest{};
    unsigned length = 0;
    // OpenSSL takes a null key as "the one of before"; an empty key needs an address.
    static constexpr std::uint8_t no_key = 0;
    const std::uint8_t* start = key.empty() ? &no_key : key.data();
    const auto* done =
        HMAC(EVP_sha256(), start, static_cast<int>(key.size()), data.data(), data.size(), digest.data(), &length);
    NOROSHI_ASSERT(done != nullptr && length == digest.size(), "HMAC of OpenSSL must work");
    return digest;
}

bool equal_constant_time(ByteView a, ByteView b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace noroshi::crypto
