// src/base/secret_text.cpp - implements SecretText.
#include "base/secret_text.hpp"

#include "base/secret.hpp"

namespace noroshi {
namespace {

void wipe_text(std::string& text) {
    wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    text.clear();
}

}  // namespace

SecretText& SecretText::operator=(const SecretText& other) {
    if (this != &other) {
        wipe_text(text_);
        text_ = other.text_;
    }
    return *this;
}

// A short text stays in the object that was moved from: it is wiped there.
SecretText::SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { wipe_text(other.text_); }

SecretText& SecretText::operator=(SecretText&& other) noexcept {
    if (this != &other) {
        wipe_text(text_);
        text_ = std::move(other.text_);
        wipe_text(other.text_);
    }
    return *this;
}

SecretText::~SecretText() { wipe_text(text_); }

}  // namespace noroshi
