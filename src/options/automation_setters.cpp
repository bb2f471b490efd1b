// The options of ours that are for scripts: none of them changes what a test measures.

#include "requirements.hpp"
#include "setters.hpp"

namespace dpdkperf::options {

// A server learns only half of the results.
Status set_require(Draft& draft, std::string_view value)
{
    draft.client_option = "--require";
    return add_requirements(draft.plan.requirements, value);
}

}  // namespace dpdkperf::options
