#include "checks.hpp"

#include "dpdkperf/host/cpus.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "dpdkperf/report/saving.hpp"

#include <cerrno>
#include <string>
#include <system_error>

namespace dpdkperf::app {

namespace {

// Options of a port that DPDK owns mean nothing without one.
Status check_port_options(const options::Plan& plan)
{
    const char* option = nullptr;
    if (!plan.addresses.empty()) {
        option = "--ip";
    } else if (!plan.gateways.empty()) {
        option = "--gateway";
    } else if (plan.mtu_bytes) {
        option = "--mtu";
    }
    if (option == nullptr || ports::names_a_device(plan.eal_arguments)) {
        return {};
    }
    return Error{Errc::kUsage, std::string{option} + ": no device is named; name one before " +
                                   "'--' with -a PCI or --vdev"};
}

// The CPU of -A, if the poller is to run on one.
Status check_cpu(const options::Plan& plan)
{
    if (!plan.cpu) {
        return {};
    }
    if (ports::names_lcores(plan.eal_arguments)) {
        return Error{Errc::kUsage, "--affinity '" + std::to_string(*plan.cpu) +
                                       "': the pollers' CPUs are named before '--'"};
    }
    if (!host::can_run_on(*plan.cpu)) {
        return Error{
            Errc::kUsage, "unable to set CPU affinity: " + std::generic_category().message(EINVAL) +
                              ": CPU " + std::to_string(*plan.cpu)};
    }
    return {};
}

}  // namespace

Status check_machine(const options::Plan& plan)
{
    if (Status status = check_port_options(plan); !status) {
        return status;
    }
    return check_cpu(plan);
}

Status check_save_folder(const options::Plan& plan)
{
    Status status = plan.save_folder ? report::check_folder(*plan.save_folder) : Status{};
    if (!status && status.error().code == Errc::kPermission) {
        status.error().message += "; a test has no privileges: name the folder's owner with --user";
    }
    return status;
}

}  // namespace dpdkperf::app
