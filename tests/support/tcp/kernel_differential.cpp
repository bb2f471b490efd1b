// tcp_differential: hands the same segments to Linux, through a TUN interface in a network
// namespace of its own, and to the engine, and compares the answers. Needs root; exit code 77
// without.
//
// Compared are flags, sequence and acknowledgment relative to both ISNs, payload, and SACK blocks;
// not ISN, timestamps, window, IP id. Differences that are explained stand in the list of scripts.
#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/tcp/connection.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/tcp_frame.hpp"
#include "dpdkperf/wire/tcp_view.hpp"
#include "offset.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dpdkperf::tcp {
namespace {

using wire::kTcpAck;
using wire::kTcpFin;
using wire::kTcpRst;
using wire::kTcpSyn;

constexpr std::uint32_t kLinux = 0x0a635001;  // 10.99.80.1
constexpr std::uint32_t kPeer = 0x0a635002;
constexpr std::uint16_t kPort = 5201;
constexpr std::uint32_t kPeerIsn = 1'000'000;
constexpr int kQuietMs = 60;  // longer than Linux delays an ACK (40 ms)

// A segment of the scripted peer; positions relative to both ISNs, behind the SYN.
struct Step {
    Offset seq = 0;
    Offset ack = 0;
    std::uint8_t flags = kTcpAck;
    std::uint32_t length = 0;
    std::int32_t timestamp = 0;  // added to the peer's clock
    bool timestamps = true;
};

struct Script {
    const char* name;
    std::vector<Step> steps;  // after the handshake
    const char* explained;    // why the answers differ; null: they may not
};

// What can be compared of a segment.
struct Answer {
    std::uint8_t flags;
    Offset seq, ack;
    std::uint32_t payload;
    std::vector<Range> sack;

    friend bool operator==(const Answer&, const Answer&) = default;
};

std::string text(const std::vector<Answer>& answers)
{
    std::string all;
    for (const Answer& a : answers) {
        char line[96];
        std::snprintf(line, sizeof line, " [%02x seq %lld ack %lld len %u", a.flags,
            static_cast<long long>(a.seq), static_cast<long long>(a.ack), a.payload);
        all += line;
        for (const Range& r : a.sack) {
            all += " " + std::to_string(r.left) + "-" + std::to_string(r.right);
        }
        all += "]";
    }
    return all.empty() ? " nothing" : all;
}

Answer answer_of(const wire::TcpHeader& h, std::uint32_t payload, std::uint32_t isn)
{
    Answer a{h.flags, offset_of(h.sequence, isn + 1, 0), 0, payload, {}};
    a.flags &= static_cast<std::uint8_t>(~wire::kTcpPsh);
    if ((h.flags & kTcpAck) != 0) {
        a.ack = offset_of(h.acknowledgment, kPeerIsn + 1, 0);
    }
    for (const wire::SackBlock& b : h.options.sack_blocks()) {
        a.sack.push_back({offset_of(b.left, kPeerIsn + 1, 0), offset_of(b.right, kPeerIsn + 1, 0)});
    }
    return a;
}

// One of the two that are compared: takes a segment, returns what it answers.
class Target {
public:
    Target() = default;
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;
    virtual ~Target() = default;

    // The answers to each step of the script.
    std::vector<std::vector<Answer>> run(const Script& script)
    {
        std::vector<std::vector<Answer>> all;
        clock_ = 5'000;
        isn_.reset();
        wire::TcpHeader syn;
        syn.sequence = kPeerIsn;
        syn.flags = kTcpSyn;
        syn.window = 65'535;
        syn.options.mss = 1'460;
        syn.options.window_scale = 7;
        syn.options.sack_permitted = true;
        syn.options.timestamps = {clock_, 0};
        exchange(syn, 0);
        step({});
        for (const Step& s : script.steps) {
            all.push_back(step(s));
        }
        step({.seq = last_ack_, .flags = kTcpRst});
        return all;
    }

protected:
    virtual std::vector<std::pair<wire::TcpHeader, std::uint32_t>> hand_over(
        const wire::TcpHeader& header, std::uint32_t payload) = 0;

private:
    std::vector<Answer> exchange(const wire::TcpHeader& header, std::uint32_t payload)
    {
        std::vector<Answer> answers;
        for (const auto& [h, bytes] : hand_over(header, payload)) {
            if (!isn_) {
                isn_ = h.sequence;
            }
            if (h.options.timestamps) {
                echo_ = h.options.timestamps->value;
            }
            answers.push_back(answer_of(h, bytes, *isn_));
            last_ack_ = answers.back().ack;
        }
        return answers;
    }

