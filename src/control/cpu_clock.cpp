#include "cpu_clock.hpp"

#include <sys/resource.h>

namespace dpdkperf::control {

namespace {

std::chrono::microseconds to_microseconds(const timeval& time)
{
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
}

rusage usage_now()
{
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage;
}

}  // namespace

CpuClock::CpuClock() : start_{Moment::clock::now()}
{
    const rusage now = usage_now();
    user_ = to_microseconds(now.ru_utime);
    system_ = to_microseconds(now.ru_stime);
}

stats::CpuUse CpuClock::use() const
{
    const rusage now = usage_now();
    const auto wall = std::chrono::duration<double>(Moment::clock::now() - start_).count();
    const auto percent = [wall](std::chrono::microseconds time) {
        return wall > 0 ? 100.0 * std::chrono::duration<double>(time).count() / wall : 0.0;
    };
    stats::CpuUse use;
    use.user = percent(to_microseconds(now.ru_utime) - user_);
    use.system = percent(to_microseconds(now.ru_stime) - system_);
    use.total = use.user + use.system;
    return use;
}

}  // namespace dpdkperf::control
