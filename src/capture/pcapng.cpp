#include "pcapng.hpp"

#include <type_traits>

namespace dpdkperf::capture {

namespace {

enum BlockType : std::uint32_t {
    kInterface = 1,
    kStatistics = 5,
    kPacket = 6,
    kSection = 0x0A0D0D0A,
};

enum OptionCode : std::uint16_t {
    kComment = 1,
    kInterfaceName = 2,
    kInterfaceDescription = 3,
    kSectionProgram = 4,
    kPacketFlags = 2,
    kReceived = 4,
    kMissing = 5,
    kInterfaceMac = 6,
    kTimeResolution = 9,
};

constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;
constexpr std::uint16_t kEthernet = 1;    // LINKTYPE_ETHERNET
constexpr std::uint8_t kNanoseconds = 9;  // 10^-9 s
constexpr std::uint32_t kWhole = 0;       // no frame is cut
constexpr std::uint32_t kInbound = 1, kOutbound = 2;

class Block {
public:
    explicit Block(BlockType type)
    {
        put(static_cast<std::uint32_t>(type));
        put(std::uint32_t{0});  // the length, when it is known
    }

    template <class T>
    Block& put(T value)
    {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    Block& put_time(std::int64_t at_ns)
    {
        const auto at = static_cast<std::uint64_t>(at_ns);
        return put(static_cast<std::uint32_t>(at >> 32)).put(static_cast<std::uint32_t>(at));
    }
    Block& put_padded(const char* data, std::size_t size)
    {
        bytes_.append(data, size);
        bytes_.append((4 - size % 4) % 4, '\0');
        return *this;
    }
    Block& option(OptionCode code, const std::string& value)
    {
        put(static_cast<std::uint16_t>(code)).put(static_cast<std::uint16_t>(value.size()));
        return put_padded(value.data(), value.size());
    }
    template <class T>
    Block& option(OptionCode code, const T& value)
    {
        return option(code, std::string{reinterpret_cast<const char*>(&value), sizeof value});
    }

    std::string end_options() && { return std::move(put(std::uint32_t{0})).end(); }

private:
    std::string end() &&
    {
        const auto length = static_cast<std::uint32_t>(bytes_.size() + sizeof(std::uint32_t));
        put(length);
        bytes_.replace(sizeof(std::uint32_t), sizeof length, reinterpret_cast<const char*>(&length),
            sizeof length);
        return std::move(bytes_);
    }

    std::string bytes_;
};

}  // namespace

std::string section_block(const std::string& program, const std::string& comment)
{
    constexpr std::uint16_t kMajor = 1, kMinor = 0;
    constexpr std::int64_t kUnknownLength = -1;
    return std::move(Block{kSection}
                         .put(kByteOrder)
                         .put(kMajor)
                         .put(kMinor)
                         .put(kUnknownLength)
                         .option(kSectionProgram, program)
                         .option(kComment, comment))
        .end_options();
}

std::string interface_block(const std::string& name, const std::string& description, const Mac& mac)
{
    constexpr std::uint16_t kReserved = 0;
    return std::move(Block{kInterface}
                         .put(kEthernet)
                         .put(kReserved)
                         .put(kWhole)
                         .option(kInterfaceName, name)
                         .option(kInterfaceDescription, description)
                         .option(kInterfaceMac, mac)
                         .option(kTimeResolution, kNanoseconds))
        .end_options();
}

std::string packet_block(const FrameHeader& header, std::span<const std::byte> frame)
{
    const auto bytes = static_cast<std::uint32_t>(frame.size());
    const bool received = header.direction == Direction::kReceived;
    return std::move(Block{kPacket}
                         .put(std::uint32_t{header.interface})
                         .put_time(header.at_ns)
                         .put(bytes)
                         .put(bytes)
                         .put_padded(reinterpret_cast<const char*>(frame.data()), frame.size())
                         .option(kPacketFlags, received ? kInbound : kOutbound))
        .end_options();
}

std::string statistics_block(
    std::uint32_t interface, std::int64_t at_ns, std::uint64_t passed, std::uint64_t missing)
{
    return std::move(Block{kStatistics}
                         .put(interface)
                         .put_time(at_ns)
                         .option(kReceived, passed)
                         .option(kMissing, missing))
        .end_options();
}

}  // namespace dpdkperf::capture
