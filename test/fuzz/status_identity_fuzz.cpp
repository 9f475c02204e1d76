// test/fuzz/status_identity_fuzz.cpp - any text as what an owner pastes, as packed profile data, as a name.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/net/brotli.hpp"
#include "contacts.hpp"
#include "status/identity.hpp"
#include "text.hpp"

namespace {

using namespace noroshi;
using namespace noroshi::status;

void read_and_read_back(std::string_view text) {
    const auto user = parse_user(text);
    if (!user) {
        return;
    }
    const auto again = parse_user(share_url(user->key, user->profile));
    const auto by_id = parse_user(contact_id(user->key));
    if (!again || again->key != user->key || again->profile != user->profile || !by_id || by_id->key != user->key) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    const std::string text(as_text(input));
    read_and_read_back(text);
    const std::string key = "#zQ3shjyJXUaRJC2GC43mX8aPrUhoTdoiongXhZjsdTzPKYZUM";
    read_and_read_back("https://status.app/u/" + text + key);
    read_and_read_back("https://status.app/u/" + to_base64url(net::brotli_compress(input)) + key);
    const std::string name = shown_name(text);
    if (shown_name(name) != name || !is_utf8(name) || count_code_points(name) > max_name_length) {
        std::abort();
    }
    if (check_display_name(text) && shown_name(text) != text) {
        std::abort();
    }
    if (const auto unpacked = net::brotli_decompress(input, 4096); unpacked && unpacked->size() > 4096) {
        std::abort();
    }
    if (const auto contact = decode_contact(input)) {
        if (decode_contact(encode_contact(*contact)) != *contact) {
            std::abort();
        }
    }
    return 0;
}
