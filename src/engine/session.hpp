#pragma once

#include "dpdkperf/tcp/content.hpp"
#include "dpdkperf/traffic/traffic.hpp"
#include "tcp_stream.hpp"
#include "udp_stream.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace dpdkperf::engine {

// A test as the pollers see it. Owned by the engine; pollers know it from kAdd to kRemove.
struct Session {
    traffic::SessionSpec spec;  // constant after open()
    // One of the two is empty, both are constant after open().
    std::vector<std::unique_ptr<UdpStream>> streams;
    std::vector<std::unique_ptr<TcpStream>> connections;
    std::optional<tcp::StreamContent> content;  // of what we send over TCP
    std::optional<tcp::StreamContent> denial;   // of what a server sends to a stranger

    std::atomic<std::uint32_t> next_hello{0};  // server: the stream that the next hello opens
    // TCP server: a connection came and all places were taken, though not all by the client.
    std::atomic<bool> place_wanted{false};
    std::atomic<std::uint32_t> added_by{0};     // pollers that have carried out kAdd
    std::atomic<std::uint32_t> finished_by{0};  // pollers that have carried out kFinish
    std::atomic<std::uint32_t> removed_by{0};   // pollers that have carried out kRemove

    // Pollers: add. Control: reads. Cold, so shared by all pollers.
    std::atomic<std::uint64_t> bad_checksum{0}, bad_length{0}, unexpected{0}, pool_empty{0};
    std::atomic<std::uint64_t> handed_over{0}, not_handed_over{0};
    stats::Impaired impaired_before;  // control only
    // One for each poller, which writes it before it counts in finished_by.
    std::vector<stats::PollerLoad> loads;

    [[nodiscard]] std::size_t size() const { return streams.size() + connections.size(); }
    [[nodiscard]] Stream& stream(std::size_t index) const
    {
        return connections.empty() ? static_cast<Stream&>(*streams[index]) : *connections[index];
    }
};

}  // namespace dpdkperf::engine
