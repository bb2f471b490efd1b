#include "dpdkperf/ports/eal.hpp"

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_interrupts.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_version.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace dpdkperf::ports {

// The main lcore's thread: initialises EAL, then carries out tasks in order.
struct Eal::Thread {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::deque<std::packaged_task<void()>> tasks;
    std::map<unsigned, std::packaged_task<void()>> bodies;  // what each worker was launched with
    std::map<unsigned, std::future<void>> ends;             // of what each lcore was launched with
    std::map<unsigned, std::shared_future<int>> ids;        // of each lcore's thread, once it runs
    std::jthread thread;                                    // last: ends before the rest goes

    std::future<void> push(std::function<void()> work)
    {
        std::packaged_task<void()> task{std::move(work)};
        auto end = task.get_future();
        {
            const std::lock_guard lock{mutex};
            tasks.push_back(std::move(task));
        }
        changed.notify_one();
        return end;
    }

    void carry_out(const std::stop_token& stop)
    {
        std::unique_lock lock{mutex};
        while (changed.wait(lock, stop, [this] { return !tasks.empty(); })) {
            auto task = std::move(tasks.front());
            tasks.pop_front();
            lock.unlock();
            task();
            lock.lock();
        }
    }
};

namespace {

Status initialise(std::vector<std::string>& arguments)
{
    std::vector<char*> argv;
    argv.reserve(arguments.size());
    for (std::string& a : arguments) {
        argv.push_back(a.data());
    }
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
        std::string line;
        for (const std::string& a : arguments) {
            line += (line.empty() ? "" : " ") + a;
        }
        return Error{
            Errc::kDevice, "DPDK does not start (" + line + "): " + rte_strerror(rte_errno)};
    }
    return {};
}

std::latch interrupt_thread_parked{1};

void park(void*)
{
    interrupt_thread_parked.count_down();
    for (;;) {
        pause();
    }
}

// Keeps EAL's interrupt thread away from the memory that rte_eal_cleanup() unmaps.
//
// The thread looks through every source that is registered whenever one goes, and cleanup takes the
// alarm's away while the thread runs on (eal_alarm.c, eal_interrupts.c, DPDK 22.11). A source in
// that memory is memif's listener, which the driver never takes away (memif_socket.c).
void park_interrupt_thread()
{
    rte_intr_handle* const handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
    const int readable = eventfd(1, EFD_CLOEXEC);
    if (handle == nullptr || readable < 0 || rte_intr_fd_set(handle, readable) != 0 ||
        rte_intr_type_set(handle, RTE_INTR_HANDLE_EXT) != 0 ||
        rte_intr_callback_register(handle, park, nullptr) != 0) {
        return;
    }
    interrupt_thread_parked.wait();
    rte_intr_instance_free(handle);  // EAL has a copy
}

int call_body(void* body)
{
    (*static_cast<std::packaged_task<void()>*>(body))();
    return 0;
}

}  // namespace

Eal::Eal(std::unique_ptr<Thread> thread) : thread_{std::move(thread)} {}
Eal::Eal(Eal&&) noexcept = default;
Eal& Eal::operator=(Eal&&) noexcept = default;

std::string dpdk_version()
{
    return rte_version();
}

Result<Eal> Eal::start(std::vector<std::string> arguments)
{
    auto owned = std::make_unique<Thread>();
    std::promise<Status> started;
    auto outcome = started.get_future();
    owned->thread =
        std::jthread{[&t = *owned, started = std::move(started), args = std::move(arguments)](
                         const std::stop_token& stop) mutable {
            Status status = initialise(args);
            const bool running = status.has_value();
            started.set_value(std::move(status));
            if (running) {
                t.carry_out(stop);
                rte_eal_mp_wait_lcore();
                park_interrupt_thread();
                rte_eal_cleanup();
            }
        }};
    if (Status status = outcome.get(); !status) {
        return std::move(status).error();
    }
    return Eal{std::move(owned)};
}

Eal::~Eal() = default;  // ~jthread() stops carry_out() and joins

std::vector<unsigned> Eal::poller_lcores() const
{
    std::vector<unsigned> lcores;
    constexpr unsigned kFirst = ~0U;
    constexpr int kSkipMain = 1;
    constexpr int kNoWrap = 0;
    for (unsigned lcore = rte_get_next_lcore(kFirst, kSkipMain, kNoWrap); lcore < RTE_MAX_LCORE;
         lcore = rte_get_next_lcore(lcore, kSkipMain, kNoWrap)) {
        lcores.push_back(lcore);
    }
    if (lcores.empty()) {
        lcores.push_back(rte_get_main_lcore());
    }
    return lcores;
}

std::vector<unsigned> Eal::poller_cpus() const
{
    std::vector<unsigned> cpus;
    for (const unsigned lcore : poller_lcores()) {
        const rte_cpuset_t set = rte_lcore_cpuset(lcore);
        for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &set)) {
                cpus.push_back(cpu);
            }
        }
    }
    return cpus;
}

void Eal::run(const std::function<void()>& task) const
{
    thread_->push(task).get();
}

void Eal::launch(unsigned lcore, std::function<void()> task) const
{
    const auto id = std::make_shared<std::promise<int>>();
    thread_->ids[lcore] = id->get_future().share();
    std::function<void()> body = [id, task = std::move(task)] {
        id->set_value(gettid());
        task();
    };
    if (lcore == rte_get_main_lcore()) {
        thread_->ends[lcore] = thread_->push(std::move(body));
        return;
    }
    auto& slot = thread_->bodies[lcore] = std::packaged_task<void()>{std::move(body)};
    thread_->ends[lcore] = slot.get_future();
    // Refused while the lcore does something else, and nobody would ever end what has not begun.
    run([&slot, lcore] {
        if (rte_eal_remote_launch(call_body, &slot, lcore) != 0) {
            rte_panic("lcore %u is not free\n", lcore);
        }
    });
}

Result<int> Eal::move(unsigned lcore, unsigned cpu) const
{
    const int thread = thread_->ids.at(lcore).get();
    cpu_set_t set{};
    if (cpu < CPU_SETSIZE) {
        CPU_SET(cpu, &set);
    }
    if (sched_setaffinity(thread, sizeof set, &set) != 0) {
        return Error{
            Errc::kSystem, "unable to set CPU affinity: " + std::generic_category().message(errno) +
                               ": CPU " + std::to_string(cpu)};
    }
    return thread;
}

void Eal::wait(unsigned lcore) const
{
    thread_->ends[lcore].wait();
    if (lcore != rte_get_main_lcore()) {
        run([lcore] { rte_eal_wait_lcore(lcore); });  // until it can be launched again
    }
}

}  // namespace dpdkperf::ports
