#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace dpdkperf::tcp::fuzz {

// Reads bytes as a program for one connection: pass time, inject a segment near the state of the
// connection, inject raw bytes through the real parser, offer, close, abort, change the path MTU.
// Returns what was wrong, or an empty string. Any input is a valid program.
std::string run_program(std::span<const std::uint8_t> bytes);

// The option parser on `bytes` as the options of a SYN and of another segment.
std::string run_options(std::span<const std::uint8_t> bytes);

}  // namespace dpdkperf::tcp::fuzz
