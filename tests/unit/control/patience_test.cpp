#include "patience.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::control {
namespace {

using namespace std::chrono_literals;

constexpr Moment kFirstTry{1h};

TEST(Patience, TriesOnceIfNobodyWaits)
{
    const Patience none{{}, kFirstTry};
    EXPECT_FALSE(none.next_try(kFirstTry));
    EXPECT_FALSE(none.of_connection({}, kFirstTry));
    EXPECT_EQ(none.of_connection(300ms, kFirstTry), 300ms);
}

TEST(Patience, TriesForTheLastTimeWhenTheTimeIsOver)
{
    const Patience patience{2s, kFirstTry};
    EXPECT_EQ(patience.next_try(kFirstTry), kFirstTry + Patience::kPause);
    EXPECT_EQ(patience.next_try(kFirstTry + 1900ms), kFirstTry + 2s);
    EXPECT_FALSE(patience.next_try(kFirstTry + 2s));
    EXPECT_FALSE(patience.next_try(kFirstTry + 5s));
}

TEST(Patience, LetsNoConnectionTakeAllOfIt)
{
    const Patience patience{20s, kFirstTry};
    EXPECT_EQ(patience.of_connection({}, kFirstTry), 5s);
    EXPECT_EQ(patience.of_connection({}, kFirstTry + 17s), 3s);
    EXPECT_EQ(patience.of_connection({}, kFirstTry + 20s), 1s);
    EXPECT_EQ(patience.of_connection({}, kFirstTry + 30s), 1s);
    EXPECT_EQ(patience.of_connection(30s, kFirstTry), 30s);  // as the user wants it
}

TEST(Patience, KnowsWhatMayPass)
{
    EXPECT_TRUE(may_pass(Error{Errc::kPeer, "Connection refused"}));
    EXPECT_TRUE(may_pass(Error{Errc::kTimeout, "no answer"}));
    for (const Errc code : {Errc::kUsage, Errc::kInput, Errc::kSystem, Errc::kDevice, Errc::kBusy,
             Errc::kPermission, Errc::kNotFound}) {
        EXPECT_FALSE(may_pass(Error{code, "something else"}));
    }
    using proto::IperfError;
    EXPECT_TRUE(may_pass(proto::Failed{{IperfError::kBusy, 0, {}}, "busy", true}));
    EXPECT_FALSE(may_pass(proto::Failed{{IperfError::kBusy, 0, {}}, "busy", false}));
    EXPECT_FALSE(may_pass(proto::Failed{{IperfError::kAuthorization, 0, {}}, "no", true}));
}

}  // namespace
}  // namespace dpdkperf::control
