// test/fuzz/promql_eval_fuzz.cpp - any expression over a small store: an answer or an error, never a crash.
#include <cstddef>
#include <cstdint>

#include "promql/promql.hpp"

namespace {

using namespace noroshi;

std::unique_ptr<tsdb::Head> make_head() {
    auto head = std::make_unique<tsdb::Head>(tsdb::Options{});
    for (const char* job : {"a", "b"}) {
        for (const char* le : {"1", "2", "+Inf"}) {
            for (const char* name : {"m", "m_bucket"}) {
                const auto id = head->open_series({{"__name__", name}, {"job", job}, {"le", le}});
                for (int i = 0; id && i < 40; ++i) {
                    const double value = i % 13 == 0 ? model::stale_marker() : i * 1.5;
                    static_cast<void>(head->append(*id, from_unix_ms(i * 15'000), value));
                }
            }
        }
    }
    return head;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::unique_ptr<tsdb::Head> head = make_head();
    static const std::vector<promql::StartTime> starts{{from_unix_ms(285'000), from_unix_ms(280'000)},
                                                       {from_unix_ms(300'000), from_unix_ms(285'000)}};
    promql::EngineOptions options{.max_samples = 20'000};
    options.start_times = [](const model::Labels&) { return std::span(starts); };
    const promql::Engine engine(*head, options);
    const auto parsed = promql::Expression::parse({reinterpret_cast<const char*>(data), size},
                                                  {.experimental = true, .fill_modifiers = true, .unquoted_names = true});
    if (parsed) {
        static_cast<void>(engine.instant(*parsed, from_unix_ms(300'000)));
        static_cast<void>(engine.range(*parsed, {from_unix_ms(240'000), from_unix_ms(360'000), std::chrono::seconds(30)}));
    }
    return 0;
}
