#pragma once

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/base/result.hpp"

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dpdkperf {

// An Ethernet address in wire order.
struct Mac {
    std::array<std::uint8_t, 6> bytes{};

    friend constexpr auto operator<=>(const Mac&, const Mac&) = default;
};

// "02:00:00:00:00:01"
std::string to_string(const Mac& mac);

// An IPv4 or IPv6 address. IPv4-mapped IPv6 addresses (::ffff:a.b.c.d), which dual-stack
// sockets return, are IPv4 here (RFC 4291, 2.5.5.2).
//
// Kept as two words, since one is made and compared for each packet that is received: no byte is
// written alone and then read with others, which the processor would have to wait for.
class IpAddress {
public:
    // The sixteen bytes of v6_bytes(), as two words of memory.
    using Words = std::array<std::uint64_t, 2>;

    constexpr IpAddress() = default;  // 0.0.0.0
    static constexpr IpAddress from_v4(std::uint32_t host_order);
    static constexpr IpAddress from_v6_bytes(const std::array<std::uint8_t, 16>& wire_order);
    static Result<IpAddress> parse(std::string_view text);  // no names, no %scope

    [[nodiscard]] constexpr bool is_v4() const;
    [[nodiscard]] constexpr std::uint32_t v4() const;  // host order; requires is_v4()
    // 16 bytes in wire order; an IPv4 address comes mapped (::ffff:a.b.c.d).
    [[nodiscard]] constexpr std::array<std::uint8_t, 16> v6_bytes() const;
    [[nodiscard]] constexpr Words words() const { return {first_, second_}; }
    [[nodiscard]] bool is_unspecified() const;
    [[nodiscard]] bool is_loopback() const;
    [[nodiscard]] bool is_link_local_v6() const;
    [[nodiscard]] bool is_multicast() const;

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

private:
    static constexpr std::uint64_t kMapped = 0xffff'0000;  // bytes 8 to 11 of a mapped address

    std::uint64_t first_ = 0, second_ = kMapped;  // no array: that would be compared by memcmp()
};

constexpr IpAddress IpAddress::from_v4(std::uint32_t host_order)
{
    IpAddress a;
    a.second_ = std::uint64_t{byte_swap(host_order)} << 32 | kMapped;
    return a;
}

constexpr IpAddress IpAddress::from_v6_bytes(const std::array<std::uint8_t, 16>& wire_order)
{
    const auto words = std::bit_cast<Words>(wire_order);
    IpAddress a;
    a.first_ = words[0];
    a.second_ = words[1];
    return a;
}

constexpr bool IpAddress::is_v4() const
{
    return first_ == 0 && (second_ & 0xffff'ffff) == kMapped;
}

constexpr std::uint32_t IpAddress::v4() const
{
    return byte_swap(static_cast<std::uint32_t>(second_ >> 32));
}

constexpr std::array<std::uint8_t, 16> IpAddress::v6_bytes() const
{
    return std::bit_cast<std::array<std::uint8_t, 16>>(words());
}

std::string to_string(const IpAddress& address);

// An address and the length of the network that it lies in: "10.0.0.1/24".
struct IpPrefix {
    IpAddress address;
    std::uint8_t bits = 0;  // 0 to 32 or 128

    static Result<IpPrefix> parse(std::string_view text);  // the length must be there
    // All of one host: /32 or /128.
    static IpPrefix host(const IpAddress& address);
    // True if `other` is of the same family and network.
    [[nodiscard]] bool contains(const IpAddress& other) const;

    friend auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

std::string to_string(const IpPrefix& prefix);

// Address and port (host byte order) of one end of a flow.
struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;

    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

std::string to_string(const Endpoint& endpoint);  // "10.0.0.1:5201", "[fe80::1]:5201"

}  // namespace dpdkperf
