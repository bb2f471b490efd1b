#pragma once

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/traffic/traffic.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/iperf_datagram.hpp"
#include "dpdkperf/wire/udp_headers.hpp"
#include "filler.hpp"
#include "tag.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include <rte_mbuf.h>

namespace dpdkperf::engine {

// The time part of a stamp, as it goes on the wire; read once per burst.
struct StampTime {
    std::uint32_t seconds_be = 0;
    std::uint32_t microseconds_be = 0;

    static StampTime of(Moment now)
    {
        const auto us = static_cast<std::uint64_t>(now.time_since_epoch().count()) / 1000;
        return {byte_swap(static_cast<std::uint32_t>(us / 1'000'000)),
            byte_swap(static_cast<std::uint32_t>(us % 1'000'000))};
    }
};

// All datagrams of one stream: what is the same in each, and how to write what is not.
class UdpTemplate {
public:
    UdpTemplate() = default;
    // `number` is new for each template; `filler` outlives it. payload_bytes: 16 or more, or less
    // than 16 for a hello, which is written by write_whole().
    UdpTemplate(const wire::UdpFlow& flow, std::uint16_t payload_bytes, bool wide,
        traffic::Filler kind, const Filler& filler, std::uint32_t number);

    [[nodiscard]] Tag tag() const noexcept { return tag_; }
    [[nodiscard]] bool wide() const noexcept { return wide_; }
    [[nodiscard]] std::uint16_t payload_bytes() const noexcept { return payload_bytes_; }
    [[nodiscard]] std::uint16_t frame_bytes() const noexcept { return frame_bytes_; }

    // Makes `mbufs` the datagrams `sequence`, `sequence` + 1, …, of this template. They were taken
    // from their pool without a reset: what a driver may have changed in them is written anew.
    template <bool kWide>
    void make(std::span<rte_mbuf*> mbufs, const TagField& tags, const StampTime& time,
        std::uint64_t sequence) const noexcept;

    // A datagram with this payload instead of stamp and filler, checksum included.
    void write_whole(
        rte_mbuf& mbuf, const TagField& tags, std::span<const std::byte> payload) const noexcept;

private:
    void rewrite(std::byte* frame, bool filler_too) const noexcept;

    // What a different template with the same filler may have overwritten: headers and stamp.
    static constexpr std::size_t kMaxHead = wire::kMaxUdpHeaderSize + wire::kStampSizeWide;

    Tag tag_ = 0;
    wire::ChecksumSum base_sum_ = 0;  // of all but stamp and checksum field
    std::uint16_t payload_offset_ = 0;
    std::uint16_t checksum_offset_ = 0;
    std::uint16_t frame_bytes_ = 0;
    std::uint16_t payload_bytes_ = 0;
    bool wide_ = false;
    std::span<const std::byte> filler_;
    std::array<std::byte, kMaxHead> head_{};
};

// The part of an mbuf that a driver's allocation resets, as two stores of 16 bytes: from data_off
// to ol_flags and from packet_type to the RSS hash (struct rte_mbuf, rte_mbuf_core.h, DPDK 22.11).
class MbufFields {
public:
    explicit MbufFields(std::uint16_t frame_bytes)
        : first_{RTE_PKTMBUF_HEADROOM          // data_off
                     | std::uint64_t{1} << 16  // refcnt
                     | std::uint64_t{1} << 32  // nb_segs
                     | std::uint64_t{RTE_MBUF_PORT_INVALID} << 48,
              0},                                    // ol_flags
          second_{std::uint64_t{frame_bytes} << 32,  // packet_type, pkt_len
              frame_bytes}                           // data_len, VLAN, hash
    {
    }

    void write(rte_mbuf& mbuf) const noexcept
    {
        static_assert(offsetof(rte_mbuf, ol_flags) == offsetof(rte_mbuf, rearm_data) + 8);
        static_assert(offsetof(rte_mbuf, pkt_len) == offsetof(rte_mbuf, rx_descriptor_fields1) + 4);
        static_assert(
            offsetof(rte_mbuf, data_len) == offsetof(rte_mbuf, rx_descriptor_fields1) + 8);
        std::memcpy(&mbuf.rearm_data, &first_, sizeof first_);
        std::memcpy(&mbuf.rx_descriptor_fields1, &second_, sizeof second_);
    }

private:
    std::array<std::uint64_t, 2> first_, second_;
};

inline std::byte* frame_of(rte_mbuf& mbuf) noexcept
{
    return static_cast<std::byte*>(mbuf.buf_addr) + RTE_PKTMBUF_HEADROOM;
}

// The 16-bit words of a sequence number, added up.
constexpr std::uint32_t words_of(std::uint32_t v) noexcept
{
    return (v & 0xffff) + (v >> 16);
}
constexpr std::uint32_t words_of(std::uint64_t v) noexcept
{
    return words_of(static_cast<std::uint32_t>(v)) + words_of(static_cast<std::uint32_t>(v >> 32));
}

template <bool kWide>
void UdpTemplate::make(std::span<rte_mbuf*> mbufs, const TagField& tags, const StampTime& time,
    std::uint64_t sequence) const noexcept
{
    // Copies, because stores to frames could otherwise alias members, and all would be read again
    // for every packet.
    const MbufFields fields{frame_bytes_};
    const TagField tag_field = tags;
    const Tag tag = tag_;
    const StampTime now = time;
    const std::size_t payload_offset = payload_offset_, checksum_offset = checksum_offset_;
    const std::uint32_t base = wire::fold(base_sum_ + time.seconds_be + time.microseconds_be);
    for (rte_mbuf* mbuf : mbufs) {
        fields.write(*mbuf);
        std::byte* frame = frame_of(*mbuf);
        if (Tag& held = tag_field.of(*mbuf); held != tag) [[unlikely]] {
            rewrite(frame, !same_filler(held, tag));
            held = tag;
        }
        std::byte* stamp = frame + payload_offset;
        std::memcpy(stamp, &now, sizeof now);
        using Sequence = std::conditional_t<kWide, std::uint64_t, std::uint32_t>;
        const Sequence be = byte_swap(static_cast<Sequence>(sequence++));
        std::memcpy(stamp + wire::kStampSequence, &be, sizeof be);
        const std::uint16_t checksum = wire::finish_udp_small(base + words_of(be));
        std::memcpy(frame + checksum_offset, &checksum, sizeof checksum);
    }
}

}  // namespace dpdkperf::engine
