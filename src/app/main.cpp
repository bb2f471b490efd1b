// dpdkperf: reads the command line, wires control, engine and reporter, and waits for the end.

#include "af_xdp_paths.hpp"
#include "authentication.hpp"
#include "checks.hpp"
#include "dpdkperf/capture/capture.hpp"
#include "dpdkperf/control/client.hpp"
#include "dpdkperf/control/path_watch.hpp"
#include "dpdkperf/control/server.hpp"
#include "dpdkperf/control/signals.hpp"
#include "dpdkperf/host/keeper.hpp"
#include "dpdkperf/host/privileges.hpp"
#include "dpdkperf/options/options.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "dpdkperf/report/reporter.hpp"
#include "dry_run.hpp"
#include "eal_choice.hpp"
#include "named_devices.hpp"
#include "output.hpp"
#include "owned_paths.hpp"
#include "pid_file.hpp"
#include "privileges.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <unistd.h>

namespace dpdkperf::app {

namespace {

// The test went well, and its results are not what --require asks for.
constexpr int kNotMet = 2;

int fail(const std::string& message)
{
    std::fprintf(stderr, "dpdkperf: error - %s\n", message.c_str());
    return 1;
}

int fail_parameters(const std::string& message)
{
    std::fprintf(stderr, "dpdkperf: parameter error - %s\n%s", message.c_str(),
        "Usage: dpdkperf [EAL options --] [-s|-c host] [options]\n"
        "Try `dpdkperf --help' for more information.\n");
    return 1;
}

// Client and server have the same life: run until `done`, tell them of signals.
template <class Role>
int live(asio::io_context& loop, Role& role)
{
    int exit_code = 1;
    const control::TerminationSignals signals{loop, [&](int signal) { role.interrupt(signal); }};
    role.run([&](int code) {
        exit_code = code;
        loop.stop();
    });
    loop.run();
    return exit_code;
}

// What a role works with, whatever its port.
struct Surroundings {
    asio::io_context& loop;
    control::PathWatch& watch;
    report::Reporter& sink;
    const Identity& identity;
};

template <class T>
const T* pointer_to(const std::optional<T>& value)
{
    return value ? &*value : nullptr;
}

int run_role(const Surroundings& around, const options::Plan& plan, control::DataPaths& paths)
{
    auto& [loop, watch, sink, identity] = around;
    if (Status status = check_save_folder(plan); !status) {
        return refuse(sink, "--save: " + status.error().message);
    }
    if (plan.role == options::Role::kServer) {
        control::Server server{loop, plan, paths, watch, sink, sink, pointer_to(identity.gate)};
        return live(loop, server);
    }
    control::ClientTest client{loop, plan, paths, watch, sink, pointer_to(identity.login)};
    return live(loop, client);
}

// The control connection goes through the kernel twin of the port.
int run_on_own_port(const Surroundings& around, host::Keeper& keeper, const Privileges& privileges,
    options::Plan plan, capture::Capture* capture)
{
    if (plan.bind_device) {
        return refuse(
            around.sink, "--bind-dev '" + *plan.bind_device + "': the port is named before '--'");
    }
    auto paths = OwnedPaths::open(around.loop, keeper, plan, privileges, capture);
    if (!paths) {
        return refuse(around.sink, paths.error().message);
    }
    plan.bind_device = (*paths)->twin();
    return run_role(around, plan, **paths);
}

// As iperf3 does, on standard output; but there JSON stays alone.
void print_warnings(const options::Plan& plan)
{
    for (const std::string& warning : plan.warnings) {
        std::fprintf(plan.json ? stderr : stdout, "Warning:  %s\n", warning.c_str());
    }
    std::fflush(stdout);
}

// The paths of af_xdp ports, on a thread that may attach; this one no longer may. Before there is
// another.
Result<std::unique_ptr<AfXdpPaths>> open_af_xdp(asio::io_context& loop, host::Keeper& keeper,
    const Privileges& privileges, const options::Plan& plan, capture::Capture* capture)
{
    if (Status status = claim_eal_files(plan.eal_arguments, privileges.user(), keeper); !status) {
        return std::move(status).error();
    }
    keeper.seal();
    if (Status status = privileges.before_attaching(); !status) {
        return std::move(status).error();
    }
    auto paths = std::make_unique<AfXdpPaths>(loop, keeper, plan, privileges, capture);
    if (Status status = privileges.leave_attaching(); !status) {
        return std::move(status).error();
    }
    return paths;
}

// What --pcap asks for; none without it.
Result<std::unique_ptr<capture::Capture>> open_capture(const options::Plan& plan)
{
    if (!plan.pcap_file) {
        return std::unique_ptr<capture::Capture>{};
    }
    auto capture = capture::Capture::create(*plan.pcap_file, plan.pcap_frames, options::version(),
        "the first " + std::to_string(plan.pcap_frames) +
            " frames of each direction of the streams, without the control connection");
    if (!capture) {
        return std::move(capture).error().within("--pcap");
    }
    return capture;
}

// The file is complete; who reads the output is told what is not in it.
void close_capture(capture::Capture& capture, std::ostream& output)
{
    const char* const kWarning = "dpdkperf: warning - --pcap: ";
    if (Status status = capture.finish(); !status) {
        output << kWarning << status.error().message << std::endl;
    }
    if (const std::uint64_t lost = capture.lost(); lost > 0) {
        output << kWarning << lost << " frames are missing: they came faster than they were written"
               << std::endl;
    }
}

// `code`: of the session.
int exit_code(int code, report::Reporter& reporter)
{
    reporter.flush();
    if (reporter.lost_a_file()) {
        return 1;
    }
    return code == 0 && !reporter.requirements_met() ? kNotMet : code;
}

// Of a role, with paths that are gone when it returns.
int run_test(const options::Plan& plan, const Identity& identity, Output& output,
    host::Keeper& keeper, const Privileges& privileges, capture::Capture* capture)
{
    asio::io_context loop{1};                  // the reporter may post to it
    auto watch = control::watch_kernel(loop);  // with privileges it hears more
    if (!watch) {
        return output.refuse(watch.error().message);
    }
    const bool own_port = ports::names_a_device(plan.eal_arguments);
    std::unique_ptr<AfXdpPaths> paths;
    if (!own_port) {
        auto opened = open_af_xdp(loop, keeper, privileges, plan, capture);
        if (!opened) {
            return output.refuse(opened.error().message);
        }
        paths = *std::move(opened);
    }
    if (capture != nullptr) {
        capture->start();
    }
    const auto reporter = output.reporter();
    const Surroundings around{loop, **watch, *reporter, identity};
    const int code = own_port ? run_on_own_port(around, keeper, privileges, plan, capture)
                              : run_role(around, plan, *paths);
    return exit_code(code, *reporter);
}

// What is changed on this machine from here on, the keeper undoes.
int run_with_keeper(const options::Plan& plan, const Identity& identity, Output& output,
    const Privileges& privileges, capture::Capture* capture)
{
    if (Status status = host::confine_process(); !status) {
        return output.refuse(status.error().message);
    }
    auto keeper = host::Keeper::start();  // forks: before there is any thread
    if (!keeper) {
        return output.refuse(keeper.error().message);
    }
    if (plan.pid_file) {
        if (Status status = write_pid_file(*plan.pid_file, *keeper); !status) {
            return output.refuse(status.error().message);
        }
    }
    return run_test(plan, identity, output, *keeper, privileges, capture);
}

int run(const options::Plan& plan, const Identity& identity)
{
    auto output = Output::open(plan);
    if (!output) {
        return fail(output.error().message);
    }
    const auto privileges = Privileges::find(plan);
    if (!privileges) {
        return output->refuse(privileges.error().message);
    }
    const auto capture = open_capture(plan);
    if (!capture) {
        return output->refuse(capture.error().message);
    }
    // The working directory stays: the options may name files in it.
    if (plan.daemon && daemon(1, 0) != 0) {
        return output->refuse(
            "unable to become a daemon: " + std::generic_category().message(errno));
    }
    const int code = run_with_keeper(plan, identity, *output, *privileges, capture->get());
    if (*capture) {
        close_capture(**capture, output->errors());
    }
    return code;
}

int dry_run(const options::Plan& plan)
{
    auto keeper = host::Keeper::start();
    const auto text = keeper ? describe_port(plan, *keeper) : std::move(keeper).error();
    if (!text) {
        return fail(text.error().message);
    }
    std::fputs(text->c_str(), stdout);
    return 0;
}

int start(const std::vector<std::string_view>& arguments)
{
    auto plan = options::parse(arguments);
    if (!plan) {
        return fail_parameters(plan.error().message);
    }
    switch (plan->role) {
    case options::Role::kHelp:
        std::fputs(options::help_text().c_str(), stdout);
        return 0;
    case options::Role::kVersion:
        std::fputs(options::version_text().c_str(), stdout);
        return 0;
    case options::Role::kClient:
    case options::Role::kServer:
        break;
    }
    const auto identity = open_identity(*plan);
    if (!identity) {
        return fail_parameters(identity.error().message);
    }
    if (Status status = recall_state(*plan); !status) {
        return fail(status.error().message);
    }
    if (Status status = check_machine(*plan); !status) {
        return fail(status.error().message);
    }
    print_warnings(*plan);
    // A peer that has gone is an error of the call, as in iperf3, also for a driver that talks to
    // its other end through a socket (virtio-user).
    std::signal(SIGPIPE, SIG_IGN);
    return plan->dry_run ? dry_run(*plan) : run(*plan, *identity);
}

}  // namespace

}  // namespace dpdkperf::app

int main(int argc, char** argv)
{
    try {
        return dpdkperf::app::start({argv + 1, argv + argc});
    } catch (const std::exception& e) {
        return dpdkperf::app::fail(e.what());
    }
}
