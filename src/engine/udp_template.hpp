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

    // Makes `mbuf` a datagram of this template, all but the stamp. `raw` was taken from the pool
    // without a reset: what a driver may have changed in it is written here.
    void prepare(rte_mbuf& mbuf, const TagField& tags) const noexcept
    {
        constexpr std::uint64_t kRearm = RTE_PKTMBUF_HEADROOM      // data_off
                                         | std::uint64_t{1} << 16  // refcnt
                                         | std::uint64_t{1} << 32  // nb_segs
                                         | std::uint64_t{RTE_MBUF_PORT_INVALID} << 48;
        std::memcpy(&mbuf.rearm_data, &kRearm, sizeof kRearm);
        mbuf.ol_flags = 0;
        mbuf.pkt_len = frame_bytes_;
        mbuf.data_len = frame_bytes_;
        if (Tag& tag = tags.of(mbuf); tag != tag_) [[unlikely]] {
            rewrite(frame_of(mbuf), !same_filler(tag, tag_));
            tag = tag_;
        }
    }

    // Writes time, sequence number and checksum into a prepared mbuf.
    template <bool kWide>
    void stamp(rte_mbuf& mbuf, const StampTime& time, std::uint64_t sequence) const noexcept
    {
        std::byte* frame = frame_of(mbuf);
        std::byte* to = frame + payload_offset_;
        std::memcpy(to, &time, sizeof time);
        wire::ChecksumSum sum = base_sum_ + time.seconds_be + time.microseconds_be;
        if constexpr (kWide) {
            const std::uint64_t be = byte_swap(sequence);
            std::memcpy(to + wire::kStampSequence, &be, sizeof be);
            sum += (be & 0xffff'ffff) + (be >> 32);
        } else {
            const std::uint32_t be = byte_swap(static_cast<std::uint32_t>(sequence));
            std::memcpy(to + wire::kStampSequence, &be, sizeof be);
            sum += be;
        }
        const std::uint16_t checksum = wire::finish_udp(sum);
        std::memcpy(frame + checksum_offset_, &checksum, sizeof checksum);
    }

    // A datagram with this payload instead of stamp and filler, checksum included.
    void write_whole(
        rte_mbuf& mbuf, const TagField& tags, std::span<const std::byte> payload) const noexcept;

private:
    static std::byte* frame_of(rte_mbuf& mbuf) noexcept
    {
        return static_cast<std::byte*>(mbuf.buf_addr) + RTE_PKTMBUF_HEADROOM;
    }
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

}  // namespace dpdkperf::engine
