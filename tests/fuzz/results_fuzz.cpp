// Whatever parse_results() takes must be within the limits it promises.

#include "dpdkperf/proto/messages.hpp"
#include "dpdkperf/proto/results.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes)
{
    using namespace dpdkperf::proto;
    const std::string text(data, data + bytes);
    const auto parsed = parse_results(text, 3);
    if (const auto* results = std::get_if<Results>(&parsed)) {
        constexpr std::int64_t kLimit = std::int64_t{1} << 62;
        for (const StreamResult& stream : results->streams) {
            const bool good = (stream.id == 1 || stream.id == 3 || stream.id == 4) &&
                              stream.bytes > -kLimit && stream.bytes < kLimit &&
                              stream.packets < kLimit;
            if (!good) {
                std::abort();
            }
        }
        (void)to_document(*results, kMaxServerResultsBytes);
    }
    return 0;
}
