#pragma once

// What the tests of Session share: bytes in, bytes and named actions out.

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/proto/session.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dpdkperf::proto::test {

inline std::vector<std::byte> bytes_of(std::string_view text)
{
    const auto bytes = std::as_bytes(std::span{text});
    return {bytes.begin(), bytes.end()};
}

// A document as it travels: length, then text.
inline std::vector<std::byte> framed(std::string_view text)
{
    std::vector<std::byte> bytes(4);
    store_be<std::uint32_t>(bytes.data(), static_cast<std::uint32_t>(text.size()));
    const auto body = bytes_of(text);
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
}

inline std::vector<std::byte> message(Message m)
{
    return {to_byte(m)};
}

// The bytes of all Send actions, in order.
inline std::vector<std::byte> sent_by(const Actions& actions)
{
    std::vector<std::byte> bytes;
    for (const Action& action : actions) {
        if (const auto* send = std::get_if<Send>(&action)) {
            bytes.insert(bytes.end(), send->bytes.begin(), send->bytes.end());
        }
    }
    return bytes;
}

template <class T>
const T* find(const Actions& actions)
{
    for (const Action& action : actions) {
        if (const T* found = std::get_if<T>(&action)) {
            return found;
        }
    }
    return nullptr;
}

// A client as it is after its streams were opened.
inline Session client_with_open_streams(Parameters parameters = {})
{
    Session session = Session::client(Cookie{}, std::move(parameters));
    session.start();
    session.feed(message(Message::kParamExchange));
    session.feed(message(Message::kCreateStreams));
    session.streams_open();
    return session;
}

inline Session client_while_running(Parameters parameters = {})
{
    Session session = client_with_open_streams(std::move(parameters));
    session.feed(message(Message::kTestStart));
    session.feed(message(Message::kTestRunning));
    return session;
}

// A server that has got a cookie and said PARAM_EXCHANGE.
inline Session server_awaiting_parameters()
{
    Session session = Session::server(std::chrono::seconds{120});
    session.start();
    session.feed(std::vector<std::byte>(Cookie::kSize, std::byte{'a'}));
    session.welcome();
    return session;
}

inline Session server_while_opening(std::string_view parameters = R"({"udp":true,"len":1000})")
{
    Session session = server_awaiting_parameters();
    session.feed(framed(parameters));
    session.accept();
    return session;
}

inline Session server_while_running(std::string_view parameters = R"({"udp":true,"len":1000})")
{
    Session session = server_while_opening(parameters);
    session.streams_open();
    return session;
}

}  // namespace dpdkperf::proto::test
