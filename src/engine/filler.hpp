#pragma once

#include "dpdkperf/traffic/traffic.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace dpdkperf::engine {

// The bytes behind the stamp of every datagram, made once per process: streams share them, so
// that an mbuf that goes from one stream to another needs new headers only.
class Filler {
public:
    // `frame_bytes`: the largest frame, headers included.
    explicit Filler(std::size_t frame_bytes);

    // All that may lie behind `header_bytes` of headers. Lives as long as this.
    [[nodiscard]] std::span<const std::byte> of(
        traffic::Filler kind, std::size_t header_bytes) const
    {
        const auto& bytes = kind == traffic::Filler::kDigits ? digits_ : random_;
        return std::span{bytes}.first(bytes.size() - header_bytes);
    }

private:
    std::vector<std::byte> random_, digits_;
};

}  // namespace dpdkperf::engine
