#include "dpdkperf/auth/token.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::auth {
namespace {

const Credentials kMarioAt17{"mario", "rossi", std::chrono::sys_seconds{std::chrono::seconds{17}}};

// The format string of iperf 3.12, src/iperf_auth.c.
TEST(PlainText, IsIperf3s)
{
    EXPECT_EQ(to_plain_text(kMarioAt17), "user: mario\npwd:  rossi\nts:   17");
    EXPECT_EQ(from_plain_text("user: mario\npwd:  rossi\nts:   17"), kMarioAt17);
}

TEST(PlainText, BlanksAreReadAsSscanfDoes)
{
    EXPECT_EQ(from_plain_text("user:mario pwd:rossi ts:17"), kMarioAt17);
    EXPECT_EQ(from_plain_text("  user: \n mario\r\npwd:\trossi\nts:\n17\n"), kMarioAt17);
}

TEST(PlainText, WhatIsIncompleteIsNoPlainText)
{
    for (const char* text : {"", "user:", "user: mario", "user: mario\npwd:  rossi",
             "user: mario\npwd:  rossi\nts:   ", "user: mario\npwd:  rossi\nts:   1x",
             "user: mario\npwd:  rossi\nts:   99999999999999999999",
             "pwd: rossi\nuser: mario\nts: 1", "mario rossi 17",
             "user: mario\npwd:  two words\nts:   17"}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(from_plain_text(text));
    }
}

TEST(PlainText, WordsThatAServerWouldSplitAreKnown)
{
    for (const char* word : {"", "two words", "tab\t", "\nline"}) {
        EXPECT_TRUE(is_unreadable(word)) << word;
    }
    EXPECT_FALSE(is_unreadable("m\xc3\xa4rio:ts:,{}"));
}

}  // namespace
}  // namespace dpdkperf::auth
