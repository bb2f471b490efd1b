#include "dpdkperf/host/keeper.hpp"

#include "keeper_protocol.hpp"
#include "system_error.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace dpdkperf::host {

namespace {

constexpr int kEndPatienceMs = 2000;

// One overload per action: how it looks on the wire.
struct ToMessage {
    KeeperMessage operator()(const RemoveFile& a) const
    {
        return with_path(KeeperVerb::kRemoveFile, a.path);
    }
    KeeperMessage operator()(const RemovePidFile& a) const
    {
        KeeperMessage m = with_path(KeeperVerb::kRemovePidFile, a.path);
        m.process = getpid();
        return m;
    }
    KeeperMessage operator()(const RemoveDirectory& a) const
    {
        return with_path(KeeperVerb::kRemoveDirectory, a.path);
    }
    KeeperMessage operator()(const DetachXdp& a) const
    {
        KeeperMessage m;
        m.verb = KeeperVerb::kDetachXdp;
        m.interface_index = a.interface_index;
        return m;
    }

    // A path that is too long comes out empty.
    static KeeperMessage with_path(KeeperVerb verb, const std::string& path)
    {
        KeeperMessage m;
        m.verb = verb;
        if (path.size() <= Keeper::kMaxPathBytes) {
            std::copy(path.begin(), path.end(), m.path.begin());
        }
        return m;
    }
};

bool tell(int socket, const KeeperMessage& message)
{
    for (;;) {
        if (send(socket, &message, sizeof message, MSG_NOSIGNAL) >= 0) {
            return true;
        }
        if (errno != EINTR) {
            return false;
        }
    }
}

// A process that was started without standard descriptors gets 0, 1 and 2 for others. The keeper
// keeps its own 2: it must not be our end of the pair, or it would wait for itself.
UniqueFd above_standard(int fd)
{
    const UniqueFd low{fd};
    return UniqueFd{fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
}

// glibc 2.36 declares pidfd_open() without extern "C".
int pidfd_of_ourselves()
{
    return static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
}

Error no_keeper(int error)
{
    return system_error("start the keeper process", error);
}

// Until then a signal from the terminal could end the keeper with us.
Status wait_until_ready(int socket)
{
    char ready = 0;
    ssize_t n = 0;
    while ((n = recv(socket, &ready, 1, 0)) < 0 && errno == EINTR) {
    }
    return n == 1 ? Status{} : Status{no_keeper(n < 0 ? errno : ECHILD)};
}

}  // namespace

Result<Keeper> Keeper::start()
{
    int pair[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return no_keeper(errno);
    }
    UniqueFd ours = above_standard(pair[0]);
    UniqueFd theirs = above_standard(pair[1]);
    const UniqueFd main = above_standard(pidfd_of_ourselves());
    if (!ours || !theirs || !main) {
        return no_keeper(errno);
    }
    const pid_t pid = fork();
    if (pid < 0) {
        return no_keeper(errno);
    }
    if (pid == 0) {
        run_keeper(theirs.get(), main.get());
    }
    theirs.reset();
    if (auto ready = wait_until_ready(ours.get()); !ready) {
        return std::move(ready).error();
    }
    return Keeper{std::move(ours), pid};
}

Result<Keeper::Token> Keeper::undo(const Undo& action)
{
    KeeperMessage message = std::visit(ToMessage{}, action);
    if (message.verb != KeeperVerb::kDetachXdp && message.path.front() != '/') {
        return Error{Errc::kUsage, "keeper: paths are absolute and at most " +
                                       std::to_string(kMaxPathBytes) + " bytes long"};
    }
    if (sealed_ && message.verb != KeeperVerb::kDetachXdp) {
        return Error{Errc::kUsage, "keeper: takes no more paths"};
    }
    if (open_.size() == kMaxActions) {
        return Error{Errc::kUsage, "keeper: more than " + std::to_string(kMaxActions) + " actions"};
    }
    message.token = next_;
    if (!tell(socket_.get(), message)) {
        return Error{Errc::kPeer, "the keeper process is gone"};
    }
    open_.insert(next_);
    return next_++;
}

void Keeper::seal()
{
    sealed_ = true;
    KeeperMessage message;
    message.verb = KeeperVerb::kSeal;
    tell(socket_.get(), message);
}

void Keeper::done(Token token)
{
    if (open_.erase(token) != 0) {
        KeeperMessage message;
        message.token = token;
        tell(socket_.get(), message);
    }
}

Status Keeper::release()
{
    if (!socket_) {
        return {};
    }
    const UniqueFd socket = std::move(socket_);
    open_.clear();
    KeeperMessage message;
    message.verb = KeeperVerb::kRelease;
    tell(socket.get(), message);
    // Its end hangs up when it ends, which is POLLHUP.
    pollfd ended{socket.get(), 0, 0};
    int rc = 0;
    while ((rc = poll(&ended, 1, kEndPatienceMs)) < 0 && errno == EINTR) {
    }
    if (rc == 0) {
        return Error{Errc::kTimeout, "the keeper process has not finished after 2 s"};
    }
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    return {};
}

Keeper::~Keeper()
{
    if (auto status = release(); !status) {
        // Nobody is left to tell; the keeper goes on by itself.
        return;
    }
}

}  // namespace dpdkperf::host
