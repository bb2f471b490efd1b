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

StreamContent::StreamContent(
    std::span<const std::byte> prefix, const Pattern& pattern, std::uint32_t period_bytes)
    : prefix_{prefix.begin(), prefix.end()},
      prefix_sums_{sums_of(prefix)},
      pattern_{&pattern},
      period_{period_bytes}
{
    assert(prefix.size() <= kMaxPrefix);
    assert(period_bytes > 0 && period_bytes <= Pattern::kPeriod);
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
    if (in_prefix) {
        return {std::span{prefix_}.subspan(offset), std::span{prefix_sums_}.subspan(offset),
            offset % 2 != 0};
    }
    const std::uint32_t at = phase(offset);
    const std::size_t end = period_ == Pattern::kPeriod ? pattern_->buffer().size() : period_;
    return {pattern_->buffer().subspan(at, end - at), pattern_->sums().subspan(at), at % 2 != 0};
}

// In the pattern. A division by a constant is much the cheaper one.
std::uint32_t StreamContent::phase(std::uint64_t offset) const noexcept
{
    return static_cast<std::uint32_t>(period_ == Pattern::kPeriod
                                          ? (offset - prefix_.size()) % Pattern::kPeriod
                                          : offset % period_);
}

bool StreamContent::is_period(std::uint64_t offset, std::uint32_t bytes) const noexcept
{
    return pattern_ != nullptr && bytes == period_ && period_ != Pattern::kPeriod &&
           offset >= prefix_.size() && phase(offset) == 0;
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
