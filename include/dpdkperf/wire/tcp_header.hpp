#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dpdkperf::wire {

// Sizes and offsets of the TCP header (RFC 9293, 3.1).
inline constexpr std::size_t kTcpSize = 20;     // without options
inline constexpr std::size_t kMaxTcpSize = 60;  // data offset 15
inline constexpr std::size_t kTcpSourcePort = 0;
inline constexpr std::size_t kTcpDestinationPort = 2;
inline constexpr std::size_t kTcpSequence = 4;
inline constexpr std::size_t kTcpAcknowledgment = 8;
inline constexpr std::size_t kTcpDataOffset = 12;
inline constexpr std::size_t kTcpFlags = 13;
inline constexpr std::size_t kTcpWindow = 14;
inline constexpr std::size_t kTcpChecksum = 16;
inline constexpr std::uint8_t kProtocolTcp = 6;

// Control bits (RFC 9293, 3.1; RFC 3168, 6.1).
inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpPsh = 0x08;
inline constexpr std::uint8_t kTcpAck = 0x10;
inline constexpr std::uint8_t kTcpUrg = 0x20;
inline constexpr std::uint8_t kTcpEce = 0x40;
inline constexpr std::uint8_t kTcpCwr = 0x80;

// The ECN field of the IP header (RFC 3168, 5).
enum class Ecn : std::uint8_t { kNotCapable = 0, kCapable1 = 1, kCapable0 = 2, kCongested = 3 };

struct TcpTimestamps {
    std::uint32_t value = 0;  // TSval
    std::uint32_t echo = 0;   // TSecr
};

struct SackBlock {
    std::uint32_t left = 0;   // first sequence number of the block
    std::uint32_t right = 0;  // the one behind the last
};

// RFC 2018: four blocks are all that fit into 40 bytes of options.
inline constexpr std::size_t kMaxSackBlocks = 4;
// With timestamps (RFC 7323) in the same header only three do.
inline constexpr std::size_t kMaxSackBlocksWithTimestamps = 3;

struct TcpOptions {
    std::optional<std::uint16_t> mss;          // SYN only (RFC 9293, 3.7.1)
    std::optional<std::uint8_t> window_scale;  // SYN only (RFC 7323, 2.2); as sent, may be above 14
    bool sack_permitted = false;               // SYN only (RFC 2018, 2)
    std::optional<TcpTimestamps> timestamps;
    std::uint8_t sack_count = 0;  // blocks of `sack` in use
    std::array<SackBlock, kMaxSackBlocks> sack{};

    [[nodiscard]] std::span<const SackBlock> sack_blocks() const
    {
        return {sack.data(), sack_count};
    }
};

// A TCP header without its ports and checksum, in host byte order. The urgent pointer is neither
// read nor written.
struct TcpHeader {
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgment = 0;
    std::uint16_t window = 0;  // as on the wire, unscaled
    std::uint8_t flags = 0;
    TcpOptions options;
};

struct ParsedTcpHeader {
    TcpHeader header;
    std::size_t header_bytes = 0;  // 20 to 60: where the payload begins
};

// Reads the header at the start of `tcp`, which ends where the IP packet ends. Nothing if the data
// offset is below 5 or points behind the end. Options that only a SYN may carry are left out of
// other segments; of an option that comes twice the last counts; an option with an impossible
// length ends the list, and what came before it is kept.
std::optional<ParsedTcpHeader> parse_tcp_header(std::span<const std::byte> tcp) noexcept;

// Bytes that write_tcp_header() will fill: 20 to 60, a multiple of 4.
std::size_t tcp_header_size(const TcpOptions& options) noexcept;

// Writes header and options; checksum and urgent pointer are 0. The options must fit: at most
// kMaxSackBlocks, or kMaxSackBlocksWithTimestamps beside timestamps, and none in a SYN. Returns the
// size of the header. Options come in the order in which Linux sends them
// (tcp_options_write(), Linux 6.1), which middleboxes are used to.
std::size_t write_tcp_header(std::span<std::byte, kMaxTcpSize> to, std::uint16_t source_port,
    std::uint16_t destination_port, const TcpHeader& header) noexcept;

}  // namespace dpdkperf::wire
