// src/base/crypto/keccak.cpp - Keccak-256 with its original padding, by Crypto++: OpenSSL has only SHA3-256.
#include <cryptopp/keccak.h>

#include "base/crypto/crypto.hpp"

namespace noroshi::crypto {

Digest keccak256(ByteView data) {
    Digest digest{};
    CryptoPP::Keccak_256 hash;
    hash.Update(data.data(), data.size());
    hash.Final(digest.data());
    return digest;
}

}  // namespace noroshi::crypto
