#include "route.hpp"

#include "dpdkperf/host/netlink.hpp"
#include "rtnetlink.hpp"
#include "system_error.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace dpdkperf::host {

namespace {

// RTA_VIA: a family in host order, then the address (struct rtvia, linux/rtnetlink.h).
std::optional<IpAddress> via_in(const nlattr* attribute)
{
    std::array<std::uint8_t, 16> v6{};
    if (attribute == nullptr ||
        mnl_attr_get_payload_len(attribute) != sizeof(std::uint16_t) + v6.size()) {
        return std::nullopt;
    }
    const auto* const payload = static_cast<const std::byte*>(mnl_attr_get_payload(attribute));
    std::memcpy(v6.data(), payload + sizeof(std::uint16_t), v6.size());
    return IpAddress::from_v6_bytes(v6);
}

struct Question {
    IpAddress destination;
    std::optional<IpAddress> source;
    std::optional<Interface> through;
};

// Checks what the kernel would check late or not at all.
Result<Question> question_of(const IpAddress& destination, const std::optional<IpAddress>& source,
    const std::optional<std::string>& interface)
{
    Question question{destination, source, {}};
    if (interface) {
        auto through = interface_by_name(*interface);
        if (!through) {
            return std::move(through).error();
        }
        question.through = *std::move(through);
    }
    if (destination.is_link_local_v6() && !question.through) {
        return Error{Errc::kUsage, "link-local address " + to_string(destination) +
                                       " needs an interface (" + to_string(destination) +
                                       "%interface)"};
    }
    if (source) {
        if (auto holder = interface_with(*source); !holder) {
            return std::move(holder).error();
        }
    }
    return question;
}

// "route to 10.0.0.2 from 10.0.0.1 through veth0"
std::string description(const Question& q)
{
    return "route to " + to_string(q.destination) +
           (q.source ? " from " + to_string(*q.source) : "") +
           (q.through ? " through " + q.through->name : "");
}

Status usable(const RouteAnswer& route, const IpAddress& destination, const std::string& subject)
{
    switch (route.type) {
    case RTN_UNICAST:
    case RTN_LOCAL:
        return {};
    case RTN_BROADCAST:
    case RTN_ANYCAST:
    case RTN_MULTICAST:
        return Error{Errc::kUsage, to_string(destination) + " is not the address of a single host"};
    case RTN_BLACKHOLE:
        return Error{Errc::kNotFound, subject + ": is a blackhole"};
    case RTN_PROHIBIT:
        return Error{Errc::kNotFound, subject + ": is prohibited"};
    default:
        return Error{Errc::kNotFound, "no " + subject};
    }
}

Error refusal(int error, const std::string& subject)
{
    switch (error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
        return {Errc::kNotFound, "no " + subject};
    // The other codes of special routes (Linux, net/ipv4/fib_semantics.c, fib_props).
    case EACCES:
        return {Errc::kNotFound, subject + ": is prohibited"};
    case EINVAL:
        return {Errc::kNotFound, subject + ": is a blackhole"};
    default:
        return system_error(subject, error);
    }
}

Result<RouteAnswer> ask(const Question& question, const std::string& subject)
{
    Request request{RTM_GETROUTE, 0};
    auto& body = request.body<rtmsg>();
    body.rtm_family = family_of(question.destination);
    body.rtm_dst_len = prefix_bits_of(question.destination);
    request.add(RTA_DST, question.destination);
    if (question.source) {
        body.rtm_src_len = prefix_bits_of(*question.source);
        request.add(RTA_SRC, *question.source);
    }
    if (question.through) {
        request.add(RTA_OIF, question.through->index);
    }
    std::optional<RouteAnswer> answer;
    const int error = ask_kernel(request, [&](const nlmsghdr& m) { answer = parse_route(m); });
    if (error != 0 || !answer) {
        return refusal(error != 0 ? error : EHOSTUNREACH, subject);
    }
    return *answer;
}

}  // namespace

std::optional<RouteAnswer> parse_route(const nlmsghdr& message)
{
    if (message.nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(&message) < sizeof(rtmsg)) {
        return std::nullopt;
    }
    const Attributes<RTA_VIA> a{message, sizeof(rtmsg)};
    RouteAnswer route;
    route.type = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message))->rtm_type;
    route.interface_index = a.number(RTA_OIF);
    route.source = ip_address_in(a[RTA_PREFSRC]);
    route.gateway = a[RTA_GATEWAY] != nullptr ? ip_address_in(a[RTA_GATEWAY]) : via_in(a[RTA_VIA]);
    return route;
}

Result<Route> route_to(const IpAddress& destination, const std::optional<IpAddress>& source,
    const std::optional<std::string>& interface)
{
    auto question = question_of(destination, source, interface);
    if (!question) {
        return std::move(question).error();
    }
    const std::string subject = description(*question);
    const auto answer = ask(*question, subject);
    if (!answer) {
        return answer.error();
    }
    if (auto status = usable(*answer, destination, subject); !status) {
        return std::move(status).error();
    }
    auto out = interface_by_index(answer->interface_index);
    if (!out) {
        return std::move(out).error().within(subject);
    }
    // The answer repeats a source that was asked for as RTA_SRC, and leaves RTA_PREFSRC out.
    return Route{*std::move(out), answer->source.value_or(source.value_or(IpAddress{})),
        answer->gateway.value_or(destination), answer->type == RTN_LOCAL};
}

}  // namespace dpdkperf::host
