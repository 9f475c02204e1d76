// test/fuzz/api_query_params_fuzz.cpp - parameters of Prometheus's API, and the answers to them.
#include <cstdint>
#include <nlohmann/json.hpp>

#include "api/prometheus.hpp"
#include "base/runtime.hpp"
#include "parameters.hpp"

using namespace noroshi;

namespace {

/// A small store, and every route over it; nothing waits for time, so nothing suspends.
struct World {
    World() {
        for (const char* job : {"a", "b"}) {
            const auto id = head.open_series(model::Labels{{"__name__", "up"}, {"job", job}});
            for (int i = 0; i < 5; ++i) {
                static_cast<void>(head.append(*id, from_unix_ms(i * 1'000), i));
            }
        }
        promql::EngineOptions engine;
        engine.max_samples = 20'000;
        routes = api::prometheus_routes({head, clock, runtime, engine, [] { return std::vector<collect::TargetHealth>(); },
                                         [] { return std::vector<rules::GroupStatus>(); }, [] { return api::DaemonFacts(); }});
    }
    Task<int> answer(const net::Route& route, net::ServerRequest request) {
        net::ServerResponse response = co_await route.handle(std::move(request));
        for (int pieces = 0; response.more && response.more(response.body); ++pieces) {
            NOROSHI_ASSERT(pieces < 10'000, "an answer ends");
        }
        if (response.content_type == "application/json") {
            const auto json = nlohmann::json::parse(response.body, nullptr, false);
            NOROSHI_ASSERT(json.is_object() && json.contains("status"), "each answer is JSON with a status");
            NOROSHI_ASSERT((json["status"] == "success") == (response.status == 200), "the code says what the status says");
        }
        co_return 0;
    }

    Runtime runtime{0};
    ManualClock clock{from_unix_ms(10'000)};
    tsdb::Head head{{}};
    std::vector<net::Route> routes;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 4'096) {
        return 0;
    }
    static World world;
    const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
    const net::Route& route = world.routes[data[0] % world.routes.size()];
    const bool post = route.method == "POST";
    std::string path = route.path;
    if (const std::size_t star = path.find('*'); star != std::string::npos) {
        path.replace(star, 1, text.substr(0, text.find('&')));
    }
    static_cast<void>(world.runtime.run(world.answer(route, {route.method, path, post ? "" : text, {}, post ? text : ""})));
    static_cast<void>(api::unescaped_name(text));
    if (const auto form = net::parse_form(text)) {
        const auto again = net::parse_form(net::form_text(*form));
        NOROSHI_ASSERT(again && *again == *form, "a form that was read is written back the same");
    }
    return 0;
}
