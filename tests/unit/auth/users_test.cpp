#include "dpdkperf/auth/users.hpp"
#include "key_folder.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::auth {
namespace {

// The example of iperf3(1).
constexpr const char* kMariosHash =
    "bf7a49a846d44b454a5d11e7acfaf13d138bbe0b7483aa3e050879700572709b";

TEST(Users, HashesAreThoseOfTheManual)
{
    EXPECT_EQ(password_hash("mario", "rossi"), kMariosHash);
}

TEST(Users, LinesAreReadAndTheRestIsNot)
{
    const std::string hash = kMariosHash;
    for (const std::string& text :
        {"mario," + hash, "# user,hash\nmario," + hash + "\n", "mario," + hash + "\r\nother,x\r\n",
            "nonsense\n\nmario,wrong\nmario," + hash, "mario," + hash + ",remark"}) {
        SCOPED_TRACE(text);
        const Users users = Users::parse(text);
        EXPECT_TRUE(users.know("mario", "rossi"));
        EXPECT_FALSE(users.know("mario", "Rossi"));
        EXPECT_FALSE(users.know("Mario", "rossi"));
        EXPECT_FALSE(users.know("", ""));
    }
    for (const std::string& text : {std::string{}, "#mario," + hash, "mario " + hash,
             hash + ",mario", "mario," + hash.substr(1), std::string{"mario,"}}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(Users::parse(text).know("mario", "rossi"));
    }
}

TEST(Users, AFileThatCannotBeReadIsNamed)
{
    const auto users = Users::load("/nosuch/users");
    ASSERT_FALSE(users);
    EXPECT_EQ(users.error().message,
        "cannot access authorized users file '/nosuch/users': No such file or directory");
    const auto folder = Users::load("/");
    ASSERT_FALSE(folder);
    EXPECT_EQ(folder.error().message, "cannot access authorized users file '/': Is a directory");
    test::keys().write("none", "");
    EXPECT_TRUE(Users::load(test::keys() / "none"));
}

}  // namespace
}  // namespace dpdkperf::auth
