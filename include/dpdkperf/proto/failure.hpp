#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace dpdkperf::proto {

// iperf3's error numbers, as a server sends them in SERVER_ERROR (iperf 3.12, src/iperf_api.h;
// 34 from 3.14, 37 and 160 from 3.20 and 3.21). Those that we cause, and those that a stock server
// may send of its sockets.
enum class IperfError : std::int32_t {
    kDuration = 5,
    kStreamCount = 6,
    kBlockSize = 7,
    kWindow = 8,
    kMss = 10,
    kOmit = 12,
    kNotImplemented = 13,
    kFile = 14,
    kBurst = 15,
    kUdpBlockSize = 20,
    kTos = 21,
    kRateLimit = 27,
    kUdpFile = 34,
    kServerMaxDuration = 37,
    kListen = 102,
    kConnect = 103,
    kSendCookie = 105,
    kReceiveCookie = 106,
    kControlWrite = 107,
    kControlRead = 108,
    kControlClosed = 109,
    kMessage = 110,
    kReceiveMessage = 112,
    kSendParameters = 113,
    kReceiveParameters = 114,
    kSendResults = 116,
    kReceiveResults = 117,
    kClientTerminated = 119,
    kServerTerminated = 120,
    kBusy = 121,
    kSetNoDelay = 122,
    kSetMss = 123,
    kSetBuffer = 124,
    kSetTos = 125,
    kSetFlowLabel = 127,
    kSetAffinity = 132,
    kSetCongestion = 134,
    kSetPacing = 140,
    kSetBufferTooSmall = 141,
    kAuthorization = 142,
    kNoData = 144,
    kTestExpired = 160,
    kStreamListen = 202,
    kStreamConnect = 203,
    kStreamWrite = 205,
    kStreamRead = 206,
    kStreamId = 208,
};

// Why a session failed. `number` may be one that IperfError does not list: a peer sent it.
struct Failure {
    IperfError number = IperfError::kMessage;
    int os_errno = 0;    // of the side that failed; 0: none. A peer's numbering may not be ours.
    std::string detail;  // what we know beyond iperf3's text, may be empty

    friend bool operator==(const Failure&, const Failure&) = default;
};

// iperf3's words for `number` (3.12, src/iperf_error.c, or the first that has it); empty if we
// know none.
std::string_view text_of(IperfError number);

// iperf3's text, then what is known of the cause: "unable to connect to server: Connection
// refused". A number without a text becomes "int_errno=N: …", as stock clients print it.
std::string to_string(const Failure& failure);

// What was parsed, or the failure to tell the peer.
template <class T>
using Parsed = std::variant<T, Failure>;

}  // namespace dpdkperf::proto
