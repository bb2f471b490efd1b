#include "foreign_program.hpp"

#include <stdexcept>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace dpdkperf::host {

void attach_program(const char* name, int interface_index, std::uint32_t mode_flags)
{
    bpf_insn pass[2]{};
    pass[0].code = BPF_ALU64 | BPF_MOV | BPF_K;  // r0 = XDP_PASS
    pass[0].imm = XDP_PASS;
    pass[1].code = BPF_JMP | BPF_EXIT;
    const UniqueFd program{bpf_prog_load(BPF_PROG_TYPE_XDP, name, "GPL", pass, 2, nullptr)};
    if (!program || bpf_xdp_attach(interface_index, program.get(), mode_flags, nullptr) != 0) {
        throw std::runtime_error{"attach an XDP program"};
    }
}

}  // namespace dpdkperf::host
