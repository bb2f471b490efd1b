#include "authentication.hpp"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include <termios.h>
#include <unistd.h>

namespace dpdkperf::app {

namespace {

auth::Padding padding_of(const options::Plan& plan)
{
    return plan.pkcs1_padding ? auth::Padding::kPkcs1 : auth::Padding::kOaep;
}

// The terminal shows nothing that is typed while it lives.
class Echo {
public:
    static std::optional<Echo> off()
    {
        termios before{};
        if (tcgetattr(STDIN_FILENO, &before) != 0) {
            return {};
        }
        termios silent = before;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0) {
            return {};
        }
        return Echo{before};
    }
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;
    Echo(Echo&& other) noexcept : before_{std::exchange(other.before_, std::nullopt)} {}
    Echo& operator=(Echo&&) = delete;
    ~Echo()
    {
        if (before_) {
            (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &*before_);
        }
    }

private:
    explicit Echo(const termios& before) : before_{before} {}
    std::optional<termios> before_;
};

// Asked on standard error: standard output may be a file with JSON in it.
Result<std::string> ask_password()
{
    const auto echo = Echo::off();
    if (!echo) {
        return Error{Errc::kUsage,
            "IPERF3_PASSWORD is not set, and there is no terminal to ask for the password"};
    }
    std::fputs("Password: ", stderr);
    std::string password;
    std::getline(std::cin, password);
    std::fputs("\n", stderr);
    return password;
}

Result<std::string> password()
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): there are no threads yet
    const char* const given = std::getenv("IPERF3_PASSWORD");
    return given != nullptr ? std::string{given} : ask_password();
}

Result<auth::Login> open_login(const options::Plan& plan)
{
    auto secret = password();
    if (!secret) {
        return std::move(secret).error();
    }
    return auth::Login::open(
        *plan.username, *std::move(secret), *plan.rsa_public_key_path, padding_of(plan));
}

Result<auth::Gate> open_gate(const options::Plan& plan)
{
    return auth::Gate::open({*plan.rsa_private_key_path, *plan.authorized_users_path,
        plan.max_time_skew, padding_of(plan)});
}

}  // namespace

Result<Identity> open_identity(const options::Plan& plan)
{
    Identity identity;
    if (plan.username) {
        auto login = open_login(plan);
        if (!login) {
            return std::move(login).error().within(
                "you must specify a username, password, and path to a valid RSA public key");
        }
        identity.login = *std::move(login);
    }
    if (plan.rsa_private_key_path) {
        auto gate = open_gate(plan);
        if (!gate) {
            return std::move(gate).error().within(
                "you must specify a path to a valid RSA private key and a user credential file");
        }
        identity.gate = *std::move(gate);
    }
    return identity;
}

}  // namespace dpdkperf::app
