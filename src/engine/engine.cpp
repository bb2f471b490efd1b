#include "dpdkperf/engine/engine.hpp"

#include "dpdkperf/tcp/segment_size.hpp"
#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/icmp_error.hpp"
#include "dpdkperf/wire/tcp_header.hpp"
#include "dpdkperf/wire/toeplitz.hpp"
#include "patterns.hpp"
#include "poller.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <string>
#include <thread>

#include <rte_mbuf.h>

namespace dpdkperf::engine {

namespace {

using traffic::SessionId;

// What iperf3 says to a connection with another cookie (3.12, src/iperf_tcp.c, iperf_tcp_accept).
constexpr std::array kAccessDenied{std::byte{0xff}};

// A datagram is sent from one buffer, and found in one; longer frames are scattered over several.
std::uint32_t room_in_a_buffer(const EngineSetup& setup)
{
    std::uint32_t least = ~0U;
    for (const PollerSetup& poller : setup.pollers) {
        for (const ports::QueuePair& queue : poller.queues) {
            const std::uint32_t room = rte_pktmbuf_data_room_size(queue.pool);
            least = std::min<std::uint32_t>(least, room - RTE_PKTMBUF_HEADROOM);
        }
    }
    return least - static_cast<std::uint32_t>(wire::kEthernetSize);
}

tcp::IsnSecret new_secret()
{
    std::random_device device;
    const auto word = [&device] { return std::uint64_t{device()} << 32 | device(); };
    return {word(), word()};
}

class Engine final : public traffic::Traffic {
public:
    Engine(const EngineSetup& setup, const TagField& tags);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine() override;

    [[nodiscard]] PayloadBytes max_datagram(bool ipv4) const override;
    [[nodiscard]] bool suits(IpProtocol protocol, const Endpoint& local, const Endpoint& remote,
        std::uint32_t index) const override;
    Status open(const traffic::SessionSpec& spec) override;
    void say_hello(SessionId id, std::uint32_t index) override;
    void start(SessionId id, const traffic::Timetable& timetable) override;
    void stop(SessionId id) override;
    void finish(SessionId id) override;
    void set_next_hop(SessionId id, const Mac& next_hop) override;
    void take_icmp(SessionId id, std::span<const std::byte> message, bool ipv4) override;
    [[nodiscard]] traffic::SessionStatus status(SessionId id) const override;
    [[nodiscard]] traffic::SessionTrouble trouble(SessionId id) const override;
    [[nodiscard]] std::vector<stats::PollerLoad> loads(SessionId id) const override;
    [[nodiscard]] std::optional<stats::Snapshot> snapshot(
        SessionId id, std::uint32_t index, std::uint64_t edge) const override;
    void close(SessionId id) override;

private:
    struct Runner {
        unsigned lcore;
        std::vector<ports::QueuePair> queues;
        std::unique_ptr<Poller> poller;
    };

    // Which poller stream `index` of a client is dealt to.
    [[nodiscard]] const Runner& dealt_to(std::size_t index) const
    {
        return runners_[index % runners_.size()];
    }
    [[nodiscard]] Session& session(SessionId id) const;
    void tell(Poller& poller, const Command& command) const;
    void tell_all(const Command& command) const;
    [[nodiscard]] Status check_room(std::size_t streams) const;
    [[nodiscard]] Status check_datagrams(const traffic::SessionSpec& spec) const;
    [[nodiscard]] stats::Impaired impaired() const;
    void make_streams(Session& session) const;
    void prepare(Stream& stream, Session& session, std::size_t index) const;
    [[nodiscard]] std::uint32_t period_bytes(
        const traffic::SessionSpec& spec, traffic::Filler filler) const;

