// test/fuzz/rules_template_fuzz.cpp - any text as a template, parsed and expanded.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "template.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi::rules;
    const auto parsed = Template::parse({reinterpret_cast<const char*>(data), size});
    if (!parsed) {
        return 0;
    }
    TemplateData input;
    input.labels = {{"__name__", "m"}, {"instance", "h:1"}};
    input.value = 1234.5;
    input.query = [](std::string_view) { return noroshi::promql::Vector{{{{"a", "b"}}, 1}, {{{"a", "c"}}, 2}}; };
    const auto text = parsed->expand(input);
    if (text && text->size() > 64 * 1024) {
        std::abort();
    }
    return 0;
}
