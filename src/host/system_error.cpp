#include "system_error.hpp"

#include <cerrno>
#include <system_error>

namespace dpdkperf::host {

namespace {

Errc code_of(int error_number)
{
    switch (error_number) {
    case EPERM:
    case EACCES:
        return Errc::kPermission;
    case EBUSY:
    case EADDRINUSE:
        return Errc::kBusy;
    case ENOENT:
    case ENODEV:
    case EADDRNOTAVAIL:
        return Errc::kNotFound;
    case ETIMEDOUT:
        return Errc::kTimeout;
    default:
        return Errc::kSystem;
    }
}

}  // namespace

Error system_error(const std::string& what, int error_number)
{
    return {code_of(error_number), what + ": " + std::generic_category().message(error_number)};
}

}  // namespace dpdkperf::host
