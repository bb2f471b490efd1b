#include "sockets.hpp"

#include "dpdkperf/control/host_address.hpp"
#include "dpdkperf/proto/failure.hpp"

#include <array>

#include <asio/ip/v6_only.hpp>
#include <net/if.h>
#include <netinet/tcp.h>

namespace dpdkperf::control {

namespace {

using asio::ip::tcp;

constexpr int kBacklog = 64;

void set(tcp::socket& socket, int option, int value)
{
    // Without it a dead peer is noticed later: no reason to refuse the test.
    (void)setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
}

// iperf3's words, and where: "… for connections on port 5201: Address already in use".
Error listen_failure(const tcp::endpoint& endpoint, const asio::error_code& why)
{
    std::string where = "port " + std::to_string(endpoint.port());
    if (!endpoint.address().is_unspecified()) {
        where = endpoint.address().to_string() + " " + where;
    }
    return {Errc::kSystem,
        "unable to start listener for connections on " + where + ": " + why.message()};
}

Result<tcp::acceptor> try_listen(
    asio::io_context& loop, const tcp::endpoint& endpoint, const options::Plan& plan)
{
    asio::error_code failed;
    tcp::acceptor acceptor{loop};
    acceptor.open(endpoint.protocol(), failed);
    if (failed) {
        return listen_failure(endpoint, failed);
    }
    acceptor.set_option(tcp::acceptor::reuse_address{true}, failed);
    if (endpoint.protocol() == tcp::v6()) {
        const bool only = plan.family == options::Family::kIpv6 || plan.bind_address;
        acceptor.set_option(asio::ip::v6_only(only), failed);
    }
    if (plan.bind_device) {
        if (auto bound = bind_to_device(acceptor.native_handle(), *plan.bind_device); !bound) {
            return std::move(bound).error();
        }
    }
    acceptor.bind(endpoint, failed);
    if (!failed) {
        acceptor.listen(kBacklog, failed);
    }
    if (failed) {
        return listen_failure(endpoint, failed);
    }
    return acceptor;
}

bool kernel_has_ipv6(asio::io_context& loop)
{
    asio::error_code failed;
    tcp::socket socket{loop};
    socket.open(tcp::v6(), failed);
    return !failed;
}

}  // namespace

tcp::endpoint to_asio(const Endpoint& endpoint, std::uint32_t interface_index)
{
    if (endpoint.address.is_v4()) {
        return {asio::ip::address_v4{endpoint.address.v4()}, endpoint.port};
    }
    asio::ip::address_v6 address{endpoint.address.v6_bytes()};
    if (endpoint.address.is_link_local_v6()) {
        address.scope_id(interface_index);
    }
    return {address, endpoint.port};
}

Endpoint from_asio(const tcp::endpoint& endpoint)
{
    const auto address = endpoint.address();
    return {address.is_v4() ? IpAddress::from_v4(address.to_v4().to_uint())
                            : IpAddress::from_v6_bytes(address.to_v6().to_bytes()),
        endpoint.port()};
}

std::optional<std::string> scope_of(const tcp::socket& socket)
{
    asio::error_code failed;
    const auto address = socket.remote_endpoint(failed).address();
    std::array<char, IF_NAMESIZE> name{};
    if (failed || !address.is_v6() || !address.to_v6().is_link_local() ||
        if_indextoname(address.to_v6().scope_id(), name.data()) == nullptr) {
        return {};
    }
    return name.data();
}

Endpoint local_of(const tcp::socket& socket)
{
    asio::error_code failed;
    const auto endpoint = socket.local_endpoint(failed);
    return failed ? Endpoint{} : from_asio(endpoint);
}

Endpoint remote_of(const tcp::socket& socket)
{
    asio::error_code failed;
    const auto endpoint = socket.remote_endpoint(failed);
    return failed ? Endpoint{} : from_asio(endpoint);
}

void prepare_control(tcp::socket& socket, const options::Plan& plan)
{
    asio::error_code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);
    socket.set_option(asio::socket_base::keep_alive{true}, ignored);
    const options::Keepalive& keepalive = plan.control_keepalive;
    set(socket, TCP_KEEPIDLE, static_cast<int>(keepalive.idle.count()));
    set(socket, TCP_KEEPINTVL, static_cast<int>(keepalive.interval.count()));
    set(socket, TCP_KEEPCNT, keepalive.count);
    if (plan.snd_timeout) {
        set(socket, TCP_USER_TIMEOUT, static_cast<int>(plan.snd_timeout->count()));
    }
}

std::uint32_t segment_bytes(tcp::socket& socket)
{
    int bytes = 0;
    socklen_t size = sizeof bytes;
    const int rc = getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_MAXSEG, &bytes, &size);
    return rc == 0 && bytes > 0 ? static_cast<std::uint32_t>(bytes) : 0;
}

Status bind_to_device(int socket, const std::string& device)
{
    const auto size = static_cast<socklen_t>(device.size() + 1);
    if (setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(), size) != 0) {
        return Error{Errc::kSystem,
            "cannot bind to device " + device + ": " + std::generic_category().message(errno)};
    }
    return {};
}

Result<tcp::acceptor> listen_on(
    asio::io_context& loop, const options::Plan& plan, std::uint16_t port)
{
    if (plan.bind_address) {
        auto address = address_of(*plan.bind_address, plan.family);
        if (!address) {
            return std::move(address).error().within("-B");
        }
        return try_listen(loop, to_asio({*address, port}, 0), plan);
    }
    const bool v4 = plan.family == options::Family::kIpv4 ||
                    (plan.family == options::Family::kAny && !kernel_has_ipv6(loop));
    return try_listen(loop, {v4 ? tcp::v4() : tcp::v6(), port}, plan);
}

}  // namespace dpdkperf::control
