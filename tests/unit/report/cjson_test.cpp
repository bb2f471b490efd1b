#include "cjson.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace dpdkperf::report {
namespace {

std::string print_json(const Json& value)
{
    return indented(print_json_line(value));
}

// Layout and digits are compared with iperf3's own output in golden_test.cpp; here are the values
// that no recording has.
TEST(PrintJson, WritesNumbersAsIperf3Does)
{
    struct Case {
        Json value;
        std::string_view text;
    };
    const Case cases[] = {{0.1, "0.1"}, {1.0 / 3, "0.33333333333333331"}, {2e6, "2000000"},
        {0.0, "0"}, {-1, "-1"}, {std::numeric_limits<std::int64_t>::min(), "-9223372036854775808"},
        {std::numeric_limits<std::uint64_t>::max(), "18446744073709551615"}, {1e300, "1e+300"},
        {std::numeric_limits<double>::infinity(), "null"}, {true, "true"}, {nullptr, "null"}};
    for (const Case& c : cases) {
        EXPECT_EQ(print_json(c.value), c.text);
    }
}

TEST(PrintJson, EscapesWhatMustNotStandInAString)
{
    EXPECT_EQ(print_json("a\"b\\c\n\t\x01/é"), "\"a\\\"b\\\\c\\n\\t\\u0001/é\"");
}

TEST(PrintJson, FitsOnALine)
{
    EXPECT_EQ(print_json_line(Json::parse(R"({"a": [1, {"b": "x: [y], z"}], "c": {}, "d": []})")),
        R"({"a":[1,{"b":"x: [y], z"}],"c":{},"d":[]})");
}

// As Debian's iperf3 3.12 prints them within server_output_json.
TEST(Indented, KeepsStringsNumbersAndKeysThatComeTwice)
{
    EXPECT_EQ(indented(R"({ "a":{},"a":[],"b" :[{"c":"\"{,:\\"}, -1.50e+3 , true]})"),
        "{\n\t\"a\":\t{\n\t},\n\t\"a\":\t[],\n\t\"b\":\t[{\n\t\t\t\"c\":\t\"\\\"{,:\\\\\"\n\t\t}, "
        "-1.50e+3, true]\n}");
}

TEST(PrintJson, CanWriteAKeyTwice)
{
    Json object;
    append(object, "key", 1);
    append(object, "key", 2);
    EXPECT_EQ(print_json(object), "{\n\t\"key\":\t1,\n\t\"key\":\t2\n}");
}

}  // namespace
}  // namespace dpdkperf::report
