#include "rtnetlink.hpp"

#include "dpdkperf/base/endian.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include <sys/socket.h>

namespace dpdkperf::host {

namespace {

struct CloseSocket {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

// The kernel fills at most 32 KB of a dump at once (libmnl, MNL_SOCKET_DUMP_SIZE); a message
// about an interface with many virtual functions alone may be as large.
constexpr std::size_t kReceiveBytes = 65536;

int on_message(const nlmsghdr* message, void* on_answer)
{
    (*static_cast<const std::function<void(const nlmsghdr&)>*>(on_answer))(*message);
    return MNL_CB_OK;
}

}  // namespace

Request::Request(std::uint16_t type, std::uint16_t flags)
    : message_{mnl_nlmsg_put_header(buffer_.data())}
{
    message_->nlmsg_type = type;
    // A dump ends with NLMSG_DONE, a single answer with the acknowledgement asked for here.
    const bool dump = (flags & NLM_F_DUMP) == NLM_F_DUMP;
    message_->nlmsg_flags =
        static_cast<std::uint16_t>(NLM_F_REQUEST | flags | (dump ? 0 : NLM_F_ACK));
    message_->nlmsg_seq = 1;
}

void Request::add(std::uint16_t attribute, const IpAddress& address)
{
    const auto bytes = address.v6_bytes();
    const std::size_t skip = address.is_v4() ? 12 : 0;
    mnl_attr_put(message_, attribute, bytes.size() - skip, bytes.data() + skip);
}

void Request::add(std::uint16_t attribute, const Mac& mac)
{
    mnl_attr_put(message_, attribute, mac.bytes.size(), mac.bytes.data());
}

void Request::add(std::uint16_t attribute, std::uint32_t number)
{
    mnl_attr_put_u32(message_, attribute, number);
}

void Request::add(std::uint16_t attribute, const std::string& text)
{
    mnl_attr_put_strz(message_, attribute, text.c_str());
}

int ask_kernel(Request& request, const std::function<void(const nlmsghdr&)>& on_answer)
{
    const std::unique_ptr<mnl_socket, CloseSocket> socket{
        mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC)};
    if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
        return errno;
    }
    nlmsghdr& message = request.message();
    if (mnl_socket_sendto(socket.get(), &message, message.nlmsg_len) < 0) {
        return errno;
    }
    auto context = on_answer;
    std::vector<std::byte> buffer(kReceiveBytes);
    for (;;) {
        const auto n = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        const int rc =
            n < 0 ? -1
                  : mnl_cb_run(buffer.data(), static_cast<std::size_t>(n), message.nlmsg_seq,
                        mnl_socket_get_portid(socket.get()), on_message, &context);
        if (rc <= 0) {
            return rc < 0 ? errno : 0;
        }
    }
}

std::uint8_t family_of(const IpAddress& address)
{
    return address.is_v4() ? AF_INET : AF_INET6;
}

std::uint8_t prefix_bits_of(const IpAddress& address)
{
    return address.is_v4() ? 32 : 128;
}

std::optional<IpAddress> ip_address_in(const nlattr* attribute)
{
    const std::size_t length = attribute != nullptr ? mnl_attr_get_payload_len(attribute) : 0;
    if (length == 4) {
        std::uint32_t v4 = 0;
        std::memcpy(&v4, mnl_attr_get_payload(attribute), sizeof v4);
        return IpAddress::from_v4(byte_swap(v4));
    }
    if (length == 16) {
        std::array<std::uint8_t, 16> v6{};
        std::memcpy(v6.data(), mnl_attr_get_payload(attribute), v6.size());
        return IpAddress::from_v6_bytes(v6);
    }
    return std::nullopt;
}

std::optional<Mac> mac_in(const nlattr* attribute)
{
    Mac mac;
    if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != mac.bytes.size()) {
        return std::nullopt;
    }
    std::memcpy(mac.bytes.data(), mnl_attr_get_payload(attribute), mac.bytes.size());
    return mac;
}

std::string text_in(const nlattr* attribute)
{
    if (attribute == nullptr || mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0) {
        return {};
    }
    return mnl_attr_get_str(attribute);
}

}  // namespace dpdkperf::host
