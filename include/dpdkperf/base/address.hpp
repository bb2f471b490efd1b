#pragma once

#include "dpdkperf/base/result.hpp"

#include <algorithm>
#include <array>
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
// sockets return, are IPv4 here: from_v6_bytes() unmaps them (RFC 4291, 2.5.5.2).
class IpAddress {
public:
    constexpr IpAddress() = default;  // 0.0.0.0
    static constexpr IpAddress from_v4(std::uint32_t host_order);
    static constexpr IpAddress from_v6_bytes(const std::array<std::uint8_t, 16>& wire_order);
    static Result<IpAddress> parse(std::string_view text);  // no names, no %scope

    [[nodiscard]] bool is_v4() const { return v4_; }
    [[nodiscard]] constexpr std::uint32_t v4() const;  // host order; requires is_v4()
    // 16 bytes in wire order; an IPv4 address comes mapped (::ffff:a.b.c.d).
    [[nodiscard]] const std::array<std::uint8_t, 16>& v6_bytes() const { return bytes_; }
    [[nodiscard]] bool is_unspecified() const;
    [[nodiscard]] bool is_loopback() const;
    [[nodiscard]] bool is_link_local_v6() const;
    [[nodiscard]] bool is_multicast() const;

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

private:
    std::array<std::uint8_t, 16> bytes_{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
    bool v4_ = true;
};

constexpr IpAddress IpAddress::from_v4(std::uint32_t host_order)
{
    IpAddress a;
    for (std::size_t i = 0; i < 4; ++i) {
        a.bytes_[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    }
    return a;
}

constexpr IpAddress IpAddress::from_v6_bytes(const std::array<std::uint8_t, 16>& wire_order)
{
    IpAddress a;  // its first twelve bytes are those of a mapped address
    a.v4_ = std::equal(a.bytes_.begin(), a.bytes_.begin() + 12, wire_order.begin());
    a.bytes_ = wire_order;
    return a;
}

constexpr std::uint32_t IpAddress::v4() const
{
    std::uint32_t host_order = 0;
    for (std::size_t i = 12; i < 16; ++i) {
        host_order = host_order << 8 | bytes_[i];
    }
    return host_order;
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
