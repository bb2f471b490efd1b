// The options of ours that are for scripts: none of them changes what a test measures.

#include "requirements.hpp"
#include "setters.hpp"
#include "values.hpp"

namespace dpdkperf::options {

namespace {

constexpr std::int64_t kLongestWait = 86'400;  // as the longest test

}  // namespace

// A server learns only half of the results.
Status set_require(Draft& draft, std::string_view value)
{
    draft.client_option = "--require";
    return add_requirements(draft.plan.requirements, value);
}

Status set_save(Draft& draft, std::string_view value)
{
    draft.plan.save_folder = value;
    return {};
}

Status set_wait(Draft& draft, std::string_view value)
{
    draft.client_option = "--wait";
    return store(to_integer(value, 1, kLongestWait, "must be from 1 to 86400"),
        [&](std::int64_t n) { draft.plan.wait = std::chrono::seconds{n}; });
}

}  // namespace dpdkperf::options
