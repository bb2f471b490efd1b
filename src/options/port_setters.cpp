// The options of ours: what a port that DPDK owns is to look like.

#include "setters.hpp"
#include "values.hpp"

#include <algorithm>
#include <utility>

namespace dpdkperf::options {

namespace {

// The smallest MTU that IPv4 works with (RFC 791, 3.2), and the largest of a TAP interface.
constexpr std::int64_t kMinMtu = 68, kMaxMtu = 65'521;

bool has_family(const std::vector<IpAddress>& addresses, const IpAddress& wanted)
{
    return std::ranges::any_of(
        addresses, [&](const IpAddress& a) { return a.is_v4() == wanted.is_v4(); });
}

}  // namespace

Status set_ip(Draft& draft, std::string_view value)
{
    auto prefix = IpPrefix::parse(value);
    if (!prefix) {
        return std::move(prefix).error();
    }
    const IpAddress& a = prefix->address;
    if (a.is_unspecified() || a.is_multicast() || a.is_loopback()) {
        return Error{Errc::kUsage, "not the address of a single host"};
    }
    draft.plan.addresses.push_back(*prefix);
    return {};
}

Status set_gateway(Draft& draft, std::string_view value)
{
    auto address = IpAddress::parse(value);
    if (!address) {
        return std::move(address).error();
    }
    if (has_family(draft.plan.gateways, *address)) {
        return Error{Errc::kUsage, "there is a gateway of this family already"};
    }
    draft.plan.gateways.push_back(*address);
    return {};
}

Status set_default_route(Draft& draft, std::string_view)
{
    draft.plan.default_route = true;
    return {};
}

Status set_mtu(Draft& draft, std::string_view value)
{
    return store(to_integer(value, kMinMtu, kMaxMtu, "must be from 68 to 65521"),
        [&](std::int64_t n) { draft.plan.mtu_bytes = static_cast<std::uint32_t>(n); });
}

Status set_rx_csum(Draft& draft, std::string_view value)
{
    if (value != "auto" && value != "full") {
        return Error{Errc::kUsage, "must be 'auto' or 'full'"};
    }
    draft.plan.verify_all_checksums = value == "full";
    return {};
}

Status set_dry_run(Draft& draft, std::string_view)
{
    draft.plan.dry_run = true;
    return {};
}

Status set_user(Draft& draft, std::string_view value)
{
    if (value.empty()) {
        return Error{Errc::kUsage, "must be the name of a user"};
    }
    draft.plan.user = value;
    return {};
}

// A colon with something else than a number behind it belongs to the name.
Status set_pcap(Draft& draft, std::string_view value)
{
    std::string_view path = value;
    const auto colon = value.rfind(':');
    if (colon != value.npos && colon + 1 < value.size() &&
        value.find_first_not_of("0123456789", colon + 1) == value.npos) {
        constexpr std::int64_t kMostFrames = 1'000'000;
        const auto frames =
            to_integer(value.substr(colon + 1), 1, kMostFrames, "must be from 1 to 1000000 frames");
        if (!frames) {
            return frames.error();
        }
        draft.plan.pcap_frames = static_cast<std::uint32_t>(*frames);
        path = value.substr(0, colon);
    }
    if (path.empty()) {
        return Error{Errc::kUsage, "must be the name of a file"};
    }
    draft.plan.pcap_file = path;
    return {};
}

Status set_impair(Draft& draft, std::string_view value)
{
    return impair::add(draft.plan.impairment, value);
}

}  // namespace dpdkperf::options
