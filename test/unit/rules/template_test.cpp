// test/unit/rules/template_test.cpp - templates, with the vectors of spec: alerting 3.5.
#include <gtest/gtest.h>

#include "template.hpp"

namespace noroshi::rules {
namespace {

std::string expanded(std::string_view text, double value = 0) {
    TemplateData data;
    data.labels = {{"__name__", "v"}, {"i", "a"}, {"instance", "h.example:90"}};
    data.value = value;
    data.external_labels = {{"site", "home"}};
    data.query = [](std::string_view expression) {
        return expression == "none" ? promql::Vector{}
                                    : promql::Vector{{{{"b", "2"}}, 2}, {{{"b", "1"}}, 1}};
    };
    const Result<Template> parsed = Template::parse(text, "T");
    if (!parsed) {
        return "fault: " + parsed.error().message;
    }
    const Result<std::string> out = parsed->expand(data);
    return out ? *out : "error: " + out.error().message;
}

struct Humanized {
    double value;
    const char* plain;
    const char* humanize;
    const char* humanize1024;
    const char* duration;
    const char* percentage;
    const char* timestamp;
};

TEST(Template, Prints_numbers_as_Prometheus_does) {
    const Humanized vectors[] = {
        {1234567, "1.234567e+06", "1.235M", "1.177Mi", "14d 6h 56m 7s", "1.235e+08%", "1970-01-15 06:56:07 +0000 UTC"},
        {0.00012, "0.00012", "120u", "0.00012", "120us", "0.012%", "1970-01-01 00:00:00 +0000 UTC"},
        {93784.5, "93784.5", "93.78k", "91.59ki", "1d 2h 3m 4s", "9.378e+06%", "1970-01-02 02:03:04.5 +0000 UTC"},
        {59.9999, "59.9999", "60", "60", "60s", "6000%", "1970-01-01 00:00:59.999 +0000 UTC"},
        {-3661, "-3661", "-3.661k", "-3.575ki", "-1h 1m 1s", "-3.661e+05%", "1969-12-31 22:58:59 +0000 UTC"},
        {1435065584.128, "1.435065584128e+09", "1.435G", "1.337Gi", "16609d 13h 19m 44s", "1.435e+11%",
         "2015-06-23 13:19:44.128 +0000 UTC"},
    };
    for (const Humanized& v : vectors) {
        EXPECT_EQ(expanded("{{ $value }}", v.value), v.plain);
        EXPECT_EQ(expanded("{{ $value | humanize }}", v.value), v.humanize);
        EXPECT_EQ(expanded("{{ $value | humanize1024 }}", v.value), v.humanize1024);
        EXPECT_EQ(expanded("{{ $value | humanizeDuration }}", v.value), v.duration);
        EXPECT_EQ(expanded("{{ $value | humanizePercentage }}", v.value), v.percentage);
        EXPECT_EQ(expanded("{{ $value | humanizeTimestamp }}", v.value), v.timestamp);
    }
}

TEST(Template, Prints_floats_in_Gos_shortest_form) {
    const std::pair<double, const char*> vectors[] = {
        {100000, "100000"},          {123456, "123456"},       {1e6, "1e+06"}, {1.234567e6, "1.234567e+06"},
        {123456789, "1.23456789e+08"}, {0.0001, "0.0001"}, {1e-5, "1e-05"}};
    for (const auto& [value, text] : vectors) {
        EXPECT_EQ(expanded("{{ $value }}", value), text);
    }
}

TEST(Template, Follows_the_vectors_of_the_language) {
    const std::pair<const char*, const char*> vectors[] = {
        {"{{ $labels }}", "map[__name__:v i:a instance:h.example:90]"},
        {"[{{ $labels.nope }}]", "[]"},
        {"{{ .Labels.i }}{{ .Value }}", "a0"},
        {"{{ printf \"%d\" 1.5 }}", "%!d(float64=1.5)"},
        {"{{ title \"foo bAR\" }}", "Foo BAR"},
        {"{{ reReplaceAll \"(.)b\" \"$1-\" \"abcb\" }}", "a-c-"},
        {"{{ stripPort $labels.instance }}", "h.example"},
        {"{{ $externalLabels.site }}", "home"},
        {"a {{- /* gone */ -}} b", "ab"},
        {"{{ if gt $value 1.0 }}y{{ else if eq $labels.i \"a\" }}n{{ else }}z{{ end }}", "n"},
        {"{{ range $k, $v := $labels }}{{ $k }},{{ end }}", "__name__,i,instance,"},
        {"{{ range query \"m\" }}{{ .Labels.b }}={{ .Value }};{{ end }}", "2=2;1=1;"},
        {"{{ range sortByLabel \"b\" (query \"m\") }}{{ .Labels.b }}{{ end }}", "12"},
        {"{{ range query \"none\" }}x{{ else }}none{{ end }}", "none"},
        {"{{ query \"m\" | first | value }}", "2"},
        {"{{ query \"m\" | first | label \"b\" }}", "2"},
        {"{{ $x := 1 }}{{ $x = 2 }}{{ $x }}", "2"},
        {"{{ with $labels.i }}<{{ . }}>{{ end }}", "<a>"},
        {"{{ printf \"%5.1f|%-4s|%3d|%q|%x\" 3.14159 \"ab\" 7 \"c\" 255 }}", "  3.1|ab  |  7|\"c\"|ff"},
        {"{{ len \"abc\" }}{{ toUpper \"x\" }}{{ toLower \"Y\" }}", "3Xy"},
        {"{{ and true false }}{{ or \"\" \"b\" }}{{ not true }}", "falsebfalse"},
        {"{{ match \"a+\" \"caat\" }}", "true"},
    };
    for (const auto& [text, expected] : vectors) {
        EXPECT_EQ(expanded(text), expected) << text;
    }
}

TEST(Template, A_failing_function_is_named) {
    EXPECT_NE(expanded("{{ query \"none\" | first }}").find("first() called on vector with no elements"),
              std::string::npos);
}

TEST(Template, Refuses_what_does_not_parse) {
    for (const char* text :
         {"{{", "{{ end }}", "{{ if true }}", "{{ nope }}", "{{ $x }}", "{{ \"a }}", "{{ define \"t\" }}",
          "{{ define \"t\" }}{{ $labels }}{{ end }}", "{{ if true }}{{ $y := 1 }}{{ end }}{{ $y }}", "{{ break }}", "{{ 1 | 2 }}",
          "{{ if true }}{{ define \"t\" }}{{ end }}{{ end }}", "{{ tmpl \"t\" . }}", "{{/* a }}", "{{ 08 }}", "{{ 'ab' }}", "{{ 1i }}"}) {
        EXPECT_TRUE(expanded(text).starts_with("fault: ")) << text << expanded(text);
    }
}

TEST(Template, Calls_templates_that_it_defines) {
    const std::pair<const char*, const char*> vectors[] = {
        {"{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" $labels.i }}{{ template \"t\" 7 }}", "<a><7>"},
        {"{{ block \"b\" .Labels }}[{{ .i }}]{{ end }}{{ template \"b\" }}", "[a][<no value>]"},
        {"{{ define \"t\" }}{{ if gt . 0 }}{{ . }}{{ template \"t\" (len (slice \"xxxxx\" 0 (len (slice \"xxxxx\" 1 .)))) }}{{ end }}{{ end }}"
         "{{ template \"t\" 3 }}", "321"},
    };
    for (const auto& [text, expected] : vectors) {
        EXPECT_EQ(expanded(text), expected) << text;
    }
}

TEST(Template, Says_where_it_failed) {
    EXPECT_EQ(expanded("a\n{{ len 3 }}"),
              "error: error executing template __alert_T: template: __alert_T:2:3: executing \"__alert_T\" at <len 3>: error calling len: "
              "len of type int");
    EXPECT_NE(expanded("{{ $labels.i.j }}").find("at <$labels.i.j>: can't evaluate field j in type string"), std::string::npos);
}

TEST(Template, Neither_loops_nor_grows_without_bound) {
    std::string nested;
    std::string ends;
    for (int i = 0; i < 12; ++i) {
        nested += "{{ range query \"m\" }}{{ range query \"m\" }}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
        ends += "{{ end }}{{ end }}";
    }
    const std::string hostile[] = {
        nested + ends,
        "{{ define \"t\" }}{{ template \"t\" . }}{{ end }}{{ template \"t\" . }}",
        "{{ define \"t\" }}{{ with . }}{{ range 9 }}{{ template \"t\" 1 }}{{ end }}{{ end }}{{ end }}{{ template \"t\" 1 }}",
        "{{ range 999999999 }}{{ end }}",
        "{{ $x := \"aa\" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $x := \"aa\" }}{{ range 60 }}{{ $x = reReplaceAll \".*\" \"$0$0\" $x }}{{ end }}",
        "{{ $x := args 1 }}{{ range 60 }}{{ $x = args $x $x }}{{ end }}",
        "{{ $x := args 1 }}{{ range 25 }}{{ $x = args $x $x }}{{ end }}{{ $x }}",
        "{{ $x := printf \"%1024d\" 1 }}{{ range 5 }}{{ $x = print $x $x }}{{ end }}{{ range 90000 }}{{ $y := $x }}{{ end }}",
        "{{ range 5000 }}{{ $x := match \"a\" \"b\" }}{{ end }}",
    };
    for (const std::string& text : hostile) {
        EXPECT_TRUE(expanded(text).starts_with("error: ")) << text;
    }
    EXPECT_LE(expanded("{{ printf \"%999999d\" 1 }}").size(), 2000);
    std::string parens(5'000, '(');
    EXPECT_TRUE(expanded("{{ " + parens + "1").starts_with("fault: "));
    std::string branches;
    for (int i = 0; i < 3'000; ++i) {
        branches += "{{ if 0 }}";
    }
    EXPECT_TRUE(expanded(branches).starts_with("fault: "));
}

}  // namespace
}  // namespace noroshi::rules
