#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/capture/frame_ring.hpp"

#include <cstdint>
#include <span>
#include <string>

// The blocks of a pcapng file, as bytes to be written one after another (draft-ietf-opsawg-pcapng,
// in the byte order of this machine, which the first block tells).
namespace dpdkperf::capture {

// The file was made by `program` as `comment` says.
std::string section_block(const std::string& program, const std::string& comment);

// An Ethernet interface. The first one of a file is number 0.
std::string interface_block(
    const std::string& name, const std::string& description, const Mac& mac);

std::string packet_block(const FrameHeader& header, std::span<const std::byte> frame);

// How many frames of an interface passed and how many of them are missing.
std::string statistics_block(
    std::uint32_t interface, std::int64_t at_ns, std::uint64_t passed, std::uint64_t missing);

}  // namespace dpdkperf::capture
