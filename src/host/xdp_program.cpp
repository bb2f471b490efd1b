#include "dpdkperf/host/xdp_program.hpp"

#include "bpf_objects.hpp"
#include "steer_maps.h"
#include "system_error.hpp"
#include "xdp_slot.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace dpdkperf::host {

namespace {

static_assert(XdpProgram::kMaxQueues == kSteerMaxQueues);
static_assert(sizeof(SteerKey) == 40, "a hole in the key would make lookups fail");

SteerKey key_of(IpProtocol protocol, const Endpoint& local, const Endpoint& remote)
{
    SteerKey key{};
    std::memcpy(key.local, local.address.v6_bytes().data(), sizeof key.local);
    std::memcpy(key.remote, remote.address.v6_bytes().data(), sizeof key.remote);
    key.local_port = local.port;
    key.remote_port = remote.port;
    key.protocol = static_cast<std::uint8_t>(protocol);
    return key;
}

Status insert(int map, const SteerKey& key, const std::string& what)
{
    const std::uint8_t claimed = kSteerByOwner;
    if (const int rc = bpf_map_update_elem(map, &key, &claimed, BPF_ANY); rc < 0) {
        return system_error("claim " + what, -rc);
    }
    return {};
}

// The walk begins anew when the key it stands at is deleted: all keys first.
std::vector<SteerKey> keys_of(int map)
{
    std::vector<SteerKey> keys;
    SteerKey next{};
    while (keys.size() < kSteerMaxFlows &&
           bpf_map_get_next_key(map, keys.empty() ? nullptr : &keys.back(), &next) == 0) {
        keys.push_back(next);
    }
    return keys;
}

bool equal(const SteerKey& a, const SteerKey& b)
{
    return std::memcmp(&a, &b, sizeof a) == 0;
}

std::uint64_t monotonic_ns()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

struct XdpProgram::Loaded {
    // A claim_peer() that has not been released as often as it was made.
    struct PeerClaim {
        SteerKey key;
        std::size_t users = 0;
    };

    auto find_claim(const SteerKey& key)
    {
        return std::ranges::find_if(
            peer_claims, [&key](const PeerClaim& claim) { return equal(claim.key, key); });
    }

    struct CloseObject {
        void operator()(bpf_object* closed) const { bpf_object__close(closed); }
    };
    struct DestroyLink {
        void operator()(bpf_link* destroyed) const { bpf_link__destroy(destroyed); }
    };

