#pragma once

#include <cstdint>

namespace dpdkperf {

// By the numbers of the IP header (RFC 9293, RFC 768).
enum class IpProtocol : std::uint8_t { kTcp = 6, kUdp = 17 };

}  // namespace dpdkperf
