// test/fuzz/api_json_fuzz.cpp - bodies and queries of the API, and answers as its client reads them.
#include <cstdint>

#include "json.hpp"

using namespace noroshi;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(api::number_of(text, "after", 0));
    const api::Json body = api::Json::parse(text, nullptr, false);
    for (const char* field : {"from", "to", "text", "key", "role"}) {
        if (const auto value = api::text_field(body, field, 4'096)) {
            NOROSHI_ASSERT(value->size() <= 4'096, "a field keeps its bound");
        }
    }
    if (const auto info = api::read_info(text)) {
        const auto again = api::read_info(api::dump(api::to_json(*info)));
        NOROSHI_ASSERT(again && *again == *info, "what was read is written back the same");
    }
    static_cast<void>(api::read_requests(text));
    if (const auto messages = api::read_messages(text)) {
        for (const std::string& line : *messages) {
            NOROSHI_ASSERT(line.find('\n') == std::string::npos, "each message is one line");
        }
    }
    NOROSHI_ASSERT(!api::read_error(text, 500).message.empty(), "an error says something");
    return 0;
}
