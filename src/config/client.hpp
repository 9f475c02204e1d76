// src/config/client.hpp - the keys of an HTTP client, for each mapping that has them among its own; private to this folder.
#pragma once

#include <vector>

#include "base/net/client_options.hpp"
#include "sections.hpp"

namespace noroshi::config {

[[nodiscard]] const std::vector<yaml::Field<net::ClientOptions>>& client_fields();
/// What the keys say together, once the mapping `node` was read.
void check_client(yaml::Reader& reader, const yaml::Node& node);

/// Adds them to the fields of a mapping that keeps them in its member `client`.
template <class T>
void add_client_fields(std::vector<yaml::Field<T>>& fields) {
    for (const yaml::Field<net::ClientOptions>& each : client_fields()) {
        fields.push_back({each.key,
                          [read = each.read](yaml::Reader& reader, const yaml::Node& node, T& out) {
                              read(reader, node, out.client);
                          },
                          each.doc});
    }
}

/// What Prometheus's HTTP clients have and this version lacks.
inline constexpr yaml::Refused refused_client[] = {
    {"oauth2", "put the token into a file and name it under authorization.credentials_file"},
    {"proxy_*", "name an address that can be reached directly"},
    {"no_proxy", "name an address that can be reached directly"},
};

}  // namespace noroshi::config
