#include "dpdkperf/proto/failure.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::proto {
namespace {

TEST(Failure, ReadsLikeIperf3)
{
    struct Case {
        Failure failure;
        std::string text;
    };
    // Seen from iperf 3.12.
    const Case cases[] = {
        {{IperfError::kConnect, 111, {}}, "unable to connect to server: Connection refused"},
        {{IperfError::kBusy, 0, {}}, "the server is busy running a test. try again later"},
        {{IperfError::kControlClosed, 0, {}}, "control socket has closed unexpectedly"},
        {{IperfError::kStreamRead, 11, {}},
            "unable to read from stream socket: Resource temporarily unavailable"},
        {{static_cast<IperfError>(999), 0, {}}, "int_errno=999"},
        {{static_cast<IperfError>(-5), 0, {}}, "int_errno=-5"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(to_string(c.failure), c.text);
    }
}

TEST(Failure, AddsWhatIsKnownBeyondIperf3sText)
{
    EXPECT_EQ(to_string({IperfError::kReceiveParameters, 0, R"("title":5)"}),
        R"(unable to receive parameters from client: "title":5)");
}

}  // namespace
}  // namespace dpdkperf::proto
