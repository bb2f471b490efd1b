#include "udp_template.hpp"

#include <algorithm>

namespace dpdkperf::engine {

namespace {

// Which bytes lie where behind the headers: the kind of filler, and where it begins.
std::uint32_t filler_name(traffic::Filler kind, std::size_t payload_offset)
{
    return static_cast<std::uint32_t>(payload_offset << 1 | (kind == traffic::Filler::kDigits));
}

}  // namespace

UdpTemplate::UdpTemplate(const wire::UdpFlow& flow, std::uint16_t payload_bytes, bool wide,
    traffic::Filler kind, const Filler& filler, std::uint32_t number)
    : payload_bytes_{payload_bytes}, wide_{wide}
{
    const wire::UdpHeaders headers{flow, payload_bytes};
    payload_offset_ = static_cast<std::uint16_t>(headers.bytes().size());
    filler_ = filler.of(kind, payload_offset_);
    checksum_offset_ = static_cast<std::uint16_t>(headers.checksum_offset());
    frame_bytes_ = static_cast<std::uint16_t>(payload_offset_ + payload_bytes);
    tag_ = make_tag(filler_name(kind, payload_offset_), number);
    const auto after = std::copy(headers.bytes().begin(), headers.bytes().end(), head_.begin());
    std::copy_n(filler_.begin(), wire::kStampSizeWide, after);
    base_sum_ = headers.base_sum();
    const std::size_t stamp = wide ? wire::kStampSizeWide : wire::kStampSize;
    if (payload_bytes > stamp) {
        base_sum_ = wire::add_bytes(base_sum_, filler_.subspan(stamp, payload_bytes - stamp));
    }
}

void UdpTemplate::rewrite(std::byte* frame, bool filler_too) const noexcept
{
    // All of the filler, not only what this template sends: the next one may be longer.
    if (filler_too) {
        std::memcpy(frame + payload_offset_, filler_.data(), filler_.size());
    }
    std::memcpy(frame, head_.data(), payload_offset_ + wire::kStampSizeWide);
}

void UdpTemplate::write_whole(
    rte_mbuf& mbuf, const TagField& tags, std::span<const std::byte> payload) const noexcept
{
    MbufFields{frame_bytes_}.write(mbuf);
    std::byte* frame = frame_of(mbuf);
    std::memcpy(frame, head_.data(), payload_offset_);
    std::memcpy(frame + payload_offset_, payload.data(), payload.size());
    const std::uint16_t checksum = wire::finish_udp(wire::add_bytes(base_sum_, payload));
    std::memcpy(frame + checksum_offset_, &checksum, sizeof checksum);
    tags.of(mbuf) = 0;
}

}  // namespace dpdkperf::engine
