#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/interface_lock.hpp"
#include "dpdkperf/host/netlink.hpp"
#include "dpdkperf/host/steering.hpp"
#include "dpdkperf/host/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dpdkperf::host {

// Names of our programs begin so; the kernel keeps 15 characters of a name.
inline constexpr std::string_view kXdpNamePrefix = "dpdkperf_";

// An XDP program on an interface.
struct AttachedXdp {
    std::uint32_t id = 0;
    std::string name;              // empty without CAP_SYS_ADMIN
    std::uint32_t mode_flags = 0;  // XDP_FLAGS_*_MODE, where it hangs
};

// The program on interface `interface_index`, if there is one.
Result<std::optional<AttachedXdp>> attached_xdp(std::uint32_t interface_index);

// Makes sure that no program is on the interface. One of ours is a leftover, since the caller
// holds the interface's lock, and goes. Errors: kBusy for a foreign program, named with its id
// and the command that would remove it; it is not touched.
Status clear_xdp(const Interface& interface, const InterfaceLock& lock);

// Takes exactly program `program_id` off the interface; nothing happens if another program, or
// none, is there. For programs attached without a bpf_link, as by DPDK's af_xdp driver.
Status detach_xdp(std::uint32_t interface_index, std::uint32_t program_id);

// The file descriptors of this process's AF_XDP sockets, ascending. The driver does not tell
// which sockets are its own: compare before and after.
std::vector<int> af_xdp_sockets();

// An object file with a program that leaves everything to the kernel, for the driver's
// `xdp_prog=` argument: it lives in memory, its path is valid in this process while the object
// lives. The driver attaches the program in place; detach_xdp() it before XdpProgram::attach().
class HandoverObject {
public:
    static Result<HandoverObject> create();
    [[nodiscard]] std::string path() const;

private:
    explicit HandoverObject(UniqueFd file) : file_{std::move(file)} {}
    UniqueFd file_;
};

// Our XDP program (drivers/steer.bpf.c): steering for an af_xdp port. It hangs on a bpf_link, so
// it leaves the interface with this object or with the process, SIGKILL included.
class XdpProgram final : public Steering {
public:
    // Queues of an interface that can have a socket.
    static constexpr std::uint32_t kMaxQueues = 64;

    // Loads the program; it does nothing yet. Errors: kPermission without CAP_BPF and
    // CAP_NET_ADMIN (or root).
    static Result<std::unique_ptr<XdpProgram>> load();
    XdpProgram(const XdpProgram&) = delete;
    XdpProgram& operator=(const XdpProgram&) = delete;
    ~XdpProgram() override;

    // Puts the program on the interface, in native mode where the driver can, else generic.
    // Errors: kBusy if any program is there, see clear_xdp().
    Status attach(const Interface& interface);

    // Claimed packets of `queue` (below kMaxQueues) go to AF_XDP socket `socket`, which the
    // kernel holds from now on too.
    Status set_socket(std::uint32_t queue, int socket);

    Status claim_flow(IpProtocol protocol, const Endpoint& local, const Endpoint& remote) override;
    void release_flow(IpProtocol protocol, const Endpoint& local, const Endpoint& remote) override;
    Status claim_peer(IpProtocol protocol, const Endpoint& local, const IpAddress& peer) override;
    void release_peer(IpProtocol protocol, const Endpoint& local, const IpAddress& peer) override;
    void heartbeat() override;
    [[nodiscard]] Stray stray() const override;

private:
    struct Loaded;
    void drop_flows_by_syn(const Endpoint& local, const IpAddress& peer);
    explicit XdpProgram(std::unique_ptr<Loaded> loaded);
    std::unique_ptr<Loaded> loaded_;
};

}  // namespace dpdkperf::host
