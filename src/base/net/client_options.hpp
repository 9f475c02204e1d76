// src/base/net/client_options.hpp - ClientOptions: credentials, TLS and headers of requests, as Prometheus's HTTP clients have them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/net/http_client.hpp"
#include "base/secret_text.hpp"

namespace noroshi::net {

/// A text, or the file that holds it; at most one of both.
struct SecretSource {
    SecretText text{};
    std::string file{};  ///< absolute; blanks and line ends around its text mean nothing
    [[nodiscard]] bool given() const { return !text.empty() || !file.empty(); }
    bool operator==(const SecretSource&) const = default;
};

enum class TlsVersion { standard /* from 1.2 on */, tls10, tls11, tls12, tls13 };

struct TlsOptions {
    SecretSource ca{};  ///< PEM, in place of the system's roots
    SecretSource cert{};
    SecretSource key{};
    std::string server_name{};
    bool insecure_skip_verify{false};
    TlsVersion min_version{TlsVersion::standard};
    TlsVersion max_version{TlsVersion::standard};
    bool operator==(const TlsOptions&) const = default;
};

struct BasicAuth {
    SecretSource username{};
    SecretSource password{};
    bool operator==(const BasicAuth&) const = default;
};

struct Authorization {
    std::string type{"Bearer"};
    SecretSource credentials{};
    bool operator==(const Authorization&) const = default;
};

/// One name of http_headers, with all its values.
struct ExtraHeader {
    std::string name{};
    std::vector<std::string> values{};
    std::vector<SecretText> secrets{};
    std::vector<std::string> files{};
    bool operator==(const ExtraHeader&) const = default;
};

struct ClientOptions {
    std::optional<BasicAuth> basic_auth{};
    std::optional<Authorization> authorization{};  ///< not beside basic_auth
    TlsOptions tls{};
    std::vector<ExtraHeader> headers{};
    bool follow_redirects{true};
    bool operator==(const ClientOptions&) const = default;
};

/// Puts the options on requests. Files are read at each use, so that a changed one counts at once; connections are made
/// anew when a certificate, a key or the roots changed. Thread: the I/O thread.
class ClientSetup {
  public:
    explicit ClientSetup(ClientOptions options);
    ~ClientSetup();
    [[nodiscard]] const ClientOptions& options() const { return options_; }
    /// Errors, without any secret in their text: not_found, limit, io (a file), parse (PEM), invalid_argument (a header with
    /// control characters).
    [[nodiscard]] Result<void> apply(Request& request);

  private:
    struct Tls;
    Result<void> add_header(Request& request, const std::string& name, std::string_view value) const;
    Result<void> add_credentials(Request& request) const;
    Result<std::shared_ptr<const TlsClient>> tls_client();

    ClientOptions options_;
    std::unique_ptr<Tls> tls_;  // what the files held when they were last read
};

}  // namespace noroshi::net
