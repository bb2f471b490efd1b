#include "output.hpp"

#include "dpdkperf/options/options.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "this_machine.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace dpdkperf::app {

namespace {

report::Saving saving_of(const options::Plan& plan)
{
    return {.folder = *plan.save_folder,
        .arguments = plan.command_line,
        .dpdk_version = ports::dpdk_version(),
        .host = host_name(),
        .cpu = cpu_model(),
        .cpus = cpus_online()};
}

report::Style style_of(const options::Plan& plan)
{
    report::Style style;
    style.json = plan.json;
    style.json_stream = plan.json_stream;
    style.json_stream_full = plan.json_stream_full;
    style.verbose = plan.verbose;
    const bool seen = plan.log_file.empty() && isatty(STDERR_FILENO) != 0;
    style.extras = plan.verbose || seen;
    style.rate_unit = plan.rate_unit;
    style.title = plan.title;
    style.several_tests = plan.concurrent > 1;
    style.extra_data = plan.extra_data;
    style.requirements = plan.requirements;
    if (plan.save_folder) {
        style.saving = saving_of(plan);
    }
    style.timestamp_format = plan.timestamp_format;
    style.version = options::version();
    style.system_info = options::system_info();
    return style;
}

}  // namespace

Result<Output> Output::open(const options::Plan& plan)
{
    std::ofstream log;
    if (!plan.log_file.empty()) {
        errno = 0;
        log.open(plan.log_file, std::ios::app);
        if (!log) {
            return Error{Errc::kSystem,
                "unable to open log file: " + std::generic_category().message(errno) + ": " +
                    plan.log_file};
        }
    }
    return Output{style_of(plan), std::move(log)};
}

std::unique_ptr<report::Reporter> Output::reporter()
{
    return std::make_unique<report::Reporter>(style_, log_.is_open() ? log_ : std::cout, errors());
}

int Output::refuse(const std::string& message)
{
    return app::refuse(*reporter(), message);
}

int refuse(stats::ReportSink& sink, const std::string& message)
{
    sink.failed(message);
    sink.finished(false);
    return 1;
}

}  // namespace dpdkperf::app
