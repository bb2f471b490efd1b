#include "dpdkperf/wire/checksum.hpp"

#include "dpdkperf/base/endian.hpp"

#include <array>
#include <cstring>

namespace dpdkperf::wire {

ChecksumSum add_bytes(ChecksumSum sum, std::span<const std::byte> bytes) noexcept
{
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    // 32-bit words into 64-bit lanes: no carry is lost below 16 GB, and the loop vectorises.
    for (; left >= 4; at += 4, left -= 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, at, sizeof word);
        sum += word;
    }
    std::uint32_t rest = 0;
    if (left > 0) {  // an empty span may have no address
        std::memcpy(&rest, at, left);
    }
    return sum + rest;
}

ChecksumSum add_pseudo_header(ChecksumSum sum, const IpAddress& source,
    const IpAddress& destination, std::uint8_t protocol, std::uint32_t length) noexcept
{
    for (const IpAddress* address : {&source, &destination}) {
        const auto bytes = address->v6_bytes();
        sum = add_bytes(sum, std::as_bytes(std::span{bytes}).subspan(address->is_v4() ? 12 : 0));
    }
    return sum + byte_swap(length) + byte_swap(std::uint32_t{protocol});
}

}  // namespace dpdkperf::wire
