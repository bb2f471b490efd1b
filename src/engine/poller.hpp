#pragma once

#include "captured.hpp"
#include "command.hpp"
#include "dpdkperf/base/time.hpp"
#include "dpdkperf/engine/engine.hpp"
#include "dpdkperf/stats/turn_meter.hpp"
#include "dpdkperf/wire/tcp_view.hpp"
#include "dpdkperf/wire/udp_pattern.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "filler.hpp"
#include "flow_table.hpp"
#include "impaired_line.hpp"
#include "poller_queue.hpp"
#include "session.hpp"
#include "tcp_worker.hpp"
#include "tx_burst.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <rte_ring.h>

namespace dpdkperf::engine {

// What all pollers of an engine share; constant while they run.
struct PollerContext {
    TagField tags;
    Filler filler;
    Mac mac;
    std::uint32_t mtu_bytes = 1500;
    tcp::IsnSecret secret{};
    impair::Plan impairment;
    capture::Capture* capture = nullptr;  // with --pcap
    std::uint16_t capture_interface = 0;
    RxChecksum rx_checksum = RxChecksum::kVerify;
    ports::ExceptionPath* exceptions = nullptr;   // of a port of our own
    std::atomic<std::uint32_t> last_template{0};  // cold
};

// What a loop is compiled for.
template <RxChecksum kSum, bool kOwns>
struct LoopPolicy {
    static constexpr RxChecksum kChecksum = kSum;
    // All packets of the port come to its pollers, those that are the kernel's as well.
    static constexpr bool kOwnsPort = kOwns;
};

// What a poller knows of a flow.
struct UdpEntry {
    UdpStream* stream = nullptr;
    wire::UdpPattern expected;  // what its last datagrams looked like, once some have come
    UdpEntry* next = nullptr;   // whose datagram came after one of this flow, the last time
};

// One lcore that receives from its queues, sends on the first of them, and keeps the streams that
// it owns. run() is the thread; everything else but commands() is its alone.
//
//   poller.cpp           the loop, its clock, edges
//   poller_commands.cpp  what control asks for
//   poller_receive.cpp   from the queue to the stream
//   poller_strangers.cpp packets that are no stream's, or another poller's
//   poller_transmit.cpp  from the stream to the queue
//   poller_capture.cpp   what --pcap sees of what is received
class Poller {
public:
    // `number`: among the engine's pollers. What comes from context.exceptions leaves by number 0.
    Poller(PollerContext& context, const std::vector<ports::QueuePair>& queues, std::size_t number);
    ~Poller();  // frees what waits in it
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    // Any thread that is the only one to push.
    CommandQueue& commands() noexcept { return commands_; }

    // Until kQuit.
    void run() noexcept;

    // Any thread: what --impair has done so far, both ways.
    [[nodiscard]] stats::Impaired impaired() const noexcept;

private:
    // A session that this poller has been told of.
    struct Active {
        Session* session = nullptr;
        Mac next_hop;
        traffic::Timetable timetable;
        bool started = false;
        stats::Edge next_edge;  // if has_edge
        bool has_edge = false;
        std::uint64_t edge_tsc = 0;
        std::uint64_t end_tsc = 0;  // if timetable.end
        stats::TurnMeter::Reading meter_at_start;
        bool metered = false;  // the session has been told of the difference
    };

    template <class Policy>
    void loop() noexcept;
    void rest() noexcept;
    std::vector<PollerQueue> at_lines(const std::vector<ports::QueuePair>& queues);
    void flush_lines() noexcept;
    void settle_lines() noexcept;
    void set_clock() noexcept;
    void schedule() noexcept;
    void on_time(std::uint64_t now) noexcept;
    void pass_edge(Active& active, std::uint64_t now) noexcept;
    void end_streams(Active& active, std::uint64_t now, bool receivers_too) noexcept;
    void finalise(Stream& stream, const Active& active, Moment at) noexcept;
    void tell_load(Active& active) noexcept;
    void publish(Stream& stream, const Active& active, std::uint64_t edge, Moment at) noexcept;

    // False: quit.
    bool obey() noexcept;
    void add(Session& session) noexcept;
    void say_hello(const Session& session, std::uint32_t index) noexcept;
    void start(Active& active, const traffic::Timetable& timetable) noexcept;
    void finish(Active& active, std::uint64_t now) noexcept;
    void renew_templates(const Session& session) noexcept;
    void remove(Active& active) noexcept;
    Active* find(const Session* session) noexcept;
    void make_template(UdpStream& stream) noexcept;
    void refresh_senders() noexcept;
    [[nodiscard]] wire::UdpFlow flow_of(const UdpStream& stream) noexcept;
    void send_now(const UdpStream& stream, std::uint32_t word) noexcept;

