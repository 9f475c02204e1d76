// test/fuzz/waku_rest_fuzz.cpp - any text as each answer of a REST API; a message that was read can be written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rest_codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    using namespace noroshi::waku;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto judge = [](const rest::Messages& list) {
        if (list.messages.size() + list.malformed.size() > rest::max_values + 1) {
            std::abort();
        }
        for (const WakuMessage& message : list.messages) {
            WakuMessage plain = message;
            plain.rate_limit_proof.reset();  // never written: the program makes its own
            const auto again = rest::decode_messages("[" + rest::encode_message_json(plain) + "]");
            if (!again || again->messages.size() != 1 || again->messages.front() != plain) {
                std::abort();
            }
        }
    };
    if (const auto list = rest::decode_messages(text)) {
        judge(*list);
    } else if (list.error().message.empty()) {
        std::abort();
    }
    for (const StoreVersion version : {StoreVersion::v3, StoreVersion::v2}) {
        if (const auto page = rest::decode_page(version, text)) {
            judge(*page);
            if (page->cursor.find_first_of(" \r\n#") != std::string::npos) {
                std::abort();  // it stands in a path
            }
        }
    }
    static_cast<void>(rest::decode_info(text));
    static_cast<void>(rest::decode_peers(text));
    static_cast<void>(rest::decode_health(text));
    static_cast<void>(rest::decode_push_answer(text));
    for (const unsigned status : {400U, 404U, 420U, 500U, 503U}) {
        const rest::Answer answer{status, std::string(text)};
        if (rest::refusal(answer).message.size() > 300 || (rest::is_absent(answer) && status == 500)) {
            std::abort();
        }
        static_cast<void>(rest::is_not_subscribed(answer));
    }
    return 0;
}