    const ports::Eal& eal_;
    const std::uint32_t mtu_bytes_;
    const std::uint32_t room_bytes_;  // of an IP packet in one buffer
    const std::optional<ports::RssState> rss_;
    const ports::PinnedBuffers* const pinned_;
    const Patterns patterns_;
    PollerContext context_;
    std::vector<Runner> runners_;
    std::vector<std::unique_ptr<Session>> sessions_;
};

Engine::Engine(const EngineSetup& setup, const TagField& tags)
    : eal_{*setup.eal},
      mtu_bytes_{setup.mtu_bytes},
      room_bytes_{room_in_a_buffer(setup)},
      rss_{setup.rss},
      pinned_{setup.pollers.empty() ? nullptr : setup.pollers.front().queues.front().pinned},
      patterns_{pinned_},
      context_{.tags = tags,
          .filler = Filler{wire::kEthernetSize + setup.mtu_bytes},
          .mac = setup.mac,
          .mtu_bytes = setup.mtu_bytes,
          .secret = new_secret(),
          .impairment = setup.impairment,
          .capture = setup.capture,
          .capture_interface = setup.capture_interface,
          .rx_checksum = setup.rx_checksum,
          .exceptions = setup.exceptions}
{
    for (const PollerSetup& p : setup.pollers) {
        runners_.push_back(
            {p.lcore, p.queues, std::make_unique<Poller>(context_, p.queues, runners_.size())});
        Poller& poller = *runners_.back().poller;
        eal_.launch(p.lcore, [&poller] { poller.run(); });
    }
}

Engine::~Engine()
{
    while (!sessions_.empty()) {
        Engine::close(sessions_.back()->spec.id);
    }
    tell_all({.kind = Command::Kind::kQuit});
    for (const Runner& runner : runners_) {
        eal_.wait(runner.lcore);
    }
}

PayloadBytes Engine::max_datagram(bool ipv4) const
{
    const std::uint32_t packet = std::min(mtu_bytes_, room_bytes_);
    return {packet - (ipv4 ? wire::kIpv4Size : wire::kIpv6Size) - wire::kUdpSize};
}

bool Engine::suits(
    IpProtocol protocol, const Endpoint& local, const Endpoint& remote, std::uint32_t index) const
{
    if (!rss_ || !rss_->hashes_ports(remote.address.is_v4(), protocol)) {
        return true;
    }
    const std::uint16_t queue =
        wire::queue_of(rss_->queues, wire::rss_hash(rss_->key, remote, local));
    return std::ranges::any_of(dealt_to(index).queues,
        [queue](const ports::QueuePair& pair) { return pair.device_queue == queue; });
}

Session& Engine::session(SessionId id) const
{
    return **std::find_if(
        sessions_.begin(), sessions_.end(), [id](const auto& s) { return s->spec.id == id; });
}

// A poller takes commands every turn, so a full queue empties within microseconds.
void Engine::tell(Poller& poller, const Command& command) const
{
    while (!poller.commands().try_push(command)) {
        std::this_thread::yield();
    }
}

void Engine::tell_all(const Command& command) const
{
    for (const Runner& runner : runners_) {
        tell(*runner.poller, command);
    }
}

Status Engine::open(const traffic::SessionSpec& spec)
{
    if (Status room = check_room(spec.streams.size()); !room) {
        return room;
    }
    if (Status good = check_datagrams(spec); !good && !spec.tcp) {
        return good;
    }
    auto made = std::make_unique<Session>();
    made->spec = spec;
    made->impaired_before = impaired();
    made->loads.resize(runners_.size());
    make_streams(*made);
    sessions_.push_back(std::move(made));
    Session& added = *sessions_.back();
    tell_all({.kind = Command::Kind::kAdd, .session = &added});
    // The reply to one poller's hello may come to another, which must know the flow by then.
    while (added.added_by.load(std::memory_order_acquire) != runners_.size()) {
        std::this_thread::yield();
    }
    return {};
}

Status Engine::check_room(std::size_t streams) const
{
    if (sessions_.size() == traffic::kMaxSessions) {
        return Error{Errc::kBusy, "too many tests at the same time: " +
                                      std::to_string(traffic::kMaxSessions) + " are running"};
    }
    if (streams > traffic::kMaxStreams) {
        return Error{Errc::kUsage, std::to_string(streams) + " streams are more than " +
                                       std::to_string(traffic::kMaxStreams)};
    }
    std::size_t open = 0;
    for (const auto& session : sessions_) {
        open += session->size();
    }
    if (open + streams > traffic::kMaxStreamsAtOnce) {
        return Error{Errc::kBusy, std::to_string(streams) + " streams more than the " +
                                      std::to_string(open) + " of other tests: there may be " +
                                      std::to_string(traffic::kMaxStreamsAtOnce)};
    }
    return {};
}

Status Engine::check_datagrams(const traffic::SessionSpec& spec) const
{
    const std::uint64_t largest = max_datagram(spec.remote.is_v4()).value;
    for (const traffic::StreamSpec& s : spec.streams) {
        if (s.datagram.value > largest) {
            return Error{Errc::kUsage, "datagrams of " + std::to_string(s.datagram.value) +
                                           " bytes do not fit the interface's MTU of " +
                                           std::to_string(mtu_bytes_) + " bytes: at most " +
                                           std::to_string(largest)};
        }
    }
    return {};
}

void Engine::make_streams(Session& session) const
{
    const traffic::SessionSpec& spec = session.spec;
    for (std::size_t i = 0; i < spec.streams.size(); ++i) {
        if (spec.tcp) {
            session.connections.push_back(std::make_unique<TcpStream>());
        } else {
            session.streams.push_back(std::make_unique<UdpStream>());
        }
        prepare(session.stream(i), session, i);
    }
    if (spec.tcp && !spec.streams.empty()) {
        const std::span cookie =
            std::span{spec.tcp->cookie}.first(spec.server ? 0 : traffic::TcpSpec::kCookieBytes);
        if (spec.tcp->file.empty()) {
            const traffic::Filler filler = spec.streams.front().filler;
            session.content.emplace(cookie, patterns_.of(filler), period_bytes(spec, filler));
        } else {
            session.content.emplace(cookie, spec.tcp->file);
        }
        session.denial.emplace(kAccessDenied, patterns_.of(spec.streams.front().filler));
    }
}

// Of what TCP streams repeat. Where payload is copied to each mbuf, all full segments carry the
// same, which is then there already when an mbuf is used again. Digits go on from segment to
// segment, as iperf3's do.
std::uint32_t Engine::period_bytes(const traffic::SessionSpec& spec, traffic::Filler filler) const
{
    if (pinned_ != nullptr || filler == traffic::Filler::kDigits) {
        return tcp::Pattern::kPeriod;
    }
    return std::min(tcp::usual_payload_bytes(mtu_bytes_, spec.local.is_v4(), spec.tcp->mss_bytes),
        tcp::Pattern::kPeriod);
}

void Engine::prepare(Stream& stream, Session& session, std::size_t index) const
{
    stream.spec = session.spec.streams[index];
    stream.session = &session;
    stream.local = {session.spec.local, stream.spec.local_port};
    stream.remote = {session.spec.remote, stream.spec.remote_port};
    if (!session.spec.server) {
        stream.owner.store(dealt_to(index).poller.get(), std::memory_order_relaxed);
    }
}

void Engine::say_hello(SessionId id, std::uint32_t index)
{
    tell_all({.kind = Command::Kind::kHello, .session = &session(id), .stream = index});
}

void Engine::start(SessionId id, const traffic::Timetable& timetable)
{
    Session& s = session(id);
    for (std::size_t i = 0; i < s.size(); ++i) {
        s.stream(i).sending.store(s.stream(i).sends(), std::memory_order_relaxed);
    }
    tell_all({.kind = Command::Kind::kStart, .session = &s, .timetable = timetable});
}

void Engine::stop(SessionId id)
{
    tell_all({.kind = Command::Kind::kStop, .session = &session(id)});
}

void Engine::finish(SessionId id)
{
    tell_all({.kind = Command::Kind::kFinish, .session = &session(id)});
}

void Engine::set_next_hop(SessionId id, const Mac& next_hop)
{
    Session& s = session(id);
    tell_all({.kind = Command::Kind::kNextHop, .session = &s, .next_hop = next_hop});
}

void Engine::take_icmp(SessionId id, std::span<const std::byte> message, bool ipv4)
{
    Session& s = session(id);
    const auto error = wire::parse_icmp_error(message, ipv4);
    const std::uint8_t protocol = s.spec.tcp ? wire::kProtocolTcp : wire::kProtocolUdp;
    if (error && error->protocol == protocol && error->source.address == s.spec.local &&
        error->destination.address == s.spec.remote) {
        tell_all({.kind = Command::Kind::kIcmp, .session = &s, .icmp = *error});
    }
}

traffic::SessionStatus Engine::status(SessionId id) const
{
    const Session& s = session(id);
    traffic::SessionStatus status;
    status.streams.reserve(s.size());
    for (std::size_t i = 0; i < s.size(); ++i) {
        const Stream& stream = s.stream(i);
        traffic::StreamStatus one;
        one.open = stream.open.load(std::memory_order_acquire);
        one.remote_port = one.open ? stream.remote_port : std::uint16_t{0};
        one.error = stream.error.load(std::memory_order_acquire);
        one.refused = stream.refused.load(std::memory_order_acquire);
        status.open_streams += one.open ? 1 : 0;
        status.streams.push_back(one);
        status.sending |= stream.sending.load(std::memory_order_acquire);
        (stream.sends() ? status.sent : status.received) += {stream.bytes_done.read()};
    }
    for (std::size_t i = 0; i < s.streams.size(); ++i) {
        const UdpStream& stream = *s.streams[i];
        status.streams[i].late = stream.late.read();
        status.streams[i].max_datagram = {stream.max_datagram.load(std::memory_order_relaxed)};
        (stream.sends() ? status.datagrams_sent : status.datagrams_received) +=
            stream.datagrams_done.read();
    }
    for (std::size_t i = 0; i < s.connections.size(); ++i) {
        const TcpStream& stream = *s.connections[i];
        status.streams[i].ended = stream.ended.load(std::memory_order_acquire);
        status.parting |= status.streams[i].open && !stream.parted.load(std::memory_order_acquire);
    }
    status.finished = s.finished_by.load(std::memory_order_acquire) == runners_.size();
    return status;
}

traffic::SessionTrouble Engine::trouble(SessionId id) const
{
    const Session& s = session(id);
    return {.bad_checksum = s.bad_checksum.load(std::memory_order_relaxed),
        .bad_length = s.bad_length.load(std::memory_order_relaxed),
        .unexpected = s.unexpected.load(std::memory_order_relaxed),
        .pool_empty = s.pool_empty.load(std::memory_order_relaxed),
        .handed_over = s.handed_over.load(std::memory_order_relaxed),
        .not_handed_over = s.not_handed_over.load(std::memory_order_relaxed),
        .impaired = impaired() - s.impaired_before};
}

stats::Impaired Engine::impaired() const
{
    stats::Impaired sum;
    for (const Runner& runner : runners_) {
        sum = sum + runner.poller->impaired();
    }
    return sum;
}

std::vector<stats::PollerLoad> Engine::loads(SessionId id) const
{
    return session(id).loads;
}

std::optional<stats::Snapshot> Engine::snapshot(
    SessionId id, std::uint32_t index, std::uint64_t edge) const
{
    return session(id).stream(index).slots.read(edge);
}

void Engine::close(SessionId id)
{
    Session& s = session(id);
    tell_all({.kind = Command::Kind::kRemove, .session = &s});
    while (s.removed_by.load(std::memory_order_acquire) != runners_.size()) {
        std::this_thread::yield();
    }
    std::erase_if(sessions_, [&s](const auto& owned) { return owned.get() == &s; });
}

}  // namespace

Result<std::unique_ptr<traffic::Traffic>> create_engine(const EngineSetup& setup)
{
    const TagField tags = TagField::find();
    if (!tags.valid()) {
        return Error{Errc::kDevice, "no room for the packet tag in DPDK's mbufs"};
    }
    return std::unique_ptr<traffic::Traffic>{std::make_unique<Engine>(setup, tags)};
}

}  // namespace dpdkperf::engine
