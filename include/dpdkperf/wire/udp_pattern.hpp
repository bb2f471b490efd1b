#pragma once

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/udp_view.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

namespace dpdkperf::wire {

// The headers of a datagram, to recognise the next ones of its stream by. They differ in nothing
// but the IPv4 identification and checksums, as a rule; so a few words are compared instead of
// parsing and looking the flow up again (header prediction, Van Jacobson, 4BSD "Tahoe", for UDP).
//
// What matches has been checked as parse_udp() does it, down to the IPv4 header checksum. What does
// not match may be all right nevertheless: ask parse_udp().
class UdpPattern {
public:
    UdpPattern() = default;  // matches nothing

    // `frame` without faults, `view` from it. With IPv4 options nothing will match; octets behind
    // the datagram, as those that pad a short frame, are part of the frame's length.
    UdpPattern(std::span<const std::byte> frame, const UdpView& view) noexcept
        : source_{view.source}, destination_{view.destination}, ipv4_{view.ipv4}
    {
        const std::size_t headers = udp_at();
        if (&frame[headers] != view.udp.data()) {
            return;
        }
        frame_bytes_ = frame.size();
        udp_bytes_ = view.udp.size();
        words_ = load(frame.data());
        const std::span ip = frame.subspan(kEthernetSize, kIpv4Size);
        fixed_sum_ = add_bytes(0, ip.first(kIpv4Id)) + add_bytes(0, ip.subspan(kIpv4Fragment, 4)) +
                     add_bytes(0, ip.subspan(kIpv4Source));
    }

    [[nodiscard, gnu::always_inline]] bool matches(std::span<const std::byte> frame) const noexcept
    {
        if (frame.size() != frame_bytes_) {
            return false;
        }
        Words different = load(frame.data());
        std::uint64_t any = 0;
        for (std::size_t i = 0; i < kIpv6Words; ++i) {
            different[i] ^= words_[i];
            any |= different[i];
        }
        // Ours always have the same identification (RFC 6864), and then the same checksum.
        return any == 0 ||
               (ipv4_ && differ_in_what_varies(different) && ipv4_checksum_ok(frame.data()));
    }

    // As parse_udp() would give it; `frame` matches.
    [[nodiscard, gnu::always_inline]] UdpView view(std::span<const std::byte> frame) const noexcept
    {
        return {
            .ipv4 = ipv4_,
            .source = source_,
            .destination = destination_,
            .udp = frame.subspan(udp_at(), udp_bytes_),
        };
    }

private:
    // From the EtherType to the UDP length.
    static constexpr std::size_t kIpv4Words = 4, kIpv6Words = 6;
    using Words = std::array<std::uint64_t, kIpv6Words>;

    static std::uint64_t load_word(const std::byte* from) noexcept
    {
        std::uint64_t word = 0;
        std::memcpy(&word, from, sizeof word);
        return word;
    }
    [[nodiscard, gnu::always_inline]] Words load(const std::byte* frame) const noexcept
    {
        const std::byte* const at = frame + kEtherType;
        if (ipv4_) {
            return {load_word(at), load_word(at + 8), load_word(at + 16), load_word(at + 20)};
        }
        return {load_word(at), load_word(at + 8), load_word(at + 16), load_word(at + 24),
            load_word(at + 32), load_word(at + 40)};
    }

    // Whether two IPv4 headers differ in nothing but identification and checksum.
    static bool differ_in_what_varies(const Words& different) noexcept
    {
        constexpr std::uint64_t kAllButId = 0x0000'ffff'ffff'ffff;
        constexpr std::uint64_t kAllButChecksum = 0xffff'0000'ffff'ffff;
        return ((different[0] & kAllButId) | (different[1] & kAllButChecksum) | different[2] |
                   different[3]) == 0;
    }

    // All but the identification and the checksum itself are in fixed_sum_.
    [[nodiscard, gnu::always_inline]] bool ipv4_checksum_ok(const std::byte* frame) const noexcept
    {
        const std::byte* const ip = frame + kEthernetSize;
        std::uint16_t id = 0, checksum = 0;
        std::memcpy(&id, ip + kIpv4Id, sizeof id);
        std::memcpy(&checksum, ip + kIpv4Checksum, sizeof checksum);
        return fold(fixed_sum_ + id + checksum) == 0xffff;
    }

    [[nodiscard]] std::size_t udp_at() const noexcept
    {
        return kEthernetSize + (ipv4_ ? kIpv4Size : kIpv6Size);
    }

    Words words_{};
    ChecksumSum fixed_sum_ = 0;  // of the IPv4 header
    std::size_t frame_bytes_ = std::numeric_limits<std::size_t>::max();
    std::size_t udp_bytes_ = 0;
    Endpoint source_, destination_;
    bool ipv4_ = true;
};

}  // namespace dpdkperf::wire
