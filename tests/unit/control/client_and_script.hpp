#pragma once

// Our client against a server that a script plays.

#include "control_stand.hpp"
#include "dpdkperf/auth/login.hpp"
#include "dpdkperf/control/client.hpp"
#include "scripted_peer.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <asio/post.hpp>
#include <gtest/gtest.h>

namespace dpdkperf::test {

using namespace std::chrono_literals;

inline constexpr std::string_view kResults =
    R"({"cpu_util_total":1,"cpu_util_user":1,"cpu_util_system":0,"sender_has_retransmits":-1,)"
    R"("streams":[{"id":1,"bytes":990,"retransmits":-1,"jitter":0.001,"errors":1,"packets":9,)"
    R"("start_time":0,"end_time":1.5}]})";

class ClientAndScript : public ControlStand {
protected:
    ClientAndScript()
    {
        plan_.host = "127.0.0.1";
        plan_.protocol = options::Protocol::kUdp;
        plan_.port = listener_.port();
        plan_.block_bytes = 100;
        plan_.blocks = 10;
        plan_.interval = 0s;
    }

    // Runs the client against `script`, and returns its exit code.
    template <class Script>
    int run(Script script)
    {
        std::jthread server{[&] { script(listener_.accept()); }};
        return run_alone();
    }

    int run_alone()
    {
        int exit_code = -1;
        client_.emplace(loop_, plan_, paths_, watch_, sink_, login_ ? &*login_ : nullptr);
        client_->run([&](int code) {
            exit_code = code;
            loop_.stop();
        });
        loop_.run();
        return exit_code;
    }

    // Does `action` soon after that report; may be called once more for another.
    void at_call(const std::string& name, std::function<void()> action)
    {
        sink_.on_call = [this, name, action, before = sink_.on_call](const std::string& call) {
            if (before) {
                before(call);
            }
            if (call == name) {
                asio::post(loop_, action);
            }
        };
    }

    // The server until it has the client's parameters, which are returned.
    static std::string up_to_parameters(const ScriptedPeer& peer)
    {
        (void)peer.receive(37);
        peer.send("\x09");
        return peer.receive_document();
    }

    // The same, and on until the test runs.
    static std::string up_to_running(const ScriptedPeer& peer, std::string_view last = "\1\2")
    {
        std::string parameters = up_to_parameters(peer);
        peer.send("\x0a");
        peer.send(last);
        return parameters;
    }

    // And from then on, until the client has gone.
    static void up_to_the_end(const ScriptedPeer& peer)
    {
        (void)peer.receive(1);
        peer.send("\x0d");
        (void)peer.receive_document();
        peer.send_document(kResults);
        peer.send("\x0e");
        (void)peer.receive_rest();
    }

    ScriptedListener listener_;
    std::optional<auth::Login> login_;
    std::optional<control::ClientTest> client_;
};

}  // namespace dpdkperf::test
