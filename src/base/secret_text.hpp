// src/base/secret_text.hpp - SecretText: a secret that a configuration holds.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace noroshi {

/// A secret text of a configuration, which is copied with it: not printable, zeroed when destroyed. Thread: one.
class SecretText {
  public:
    SecretText() = default;
    explicit SecretText(std::string text) : text_(std::move(text)) {}
    SecretText(const SecretText&) = default;
    SecretText& operator=(const SecretText& other);
    SecretText(SecretText&& other) noexcept;
    SecretText& operator=(SecretText&& other) noexcept;
    ~SecretText();
    [[nodiscard]] bool empty() const { return text_.empty(); }
    /// The text itself; the view must not outlive the secret.
    [[nodiscard]] std::string_view expose() const { return text_; }
    bool operator==(const SecretText&) const = default;

  private:
    std::string text_;
};

}  // namespace noroshi
