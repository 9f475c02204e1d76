// test/unit/collect/otlp_names_test.cpp - names of metrics and labels that came by OTLP.
#include <gtest/gtest.h>

#include "collect/push/otlp_names.hpp"

namespace noroshi::collect {
namespace {

TEST(OtlpNames, Metrics_get_units_and_suffixes) {
    struct Case {
        const char* name;
        const char* unit;
        OtlpKind kind;
        const char* expected;
    };
    for (const Case& each : {Case{"http.server.duration", "ms", OtlpKind::other, "http_server_duration_milliseconds"},
                             Case{"requests", "1", OtlpKind::counter, "requests_total"},
                             Case{"total.requests", "{request}", OtlpKind::counter, "requests_total"},
                             Case{"usage", "1", OtlpKind::gauge, "usage_ratio"},
                             Case{"ratio.of.use", "1", OtlpKind::gauge, "of_use_ratio"},
                             Case{"disk.io", "By/s", OtlpKind::gauge, "disk_io_bytes_per_second"},
                             Case{"disk.bytes", "By", OtlpKind::gauge, "disk_bytes"},
                             Case{"speed", "m/{turn}", OtlpKind::gauge, "speed_meters"},
                             Case{"odd", "foo_/s", OtlpKind::gauge, "odd_foo_per_second"},
                             Case{"odd", "__x y__", OtlpKind::gauge, "odd_x_y_"},
                             Case{"odd", "/s", OtlpKind::gauge, "odd_per_second"},
                             Case{"__a__b:c..d", "", OtlpKind::other, "a_b:c_d"},
                             Case{"3d", "", OtlpKind::other, "_3d"},
                             Case{"gr\xc3\xb6\xc3\x9f" "e", "Cel", OtlpKind::gauge, "gr_e_celsius"},
                             Case{"", "s", OtlpKind::gauge, "seconds"}}) {
        const Result<std::string> name = otlp_metric_name(each.name, each.unit, each.kind);
        ASSERT_TRUE(name) << each.name;
        EXPECT_EQ(*name, each.expected) << each.name << " in " << each.unit;
    }
    for (const char* nothing : {"", "___", "..", "\xff"}) {
        EXPECT_FALSE(otlp_metric_name(nothing, "", OtlpKind::other)) << nothing;
    }
}

TEST(OtlpNames, Labels_have_underscores_for_what_they_cannot_have) {
    for (const auto& [attribute, expected] : std::vector<std::pair<const char*, const char*>>{
             {"http.method", "http_method"}, {"a..b", "a__b"}, {"1st", "key_1st"}, {"_x", "key_x"}, {"__x__", "__x__"}, {"\xc3\xa4_", "__"}}) {
        const Result<std::string> name = otlp_label_name(attribute);
        if (std::string_view(expected).find_first_not_of('_') == std::string_view::npos) {
            EXPECT_FALSE(name) << attribute;
        } else {
            ASSERT_TRUE(name) << attribute;
            EXPECT_EQ(*name, expected);
        }
    }
}

}  // namespace
}  // namespace noroshi::collect
