#include "dpdkperf/proto/failure.hpp"

#include <array>
#include <system_error>

namespace dpdkperf::proto {

namespace {

struct FailureText {
    IperfError number;
    std::string_view text;
};

constexpr FailureText kFailureTexts[] = {
    {IperfError::kDuration, "test duration too long (maximum = 86400 seconds)"},
    {IperfError::kStreamCount, "number of parallel streams too large (maximum = 128)"},
    {IperfError::kBlockSize, "block size too large (maximum = 1048576 bytes)"},
    {IperfError::kWindow, "socket buffer size too large (maximum = 536870912 bytes)"},
    // Servers look at it since 3.21; a client's own limit is 9216 up to then.
    {IperfError::kMss, "TCP MSS too large (maximum = 32767 bytes)"},
    {IperfError::kOmit, "bogus value for --omit"},
    {IperfError::kNotImplemented, "an option you are trying to set is not implemented yet"},
    {IperfError::kFile, "unable to open -F file"},
    {IperfError::kBurst, "invalid burst count (maximum = 1000)"},
    {IperfError::kUdpBlockSize, "block size invalid (minimum = 16 bytes, maximum = 65507 bytes)"},
    {IperfError::kTos, "bad TOS value (must be between 0 and 255 inclusive)"},
    {IperfError::kRateLimit, "total required bandwidth is larger than server limit"},
    {IperfError::kUdpFile, "cannot transfer file using UDP"},
    {IperfError::kServerMaxDuration,
        "client's requested duration exceeds the server's maximum permitted limit"},
    {IperfError::kListen, "unable to start listener for connections"},
    {IperfError::kConnect, "unable to connect to server"},
    {IperfError::kSendCookie, "unable to send cookie to server"},
    {IperfError::kReceiveCookie, "unable to receive cookie at server"},
    {IperfError::kControlWrite, "unable to write to the control socket"},
    {IperfError::kControlRead, "unable to read from the control socket"},
    {IperfError::kControlClosed, "control socket has closed unexpectedly"},
    {IperfError::kMessage, "received an unknown control message"},
    {IperfError::kReceiveMessage, "unable to receive control message"},
    {IperfError::kSendParameters, "unable to send parameters to server"},
    {IperfError::kReceiveParameters, "unable to receive parameters from client"},
    {IperfError::kSendResults, "unable to send results"},
    {IperfError::kReceiveResults, "unable to receive results"},
    {IperfError::kClientTerminated, "the client has terminated"},
    {IperfError::kServerTerminated, "the server has terminated"},
    {IperfError::kBusy, "the server is busy running a test. try again later"},
    {IperfError::kSetNoDelay, "unable to set TCP/SCTP NODELAY"},
    {IperfError::kSetMss, "unable to set TCP/SCTP MSS"},
    {IperfError::kSetBuffer, "unable to set socket buffer size"},
    {IperfError::kSetTos, "unable to set IP TOS"},
    {IperfError::kSetFlowLabel, "unable to set IPv6 flow label"},
    {IperfError::kSetAffinity, "unable to set CPU affinity"},
    {IperfError::kSetCongestion,
        "unable to set TCP_CONGESTION: Supplied congestion control algorithm not supported on this "
        "host"},
    {IperfError::kSetPacing, "Unable to set socket pacing"},
    {IperfError::kSetBufferTooSmall, "socket buffer size not set correctly"},
    {IperfError::kAuthorization, "test authorization failed"},
    {IperfError::kNoData, "idle timeout for receiving data"},
    {IperfError::kTestExpired, "the test has not ended in time"},
    {IperfError::kStreamListen, "unable to start stream listener"},
    {IperfError::kStreamConnect, "unable to connect stream"},
    {IperfError::kStreamWrite, "unable to write to stream socket"},
    {IperfError::kStreamRead, "unable to read from stream socket"},
    {IperfError::kStreamId, "stream has an invalid id"},
};

}  // namespace

std::string_view text_of(IperfError number)
{
    for (const FailureText& row : kFailureTexts) {
        if (row.number == number) {
            return row.text;
        }
    }
    return {};
}

std::string to_string(const Failure& failure)
{
    std::string text{text_of(failure.number)};
    if (text.empty()) {
        text = "int_errno=" + std::to_string(static_cast<std::int32_t>(failure.number));
    }
    if (failure.os_errno != 0) {
        text += ": " + std::generic_category().message(failure.os_errno);
    }
    if (!failure.detail.empty()) {
        text += ": " + failure.detail;
    }
    return text;
}

}  // namespace dpdkperf::proto
