// The client's and the server's half of authentication against each other.

#include "dpdkperf/auth/gate.hpp"
#include "dpdkperf/auth/login.hpp"
#include "dpdkperf/auth/users.hpp"
#include "key_folder.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::auth {
namespace {

using namespace std::chrono_literals;
using test::keys;

constexpr std::chrono::sys_seconds kNow{1'795'638'066s};

GatePlan plan()
{
    keys().write("users", "# test\nmario," + password_hash("mario", "rossi") + "\n");
    return {keys() / "private.pem", keys() / "users"};
}

std::string token(const std::string& user, const std::string& password,
    std::chrono::sys_seconds when = kNow, Padding padding = Padding::kOaep)
{
    return *Login::open(user, password, keys() / "public.pem", padding)->token(when);
}

std::string answer(const Gate& gate, const std::string& token)
{
    const Status admitted = gate.admit(token, kNow);
    return admitted ? "welcome" : admitted.error().message;
}

TEST(Gate, AdmitsWhoItKnows)
{
    const auto gate = Gate::open(plan());
    ASSERT_TRUE(gate) << gate.error().message;
    EXPECT_EQ(answer(*gate, token("mario", "rossi")), "welcome");
}

TEST(Gate, TellsTheServersUserWhyItRefuses)
{
    const auto gate = Gate::open(plan());
    ASSERT_TRUE(gate);
    const std::string unreadable = "the token was not made for this key and padding";
    const std::string unknown = "unknown user, or another password";
    EXPECT_EQ(answer(*gate, ""), "the client has not said who it is");
    EXPECT_EQ(answer(*gate, "nonsense"), unreadable);
    EXPECT_EQ(answer(*gate, "user: mario\npwd:  rossi\nts:   1795638066"), unreadable);
    EXPECT_EQ(answer(*gate, token("mario", "rossi", kNow, Padding::kPkcs1)), unreadable);
    EXPECT_EQ(answer(*gate, token("mario", "rossini")), unknown);
    EXPECT_EQ(answer(*gate, token("luigi", "rossi")), unknown);
    EXPECT_EQ(answer(*gate, token("mario", password_hash("mario", "rossi"))), unknown);
}

TEST(Gate, ClocksMayDifferByTheThreshold)
{
    auto wanted = plan();
    wanted.max_skew = 5s;
    const auto gate = Gate::open(wanted);
    ASSERT_TRUE(gate);
    const std::string late = "the clocks differ by more than 5 s";
    EXPECT_EQ(answer(*gate, token("mario", "rossi", kNow - 5s)), "welcome");
    EXPECT_EQ(answer(*gate, token("mario", "rossi", kNow + 5s)), "welcome");
    EXPECT_EQ(answer(*gate, token("mario", "rossi", kNow - 6s)), late);
    EXPECT_EQ(answer(*gate, token("mario", "rossi", kNow + 6s)), late);
    for (const std::int64_t far : {INT64_MIN, INT64_MAX}) {
        EXPECT_EQ(answer(*gate, token("mario", "rossi", std::chrono::sys_seconds{1s * far})), late);
    }
}

TEST(Gate, SpeaksToOldClientsIfAsked)
{
    auto wanted = plan();
    wanted.padding = Padding::kPkcs1;
    const auto gate = Gate::open(wanted);
    ASSERT_TRUE(gate);
    EXPECT_EQ(answer(*gate, token("mario", "rossi", kNow, Padding::kPkcs1)), "welcome");
    EXPECT_EQ(
        answer(*gate, token("mario", "rossi")), "the token was not made for this key and padding");
}

TEST(Gate, SeesChangesOfTheUsersAtOnce)
{
    const auto gate = Gate::open(plan());
    ASSERT_TRUE(gate);
    keys().write("users", "luigi," + password_hash("luigi", "verdi"));
    EXPECT_EQ(answer(*gate, token("luigi", "verdi")), "welcome");
    EXPECT_NE(answer(*gate, token("mario", "rossi")), "welcome");
    std::filesystem::remove(keys() / "users");
    EXPECT_EQ(answer(*gate, token("luigi", "verdi")), "cannot access authorized users file '" +
                                                          (keys() / "users") +
                                                          "': No such file or directory");
}

TEST(Gate, OpensWithAKeyAndUsersOnly)
{
    auto no_key = plan();
    no_key.private_key_path = keys() / "public.pem";
    EXPECT_FALSE(Gate::open(no_key));
    auto no_users = plan();
    no_users.users_path = "/nosuch";
    EXPECT_FALSE(Gate::open(no_users));
}

TEST(Login, RefusesWhatNoServerWouldRead)
{
    struct Case {
        const char *user, *password, *key, *message;
    };
    const Case cases[] = {
        {"two words", "rossi", "public.pem", "the user name is empty or contains blanks"},
        {"mario", "", "public.pem", "the password is empty or contains blanks"},
        {"mario", "rossi", "short-public.pem",
            "user name and password are too long for an RSA key of 512 bits"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.message);
        const auto login = Login::open(c.user, c.password, keys() / c.key, Padding::kOaep);
        ASSERT_FALSE(login);
        EXPECT_EQ(login.error().message, c.message);
    }
    EXPECT_FALSE(Login::open("mario", "rossi", keys() / "private.pem", Padding::kOaep));
}

}  // namespace
}  // namespace dpdkperf::auth
