// src/base/net/tls_client.cpp - implements TlsClient over OpenSSL.
#include "tls_client.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>

namespace noroshi::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// 0 lets OpenSSL choose.
int openssl_version(TlsVersion version, int standard) {
    switch (version) {
        case TlsVersion::standard:
            return standard;
        case TlsVersion::tls10:
            return TLS1_VERSION;
        case TlsVersion::tls11:
            return TLS1_1_VERSION;
        case TlsVersion::tls12:
            return TLS1_2_VERSION;
        case TlsVersion::tls13:
            return TLS1_3_VERSION;
    }
    return standard;
}

bool is_address(const std::string& host) {
    error_code error;
    asio::ip::make_address(host, error);
    return !error;
}

asio::const_buffer buffer(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

TlsClient::TlsClient() : context_(asio::ssl::context::tls_client) {}

Result<std::shared_ptr<const TlsClient>> TlsClient::create(const TlsMaterial& material) {
    std::shared_ptr<TlsClient> out(new TlsClient);
    NOROSHI_TRY_VOID(out->load(material));
    return std::shared_ptr<const TlsClient>(std::move(out));
}

Result<void> TlsClient::load(const TlsMaterial& material) {
    server_name_ = material.server_name;
    verifies_ = !material.insecure_skip_verify;
    error_code error;
    context_.set_verify_mode(verifies_ ? asio::ssl::verify_peer : asio::ssl::verify_none);
    const int lowest = openssl_version(material.min, TLS1_2_VERSION);
    const int highest = openssl_version(material.max, 0);
    if (highest != 0 && highest < lowest) {
        return fail(Errc::unsupported, "tls: max_version is below min_version");
    }
    if (SSL_CTX_set_min_proto_version(context_.native_handle(), lowest) != 1 ||
        SSL_CTX_set_max_proto_version(context_.native_handle(), highest) != 1) {
        return fail(Errc::unsupported, "tls: OpenSSL does not know these versions");
    }
    if (lowest < TLS1_2_VERSION) {
        SSL_CTX_set_security_level(context_.native_handle(), 0);  // else their signatures, SHA-1, are refused
    }
    if (material.ca.empty()) {
        context_.set_default_verify_paths(error);  // without any, no certificate is believed
        error.clear();
    } else {
        context_.add_certificate_authority(buffer(material.ca), error);
    }
    if (error) {
        return fail(Errc::parse, "tls: expected PEM certificates as ca, got none");
    }
    if (material.cert.empty() && material.key.empty()) {
        return {};
    }
    context_.use_certificate_chain(buffer(material.cert.expose()), error);
    if (error) {
        return fail(Errc::parse, "tls: expected a PEM certificate as cert, got none");
    }
    context_.use_private_key(buffer(material.key.expose()), asio::ssl::context::pem, error);
    if (error || SSL_CTX_check_private_key(context_.native_handle()) != 1) {
        return fail(Errc::parse, "tls: expected the PEM key of cert, without a passphrase");
    }
    return {};
}

Result<void> TlsClient::prepare(Stream& stream, const std::string& host) const {
    const std::string& name = server_name_.empty() ? host : server_name_;
    if (!is_address(name) && SSL_set_tlsext_host_name(stream.native_handle(), name.c_str()) != 1) {
        return fail(Errc::internal, "tls: host name was not taken");
    }
    if (verifies_) {
        stream.set_verify_callback(asio::ssl::host_name_verification(name));
    }
    return {};
}

}  // namespace noroshi::net
