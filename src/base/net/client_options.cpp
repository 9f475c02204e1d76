// src/base/net/client_options.cpp - implements ClientSetup.
#include "base/net/client_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "base/secret.hpp"
#include "tls_client.hpp"

namespace noroshi::net {
namespace {

constexpr std::size_t max_secret_bytes = 1u << 20;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\v\f";
    const std::size_t begin = text.find_first_not_of(blanks);
    return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// `what` names the key in errors.
Result<SecretText> fetch(const SecretSource& source, std::string_view what) {
    if (source.file.empty()) {
        return source.text;
    }
    Result<std::string> text = read_file(source.file, max_secret_bytes);
    if (!text) {
        return fail(std::move(text).error().with(what));
    }
    SecretText out{std::string(trimmed(*text))};
    wipe({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
    return out;
}

}  // namespace

struct ClientSetup::Tls {
    TlsMaterial material;
    std::shared_ptr<const TlsClient> client;  // shared with requests and their connections
};

ClientSetup::ClientSetup(ClientOptions options) : options_(std::move(options)) {}
ClientSetup::~ClientSetup() = default;

Result<void> ClientSetup::add_header(Request& request, const std::string& name, std::string_view value) const {
    if (std::ranges::any_of(value, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; })) {
        return fail(Errc::invalid_argument, fmt::format("header {}: its value holds control characters", name));
    }
    request.more_headers.emplace_back(name, value);
    return {};
}

Result<void> ClientSetup::add_credentials(Request& request) const {
    if (options_.basic_auth) {
        NOROSHI_TRY(const SecretText username, fetch(options_.basic_auth->username, "basic_auth.username_file"));
        NOROSHI_TRY(const SecretText password, fetch(options_.basic_auth->password, "basic_auth.password_file"));
        const SecretText pair{std::string(username.expose()) + ":" + std::string(password.expose())};
        const SecretText value{"Basic " + to_base64(as_bytes(pair.expose()))};
        return add_header(request, "Authorization", value.expose());
    }
    if (options_.authorization) {
        NOROSHI_TRY(const SecretText credentials, fetch(options_.authorization->credentials, "authorization.credentials_file"));
        const SecretText value{options_.authorization->type + " " + std::string(credentials.expose())};
        return add_header(request, "Authorization", value.expose());
    }
    return {};
}

Result<std::shared_ptr<const TlsClient>> ClientSetup::tls_client() {
    const TlsOptions& tls = options_.tls;
    if (tls == TlsOptions{}) {
        return std::shared_ptr<const TlsClient>();
    }
    TlsMaterial material{.ca = {}, .cert = {}, .key = {}, .server_name = tls.server_name,
                         .insecure_skip_verify = tls.insecure_skip_verify, .min = tls.min_version, .max = tls.max_version};
    NOROSHI_TRY(const SecretText ca, fetch(tls.ca, "tls_config.ca_file"));
    material.ca = std::string(ca.expose());
    if (tls.ca.given() && material.ca.empty()) {
        return fail(Errc::parse, "tls: expected PEM certificates as ca, got none");
    }
    NOROSHI_TRY(material.cert, fetch(tls.cert, "tls_config.cert_file"));
    NOROSHI_TRY(material.key, fetch(tls.key, "tls_config.key_file"));
    if (!tls_ || tls_->material != material) {
        NOROSHI_TRY(auto client, TlsClient::create(material));
        tls_ = std::make_unique<Tls>(std::move(material), std::move(client));
    }
    return tls_->client;
}

Result<void> ClientSetup::apply(Request& request) {
    request.follow_redirects = options_.follow_redirects;
    NOROSHI_TRY_VOID(add_credentials(request));
    for (const ExtraHeader& header : options_.headers) {
        for (const std::string& value : header.values) {
            NOROSHI_TRY_VOID(add_header(request, header.name, value));
        }
        for (const SecretText& secret : header.secrets) {
            NOROSHI_TRY_VOID(add_header(request, header.name, secret.expose()));
        }
        for (const std::string& file : header.files) {
            NOROSHI_TRY(const SecretText text, fetch({{}, file}, "http_headers"));
            NOROSHI_TRY_VOID(add_header(request, header.name, text.expose()));
        }
    }
    // A redirect may lead from http to https, so TLS is set up for both.
    NOROSHI_TRY(request.tls, tls_client());
    return {};
}

}  // namespace noroshi::net
