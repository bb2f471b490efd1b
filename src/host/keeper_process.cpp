#include "dpdkperf/host/privileges.hpp"
#include "dpdkperf/host/xdp_program.hpp"
#include "keeper_protocol.hpp"
#include "system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

namespace dpdkperf::host {

namespace {

// Where the two descriptors that we keep are put, after the three standard ones.
constexpr int kSocket = 3, kMain = 4;

// A process with much memory takes its time to die; one that hangs in a driver never does.
constexpr int kDeathPatienceMs = 10'000;

// Whoever reads our standard output must see its end when main ends, and no port, file or
// directory may stay in use because of us.
void let_go_of_everything_but(int socket, int main)
{
    const int high_socket = fcntl(socket, F_DUPFD, kMain + 1);
    const int high_main = fcntl(main, F_DUPFD, kMain + 1);
    dup2(high_socket, kSocket);
    dup2(high_main, kMain);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    close_range(kMain + 1, UINT_MAX, 0);
    if (chdir("/") != 0) {
        return;  // then the directory stays in use until main ends
    }
}

// Those of a terminal, of a service manager and of a closed standard error. The end of main is
// the only reason to end.
void ignore_signals()
{
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2}) {
        struct sigaction action {};
        action.sa_handler = SIG_IGN;
        sigaction(number, &action, nullptr);
    }
}

// Detaching takes the first; the others are for files that main has made as somebody else, or in
// a folder of somebody else's.
const Capabilities kOfUndoing{Capability::kNetAdmin, Capability::kDacOverride, Capability::kFowner};

// What is to be undone, in order of registration. Fixed size: nothing can fail for memory later.
class Actions {
public:
    void seal() { sealed_ = true; }
    void add(const KeeperMessage& action)
    {
        const bool refused = sealed_ && action.verb != KeeperVerb::kDetachXdp;
        if (count_ < table_.size() && !refused) {
            table_[count_++] = action;
        }
    }
    void remove(Keeper::Token token)
    {
        auto* const end = table_.data() + count_;
        auto* const kept = std::remove_if(
            table_.data(), end, [&](const KeeperMessage& m) { return m.token == token; });
        count_ -= static_cast<std::size_t>(end - kept);
    }
    [[nodiscard]] std::span<const KeeperMessage> all() const { return {table_.data(), count_}; }

private:
    std::array<KeeperMessage, Keeper::kMaxActions> table_{};
    std::size_t count_ = 0;
    bool sealed_ = false;
};

Status removed(int rc, const char* path)
{
    if (rc == 0 || errno == ENOENT || errno == ENOTEMPTY) {
        return {};
    }
    return system_error(std::string{"remove "} + path, errno);
}

Status detach(std::uint32_t interface_index)
{
    const auto program = attached_xdp(interface_index);
    return program && *program ? detach_xdp(interface_index, (*program)->id)
                               : Status{};  // the interface or the program has gone
}

Status remove_directory(const char* path)
{
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator{path, ignored}) {
        (void)unlink(entry.path().c_str());  // what stays keeps the directory
    }
    return removed(rmdir(path), path);
}

Status remove_pid_file(const char* path, pid_t process)
{
    pid_t named = 0;
    std::ifstream{path} >> named;
    return named == process ? removed(unlink(path), path) : Status{};
}

Status carry_out(const KeeperMessage& action)
{
    switch (action.verb) {
    case KeeperVerb::kRemoveFile:
        return removed(unlink(action.path.data()), action.path.data());
    case KeeperVerb::kRemovePidFile:
        return remove_pid_file(action.path.data(), action.process);
    case KeeperVerb::kRemoveDirectory:
        return remove_directory(action.path.data());
    case KeeperVerb::kDetachXdp:
        return detach(action.interface_index);
    case KeeperVerb::kRelease:
    case KeeperVerb::kSeal:
    case KeeperVerb::kDone:
        break;
    }
    return {};
}

// Until main has released us or has ended. Its end of the pair is closed while it dies, before
// other descriptors perhaps, locks among them: what is undone must have been let go of.
void listen_to_main(Actions& actions)
{
    for (;;) {
        KeeperMessage message;
        const auto n = recv(kSocket, &message, sizeof message, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n != static_cast<ssize_t>(sizeof message)) {
            pollfd ended{kMain, POLLIN, 0};
            poll(&ended, 1, kDeathPatienceMs);
            return;
        }
        if (message.verb == KeeperVerb::kRelease) {
            return;
        }
        if (message.verb == KeeperVerb::kDone) {
            actions.remove(message.token);
        } else if (message.verb == KeeperVerb::kSeal) {
            actions.seal();
        } else {
            actions.add(message);
        }
    }
}

void undo_all(const Actions& actions)
{
    const auto all = actions.all();
    for (auto action = all.rbegin(); action != all.rend(); ++action) {
        if (const auto status = carry_out(*action); !status) {
            dprintf(STDERR_FILENO, "dpdkperf: not undone: %s\n", status.error().message.c_str());
        }
    }
}

}  // namespace

void run_keeper(int socket, int main)
{
    setsid();
    ignore_signals();
    prctl(PR_SET_NAME, "dpdkperf-keeper");
    (void)keep_in_this_thread(kOfUndoing);  // fewer than there are is always allowed
    let_go_of_everything_but(socket, main);
    send(kSocket, "", 1, MSG_NOSIGNAL);
    Actions actions;
    listen_to_main(actions);
    undo_all(actions);
    _exit(0);
}

}  // namespace dpdkperf::host
