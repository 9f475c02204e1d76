// src/base/random.hpp - the only door to randomness.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace noroshi {

/// A source of random bytes. Thread: as the implementation says.
class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;
    /// Uniform in [0, bound); bound > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);
    /// 16 random bytes as lower-case hex: message and request ids.
    [[nodiscard]] std::string id();
};

/// The operating system's generator, fit for keys. Thread: any. Aborts when the system has no randomness.
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> out) override;
};

/// Repeatable bytes from a seed, for tests and simulation; never for keys. Thread: one.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    void fill(std::span<std::uint8_t> out) override;

  private:
    std::uint64_t state_;
};

}  // namespace noroshi
