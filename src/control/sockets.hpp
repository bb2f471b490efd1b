#pragma once

// What control asks of kernel sockets beyond asio.

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/options/plan.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include <asio/ip/tcp.hpp>

namespace dpdkperf::control {

// `interface_index` becomes the scope of a link-local address.
asio::ip::tcp::endpoint to_asio(const Endpoint& endpoint, std::uint32_t interface_index);
Endpoint from_asio(const asio::ip::tcp::endpoint& endpoint);

// The interface that a connection with link-local addresses is on; empty for others.
std::optional<std::string> scope_of(const asio::ip::tcp::socket& socket);

// Both ends of a connection; 0.0.0.0:0 for what cannot be told any more.
Endpoint local_of(const asio::ip::tcp::socket& socket);
Endpoint remote_of(const asio::ip::tcp::socket& socket);

// TCP_NODELAY as iperf3 from 3.10 on, --snd-timeout, and keepalive: it notices a peer that is
// gone, and keeps the tables of neighbours and switches fresh while UDP flows one way only.
void prepare_control(asio::ip::tcp::socket& socket, const options::Plan& plan);

// TCP_MAXSEG, 0 if unknown.
std::uint32_t segment_bytes(asio::ip::tcp::socket& socket);

Status bind_to_device(int socket, const std::string& device);

// A listening socket on `port`, 0 for any: IPv6 that takes IPv4 too, unless the plan says otherwise
// or the kernel has no IPv6. Errors carry iperf3's text.
Result<asio::ip::tcp::acceptor> listen_on(
    asio::io_context& loop, const options::Plan& plan, std::uint16_t port);

}  // namespace dpdkperf::control
