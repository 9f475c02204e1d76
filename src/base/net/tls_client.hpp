// src/base/net/tls_client.hpp - TlsClient: the TLS side of outgoing connections; private, because it shows Asio.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <memory>
#include <string>

#include "base/net/client_options.hpp"
#include "base/net/http_client.hpp"

namespace noroshi::net {

/// What a TlsClient is made of: PEM texts, not files.
struct TlsMaterial {
    std::string ca{};  ///< the roots believed in; empty: the system's
    SecretText cert{};
    SecretText key{};
    std::string server_name{};  ///< expected of the peer; empty: the host of the URL
    bool insecure_skip_verify{false};
    TlsVersion min{TlsVersion::standard};
    TlsVersion max{TlsVersion::standard};
    bool operator==(const TlsMaterial&) const = default;
};

/// Immutable; made once, used by many connections.
class TlsClient {
  public:
    using Stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

    /// Errors: parse (no certificate, no key, or one that does not belong to the other), unsupported (versions).
    [[nodiscard]] static Result<std::shared_ptr<const TlsClient>> create(const TlsMaterial& material);
    /// Says whom the handshake expects. Errors: internal.
    [[nodiscard]] Result<void> prepare(Stream& stream, const std::string& host) const;
    /// Streams take it by a plain reference; nothing is changed in it.
    [[nodiscard]] boost::asio::ssl::context& context() const { return context_; }

  private:
    TlsClient();
    Result<void> load(const TlsMaterial& material);

    mutable boost::asio::ssl::context context_;
    std::string server_name_;
    bool verifies_{true};
};

}  // namespace noroshi::net