    std::unique_ptr<bpf_object, CloseObject> object;
    std::unique_ptr<bpf_link, DestroyLink> link;  // goes first
    bpf_program* program = nullptr;
    std::vector<PeerClaim> peer_claims;
    int xsks = -1, flows = -1, peers = -1, owner = -1, stray = -1;
};

XdpProgram::XdpProgram(std::unique_ptr<Loaded> loaded) : loaded_{std::move(loaded)} {}
XdpProgram::~XdpProgram() = default;

Result<std::unique_ptr<XdpProgram>> XdpProgram::load()
{
    const SilentLibbpf silent;
    auto loaded = std::make_unique<Loaded>();
    const auto elf = steer_object();
    loaded->object.reset(bpf_object__open_mem(elf.data(), elf.size(), nullptr));
    if (!loaded->object) {
        return system_error("open the XDP program", errno);
    }
    bpf_object* const object = loaded->object.get();
    if (const int rc = bpf_object__load(object); rc < 0) {
        return system_error("load the XDP program", -rc);
    }
    loaded->program = bpf_object__find_program_by_name(object, "dpdkperf_steer");
    loaded->xsks = bpf_object__find_map_fd_by_name(object, "xsks");
    loaded->flows = bpf_object__find_map_fd_by_name(object, "flows");
    loaded->peers = bpf_object__find_map_fd_by_name(object, "peers");
    loaded->owner = bpf_object__find_map_fd_by_name(object, "owner");
    loaded->stray = bpf_object__find_map_fd_by_name(object, "stray");
    return std::unique_ptr<XdpProgram>{new XdpProgram{std::move(loaded)}};
}

Status XdpProgram::attach(const Interface& interface)
{
    if (auto free = expect_free_xdp(interface); !free) {
        return free;
    }
    const SilentLibbpf silent;
    loaded_->link.reset(
        bpf_program__attach_xdp(loaded_->program, static_cast<int>(interface.index)));
    if (!loaded_->link) {
        return system_error("interface " + interface.name + ": attach the XDP program", errno);
    }
    return {};
}

Status XdpProgram::set_socket(std::uint32_t queue, int socket)
{
    if (const int rc = bpf_map_update_elem(loaded_->xsks, &queue, &socket, BPF_ANY); rc < 0) {
        return system_error("AF_XDP socket of queue " + std::to_string(queue), -rc);
    }
    return {};
}

Status XdpProgram::claim_flow(IpProtocol protocol, const Endpoint& local, const Endpoint& remote)
{
    heartbeat();
    return insert(loaded_->flows, key_of(protocol, local, remote),
        "packets from " + to_string(remote) + " to " + to_string(local));
}

void XdpProgram::release_flow(IpProtocol protocol, const Endpoint& local, const Endpoint& remote)
{
    const auto key = key_of(protocol, local, remote);
    bpf_map_delete_elem(loaded_->flows, &key);
}

Status XdpProgram::claim_peer(IpProtocol protocol, const Endpoint& local, const IpAddress& peer)
{
    heartbeat();
    const auto key = key_of(protocol, local, {peer, 0});
    const auto known = loaded_->find_claim(key);
    if (known != loaded_->peer_claims.end()) {
        ++known->users;
        return {};
    }
    Status inserted =
        insert(loaded_->peers, key, "packets from " + to_string(peer) + " to " + to_string(local));
    if (inserted) {
        loaded_->peer_claims.push_back({key, 1});
    }
    return inserted;
}

void XdpProgram::release_peer(IpProtocol protocol, const Endpoint& local, const IpAddress& peer)
{
    const auto key = key_of(protocol, local, {peer, 0});
    const auto claim = loaded_->find_claim(key);
    if (claim == loaded_->peer_claims.end() || --claim->users > 0) {
        return;
    }
    loaded_->peer_claims.erase(claim);
    bpf_map_delete_elem(loaded_->peers, &key);
    if (protocol == IpProtocol::kTcp) {
        drop_flows_by_syn(local, peer);
    }
}

void XdpProgram::drop_flows_by_syn(const Endpoint& local, const IpAddress& peer)
{
    for (const SteerKey& flow : keys_of(loaded_->flows)) {
        std::uint8_t by = 0;
        const bool of_peer =
            equal(flow, key_of(IpProtocol::kTcp, local, {peer, flow.remote_port})) &&
            bpf_map_lookup_elem(loaded_->flows, &flow, &by) == 0;
        if (of_peer && by == kSteerBySyn) {
            bpf_map_delete_elem(loaded_->flows, &flow);
        }
    }
}

void XdpProgram::heartbeat()
{
    const std::uint32_t only = 0;
    const SteerOwner owner{monotonic_ns()};
    bpf_map_update_elem(loaded_->owner, &only, &owner, BPF_ANY);
}

Steering::Stray XdpProgram::stray() const
{
    Stray sum;
    std::uint64_t most = 0;
    std::vector<std::uint64_t> by_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
    for (std::uint32_t queue = 0; queue < kMaxQueues; ++queue) {
        if (bpf_map_lookup_elem(loaded_->stray, &queue, by_cpu.data()) < 0) {
            continue;
        }
        std::uint64_t here = 0;
        for (const std::uint64_t n : by_cpu) {
            here += n;
        }
        sum.packets += here;
        if (here > most) {
            most = here;
            sum.queue = queue;
        }
    }
    return sum;
}

}  // namespace dpdkperf::host
