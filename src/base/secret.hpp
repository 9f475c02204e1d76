// src/base/secret.hpp - bytes that must not be copied, printed or left behind in memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

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

}  // namespace noroshi
