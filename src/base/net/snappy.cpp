// src/base/net/snappy.cpp - snappy through its own library.
#include "base/net/snappy.hpp"

#include <fmt/format.h>
#include <snappy.h>

namespace noroshi::net {

Result<std::string> unsnap(std::string_view packed, std::size_t max_bytes) {
    std::size_t size = 0;
    if (!snappy::GetUncompressedLength(packed.data(), packed.size(), &size)) {
        return fail(Errc::parse, "body is no snappy block");
    }
    if (size > max_bytes) {
        return fail(Errc::limit, fmt::format("decoded size {} exceeds the limit of {} bytes", size, max_bytes));
    }
    std::string out(size, '\0');
    if (!snappy::RawUncompress(packed.data(), packed.size(), out.data())) {
        return fail(Errc::parse, "body is no whole snappy block");
    }
    return out;
}

std::string snap(std::string_view plain) {
    std::string out;
    snappy::Compress(plain.data(), plain.size(), &out);
    return out;
}

}  // namespace noroshi::net
