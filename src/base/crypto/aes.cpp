// src/base/crypto/aes.cpp - AES-CTR and AES-256-GCM by OpenSSL.
#include <openssl/evp.h>

#include <limits>
#include <memory>

#include "base/crypto/crypto.hpp"

namespace noroshi::crypto {
namespace {

constexpr std::size_t tag_size = 16;

struct FreeCipherContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;  // freeing also wipes the key schedule

struct FreeCipher {
    void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
using Cipher = std::unique_ptr<EVP_CIPHER, FreeCipher>;

// Looked up once: behind EVP_aes_...() OpenSSL 3 searches its providers at each use.
const EVP_CIPHER* fetched_aes128_ctr() {
    static const Cipher fetched(EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr));
    return fetched.get();
}
const EVP_CIPHER* fetched_aes256_ctr() {
    static const Cipher fetched(EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr));
    return fetched.get();
}
const EVP_CIPHER* fetched_aes256_gcm() {
    static const Cipher fetched(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
    return fetched.get();
}

CipherContext make_context() {
    CipherContext context(EVP_CIPHER_CTX_new());
    NOROSHI_ASSERT(context, "OpenSSL must give a cipher context");
    return context;
}

int checked_length(ByteView data) {
    NOROSHI_ASSERT(data.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()) - tag_size,
                   "one AES call takes at most 2 GiB");
    return static_cast<int>(data.size());
}

Bytes ctr(const EVP_CIPHER* cipher, const std::uint8_t* key, const std::uint8_t* iv, ByteView data) {
    const CipherContext context = make_context();
    Bytes out(data.size());
    int written = 0;
    const bool ok =
        EVP_EncryptInit_ex(context.get(), cipher, nullptr, key, iv) == 1 &&
        (data.empty() ||
         EVP_EncryptUpdate(context.get(), out.data(), &written, data.data(), checked_length(data)) == 1);
    NOROSHI_ASSERT(ok && static_cast<std::size_t>(written) == data.size(), "AES-CTR of OpenSSL must work");
    return out;
}

}  // namespace

Bytes aes128_ctr(std::span<const std::uint8_t, 16> key, std::span<const std::uint8_t, 16> iv, ByteView data) {
    return ctr(fetched_aes128_ctr(), key.data(), iv.data(), data);
}

Bytes aes256_ctr(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 16> iv, ByteView data) {
    return ctr(fetched_aes256_ctr(), key.data(), iv.data(), data);
}

Bytes aes256_gcm_encrypt(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 12> nonce,
                         ByteView plain) {
    const CipherContext context = make_context();
    Bytes out(plain.size() + tag_size);
    int written = 0;
    int rest = 0;
    std::uint8_t* tag = out.data() + plain.size();
    const bool ok =
        EVP_EncryptInit_ex(context.get(), fetched_aes256_gcm(), nullptr, key.data(), nonce.data()) == 1 &&
        (plain.empty() ||
         EVP_EncryptUpdate(context.get(), out.data(), &written, plain.data(), checked_length(plain)) == 1) &&
        EVP_EncryptFinal_ex(context.get(), tag, &rest) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_size), tag) == 1;
    NOROSHI_ASSERT(ok && static_cast<std::size_t>(written) == plain.size(), "AES-GCM of OpenSSL must work");
    return out;
}

Result<Bytes> aes256_gcm_decrypt(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 12> nonce,
                                 ByteView sealed) {
    if (sealed.size() < tag_size) {
        return fail(Errc::corrupt, "sealed bytes are shorter than their tag");
    }
    const ByteView cipher = sealed.first(sealed.size() - tag_size);
    Bytes tag(sealed.end() - static_cast<std::ptrdiff_t>(tag_size), sealed.end());
    const CipherContext context = make_context();
    Bytes out(cipher.size());
    int written = 0;
    int rest = 0;
    std::array<std::uint8_t, tag_size> end{};
    const bool ready =
        EVP_DecryptInit_ex(context.get(), fetched_aes256_gcm(), nullptr, key.data(), nonce.data()) == 1 &&
        (cipher.empty() ||
         EVP_DecryptUpdate(context.get(), out.data(), &written, cipher.data(), checked_length(cipher)) == 1) &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_size), tag.data()) == 1;
    NOROSHI_ASSERT(ready, "AES-GCM of OpenSSL must work");
    if (EVP_DecryptFinal_ex(context.get(), end.data(), &rest) != 1) {
        wipe(out);  // unauthenticated plain text must not be left behind
        return fail(Errc::corrupt, "authentication tag does not fit");
    }
    return out;
}

}  // namespace noroshi::crypto
