#include "dpdkperf/host/driver_leftovers.hpp"

#include "dpdkperf/host/xdp_program.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dpdkperf::host {

namespace {

constexpr std::string_view kHandoverProgram = "dpdkperf_pass";  // drivers/handover.bpf.c

struct Mapping {
    std::uintptr_t begin = 0, end = 0;
};

// Where the file with this inode is mapped (proc(5), /proc/pid/maps).
std::vector<Mapping> mappings_of(ino_t inode)
{
    std::vector<Mapping> found;
    std::ifstream maps{"/proc/self/maps"};
    for (std::string line; std::getline(maps, line);) {
        std::istringstream fields{line};
        Mapping m;
        char dash = 0;
        std::string rights, offset, device;
        std::uint64_t mapped_inode = 0;
        fields >> std::hex >> m.begin >> dash >> m.end >> rights >> offset >> device >> std::dec >>
            mapped_inode;
        if (fields && mapped_inode == inode) {
            found.push_back(m);
        }
    }
    return found;
}

// Our descriptors of one kind of BPF object, by the name that the kernel shows for it.
std::vector<int> descriptors(std::string_view kind)
{
    std::vector<int> found;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd", ignored}) {
        const std::string name = entry.path().filename();
        int fd = -1;
        std::from_chars(name.data(), name.data() + name.size(), fd);
        if (std::filesystem::read_symlink(entry.path(), ignored) == kind) {
            found.push_back(fd);
        }
    }
    return found;
}

template <class Info>
bool info_of(int fd, Info& info)
{
    __u32 size = sizeof info;
    return bpf_obj_get_info_by_fd(fd, &info, &size) == 0;
}

template <class Info>
void close_those(std::string_view kind, const std::set<__u32>& ids)
{
    for (const int fd : descriptors(kind)) {
        Info info{};
        if (info_of(fd, info) && ids.contains(info.id)) {
            close(fd);
        }
    }
}

}  // namespace

void release_driver_socket(int socket)
{
    const auto open = af_xdp_sockets();
    struct stat file {};
    if (!std::ranges::binary_search(open, socket) || fstat(socket, &file) != 0) {
        return;  // a driver that has closed it itself
    }
    for (const Mapping& m : mappings_of(file.st_ino)) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the address comes from /proc as a number
        munmap(reinterpret_cast<void*>(m.begin), m.end - m.begin);
    }
    close(socket);
}

void release_handover_programs()
{
    std::set<__u32> maps, btfs;
    for (const int fd : descriptors("anon_inode:bpf-prog")) {
        std::vector<__u32> map_ids(8);
        bpf_prog_info info{};
        info.nr_map_ids = static_cast<__u32>(map_ids.size());
        info.map_ids = reinterpret_cast<std::uintptr_t>(map_ids.data());
        if (!info_of(fd, info) || info.name != kHandoverProgram) {
            continue;
        }
        maps.insert(map_ids.begin(), map_ids.begin() + info.nr_map_ids);
        btfs.insert(info.btf_id);
        close(fd);
    }
    close_those<bpf_map_info>("anon_inode:bpf-map", maps);
    close_those<bpf_btf_info>("anon_inode:btf", btfs);
}

}  // namespace dpdkperf::host
