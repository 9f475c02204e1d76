// src/base/net/http.hpp - HTTP values shared by client and server.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace noroshi::net {

/// Less-than without regard to ASCII case: header names.
struct CaseInsensitive {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
};

/// Header fields; the last of several with one name wins.
using Headers = std::map<std::string, std::string, CaseInsensitive>;

/// A parsed absolute URL of scheme http or https.
struct Url {
    std::string scheme;
    std::string host;  ///< without brackets
    std::uint16_t port{0};
    std::string target;  ///< path and query, at least "/"
    bool operator==(const Url&) const = default;
};

}  // namespace noroshi::net
