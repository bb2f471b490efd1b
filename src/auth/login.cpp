#include "dpdkperf/auth/login.hpp"

#include <utility>

namespace dpdkperf::auth {

Login::Login(std::string user, std::string password, Key key, Padding padding)
    : user_{std::move(user)},
      password_{std::move(password)},
      key_{std::move(key)},
      padding_{padding}
{
}

Result<Login> Login::open(
    std::string user, std::string password, const std::string& public_key_path, Padding padding)
{
    for (const auto& [what, word] : {std::pair{"user name", &user}, {"password", &password}}) {
        if (is_unreadable(*word)) {
            return Error{Errc::kUsage, std::string{"the "} + what + " is empty or contains blanks"};
        }
    }
    auto key = load_public_key(public_key_path);
    if (!key) {
        return std::move(key).error();
    }
    Login login{std::move(user), std::move(password), *std::move(key), padding};
    // Any time of this century has as many digits as this one.
    if (auto token = login.token(std::chrono::sys_seconds{std::chrono::seconds{4'000'000'000}});
        !token) {
        return std::move(token).error();
    }
    return login;
}

Result<std::string> Login::token(std::chrono::sys_seconds now) const
{
    return seal({user_, password_, now}, key_, padding_);
}

}  // namespace dpdkperf::auth
