#include "dpdkperf/base/address.hpp"

#include <array>
#include <charconv>
#include <cstdio>

#include <arpa/inet.h>

namespace dpdkperf {

std::string to_string(const Mac& mac)
{
    const auto& b = mac.bytes;
    std::array<char, 18> text{};
    std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
        b[4], b[5]);
    return text.data();
}

Result<IpAddress> IpAddress::parse(std::string_view text)
{
    const std::string z{text};
    in_addr v4{};
    if (inet_pton(AF_INET, z.c_str(), &v4) == 1) {
        return from_v4(ntohl(v4.s_addr));
    }
    std::array<std::uint8_t, 16> v6{};
    if (inet_pton(AF_INET6, z.c_str(), v6.data()) == 1) {
        return from_v6_bytes(v6);
    }
    return Error{Errc::kUsage, "'" + z + "' is not an IP address"};
}

bool IpAddress::is_unspecified() const
{
    return is_v4() ? v4() == 0 : words() == Words{};
}

bool IpAddress::is_loopback() const
{
    constexpr std::array<std::uint8_t, 16> kLoopback{
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return is_v4() ? v4() >> 24 == 127 : v6_bytes() == kLoopback;
}

bool IpAddress::is_link_local_v6() const
{
    return !is_v4() && v6_bytes()[0] == 0xfe && (v6_bytes()[1] & 0xc0) == 0x80;
}

bool IpAddress::is_multicast() const
{
    return is_v4() ? v4() >> 28 == 0xe : v6_bytes()[0] == 0xff;
}

std::string to_string(const IpAddress& address)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    const auto b = address.v6_bytes();
    if (address.is_v4()) {
        inet_ntop(AF_INET, b.data() + 12, text.data(), text.size());
    } else {
        inet_ntop(AF_INET6, b.data(), text.data(), text.size());
    }
    return text.data();
}

Result<IpPrefix> IpPrefix::parse(std::string_view text)
{
    const auto slash = text.find('/');
    const std::string_view digits = slash == text.npos ? "" : text.substr(slash + 1);
    std::uint8_t bits = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) {
        return Error{Errc::kUsage, "'" + std::string{text} + "' is not ADDRESS/LENGTH"};
    }
    auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) {
        return std::move(address).error();
    }
    const IpPrefix whole = host(*address);
    if (bits > whole.bits) {
        return Error{Errc::kUsage,
            "'" + std::string{text} + "': the length is at most " + std::to_string(whole.bits)};
    }
    return IpPrefix{*address, bits};
}

IpPrefix IpPrefix::host(const IpAddress& address)
{
    return {address, static_cast<std::uint8_t>(address.is_v4() ? 32 : 128)};
}

bool IpPrefix::contains(const IpAddress& other) const
{
    if (other.is_v4() != address.is_v4()) {
        return false;
    }
    // IPv4 addresses are mapped: their bits are the last 32 of 128.
    const unsigned length = bits + (address.is_v4() ? 96U : 0U);
    const auto a = address.v6_bytes(), b = other.v6_bytes();
    for (unsigned i = 0; i < length; i += 8) {
        const unsigned skipped = length - i < 8 ? 8 - (length - i) : 0;
        if ((a[i / 8] ^ b[i / 8]) >> skipped != 0) {
            return false;
        }
    }
    return true;
}

std::string to_string(const IpPrefix& prefix)
{
    return to_string(prefix.address) + "/" + std::to_string(prefix.bits);
}

std::string to_string(const Endpoint& endpoint)
{
    const std::string address = to_string(endpoint.address);
    const std::string port = std::to_string(endpoint.port);
    return endpoint.address.is_v4() ? address + ":" + port : "[" + address + "]:" + port;
}

}  // namespace dpdkperf
