#include "dpdkperf/options/options.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::options {
namespace {

using Arguments = std::vector<std::string_view>;
using stats::Comparison;
using stats::Measure;

TEST(Automation, RequirementsAreReadInTheirUnits)
{
    const auto udp = parse(Arguments{"-c", "h", "-u", "--require",
        "tx>=90G,rx>1.5m,pps<2K,loss<=0.01%", "--require", "jitter<=0.5ms,jitter<2s,rx<5T"});
    ASSERT_TRUE(udp) << udp.error().message;
    const std::vector<stats::Requirement> expected{
        {Measure::kSent, Comparison::kAtLeast, 9e10},
        {Measure::kReceived, Comparison::kMore, 1.5e6},
        {Measure::kPacketRate, Comparison::kLess, 2000},
        {Measure::kLoss, Comparison::kAtMost, 0.01},
        {Measure::kJitter, Comparison::kAtMost, 0.5},
        {Measure::kJitter, Comparison::kLess, 2000},
        {Measure::kReceived, Comparison::kLess, 5e12},
    };
    EXPECT_EQ(udp->requirements, expected);

    const auto tcp = parse(Arguments{"-c", "h", "--require=retr<=0,tx>=1"});
    ASSERT_TRUE(tcp) << tcp.error().message;
    EXPECT_EQ(tcp->requirements.at(0),
        (stats::Requirement{Measure::kRetransmits, Comparison::kAtMost, 0}));
    EXPECT_TRUE(parse(Arguments{"-c", "h"})->requirements.empty());
}

TEST(Automation, WaitsForAsManySecondsAsTheUserSays)
{
    EXPECT_EQ(parse(Arguments{"-c", "h", "--wait", "86400"})->wait, std::chrono::hours{24});
    EXPECT_FALSE(parse(Arguments{"-c", "h"})->wait);
    EXPECT_EQ(parse(Arguments{"-c", "h", "--w", "64K"})->window_bytes, 65'536U);
}

TEST(Automation, SavesForBothRoles)
{
    EXPECT_EQ(parse(Arguments{"-c", "h", "--save", "runs"})->save_folder, "runs");
    EXPECT_EQ(parse(Arguments{"-s", "--save=runs"})->save_folder, "runs");
    EXPECT_FALSE(parse(Arguments{"-s"})->save_folder);
    EXPECT_EQ(parse(Arguments{"-l", "1", "--", "-c", "h", "-u"})->command_line,
        (std::vector<std::string>{"-l", "1", "--", "-c", "h", "-u"}));
    EXPECT_EQ(parse(Arguments{"-s"})->command_line, std::vector<std::string>{"-s"});
}

TEST(Automation, RejectionNamesTheOptionAndTheValue)
{
    struct Case {
        Arguments arguments;
        std::string_view message;
    };
    const Case cases[] = {
        {{"-c", "h", "--require", "rx=5G"},
            "--require 'rx=5G': 'rx=5G' has none of >=, <=, > and <"},
        {{"-c", "h", "--require", ""}, "--require '': '' has none of >=, <=, > and <"},
        {{"-c", "h", "--require", "rx>=1G,"},
            "--require 'rx>=1G,': '' has none of >=, <=, > and <"},
        {{"-c", "h", "--require", "speed>=5G"},
            "--require 'speed>=5G': 'speed' is none of tx, rx, pps, loss, retr, jitter"},
        {{"-c", "h", "--require", "rx>=fast"}, "--require 'rx>=fast': rx>=fast: not a number"},
        {{"-c", "h", "--require", "rx>=>1"}, "--require 'rx>=>1': rx>=>1: not a number"},
        {{"-c", "h", "--require", "tx>=-1"}, "--require 'tx>=-1': tx>=-1: must not be negative"},
        {{"-c", "h", "--require", "retr<=0.5"}, "--require 'retr<=0.5': retr<=0.5: not a number"},
        {{"-uc", "h", "--require", "loss<=1"},
            "--require 'loss<=1': loss<=1: not a percentage from 0% to 100%"},
        {{"-uc", "h", "--require", "loss<=101%"},
            "--require 'loss<=101%': loss<=101%: not a percentage from 0% to 100%"},
        {{"-uc", "h", "--require", "jitter<1"},
            "--require 'jitter<1': jitter<1: not a time, as 0.5ms or 1s"},
        {{"-uc", "h", "--require", "jitter<1us"},
            "--require 'jitter<1us': jitter<1us: not a time, as 0.5ms or 1s"},
        {{"-c", "h", "--require", "rx>1,loss<=1%"}, "--require: loss is known of UDP (-u) only"},
        {{"-c", "h", "--require", "pps>1"}, "--require: pps is known of UDP (-u) only"},
        {{"-c", "h", "--require", "jitter<1s"}, "--require: jitter is known of UDP (-u) only"},
        {{"-uc", "h", "--require", "retr<1"}, "--require: retr is known of TCP only"},
        {{"-c", "h", "--wait", "0"}, "--wait '0': must be from 1 to 86400"},
        {{"-c", "h", "--wait", "1.5"}, "--wait '1.5': not a number"},
        {{"-s", "--wait", "1"}, "--wait: some option you are trying to set is client only"},
        {{"-s", "--require", "rx>1"},
            "--require: some option you are trying to set is client only"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.message);
        const auto plan = parse(c.arguments);
        ASSERT_FALSE(plan);
        EXPECT_EQ(plan.error().code, Errc::kUsage);
        EXPECT_EQ(plan.error().message, c.message);
    }
}

// "--re" is "--reverse" or "--repeating-payload" to iperf3, and "--req" is nothing.
TEST(Automation, TakesNoAbbreviationAwayFromIperf3)
{
    const auto ambiguous = parse(Arguments{"-c", "h", "--re"});
    ASSERT_FALSE(ambiguous);
    EXPECT_EQ(ambiguous.error().message.find("--require"), std::string::npos)
        << ambiguous.error().message;
    EXPECT_EQ(parse(Arguments{"-c", "h", "--req", "rx>1"})->requirements.size(), 1U);
}

}  // namespace
}  // namespace dpdkperf::options
