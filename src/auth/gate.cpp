#include "dpdkperf/auth/gate.hpp"

#include "dpdkperf/auth/users.hpp"

#include <utility>

namespace dpdkperf::auth {

namespace {

Error refusal(const std::string& why)
{
    return {Errc::kPermission, why};
}

}  // namespace

Gate::Gate(GatePlan plan, Key key) : plan_{std::move(plan)}, key_{std::move(key)} {}

Result<Gate> Gate::open(GatePlan plan)
{
    auto key = load_private_key(plan.private_key_path);
    if (!key) {
        return std::move(key).error();
    }
    if (auto users = Users::load(plan.users_path); !users) {
        return std::move(users).error();
    }
    return Gate{std::move(plan), *std::move(key)};
}

Status Gate::admit(std::string_view token, std::chrono::sys_seconds now) const
{
    const auto users = Users::load(plan_.users_path);
    if (!users) {
        return users.error();
    }
    if (token.empty()) {
        return refusal("the client has not said who it is");
    }
    const auto credentials = unseal(token, key_, plan_.padding);
    if (!credentials) {
        return refusal("the token was not made for this key and padding");
    }
    if (!users->know(credentials->user, credentials->password)) {
        return refusal("unknown user, or another password");
    }
    // Not by a difference, which a client can make overflow.
    if (credentials->time < now - plan_.max_skew || credentials->time > now + plan_.max_skew) {
        return refusal(
            "the clocks differ by more than " + std::to_string(plan_.max_skew.count()) + " s");
    }
    return {};
}

}  // namespace dpdkperf::auth
