#pragma once

#include "byte_set.hpp"
#include "dpdkperf/tcp/connection.hpp"
#include "link.hpp"
#include "rfc6675_oracle.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <queue>
#include <string>

namespace dpdkperf::tcp::sim {

// Two connections and the path between them. A run is a function of this and nothing else. Payload
// is made up where the settings of its receiver have a store.
struct Scenario {
    std::uint64_t seed = 1;
    std::array<Settings, 2> settings{};  // client, server; ISN and timestamp offset by seed
    std::array<Limits, 2> limits{Limits{4096}, Limits{4096}};
    std::array<LinkSettings, 2> links{};   // client to server, server to client
    std::array<std::uint64_t, 2> bytes{};  // what each side sends, then closes
    bool simultaneous_open = false;
    bool random_sequences = true;           // else as in `settings`
    std::chrono::seconds time_limit{3600};  // of virtual time
};

// What came of a run.
struct Outcome {
    std::string fault;  // the first thing that was wrong, with its virtual time; empty: nothing
    Moment finished;    // when all bytes had been acknowledged on both sides
    Moment closed;
    std::array<Info, 2> info;
    std::array<std::uint64_t, 2> spurious{};  // retransmissions of what had already arrived
    std::uint64_t events = 0;
    nanoseconds latest_after_oracle{0};  // client: RACK behind RFC 6675, at most
    nanoseconds longest_silence{0};      // client: between two segments while data was in flight
    double longest_silence_in_rto = 0;   // likewise, in retransmission timeouts of that time
};

// Runs a scenario in virtual time and checks after every event: the invariants of both connections;
// that every payload is that of its sequence number; that nobody acknowledges or SACKs what has not
// arrived; that acknowledgments never go back; that nothing is sent beyond the offered window; that
// cwnd is respected.
class Simulator {
public:
    explicit Simulator(const Scenario& scenario);
    Outcome run();

    // Called after every event, with the virtual time since the start. For tests that interfere.
    std::function<void(Simulator&, nanoseconds)> on_event;

    [[nodiscard]] Connection& connection(int side) { return ends_[index(side)].connection; }
    [[nodiscard]] Link& link(int side) { return ends_[index(side)].link; }
    [[nodiscard]] Moment now() const { return now_; }
    // Hands a segment to a side as if the path had delivered it.
    void inject(int side, const wire::TcpHeader& header, std::uint32_t payload_bytes);
    [[nodiscard]] std::uint32_t data_sequence(int side) const { return ends_[index(side)].base; }

private:
    struct End {
        Connection connection;
        Link link;                     // what this side sends goes here
        std::uint32_t base;            // sequence number of its first byte
        ByteSet arrived;               // of the other side's stream
        std::int64_t highest_ack = 0;  // it has sent
        std::int64_t window_edge = 0;  // the other side's offer, as received
        std::uint8_t shift = 0;        // of its own windows
        bool scaling = false;
        std::int64_t sent_end = 0;  // of its stream
        Moment last_sent{};
        nanoseconds rto{0};  // when it last sent
        std::uint64_t loss_probes = 0;
        bool offered = false, closed = false;
    };
    struct Event {
        Moment at;
        std::uint64_t number;
        int side;
        Packet packet;
    };
    struct Later {
        bool operator()(const Event& a, const Event& b) const
        {
            return a.at != b.at ? a.at > b.at : a.number > b.number;
        }
    };

    static std::size_t index(int side) { return static_cast<std::size_t>(side); }
    [[nodiscard]] End& end(int side) { return ends_[index(side)]; }
    void open();
    bool step();
    void deliver(const Event& event);
    void pump(int side);
    void transmit(int side, const Segment& segment);
    void check_transmission(int side, const Segment& segment);
    void note_silence(int side);
    void check_acknowledgment(int side, const Segment& segment);
    void check_ends();
    void note_window(int side, const wire::TcpHeader& header);
    void drive(int side);
    void fail(const std::string& what);
    [[nodiscard]] bool done();

    Scenario scenario_;
    std::array<End, 2> ends_;
    std::priority_queue<Event, std::vector<Event>, Later> events_;
    Rfc6675Oracle oracle_;
    Moment now_;
    Moment start_;
    std::uint64_t number_ = 0;
    Outcome outcome_;
};

// "seed=7 loss=0.01 …": what identifies a run in a message.
std::string describe(const Scenario& scenario);

}  // namespace dpdkperf::tcp::sim
