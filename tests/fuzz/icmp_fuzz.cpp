// What parse_icmp_error() takes must be such that its users need not look again. The first byte
// chooses the family; the checksum of ICMP is made right, or hardly a message would come through.

#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/icmp_error.hpp"
#include "dpdkperf/wire/tcp_header.hpp"

#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes)
{
    using namespace dpdkperf::wire;
    if (bytes < 1) {
        return 0;
    }
    const bool ipv4 = data[0] % 2 == 0;
    // Of its own length, so that a byte too far is seen.
    const std::span rest{reinterpret_cast<const std::byte*>(data + 1), bytes - 1};
    std::vector<std::byte> message{rest.begin(), rest.end()};
    if (ipv4 && message.size() >= 4) {
        std::memset(&message[2], 0, 2);
        const std::uint16_t checksum = finish(add_bytes(0, message));
        std::memcpy(&message[2], &checksum, sizeof checksum);
    }
    const auto error = parse_icmp_error(message, ipv4);
    if (!error) {
        return 0;
    }
    const bool too_big = error->kind == IcmpError::Kind::kTooBig;
    const bool good =
        (error->protocol == kProtocolTcp || error->protocol == kProtocolUdp) &&
        (!ipv4 || (error->source.address.is_v4() && error->destination.address.is_v4())) &&
        error->error > 0 && (too_big || error->mtu_bytes == 0) &&
        (error->protocol == kProtocolTcp || error->sequence == 0);
    if (!good) {
        std::abort();
    }
    return 0;
}
