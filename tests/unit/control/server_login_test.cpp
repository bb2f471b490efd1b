// Our server with users, against clients that a script plays.

#include "dpdkperf/auth/login.hpp"
#include "dpdkperf/auth/users.hpp"
#include "key_folder.hpp"
#include "server_and_script.hpp"

namespace dpdkperf::test {
namespace {

using namespace std::string_literals;

class ServerThatAsksWho : public ServerAndScript {
protected:
    ServerThatAsksWho()
    {
        keys().write("users", "mario," + auth::password_hash("mario", "rossi") + "\n");
        auto gate = auth::Gate::open({keys() / "private.pem", keys() / "users"});
        EXPECT_TRUE(gate) << gate.error().message;
        gate_.emplace(*std::move(gate));
    }

    static std::string token(const std::string& user, const std::string& password,
        std::chrono::seconds ago = 0s, auth::Padding padding = auth::Padding::kOaep)
    {
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        const auto login = auth::Login::open(user, password, keys() / "public.pem", padding);
        return *login->token(now - ago);
    }

    static std::string parameters(const std::string& token)
    {
        return R"({"udp":true,"len":100,"time":5,"authtoken":")" + token + "\"}";
    }
};

TEST_F(ServerThatAsksWho, ServesWhomItKnows)
{
    run([](std::uint16_t port) {
        const ScriptedPeer peer = introduced(port);
        peer.send_document(parameters(token("mario", "rossi")));
        EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
    });
}

// Whatever is wrong: the same bytes, after the same time, and no traffic.
TEST_F(ServerThatAsksWho, EveryRefusalLooksTheSame)
{
    const std::vector<std::string> wrong{parameters({}), std::string{kParameters},
        parameters(token("luigi", "rossi")), parameters(token("mario", "verdi")),
        parameters(token("mario", "rossi", 1h)),
        parameters(token("mario", "rossi", 0s, auth::Padding::kPkcs1)),
        parameters(R"(user: mario\npwd:  rossi\nts:   1795638066)"), parameters("===="),
        parameters(std::string(8000, 'A')), R"({"udp":true,"len":100,"authtoken":""})"};
    std::vector<std::chrono::nanoseconds> times;
    run([&](std::uint16_t port) {
        for (const std::string& text : wrong) {
            SCOPED_TRACE(text);
            const ScriptedPeer peer = introduced(port);
            const auto asked = std::chrono::steady_clock::now();
            peer.send_document(text);
            EXPECT_EQ(peer.receive_rest(), "\xfe\0\0\0\x8e\0\0\0\0"s);
            times.push_back(std::chrono::steady_clock::now() - asked);
        }
    });
    const auto [shortest, longest] = std::minmax_element(times.begin(), times.end());
    EXPECT_GE(*shortest, 500ms);
    EXPECT_LT(*longest, 900ms);
    EXPECT_TRUE(traffic_.calls.empty());
    EXPECT_EQ(sink_.failures.at(2), "test authorization failed: unknown user, or another password");
}

TEST_F(ServerThatAsksWho, AClientMayGoWhileItWaitsForTheAnswer)
{
    run([](std::uint16_t port) {
        for (const std::string_view parting : {"\x10", "\x0c"}) {
            const ScriptedPeer peer = introduced(port);
            peer.send_document(kParameters);
            peer.send(parting);
            EXPECT_EQ(peer.receive_rest(), "");
        }
        const ScriptedPeer peer = introduced(port);
        peer.send_document(parameters(token("mario", "rossi")));
        EXPECT_EQ(peer.receive(1), "\x0a");
    });
}

TEST_F(ServerThatAsksWho, ARefusalIsNotTheOneTest)
{
    plan_.one_off = true;
    run([](std::uint16_t port) {
        {
            const ScriptedPeer peer = introduced(port);
            peer.send_document(kParameters);
            EXPECT_EQ(peer.receive(1), "\xfe");
        }
        const ScriptedPeer peer = introduced(port);
        peer.send_document(parameters(token("mario", "rossi")));
        EXPECT_EQ(peer.receive(1), "\x0a");
    });
}

}  // namespace
}  // namespace dpdkperf::test
