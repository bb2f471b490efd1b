#include "dpdkperf/proto/messages.hpp"

#include <algorithm>

namespace dpdkperf::proto {

namespace {

struct Name {
    Message message;
    std::string_view name;
};

constexpr Name kNames[] = {
    {Message::kTestStart, "TEST_START"},
    {Message::kTestRunning, "TEST_RUNNING"},
    {Message::kTestEnd, "TEST_END"},
    {Message::kParamExchange, "PARAM_EXCHANGE"},
    {Message::kCreateStreams, "CREATE_STREAMS"},
    {Message::kServerTerminate, "SERVER_TERMINATE"},
    {Message::kClientTerminate, "CLIENT_TERMINATE"},
    {Message::kExchangeResults, "EXCHANGE_RESULTS"},
    {Message::kDisplayResults, "DISPLAY_RESULTS"},
    {Message::kIperfDone, "IPERF_DONE"},
    {Message::kAccessDenied, "ACCESS_DENIED"},
    {Message::kServerError, "SERVER_ERROR"},
};

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
static_assert(kLetters.size() == 32);

}  // namespace

std::optional<Message> message_from(std::byte byte)
{
    for (const Name& row : kNames) {
        if (to_byte(row.message) == byte) {
            return row.message;
        }
    }
    return {};
}

std::string_view name_of(Message message)
{
    for (const Name& row : kNames) {
        if (row.message == message) {
            return row.name;
        }
    }
    return "?";
}

Cookie Cookie::from_random(std::span<const std::uint8_t, kSize - 1> random)
{
    Cookie cookie;
    std::transform(random.begin(), random.end(), cookie.bytes.begin(),
        [&](std::uint8_t byte) { return kLetters[byte % kLetters.size()]; });
    return cookie;
}

std::string_view Cookie::text() const
{
    const auto end = std::find(bytes.begin(), bytes.end(), '\0');
    return {bytes.data(), static_cast<std::size_t>(end - bytes.begin())};
}

}  // namespace dpdkperf::proto
