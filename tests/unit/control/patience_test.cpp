#include "patience.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::control {
namespace {

using namespace std::chrono_literals;

constexpr Moment kStart{1h};

TEST(Patience, TriesOnceIfNobodyWaits)
{
    const Patience none{{}, kStart};
    EXPECT_FALSE(none.next_try(kStart));
    EXPECT_FALSE(none.of_connection({}, kStart));
    EXPECT_EQ(none.of_connection(300ms, kStart), 300ms);
}

TEST(Patience, TriesForTheLastTimeWhenTheTimeIsOver)
{
    const Patience patience{2s, kStart};
    EXPECT_EQ(patience.next_try(kStart), kStart + Patience::kPause);
    EXPECT_EQ(patience.next_try(kStart + 1900ms), kStart + 2s);
    EXPECT_FALSE(patience.next_try(kStart + 2s));
    EXPECT_FALSE(patience.next_try(kStart + 5s));
}

TEST(Patience, LetsNoConnectionTakeAllOfIt)
{
    const Patience patience{20s, kStart};
    EXPECT_EQ(patience.of_connection({}, kStart), 5s);
    EXPECT_EQ(patience.of_connection({}, kStart + 17s), 3s);
    EXPECT_EQ(patience.of_connection({}, kStart + 20s), 1s);
    EXPECT_EQ(patience.of_connection({}, kStart + 30s), 1s);
    EXPECT_EQ(patience.of_connection(30s, kStart), 30s);  // as the user wants it
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
