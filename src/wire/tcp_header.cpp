#include "dpdkperf/wire/tcp_header.hpp"

#include "dpdkperf/base/endian.hpp"

#include <cassert>

namespace dpdkperf::wire {

namespace {

// Kinds of option: IANA, "TCP Option Kind Numbers".
enum Kind : std::uint8_t {
    kEnd = 0,
    kNop = 1,
    kMss = 2,
    kWindowScale = 3,
    kSackPermitted = 4,
    kSack = 5,
    kTimestamps = 8,
};

constexpr std::size_t kMssSize = 4;
constexpr std::size_t kWindowScaleSize = 3;
constexpr std::size_t kSackPermittedSize = 2;
constexpr std::size_t kTimestampsSize = 10;
constexpr std::size_t kSackBlockSize = 8;

void read_sack(std::span<const std::byte> blocks, TcpOptions& options) noexcept
{
    options.sack_count = 0;
    while (blocks.size() >= kSackBlockSize && options.sack_count < kMaxSackBlocks) {
        options.sack[options.sack_count++] = {
            load_be<std::uint32_t>(blocks.data()), load_be<std::uint32_t>(&blocks[4])};
        blocks = blocks.subspan(kSackBlockSize);
    }
}

// `option` is the whole option, kind and length included. A length that does not belong to the kind
// makes the option unknown.
void read_option(std::span<const std::byte> option, bool syn, TcpOptions& options) noexcept
{
    const std::size_t size = option.size();
    switch (std::to_integer<std::uint8_t>(option[0])) {
    case kMss:
        if (syn && size == kMssSize) {
            options.mss = load_be<std::uint16_t>(&option[2]);
        }
        break;
    case kWindowScale:
        if (syn && size == kWindowScaleSize) {
            options.window_scale = std::to_integer<std::uint8_t>(option[2]);
        }
        break;
    case kSackPermitted:
        options.sack_permitted |= syn && size == kSackPermittedSize;
        break;
    case kSack:
        if (!syn && (size - 2) % kSackBlockSize == 0) {
            read_sack(option.subspan(2), options);
        }
        break;
    case kTimestamps:
        if (size == kTimestampsSize) {
            options.timestamps = {
                load_be<std::uint32_t>(&option[2]), load_be<std::uint32_t>(&option[6])};
        }
        break;
    default:
        break;
    }
}

void read_options(std::span<const std::byte> rest, bool syn, TcpOptions& options) noexcept
{
    while (!rest.empty() && rest[0] != std::byte{kEnd}) {
        if (rest[0] == std::byte{kNop}) {
            rest = rest.subspan(1);
            continue;
        }
        const std::size_t size = rest.size() < 2 ? 0 : std::to_integer<std::size_t>(rest[1]);
        if (size < 2 || size > rest.size()) {
            return;
        }
        read_option(rest.first(size), syn, options);
        rest = rest.subspan(size);
    }
}

// Appends options to a header.
class OptionWriter {
public:
    explicit OptionWriter(std::byte* at) : at_{at} {}

    void mss(std::uint16_t value) noexcept
    {
        word(std::uint32_t{kMss} << 24 | kMssSize << 16 | value);
    }

    // NOPs, or the SACK-permitted option of a SYN, fill the word.
    void timestamps(const TcpTimestamps& value, bool with_sack_permitted) noexcept
    {
        const std::uint32_t first =
            with_sack_permitted ? kSackPermitted << 8 | kSackPermittedSize : kNop << 8 | kNop;
        word(first << 16 | kTimestamps << 8 | kTimestampsSize);
        word(value.value);
        word(value.echo);
    }

    void sack_permitted() noexcept
    {
        word(kNop << 24 | kNop << 16 | kSackPermitted << 8 | kSackPermittedSize);
    }

    void window_scale(std::uint8_t shift) noexcept
    {
        word(kNop << 24 | kWindowScale << 16 | kWindowScaleSize << 8 | shift);
    }

    void sack(std::span<const SackBlock> blocks) noexcept
    {
        const auto size = static_cast<std::uint32_t>(2 + kSackBlockSize * blocks.size());
        word(kNop << 24 | kNop << 16 | kSack << 8 | size);
        for (const SackBlock& block : blocks) {
            word(block.left);
            word(block.right);
        }
    }

private:
    void word(std::uint32_t value) noexcept
    {
        store_be<std::uint32_t>(at_, value);
        at_ += 4;
    }

    std::byte* at_;
};

void write_options(std::byte* at, const TcpOptions& options) noexcept
{
    OptionWriter writer{at};
    if (options.mss) {
        writer.mss(*options.mss);
    }
    if (options.timestamps) {
        writer.timestamps(*options.timestamps, options.sack_permitted);
    } else if (options.sack_permitted) {
        writer.sack_permitted();
    }
    if (options.window_scale) {
        writer.window_scale(*options.window_scale);
    }
    if (options.sack_count > 0) {
        writer.sack(options.sack_blocks());
    }
}

}  // namespace

std::optional<ParsedTcpHeader> parse_tcp_header(std::span<const std::byte> tcp) noexcept
{
    if (tcp.size() < kTcpSize) {
        return std::nullopt;
    }
    const std::size_t size = (std::to_integer<std::size_t>(tcp[kTcpDataOffset]) >> 4U) * 4;
    if (size < kTcpSize || size > tcp.size()) {
        return std::nullopt;
    }
    ParsedTcpHeader parsed;
    parsed.header_bytes = size;
    TcpHeader& header = parsed.header;
    header.sequence = load_be<std::uint32_t>(&tcp[kTcpSequence]);
    header.acknowledgment = load_be<std::uint32_t>(&tcp[kTcpAcknowledgment]);
    header.window = load_be<std::uint16_t>(&tcp[kTcpWindow]);
    header.flags = std::to_integer<std::uint8_t>(tcp[kTcpFlags]);
    read_options(
        tcp.subspan(kTcpSize, size - kTcpSize), (header.flags & kTcpSyn) != 0, header.options);
    return parsed;
}

std::size_t tcp_header_size(const TcpOptions& options) noexcept
{
    std::size_t size = kTcpSize;
    size += options.mss ? 4U : 0U;
    size += options.timestamps ? 12U : options.sack_permitted ? 4U : 0U;
    size += options.window_scale ? 4U : 0U;
    size += options.sack_count > 0 ? 4 + kSackBlockSize * options.sack_count : 0;
    return size;
}

std::size_t write_tcp_header(std::span<std::byte, kMaxTcpSize> to, std::uint16_t source_port,
    std::uint16_t destination_port, const TcpHeader& header) noexcept
{
    const std::size_t size = tcp_header_size(header.options);
    assert(size <= kMaxTcpSize);
    store_be<std::uint16_t>(&to[kTcpSourcePort], source_port);
    store_be<std::uint16_t>(&to[kTcpDestinationPort], destination_port);
    store_be<std::uint32_t>(&to[kTcpSequence], header.sequence);
    store_be<std::uint32_t>(&to[kTcpAcknowledgment], header.acknowledgment);
    to[kTcpDataOffset] = static_cast<std::byte>(size / 4 << 4);
    to[kTcpFlags] = std::byte{header.flags};
    store_be<std::uint16_t>(&to[kTcpWindow], header.window);
    store_be<std::uint32_t>(&to[kTcpChecksum], 0);
    write_options(&to[kTcpSize], header.options);
    return size;
}

}  // namespace dpdkperf::wire
