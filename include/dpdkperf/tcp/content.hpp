#pragma once

#include "dpdkperf/wire/checksum.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dpdkperf::tcp {

// kPeriod bytes that are repeated for ever, as iperf3 sends one buffer over and over (iperf 3.12,
// src/iperf_tcp.c), with what is needed to sum any part of them. Reading is for any thread.
class Pattern {
public:
    // Below half of 64 KB, so that two periods fit into one buffer of a NIC's segment; a multiple
    // of ten for the digits of --repeating-payload.
    static constexpr std::uint32_t kPeriod = 32'760;

    // `buffer` holds the period twice, so that kPeriod bytes from any of them on lie in one piece;
    // it stays as it is and outlives the pattern. Allocates.
    explicit Pattern(std::span<const std::byte, std::size_t{2} * kPeriod> buffer);

    [[nodiscard]] std::span<const std::byte> buffer() const noexcept { return buffer_; }
    // [i]: of the bytes before i, those at odd places times 256.
    [[nodiscard]] std::span<const std::uint32_t> sums() const noexcept { return sums_; }

private:
    std::span<const std::byte> buffer_;
    std::vector<std::uint32_t> sums_;
};

// What a stream carries: a prefix (the cookie of an iperf3 client, else nothing), then a pattern or
// the beginning of one over and over, or a file that ends. Any byte can be had at any time, so
// nothing is kept for retransmission.
//
// Allocates when made; reading is for any thread.
class StreamContent {
public:
    static constexpr std::size_t kMaxPrefix = 64;

    // `prefix` at most kMaxPrefix bytes, which are copied; `pattern` outlives this. `period_bytes`:
    // so much of the pattern is repeated, 1 to Pattern::kPeriod. The whole pattern begins behind
    // the prefix; shorter periods lie as a sender's full segments do, which it counts from offset
    // 0.
    StreamContent(std::span<const std::byte> prefix, const Pattern& pattern,
        std::uint32_t period_bytes = Pattern::kPeriod);
    // Nothing behind the end of `file` is asked for; it outlives this.
    StreamContent(std::span<const std::byte> prefix, std::span<const std::byte> file);

    // The bytes from `offset` on that lie in one piece, at most `most` and at most
    // Pattern::kPeriod, and not beyond the end of a shorter period; at least one. Valid as long as
    // this object.
    [[nodiscard]] std::span<const std::byte> piece(
        std::uint64_t offset, std::uint32_t most) const noexcept;

    // The checksum sum of bytes [offset, offset + bytes), to be added to that of a header of even
    // length: two table look-ups for each piece, however long it is; the bytes of a file are added.
    [[nodiscard]] wire::ChecksumSum sum(std::uint64_t offset, std::uint32_t bytes) const noexcept;

    // These bytes are a period that is shorter than the pattern's, from its first byte to its last:
    // what else of this pattern, in any stream, is one of as many bytes has the same ones.
    [[nodiscard]] bool is_period(std::uint64_t offset, std::uint32_t bytes) const noexcept;

private:
    struct Place {
        std::span<const std::byte> rest;  // from the offset to the end of the buffer
        std::span<const std::uint32_t>
            sums;          // of what comes before each byte of it; of a file none
        bool odd = false;  // the place in the buffer
    };
    [[nodiscard]] Place place(std::uint64_t offset) const noexcept;
    [[nodiscard]] std::uint32_t phase(std::uint64_t offset) const noexcept;

    std::vector<std::byte> prefix_;
    std::vector<std::uint32_t> prefix_sums_;
    const Pattern* pattern_ = nullptr;  // null: file_
    std::uint32_t period_ = 0;          // of the pattern
    std::span<const std::byte> file_;
};

}  // namespace dpdkperf::tcp
