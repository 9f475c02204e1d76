// src/base/net/gzip.cpp - gzip through zlib.
#include "gzip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <array>

namespace noroshi::net {
namespace {

struct Inflater {
    z_stream stream{};
    bool ready{false};
    Inflater() { ready = inflateInit2(&stream, 15 + 32) == Z_OK; }  // 32: gzip or zlib by its header
    ~Inflater() {
        if (ready) {
            inflateEnd(&stream);
        }
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
};

}  // namespace

Result<std::string> gunzip(std::string_view packed, std::size_t max_bytes) {
    Inflater inflater;
    NOROSHI_ASSERT(inflater.ready, "zlib could not start");
    z_stream& stream = inflater.stream;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string out;
    std::array<char, 65536> buffer{};
    while (true) {
        stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
        stream.avail_out = static_cast<uInt>(buffer.size());
        const int state = inflate(&stream, Z_NO_FLUSH);
        out.append(buffer.data(), buffer.size() - stream.avail_out);
        if (out.size() > max_bytes) {
            return fail(Errc::limit, fmt::format("body is larger than {} bytes after decompression", max_bytes));
        }
        if (state == Z_STREAM_END) {
            if (stream.avail_in == 0) {
                return out;
            }
            inflateReset(&stream);  // a body may be several members, one after the other
            continue;
        }
        if (state != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            return fail(Errc::parse, "body is not whole gzip data");
        }
    }
}

}  // namespace noroshi::net
