#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dpdkperf::proto {

// The state bytes of the control connection, sent alone and unframed
// (iperf 3.12, src/iperf_api.h). Who may send which: the tables in src/proto/session_tables.hpp.
enum class Message : std::int8_t {
    kTestStart = 1,
    kTestRunning = 2,
    kTestEnd = 4,
    kParamExchange = 9,
    kCreateStreams = 10,
    kServerTerminate = 11,
    kClientTerminate = 12,
    kExchangeResults = 13,
    kDisplayResults = 14,
    kIperfDone = 16,
    kAccessDenied = -1,
    kServerError = -2,  // followed by two int32, big endian: IperfError, errno
};

// Empty for a byte that is no message, the reserved 3, 5 to 8 and 15 included.
std::optional<Message> message_from(std::byte byte);

constexpr std::byte to_byte(Message message)
{
    return static_cast<std::byte>(message);
}

// As iperf3's sources call it: "TEST_START".
std::string_view name_of(Message message);

// The largest documents that we take or send: parameters as servers from 3.18 on
// (src/iperf_api.c, MAX_PARAMS_JSON_STRING), results by our own decision. A server's have room for
// what it has printed.
inline constexpr std::size_t kMaxParametersBytes = 8192;
inline constexpr std::size_t kMaxClientResultsBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxServerResultsBytes = std::size_t{64} << 20;

// Names a test and admits its TCP data connections. Stock clients fill 36 characters and a NUL;
// a server takes any bytes.
struct Cookie {
    static constexpr std::size_t kSize = 37;
    std::array<char, kSize> bytes{};

    // 36 letters of iperf3's alphabet (a-z, 2-7; iperf 3.12, src/iperf_util.c, make_cookie) out of
    // as many random bytes.
    static Cookie from_random(std::span<const std::uint8_t, kSize - 1> random);

    // What stands before the first NUL.
    [[nodiscard]] std::string_view text() const;

    friend bool operator==(const Cookie&, const Cookie&) = default;
};

}  // namespace dpdkperf::proto
