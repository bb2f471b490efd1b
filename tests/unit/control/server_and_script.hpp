#pragma once

// Our server against clients that a script plays.

#include "control_stand.hpp"
#include "dpdkperf/auth/gate.hpp"
#include "dpdkperf/control/server.hpp"
#include "scripted_peer.hpp"

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <asio/post.hpp>
#include <gtest/gtest.h>

namespace dpdkperf::test {

using namespace std::chrono_literals;

inline const std::string kCookie = std::string(36, 'c') + '\0';
inline constexpr std::string_view kParameters = R"({"udp":true,"len":100,"time":5})";
inline constexpr std::string_view kEmptyResults =
    R"({"cpu_util_total":1,"cpu_util_user":1,"cpu_util_system":0,"sender_has_retransmits":0,)"
    R"("streams":[]})";

class ServerAndScript : public ControlStand {
protected:
    ServerAndScript()
    {
        plan_.role = options::Role::kServer;
        plan_.port = 0;
        plan_.interval = 0s;
    }

    // Runs the server while `script` plays one client after another; then stops it.
    template <class Script>
    void run(Script script)
    {
        server_.emplace(loop_, plan_, paths_, watch_, sink_, sink_, gate_ ? &*gate_ : nullptr);
        server_->run([this](int code) {
            exit_code_ = code;
            loop_.stop();
        });
        std::jthread clients{[&] {
            script(server_->port());
            asio::post(loop_, [this] { server_->interrupt(15); });
        }};
        loop_.run();
    }

    // From a client's thread: lets the server's thread do it, and waits.
    template <class Action>
    void on_loop(Action action)
    {
        std::promise<void> done;
        asio::post(loop_, [&] {
            action();
            done.set_value();
        });
        done.get_future().wait();
    }

    // From a client's thread: until the condition holds on the server's.
    template <class Condition>
    void wait_for(Condition condition)
    {
        bool holds = false;
        do {
            on_loop([&] { holds = condition(); });
        } while (!holds);
    }

    static ScriptedPeer introduced(std::uint16_t port)
    {
        ScriptedPeer peer = ScriptedPeer::connect(port);
        peer.send(kCookie);
        EXPECT_EQ(peer.receive(1), "\x09");
        return peer;
    }

    static ScriptedPeer running(std::uint16_t port)
    {
        ScriptedPeer peer = introduced(port);
        peer.send_document(kParameters);
        EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
        return peer;
    }

    // A whole test.
    static void play_good_client(std::uint16_t port) { end_well(running(port)); }

    static void end_well(const ScriptedPeer& peer)
    {
        peer.send("\x04");
        EXPECT_EQ(peer.receive(1), "\x0d");
        peer.send_document(kEmptyResults);
        EXPECT_NE(peer.receive_document(), "");
        EXPECT_EQ(peer.receive(1), "\x0e");
        peer.send("\x10");
        EXPECT_EQ(peer.receive_rest(), "");
    }

    std::optional<auth::Gate> gate_;
    std::optional<control::Server> server_;
    int exit_code_ = -1;
};

}  // namespace dpdkperf::test
