// src/base/secret.hpp - bytes that must not be copied, printed or left behind in memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace noroshi {

/// Overwrites memory in a way the compiler may not remove.
void wipe(std::span<std::uint8_t> bytes);

/// N secret bytes: movable, not copyable, not printable, zeroed when moved from and destroyed.
/// Copying is asked for by name with `clone()`. Thread: one.
template <std::size_t N>
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::span<const std::uint8_t, N> bytes) {
        for (std::size_t i = 0; i < N; ++i) {
            bytes_[i] = bytes[i];
        }
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            bytes_ = other.bytes_;
            wipe(other.bytes_);
        }
        return *this;
    }
    ~Secret() { wipe(bytes_); }

    [[nodiscard]] Secret clone() const { return Secret(std::span<const std::uint8_t, N>(bytes_)); }
    /// The bytes themselves; the view must not outlive the secret.
    [[nodiscard]] std::span<const std::uint8_t, N> expose() const { return bytes_; }
    [[nodiscard]] std::span<std::uint8_t, N> expose_mutable() { return bytes_; }

  private:
    std::array<std::uint8_t, N> bytes_{};
};

/// Secret bytes whose number is not known before they are read: a passphrase, the content of a key file. The room is
/// taken once, so that growing leaves no copy behind; movable, not copyable, zeroed when destroyed. Thread: one.
class SecretBytes {
  public:
    explicit SecretBytes(std::size_t capacity) : bytes_(capacity) {}
    SecretBytes(const SecretBytes&) = delete;
    SecretBytes& operator=(const SecretBytes&) = delete;
    SecretBytes(SecretBytes&& other) noexcept;
    SecretBytes& operator=(SecretBytes&& other) noexcept;
    ~SecretBytes() { wipe(bytes_); }

    [[nodiscard]] std::size_t size() const { return size_; }
    /// Adds bytes at the end; false, and nothing added, when there is no room.
    [[nodiscard]] bool append(std::span<const std::uint8_t> more);
    /// Takes the last byte off, if there is one.
    void drop_last();
    /// Takes blanks and line ends off the end.
    void trim_end();
    /// The bytes themselves; the view must not outlive the secret.
    [[nodiscard]] std::span<const std::uint8_t> expose() const { return {bytes_.data(), size_}; }
    [[nodiscard]] std::string_view expose_text() const { return {reinterpret_cast<const char*>(bytes_.data()), size_}; }

  private:
    std::vector<std::uint8_t> bytes_;  // never resized
    std::size_t size_{0};
};

}  // namespace noroshi
