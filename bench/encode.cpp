// bench/encode.cpp - sign, encrypt and encode one notification over and over: messages a CPU-second, and what of that is EC.
//   bench_encode BYTES SECONDS    prints {"per_cpu_second":..,"curve_per_cpu_second":..}
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_recovery.h>
#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "base/random.hpp"
#include "waku/message.hpp"
#include "waku/payload.hpp"

namespace {

using namespace noroshi;

/// User and system time of the whole process.
double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](timeval time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double per_cpu_second(double seconds, const std::function<void()>& once) {
    const double begun = cpu_seconds();
    double used = 0;
    std::size_t count = 0;
    while (used < seconds) {
        for (int i = 0; i < 100; ++i) {
            once();
        }
        count += 100;
        used = cpu_seconds() - begun;
    }
    return static_cast<double>(count) / used;
}

/// The three operations that one sealed and signed payload cannot do without, by the library alone.
class Curve {
  public:
    explicit Curve(Random& random) : context_(secp256k1_context_create(SECP256K1_CONTEXT_NONE)) {
        random.fill(secret_);
        static_cast<void>(secp256k1_ec_pubkey_create(context_, &to_, secret_.data()));
    }
    Curve(const Curve&) = delete;
    Curve& operator=(const Curve&) = delete;
    ~Curve() { secp256k1_context_destroy(context_); }

    void once() {
        secp256k1_ecdsa_recoverable_signature signature;
        secp256k1_pubkey ephemeral;
        std::array<std::uint8_t, 32> shared{};
        ++secret_[31];  // another scalar each time
        ++digest_[0];
        const int done = secp256k1_ecdsa_sign_recoverable(context_, &signature, digest_.data(), secret_.data(), nullptr, nullptr) +
                         secp256k1_ec_pubkey_create(context_, &ephemeral, secret_.data()) +
                         secp256k1_ecdh(context_, shared.data(), &to_, secret_.data(), nullptr, nullptr);
        if (done != 3) {
            std::abort();
        }
    }

  private:
    secp256k1_context* context_;
    std::array<std::uint8_t, 32> secret_{};
    std::array<std::uint8_t, 32> digest_{};
    secp256k1_pubkey to_{};
};

template <class T>
T number(std::string_view text) {
    T out{};
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: bench_encode BYTES SECONDS\n", stderr);
        return 2;
    }
    const Bytes plain(number<std::size_t>(argv[1]), std::uint8_t{'n'});
    const double seconds = number<double>(argv[2]);
    SystemRandom random;
    const crypto::SecretKey signer = crypto::SecretKey::generate(random);
    const crypto::PublicKey to = crypto::SecretKey::generate(random).public_key();
    std::int64_t timestamp_ns = 1'700'000'000'000'000'000;
    const auto encode = [&] {
        waku::WakuMessage message;
        Result<Bytes> sealed = waku::seal_asymmetric(plain, to, &signer, random);
        NOROSHI_ASSERT(sealed, "a notification can be sealed");
        message.payload = std::move(*sealed);
        message.content_topic = "/noroshi/1/alerts/proto";
        message.version = waku::payload_version_1;
        message.timestamp_ns = ++timestamp_ns;
        NOROSHI_ASSERT(waku::encode_message(message), "a sealed notification can be encoded");
    };
    Curve curve(random);
    const double whole = per_cpu_second(seconds, encode);
    const double alone = per_cpu_second(seconds, [&curve] { curve.once(); });
    std::printf("{\"per_cpu_second\":%.1f,\"curve_per_cpu_second\":%.1f}\n", whole, alone);
}
