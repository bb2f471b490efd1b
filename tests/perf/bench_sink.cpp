// Takes one TCP connection, reads as iperf3's server does, and prints what came as JSON:
//
//   bench_sink PORT
//
// How soon a reader is back decides how often its kernel acknowledges, so the loop is iperf3's:
// select(), then one read of 128 KB (iperf 3.12, src/iperf_server_api.c).

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

int accepted(std::uint16_t port)
{
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(port);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
        ::listen(listener, 1) != 0) {
        std::perror("bench_sink");
        return -1;
    }
    std::fprintf(stderr, "listening\n");
    const int connection = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    return connection;
}

}  // namespace

int main(int argc, char** argv)
{
    using Clock = std::chrono::steady_clock;
    if (argc != 2) {
        std::fprintf(stderr, "usage: bench_sink PORT\n");
        return 1;
    }
    const int connection = accepted(static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10)));
    if (connection < 0) {
        return 1;
    }
    static std::array<char, 128 * 1024> block;
    unsigned long long bytes = 0;
    Clock::time_point begin, end;
    for (;;) {
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(connection, &readable);
        ::select(connection + 1, &readable, nullptr, nullptr, nullptr);
        const ssize_t got = ::read(connection, block.data(), block.size());
        if (got <= 0) {
            break;  // reset, or closed
        }
        end = Clock::now();
        begin = bytes == 0 ? end : begin;
        bytes += static_cast<unsigned long long>(got);
    }
    std::printf("{\"bytes\": %llu, \"seconds\": %.6f}\n", bytes,
        std::chrono::duration<double>(end - begin).count());
    return 0;
}
