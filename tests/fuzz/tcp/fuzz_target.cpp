// libFuzzer's entry; DPDKPERF_FUZZ_RUN names the function.
#include "program.hpp"

#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string fault = dpdkperf::tcp::fuzz::DPDKPERF_FUZZ_RUN({data, size});
    if (!fault.empty()) {
        std::fprintf(stderr, "%s\n", fault.c_str());
        std::abort();
    }
    return 0;
}