    // Functions that take an mbuf return false if it is no longer the caller's.
    template <RxChecksum kChecksum>
    std::uint16_t receive(std::uint64_t now) noexcept;
    void free_received() noexcept;
    void show_received(std::span<rte_mbuf* const> mbufs) noexcept;
    [[nodiscard]] bool is_of_a_stream(const rte_mbuf& mbuf) noexcept;
    template <RxChecksum kChecksum>
    void take_all(std::span<rte_mbuf*> mbufs, std::uint64_t now, bool untagged) noexcept;
    template <RxChecksum kChecksum>
    std::size_t take_run(std::span<rte_mbuf*> mbufs, double now_s, bool untagged) noexcept;
    bool turn_to_next_flow(const rte_mbuf& mbuf) noexcept;
    template <RxChecksum kChecksum>
    bool take(rte_mbuf& mbuf, double now_s) noexcept;
    template <RxChecksum kChecksum>
    [[gnu::always_inline]] bool take_ours(
        rte_mbuf& mbuf, UdpStream& stream, const wire::UdpView& view, double now_s) noexcept;
    void take_for(UdpStream& stream, std::span<const std::byte> payload, double now_s) noexcept;
    void take_reply(UdpStream& stream, std::span<const std::byte> payload) noexcept;

    template <RxChecksum kChecksum>
    bool take_tcp(rte_mbuf& mbuf, std::span<const std::byte> frame) noexcept;
    void complete_payload(const rte_mbuf& mbuf, bool whole, wire::TcpView& view) noexcept;
    TcpStream* accept(const wire::TcpView& view) noexcept;

    void take_icmp(const wire::IcmpError& error, std::uint64_t now) noexcept;
    static void take_icmp(const wire::IcmpError& error, UdpStream& stream) noexcept;
    bool take_faulty(rte_mbuf& mbuf, wire::UdpFault fault) noexcept;
    bool take_faulty(rte_mbuf& mbuf, wire::TcpFault fault) noexcept;
    bool take_stranger(rte_mbuf& mbuf, const wire::UdpView& view) noexcept;
    void take_hello(Active& active, const wire::UdpView& view) noexcept;
    Active* serving(const Endpoint& local, const IpAddress& remote, bool tcp) noexcept;
    [[nodiscard]] static bool expects_stream(const Active& active) noexcept;
    void settle_owner(TcpStream& stream, const wire::TcpHeader& header) noexcept;
    bool hand_over(rte_mbuf& mbuf, const Stream& stream) noexcept;
    bool pass_to_kernel(rte_mbuf& mbuf) noexcept;
    void send_for_kernel() noexcept;
    // Counts a packet that is of no use to its session.
    template <std::atomic<std::uint64_t> Session::*kTrouble>
    static void blame(Session& session) noexcept
    {
        (session.*kTrouble).fetch_add(1, std::memory_order_relaxed);
    }
    // Counts a packet that belongs to no stream. Sessions share a port, so all of them are told.
    template <std::atomic<std::uint64_t> Session::*kTrouble>
    void blame() noexcept
    {
        for (std::size_t i = 0; i < active_count_; ++i) {
            blame<kTrouble>(*active_[i].session);
        }
    }

    // Returns whether the port took something.
    bool transmit(std::uint64_t now) noexcept;
    void fill(std::uint64_t now) noexcept;
    void fill_from(UdpStream& stream, std::uint64_t now, const StampTime& time) noexcept;
    void end_exhausted(std::uint64_t now) noexcept;
    void settle(const Session& session) noexcept;

    struct FreeRing {
        void operator()(rte_ring* ring) const noexcept;
    };

    PollerContext& context_;
    const std::size_t number_;
    std::vector<std::unique_ptr<ImpairedLine>> lines_;  // with --impair, one for each queue
    const std::unique_ptr<Captured> captured_;          // with --pcap
    const std::vector<PollerQueue> queues_;
    CommandQueue commands_;
    // Packets of our streams that other pollers received; they write, we read.
    const std::unique_ptr<rte_ring, FreeRing> inbox_;

    const bool sends_for_kernel_;
    std::array<rte_mbuf*, 32> kernels_{};  // packets of the kernel that the port has not taken yet
    std::uint16_t kernels_begin_ = 0, kernels_end_ = 0;
    std::chrono::nanoseconds nap_{0};

    ClockDiscipline clock_;
    stats::TurnMeter meter_;
    std::uint64_t next_event_ = 0;  // tick of the next edge, end or clock reading
    std::uint64_t next_reading_ = 0;

    std::array<Active, traffic::kMaxSessions> active_{};
    std::size_t active_count_ = 0;
    std::array<UdpStream*, traffic::kMaxStreamsAtOnce> senders_{};  // those that may send
    std::size_t sender_count_ = 0;
    std::size_t next_sender_ = 0;
    std::array<rte_mbuf*, ports::kMostBurst> received_{};  // to be freed
    std::uint16_t received_count_ = 0;
    bool tags_ = false;             // since some time: until then no mbuf of our queues has a tag
    bool some_exhausted_ = false;   // a sender has made all the datagrams it may
    bool expects_packets_ = false;  // something other than strays may arrive
    std::uint32_t turn_ = 0;
    FlowTable<UdpEntry> flows_;
    UdpEntry no_flow_;
    UdpEntry* last_flow_ = &no_flow_;  // of the last packet that was a stream's
    TcpWorker tcp_;
    Moment burst_at_{};                     // when the packets came that are being looked at
    std::array<std::byte, 65'536> joined_;  // a payload that came in pieces
    TxBurst burst_;
};

}  // namespace dpdkperf::engine
