#include "dpdkperf/options/port_state.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

namespace dpdkperf::options {

namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr const char* kDefaultFolder = "/var/lib/dpdkperf";

Error bad(const std::string& what)
{
    return {Errc::kInput, what};
}

std::string text_at(const Json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

const Json& list_at(const Json& object, const char* key)
{
    static const Json kNone = Json::array();
    const auto found = object.find(key);
    return found != object.end() && found->is_array() ? *found : kNone;
}

Status read_addresses(const Json& root, PortState& state)
{
    for (const Json& entry : list_at(root, "addresses")) {
        auto prefix = IpPrefix::parse(entry.is_string() ? entry.get<std::string>() : entry.dump());
        if (!prefix) {
            return std::move(prefix).error().within("addresses");
        }
        state.addresses.push_back(*prefix);
    }
    return {};
}

// The first default route of a family is the one with the lowest metric, as `ip route` lists them.
Status read_gateways(const Json& root, PortState& state)
{
    for (const Json& route : list_at(root, "routes")) {
        const std::string gateway = route.is_object() ? text_at(route, "gateway") : "";
        if (gateway.empty() || text_at(route, "destination") != "default") {
            continue;
        }
        auto address = IpAddress::parse(gateway);
        if (!address) {
            return std::move(address).error().within("routes");
        }
        const bool known = std::ranges::any_of(
            state.gateways, [&](const IpAddress& g) { return g.is_v4() == address->is_v4(); });
        if (!known && !address->is_link_local_v6()) {
            state.gateways.push_back(*address);
        }
    }
    return {};
}

}  // namespace

Result<PortState> parse_port_state(std::string_view text)
{
    const Json root = Json::parse(text, nullptr, false);
    if (!root.is_object()) {
        return bad("is no JSON object");
    }
    if (root.value("version", Json{}) != kVersion) {
        return bad("has another version than " + std::to_string(kVersion));
    }
    if (const std::string phase = text_at(root, "phase"); phase != "taken") {
        return bad("the card is not taken ('" + phase + "'); run 'scripts/bind status'");
    }
    PortState state;
    state.model = text_at(root, "model");
    const auto mtu = root.find("mtu");
    if (mtu == root.end() || !mtu->is_number_unsigned() || *mtu > 65'535) {
        return bad("has no MTU");
    }
    state.mtu_bytes = mtu->get<std::uint32_t>();
    for (const auto read : {read_addresses, read_gateways}) {
        if (Status status = read(root, state); !status) {
            return std::move(status).error();
        }
    }
    return state;
}

Result<std::optional<PortState>> read_port_state(const std::string& pci_address)
{
    const char* const folder = std::getenv("DPDKPERF_STATE");  // NOLINT(concurrency-mt-unsafe)
    const std::string path =
        std::string{folder != nullptr ? folder : kDefaultFolder} + "/" + pci_address + ".json";
    std::ifstream file{path};
    if (!file) {
        return std::optional<PortState>{};
    }
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    auto state = parse_port_state(text);
    if (!state) {
        return std::move(state).error().within(path);
    }
    return std::optional{*std::move(state)};
}

void complete(Plan& plan, const PortState& state)
{
    if (!plan.addresses.empty()) {
        return;  // another network: what belonged to the old one would be wrong
    }
    plan.addresses = state.addresses;
    if (!plan.mtu_bytes && state.mtu_bytes != 0) {
        plan.mtu_bytes = state.mtu_bytes;
    }
    if (plan.gateways.empty() && (plan.role == Role::kClient || plan.default_route)) {
        plan.gateways = state.gateways;
    }
}

}  // namespace dpdkperf::options