    std::vector<Answer> step(const Step& s)
    {
        wire::TcpHeader h;
        h.sequence = sequence_of(s.seq, kPeerIsn + 1);
        h.acknowledgment = sequence_of(s.ack, isn_.value_or(0) + 1);
        h.flags = s.flags;
        h.window = 512;
        clock_ += 10;
        if (s.timestamps) {
            h.options.timestamps = {clock_ + static_cast<std::uint32_t>(s.timestamp), echo_};
        }
        return exchange(h, s.length);
    }

    std::uint32_t clock_ = 0, echo_ = 0;
    std::optional<std::uint32_t> isn_;
    Offset last_ack_ = 0;
};

class Engine final : public Target {
public:
    void restart()
    {
        Settings settings;
        settings.receive_window_bytes = 65'535;
        connection_.listen(settings, now_);
    }

private:
    std::vector<std::pair<wire::TcpHeader, std::uint32_t>> hand_over(
        const wire::TcpHeader& header, std::uint32_t payload) override
    {
        std::vector<std::pair<wire::TcpHeader, std::uint32_t>> out;
        connection_.on_segment({.header = header, .payload_bytes = payload, .head = {}}, now_);
        const Moment end = now_ + std::chrono::milliseconds{kQuietMs};
        Segment segment;
        while (now_ <= end) {
            while (connection_.next_segment(now_, segment)) {
                out.emplace_back(segment.header, segment.payload_bytes);
            }
            now_ = std::max(
                now_ + nanoseconds{1}, std::min(connection_.next_deadline(), end + nanoseconds{1}));
        }
        return out;
    }

