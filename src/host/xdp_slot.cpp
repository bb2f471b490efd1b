// What is on an interface's XDP hook besides our program, and how it goes.

#include "xdp_slot.hpp"

#include "bpf_objects.hpp"
#include "dpdkperf/host/xdp_program.hpp"
#include "system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace dpdkperf::host {

namespace {

// Empty if the program has gone meanwhile, or for want of CAP_SYS_ADMIN.
std::string program_name(std::uint32_t id)
{
    const UniqueFd program{bpf_prog_get_fd_by_id(id)};
    bpf_prog_info info{};
    std::uint32_t length = sizeof info;
    if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &length) != 0) {
        return {};
    }
    return info.name;
}

bool is_af_xdp(int fd)
{
    int domain = 0;
    socklen_t length = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_XDP;
}

}  // namespace

Result<std::optional<AttachedXdp>> attached_xdp(std::uint32_t interface_index)
{
    bpf_xdp_query_opts query{};
    query.sz = sizeof query;
    if (const int rc = bpf_xdp_query(static_cast<int>(interface_index), 0, &query); rc < 0) {
        return system_error("XDP program of interface " + std::to_string(interface_index), -rc);
    }
    const AttachedXdp places[] = {
        {query.hw_prog_id, {}, XDP_FLAGS_HW_MODE},
        {query.drv_prog_id, {}, XDP_FLAGS_DRV_MODE},
        {query.skb_prog_id, {}, XDP_FLAGS_SKB_MODE},
    };
    const auto* const found =
        std::find_if(std::begin(places), std::end(places), [](const auto& p) { return p.id != 0; });
    if (found == std::end(places)) {
        return std::optional<AttachedXdp>{};
    }
    return std::optional{AttachedXdp{found->id, program_name(found->id), found->mode_flags}};
}

Status expect_free_xdp(const Interface& interface)
{
    auto program = attached_xdp(interface.index);
    if (!program) {
        return std::move(program).error();
    }
    if (!*program) {
        return {};
    }
    const std::string& name = (*program)->name;
    return Error{Errc::kBusy,
        "interface " + interface.name + " already has XDP program " +
            (name.empty() ? "" : "'" + name + "' ") + "(id " + std::to_string((*program)->id) +
            "); remove it with 'ip link set dev " + interface.name + " xdp off'"};
}

Status clear_xdp(const Interface& interface, const InterfaceLock&)
{
    const auto program = attached_xdp(interface.index);
    if (program && *program && (*program)->name.starts_with(kXdpNamePrefix)) {
        if (auto detached = detach_xdp(interface.index, (*program)->id); !detached) {
            return detached;
        }
    }
    return expect_free_xdp(interface);
}

Status detach_xdp(std::uint32_t interface_index, std::uint32_t program_id)
{
    const auto program = attached_xdp(interface_index);
    if (!program || !*program || (*program)->id != program_id) {
        return program ? Status{} : Status{program.error()};
    }
    const SilentLibbpf silent;
    // The descriptor makes the kernel compare: whoever attached meanwhile stays.
    const UniqueFd expected{bpf_prog_get_fd_by_id(program_id)};
    bpf_xdp_attach_opts options{};
    options.sz = sizeof options;
    options.old_prog_fd = expected.get();
    const int rc = bpf_xdp_detach(
        static_cast<int>(interface_index), (*program)->mode_flags, expected ? &options : nullptr);
    if (rc == -EBUSY) {
        return Error{Errc::kBusy, "XDP program '" + (*program)->name + "' (id " +
                                      std::to_string(program_id) +
                                      ") is held by a running process"};
    }
    if (rc < 0) {
        return system_error(
            "detach XDP program '" + (*program)->name + "' (id " + std::to_string(program_id) + ")",
            -rc);
    }
    return {};
}

std::vector<int> af_xdp_sockets()
{
    std::vector<int> sockets;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd", ignored}) {
        const std::string name = entry.path().filename();
        int fd = -1;
        std::from_chars(name.data(), name.data() + name.size(), fd);
        if (is_af_xdp(fd)) {
            sockets.push_back(fd);
        }
    }
    std::sort(sockets.begin(), sockets.end());
    return sockets;
}

Result<HandoverObject> HandoverObject::create()
{
    UniqueFd file{memfd_create("dpdkperf-handover", MFD_CLOEXEC)};
    if (!file) {
        return system_error("memory file for the XDP program", errno);
    }
    const auto elf = handover_object();
    if (write(file.get(), elf.data(), elf.size()) != static_cast<ssize_t>(elf.size())) {
        return system_error("write the XDP program", errno);
    }
    return HandoverObject{std::move(file)};
}

std::string HandoverObject::path() const
{
    return "/proc/self/fd/" + std::to_string(file_.get());
}

}  // namespace dpdkperf::host
