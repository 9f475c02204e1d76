// src/config/client.cpp - credentials, TLS and headers of an HTTP client, with Prometheus's keys (spec: alerting 1.8).
#include "client.hpp"

#include <algorithm>
#include <array>
#include <system_error>

#include "base/ascii.hpp"

namespace noroshi::config {
namespace {

using net::ClientOptions;
using yaml::Field;
using yaml::Node;
using yaml::Reader;

constexpr std::string_view no_manager = "name a file with the same key ending in _file";
constexpr yaml::Refused refused_auth[] = {{"*_ref", no_manager}};

std::optional<SecretText> read_secret(Reader& reader, const Node& node) {
    std::optional<std::string> text = yaml::read_text(reader, node);
    return text ? std::optional(SecretText(std::move(*text))) : std::nullopt;
}

/// Read again at each use, so one that is not there yet is no fault.
std::optional<std::string> read_later_file(Reader& reader, const Node& node) {
    std::optional<std::string> path = read_file_path(reader, node);
    std::error_code error;
    if (path && !std::filesystem::exists(*path, error)) {
        reader.warn(node, "no such file now: " + *path);
    }
    return path;
}

/// `key` holds the text itself, `key`_file the file with it.
template <class T>
void add_source(std::vector<Field<T>>& fields, std::string_view key, std::string_view file_key, net::SecretSource T::* member,
                std::string_view doc) {
    fields.push_back({key,
                      [member](Reader& reader, const Node& node, T& out) {
                          if (std::optional<SecretText> text = read_secret(reader, node)) {
                              (out.*member).text = std::move(*text);
                          }
                      },
                      doc});
    fields.push_back({file_key,
                      [member](Reader& reader, const Node& node, T& out) {
                          if (std::optional<std::string> path = read_later_file(reader, node)) {
                              (out.*member).file = std::move(*path);
                          }
                      },
                      doc});
}

/// At most one of these keys may hold something.
void check_one_of(Reader& reader, const Node& node, std::initializer_list<std::string_view> keys) {
    std::string_view first;
    for (const std::string_view key : keys) {
        const Node* value = node.find(key);
        if (value == nullptr || value->kind == yaml::Kind::null) {
            continue;
        }
        if (!first.empty()) {
            reader.fail(*value, fmt::format("expected at most one of {}, got {} and {}", fmt::join(keys, ", "), first, key));
            return;
        }
        first = key;
    }
}

std::optional<net::BasicAuth> read_basic_auth(Reader& reader, const Node& node) {
    std::vector<Field<net::BasicAuth>> fields;
    add_source(fields, "username", "username_file", &net::BasicAuth::username, "name of the user");
    add_source(fields, "password", "password_file", &net::BasicAuth::password, "password of the user");
    net::BasicAuth out;
    yaml::read_mapping(reader, node, fields, refused_auth, out);
    check_one_of(reader, node, {"username", "username_file"});
    check_one_of(reader, node, {"password", "password_file"});
    return out;
}

std::optional<std::string> read_auth_type(Reader& reader, const Node& node) {
    std::optional<std::string> text = yaml::read_text(reader, node);
    if (!text) {
        return std::nullopt;
    }
    const std::size_t begin = text->find_first_not_of(" \t");
    const std::string type = begin == std::string::npos ? "" : text->substr(begin, text->find_last_not_of(" \t") - begin + 1);
    if (ascii_lower(type) == "basic") {
        reader.fail(node, "expected another type than Basic; use basic_auth for it");
        return std::nullopt;
    }
    return type.empty() ? "Bearer" : type;
}

std::optional<net::Authorization> read_authorization(Reader& reader, const Node& node) {
    std::vector<Field<net::Authorization>> fields{
        yaml::field("type", &net::Authorization::type, read_auth_type, "word before the credentials; default Bearer")};
    add_source(fields, "credentials", "credentials_file", &net::Authorization::credentials, "what stands after the type");
    net::Authorization out;
    yaml::read_mapping(reader, node, fields, refused_auth, out);
    check_one_of(reader, node, {"credentials", "credentials_file"});
    return out;
}

std::optional<net::TlsVersion> read_version(Reader& reader, const Node& node) {
    static constexpr std::array<std::string_view, 4> words{"TLS10", "TLS11", "TLS12", "TLS13"};
    const std::optional<std::size_t> index = yaml::read_word(reader, node, words);
    return index ? std::optional(static_cast<net::TlsVersion>(*index + 1)) : std::nullopt;
}

std::optional<net::TlsOptions> read_tls(Reader& reader, const Node& node) {
    using T = net::TlsOptions;
    std::vector<Field<T>> fields{
        yaml::field("server_name", &T::server_name, yaml::read_text, "name expected in the certificate; default: the host"),
        yaml::field("insecure_skip_verify", &T::insecure_skip_verify, yaml::read_bool,
                    "believe any certificate; default false"),
        yaml::field("min_version", &T::min_version, read_version, "TLS10 to TLS13; default TLS12"),
        yaml::field("max_version", &T::max_version, read_version, "TLS10 to TLS13; default: the newest"),
    };
    add_source(fields, "ca", "ca_file", &T::ca, "PEM certificates believed in place of the system's");
    add_source(fields, "cert", "cert_file", &T::cert, "PEM certificate that is shown");
    add_source(fields, "key", "key_file", &T::key, "PEM key of the certificate");
    T out;
    yaml::read_mapping(reader, node, fields, refused_auth, out);
    check_one_of(reader, node, {"ca", "ca_file"});
    check_one_of(reader, node, {"cert", "cert_file"});
    check_one_of(reader, node, {"key", "key_file"});
    if (out.cert.given() != out.key.given()) {
        reader.fail(node, out.cert.given() ? "expected key or key_file beside the certificate"
                                           : "expected cert or cert_file beside the key");
    }
    if (out.max_version != net::TlsVersion::standard && out.max_version < out.min_version) {
        reader.fail(node, "expected max_version to be at least min_version");
    }
    return out;
}

/// Set by the client itself, or the credentials of another key.
constexpr std::array<std::string_view, 18> reserved_headers{
    "authorization", "host", "content-encoding", "content-length", "content-type", "user-agent", "connection", "keep-alive",
    "proxy-authenticate", "proxy-authorization", "www-authenticate", "accept-encoding", "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version", "x-prometheus-scrape-timeout-seconds", "x-amz-date", "x-amz-security-token",
    "x-amz-content-sha256"};

bool is_header_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

std::optional<std::vector<SecretText>> read_secrets(Reader& reader, const Node& node) {
    std::optional<std::vector<std::string>> texts = yaml::read_texts(reader, node);
    if (!texts) {
        return std::nullopt;
    }
    std::vector<SecretText> out;
    for (std::string& text : *texts) {
        out.emplace_back(std::move(text));
    }
    return out;
}

std::optional<std::vector<std::string>> read_files(Reader& reader, const Node& node) {
    std::vector<std::string> out;
    yaml::read_sequence(reader, node, "files", [&](const Node& item, std::size_t) {
        if (std::optional<std::string> path = read_later_file(reader, item)) {
            out.push_back(std::move(*path));
        }
    });
    return out;
}

std::optional<std::vector<net::ExtraHeader>> read_headers(Reader& reader, const Node& node) {
    using H = net::ExtraHeader;
    const std::vector<Field<H>> fields{
        yaml::field("values", &H::values, yaml::read_texts, "values that may be shown"),
        yaml::field("secrets", &H::secrets, read_secrets, "values that are never shown"),
        yaml::field("files", &H::files, read_files, "files that hold a value each"),
    };
    std::vector<H> out;
    yaml::read_entries(reader, node, "header names to their values", [&](const Node& key, const Node& value) {
        if (!is_header_name(key.text) || std::ranges::count(reserved_headers, ascii_lower(key.text)) != 0) {
            reader.fail(key, is_header_name(key.text) ? "this header is set by noroshi or by another key; leave it out"
                                                      : "expected the name of a header, got " + yaml::shown(key.text));
            return;
        }
        H header{.name = key.text};
        yaml::read_mapping(reader, value, fields, {}, header);
        out.push_back(std::move(header));
    });
    return out;
}

/// Prometheus's older way to write `authorization`.
void read_bearer_token(Reader& reader, const Node& node, ClientOptions& out) {
    if (std::optional<SecretText> text = read_secret(reader, node)) {
        out.authorization.emplace().credentials.text = std::move(*text);
    }
}

void read_bearer_token_file(Reader& reader, const Node& node, ClientOptions& out) {
    if (std::optional<std::string> path = read_later_file(reader, node)) {
        out.authorization.emplace().credentials.file = std::move(*path);
    }
}

}  // namespace

const std::vector<Field<ClientOptions>>& client_fields() {
    static const std::vector<Field<ClientOptions>> fields{
        yaml::field("basic_auth", &ClientOptions::basic_auth, read_basic_auth, "user name and password"),
        yaml::field("authorization", &ClientOptions::authorization, read_authorization, "the header Authorization"),
        {"bearer_token", read_bearer_token, "authorization of type Bearer"},
        {"bearer_token_file", read_bearer_token_file, "authorization of type Bearer, from a file"},
        yaml::field("tls_config", &ClientOptions::tls, read_tls, "whom to believe, and who we are"),
        yaml::field("follow_redirects", &ClientOptions::follow_redirects, yaml::read_bool, "default true"),
        {"enable_http2", [](Reader& reader, const Node& node, ClientOptions&) { static_cast<void>(yaml::read_bool(reader, node)); },
         "taken, but HTTP/1.1 is used"},
        yaml::field("http_headers", &ClientOptions::headers, read_headers, "headers that go with each request"),
    };
    return fields;
}

void check_client(Reader& reader, const Node& node) {
    check_one_of(reader, node, {"basic_auth", "authorization", "bearer_token", "bearer_token_file"});
}

}  // namespace noroshi::config