    Connection connection_;
    Moment now_{std::chrono::hours{1}};
};

class Linux final : public Target {
public:
    // False: not permitted.
    bool open()
    {
        if (unshare(CLONE_NEWNET) != 0) {
            return false;
        }
        tun_ = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
        ifreq request{};
        request.ifr_flags = IFF_TUN | IFF_NO_PI;
        std::strncpy(request.ifr_name, "txdiff", IFNAMSIZ - 1);
        if (tun_ < 0 || ioctl(tun_, TUNSETIFF, &request) != 0) {
            return false;
        }
        const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        auto* address = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
        address->sin_family = AF_INET;
        address->sin_addr.s_addr = htonl(kLinux);
        ioctl(control, SIOCSIFADDR, &request);
        address->sin_addr.s_addr = htonl(0xffff'ff00);
        ioctl(control, SIOCSIFNETMASK, &request);
        request.ifr_flags = IFF_UP | IFF_RUNNING;
        const bool up = ioctl(control, SIOCSIFFLAGS, &request) == 0;
        close(control);
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(kPort);
        return up && bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 &&
               listen(listener_, 16) == 0;
    }
    ~Linux() override
    {
        for (const int fd : accepted_) {
            close(fd);
        }
        close(listener_);
        close(tun_);
    }
    void restart() { ++peer_port_; }

private:
    std::vector<std::pair<wire::TcpHeader, std::uint32_t>> hand_over(
        const wire::TcpHeader& header, std::uint32_t payload) override
    {
        write_packet(header, payload);
        std::vector<std::pair<wire::TcpHeader, std::uint32_t>> out;
        std::array<std::byte, 65'536> frame{};
        pollfd wait{tun_, POLLIN, 0};
        while (poll(&wait, 1, kQuietMs) > 0) {
            store_be<std::uint16_t>(&frame[wire::kEtherType], wire::kEtherTypeIpv4);
            const ssize_t n = read(tun_, &frame[wire::kEthernetSize], 60'000);
            if (n <= 0) {
                break;
            }
            const auto view =
                wire::parse_tcp({frame.data(), wire::kEthernetSize + static_cast<std::size_t>(n)});
            if (view.fault == wire::TcpFault::kNone && view.destination.port == peer_port_) {
                out.emplace_back(view.header, static_cast<std::uint32_t>(view.payload.size()));
            }
        }
        if (const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            fd >= 0) {
            accepted_.push_back(fd);
        }
        return out;
    }

    void write_packet(const wire::TcpHeader& header, std::uint32_t payload)
    {
        const wire::TcpFrameWriter writer{{.source_mac = {},
            .next_hop = {},
            .source = {IpAddress::from_v4(kPeer), peer_port_},
            .destination = {IpAddress::from_v4(kLinux), kPort}}};
        std::vector<std::byte> frame(wire::kMaxTcpFrameHeader + payload);
        const auto written = writer.write(
            std::span<std::byte, wire::kMaxTcpFrameHeader>{frame.data(), wire::kMaxTcpFrameHeader},
            header, payload, wire::Ecn::kNotCapable);
        std::fill(frame.begin() + static_cast<long>(written.size_bytes), frame.end(), std::byte{0});
        frame.resize(written.size_bytes + payload);
        const std::uint16_t sum = wire::finish(written.sum);
        std::memcpy(&frame[written.checksum_offset], &sum, sizeof sum);
        const std::size_t ip = frame.size() - wire::kEthernetSize;
        if (write(tun_, &frame[wire::kEthernetSize], ip) != static_cast<ssize_t>(ip)) {
            std::perror("tun");
        }
    }

    int tun_ = -1, listener_ = -1;
    std::uint16_t peer_port_ = 40'000;
    std::vector<int> accepted_;
};

const std::vector<Script>& scripts()
{
    static const std::vector<Script> all{
        {"in order, two segments", {{.length = 1'000}, {.seq = 1'000, .length = 1'000}}, nullptr},
        {"a hole, and its end",
            {{.seq = 1'000, .length = 1'000}, {.seq = 3'000, .length = 1'000},
                {.seq = 0, .length = 1'000}, {.seq = 2'000, .length = 1'000}},
            nullptr},
        {"a duplicate of what was delivered", {{.length = 1'000}, {.length = 1'000}}, nullptr},
        {"a duplicate of what was SACKed",
            {{.seq = 1'000, .length = 1'000}, {.seq = 1'000, .length = 1'000}}, nullptr},
        {"a segment half old, half new", {{.length = 1'000}, {.seq = 500, .length = 1'000}},
            nullptr},
        {"an old timestamp",
            {{.length = 1'000}, {.seq = 1'000, .length = 1'000, .timestamp = -900}}, nullptr},
        {"no timestamp", {{.seq = 0, .length = 1'000, .timestamps = false}},
            "Linux takes a segment without the agreed timestamp; RFC 7323, 3.2 has it dropped"},
        {"a reset in the window", {{.seq = 5'000, .flags = kTcpRst}}, nullptr},
        {"a reset outside the window", {{.seq = 90'000'000, .flags = kTcpRst}}, nullptr},
        {"an exact reset, then data", {{.seq = 0, .flags = kTcpRst}, {.seq = 0, .length = 10}},
            "after the reset the engine is closed; Linux's listener answers the data with a reset"},
        {"a SYN in the window", {{.seq = 100, .flags = kTcpSyn}}, nullptr},
        {"a repeated SYN-ACK", {{.seq = -1, .flags = kTcpSyn | kTcpAck}}, nullptr},
        {"an ACK of what was not sent", {{.ack = 5'000}}, nullptr},
        {"an ACK far too old", {{.ack = -100'000'000}}, nullptr},
        {"data without ACK", {{.flags = 0, .length = 100}}, nullptr},
        {"data beyond the window", {{.seq = 10'000'000, .length = 100}}, nullptr},
        {"a keep-alive", {{.seq = -1}}, nullptr},
        {"FIN", {{.flags = kTcpAck | kTcpFin}}, nullptr},
        {"FIN out of order",
            {{.seq = 500, .flags = kTcpAck | kTcpFin, .length = 500}, {.length = 500}}, nullptr},
        {"data behind the FIN",
            {{.flags = kTcpAck | kTcpFin, .length = 100}, {.seq = 101, .length = 100}}, nullptr},
        {"a repeated FIN", {{.flags = kTcpAck | kTcpFin}, {.flags = kTcpAck | kTcpFin}}, nullptr},
    };
    return all;
}

int compare_all()
{
    Linux kernel;
    if (!kernel.open()) {
        std::puts("needs root, /dev/net/tun and network namespaces: skipped");
        return 77;
    }
    Engine engine;
    int unexplained = 0;
    for (const Script& script : scripts()) {
        kernel.restart();
        engine.restart();
        const auto theirs = kernel.run(script);
        const auto ours = engine.run(script);
        const bool same = theirs == ours;
        std::printf("%-36s %s\n", script.name,
            same                          ? "same"
            : script.explained != nullptr ? script.explained
                                          : "DIFFERENT");
        for (std::size_t i = 0; !same && i < theirs.size(); ++i) {
            std::printf("    step %zu Linux:%s\n           engine:%s\n", i, text(theirs[i]).c_str(),
                text(ours[i]).c_str());
        }
        unexplained += !same && script.explained == nullptr ? 1 : 0;
        if (same && script.explained != nullptr) {
            std::printf("    no longer different: take it off the list\n");
            ++unexplained;
        }
    }
    std::printf("%zu scripts, %d unexplained\n", scripts().size(), unexplained);
    return unexplained == 0 ? 0 : 1;
}

}  // namespace
}  // namespace dpdkperf::tcp

int main()
{
    return dpdkperf::tcp::compare_all();
}
