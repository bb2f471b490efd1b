// The options of a server's life and of authentication.

#include "setters.hpp"
#include "values.hpp"

namespace dpdkperf::options {

namespace {

// iperf3 takes any that an int holds.
constexpr std::int64_t kMaxSkew = INT32_MAX;

}  // namespace

Status set_username(Draft& draft, std::string_view value)
{
    draft.plan.username = std::string{value};
    return {};
}

Status set_public_key(Draft& draft, std::string_view value)
{
    draft.plan.rsa_public_key_path = std::string{value};
    return {};
}

Status set_private_key(Draft& draft, std::string_view value)
{
    draft.plan.rsa_private_key_path = std::string{value};
    return {};
}

Status set_authorized_users(Draft& draft, std::string_view value)
{
    draft.plan.authorized_users_path = std::string{value};
    return {};
}

Status set_time_skew(Draft& draft, std::string_view value)
{
    const auto seconds = to_integer(value, 1, kMaxSkew, "skew threshold must be a positive number");
    if (!seconds) {
        return seconds.error();
    }
    draft.plan.max_time_skew = std::chrono::seconds{*seconds};
    return {};
}

Status set_pkcs1_padding(Draft& draft, std::string_view)
{
    draft.plan.pkcs1_padding = true;
    return {};
}

}  // namespace dpdkperf::options
