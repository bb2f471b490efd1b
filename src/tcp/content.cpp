#include "dpdkperf/tcp/content.hpp"

#include <algorithm>
#include <cassert>

namespace dpdkperf::tcp {

namespace {

// Words in the order of this host: the first byte of each is the low one.
std::vector<std::uint32_t> sums_of(std::span<const std::byte> bytes)
{
    std::vector<std::uint32_t> sums(bytes.size() + 1);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        sums[i + 1] = sums[i] + (std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 * 8));
    }
    return sums;
}

}  // namespace

Pattern::Pattern(std::span<const std::byte, std::size_t{2} * kPeriod> buffer)
    : buffer_{buffer}, sums_{sums_of(buffer)}
{
}

StreamContent::StreamContent(std::span<const std::byte> prefix, const Pattern& pattern)
    : prefix_{prefix.begin(), prefix.end()}, prefix_sums_{sums_of(prefix)}, pattern_{&pattern}
{
    assert(prefix.size() <= kMaxPrefix);
}

StreamContent::StreamContent(std::span<const std::byte> prefix, std::span<const std::byte> file)
    : prefix_{prefix.begin(), prefix.end()}, prefix_sums_{sums_of(prefix)}, file_{file}
{
    assert(prefix.size() <= kMaxPrefix);
}

StreamContent::Place StreamContent::place(std::uint64_t offset) const noexcept
{
    const bool in_prefix = offset < prefix_.size();
    if (!in_prefix && pattern_ == nullptr) {
        return {file_.subspan(offset - prefix_.size()), {}, false};
    }
    const std::size_t at = in_prefix ? offset : (offset - prefix_.size()) % Pattern::kPeriod;
    const std::span<const std::byte> bytes = in_prefix ? prefix_ : pattern_->buffer();
    const std::span<const std::uint32_t> sums = in_prefix ? prefix_sums_ : pattern_->sums();
    return {bytes.subspan(at), sums.subspan(at), at % 2 != 0};
}

std::span<const std::byte> StreamContent::piece(
    std::uint64_t offset, std::uint32_t most) const noexcept
{
    const auto rest = place(offset).rest;
    return rest.first(std::min({rest.size(), std::size_t{most}, std::size_t{Pattern::kPeriod}}));
}

wire::ChecksumSum StreamContent::sum(std::uint64_t offset, std::uint32_t bytes) const noexcept
{
    wire::ChecksumSum total = 0;
    bool odd_in_packet = false;
    while (bytes > 0) {
        const Place from = place(offset);
        const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(bytes, from.rest.size()));
        const std::uint16_t piece = from.sums.empty()
                                        ? wire::fold(wire::add_bytes(0, from.rest.first(n)))
                                        : wire::fold(from.sums[n] - from.sums[0]);
        total += wire::at_place(piece, from.odd != odd_in_packet);
        odd_in_packet = odd_in_packet != (n % 2 != 0);
        offset += n;
        bytes -= n;
    }
    return total;
}

}  // namespace dpdkperf::tcp
