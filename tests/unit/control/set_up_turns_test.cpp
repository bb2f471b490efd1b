#include "set_up_turns.hpp"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace dpdkperf::control {
namespace {

constexpr IpAddress kPeer = IpAddress::from_v4(0x0a000001), kOther = IpAddress::from_v4(0x0a000002);

class Turns : public testing::Test {
protected:
    using Place = std::optional<SetUpTurns::Place>;

    void come(Place& place, const IpAddress& peer, char name)
    {
        place.emplace(turns_, peer, [this, name] { went_ += name; });
    }

    SetUpTurns turns_;
    std::string went_;
    Place a_, b_, c_;
};

TEST_F(Turns, GoFromOneToTheNextOfTheSameAddress)
{
    come(a_, kPeer, 'a');
    come(b_, kPeer, 'b');
    come(c_, kPeer, 'c');
    EXPECT_TRUE(a_->first());
    EXPECT_FALSE(b_->first() || c_->first());
    a_.reset();
    EXPECT_EQ(went_, "b");
    EXPECT_TRUE(b_->first());
    b_.reset();
    EXPECT_EQ(went_, "bc");
    c_.reset();
    EXPECT_EQ(went_, "bc");
}

TEST_F(Turns, AreNotWaitedForByOtherAddresses)
{
    come(a_, kPeer, 'a');
    come(b_, kOther, 'b');
    EXPECT_TRUE(a_->first() && b_->first());
    come(c_, kPeer, 'c');
    b_.reset();
    EXPECT_EQ(went_, "");
    EXPECT_FALSE(c_->first());
}

TEST_F(Turns, DoNotComeTwiceAndNotToWhoHasLeft)
{
    come(a_, kPeer, 'a');
    come(b_, kPeer, 'b');
    come(c_, kPeer, 'c');
    b_.reset();
    EXPECT_EQ(went_, "");
    a_.reset();
    EXPECT_EQ(went_, "c");
}

TEST_F(Turns, MayBeGivenUpAsSoonAsTheyHaveCome)
{
    come(a_, kPeer, 'a');
    b_.emplace(turns_, kPeer, [this] {
        went_ += 'b';
        b_.reset();
    });
    come(c_, kPeer, 'c');
    a_.reset();
    EXPECT_EQ(went_, "bc");
    EXPECT_TRUE(c_->first());
}

}  // namespace
}  // namespace dpdkperf::control
