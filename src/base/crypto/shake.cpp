// src/base/crypto/shake.cpp - SHAKE-256 by OpenSSL.
#include "base/crypto/shake.hpp"

#include <openssl/evp.h>

#include <memory>

namespace noroshi::crypto {
namespace {

struct FreeMdContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

void shake256(ByteView data, std::span<std::uint8_t> out) {
    const std::unique_ptr<EVP_MD_CTX, FreeMdContext> context(EVP_MD_CTX_new());
    const bool ok = context && EVP_DigestInit_ex(context.get(), EVP_shake256(), nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1 &&
                    EVP_DigestFinalXOF(context.get(), out.data(), out.size()) == 1;
    NOROSHI_ASSERT(ok, "SHAKE-256 of OpenSSL must work");
}

}  // namespace noroshi::crypto
