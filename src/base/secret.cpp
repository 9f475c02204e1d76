// src/base/secret.cpp - wiping memory, and secrets of any length.
#include "base/secret.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace noroshi {

void wipe(std::span<std::uint8_t> bytes) { sodium_memzero(bytes.data(), bytes.size()); }

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
    bytes_.swap(other.bytes_);  // what stood here is wiped with the other
    std::swap(size_, other.size_);
    return *this;
}

bool SecretBytes::append(std::span<const std::uint8_t> more) {
    if (more.size() > bytes_.size() - size_) {
        return false;
    }
    std::ranges::copy(more, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += more.size();
    return true;
}

void SecretBytes::drop_last() {
    if (size_ > 0) {
        bytes_[--size_] = 0;
    }
}

void SecretBytes::trim_end() {
    while (size_ > 0 && std::string_view(" \t\r\n").find(expose_text().back()) != std::string_view::npos) {
        drop_last();
    }
}

}  // namespace noroshi
