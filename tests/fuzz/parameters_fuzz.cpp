// Whatever parse_parameters() takes must survive being written and read again.

#include "dpdkperf/proto/parameters.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes)
{
    using namespace dpdkperf::proto;
    const std::string text(data, data + bytes);
    const auto first = parse_parameters(text);
    if (const auto* parameters = std::get_if<Parameters>(&first)) {
        if (const auto document = to_document(*parameters)) {
            const auto again = parse_parameters(*document);
            if (!std::holds_alternative<Parameters>(again) ||
                std::get<Parameters>(again) != *parameters) {
                std::abort();
            }
        }
    }
    return 0;
}
