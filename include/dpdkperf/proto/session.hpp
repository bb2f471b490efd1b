#pragma once

#include "dpdkperf/proto/failure.hpp"
#include "dpdkperf/proto/messages.hpp"
#include "dpdkperf/proto/parameters.hpp"
#include "dpdkperf/proto/results.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace dpdkperf::proto {

// What the owner of a Session is to do next, in the order given. Finished, PeerTerminated and
// Failed are last: the session is over, and what comes after is ignored.

struct Send {
    std::vector<std::byte> bytes;
};
// For --debug: a message or a document has passed, in either direction. `document` is empty of a
// message. Only if trace() asked for it.
struct Traced {
    std::string what;  // in iperf3's words: "get_results"
    std::string document;
};
// Server: the client has introduced itself. Answer with welcome() or turn_away().
struct CookieReceived {
    Cookie cookie;
};
// Server: answer with accept() once the data plane waits for hellos, or with fail().
struct ParametersReceived {
    Parameters parameters;
};
// Client: open all streams, one after another, then call streams_open().
struct OpenStreams {};
// The clock of the test starts now.
struct StartClock {};
// Data may flow.
struct StartTraffic {};
// Server: the client has ended the test. Answer with results().
struct EndOfTest {};
// Client: answer with results().
struct ResultsWanted {};
struct ResultsReceived {
    Results results;
};
// Client: all is known.
struct ShowSummary {};
// The test is complete. `clean`: the peer said goodbye as it should.
struct Finished {
    bool clean = true;
};
// The peer was told to stop by its user.
struct PeerTerminated {};
// `message` is what to tell the user, mostly to_string(failure).
struct Failed {
    Failure failure;
    std::string message;
    bool by_peer = false;  // the peer reported it
};

using Action = std::variant<Send, Traced, CookieReceived, ParametersReceived, OpenStreams,
    StartClock, StartTraffic, EndOfTest, ResultsWanted, ResultsReceived, ShowSummary, Finished,
    PeerTerminated, Failed>;
using Actions = std::vector<Action>;

// How long the owner waits before it calls expired(). `quiet` starts anew with every byte from
// the peer, `total` only when `stage` is another than before.
struct Deadline {
    std::uint32_t stage = 0;
    std::chrono::milliseconds quiet{0}, total{0};
};

// What is traced: each level includes those before it.
enum class TraceLevel : std::uint8_t { kNothing, kDocuments, kMessages };

enum class State : std::uint8_t;
enum class Event : std::uint8_t;
enum class Effect : std::uint8_t;

// One iperf3 conversation on a control connection, in either role. No I/O and no clock: bytes and
// local events go in, actions come out. Bytes may come split or glued together in any way; the
// end of the connection and goodbyes may come at any moment. One thread.
class Session {
public:
    static Session client(const Cookie& cookie, Parameters parameters);
    // `patience`: how long streams may take to open (--rcv-timeout).
    static Session server(std::chrono::milliseconds patience);

    void trace(TraceLevel level) { trace_ = level; }

    Actions start();                                 // the connection is up
    Actions feed(std::span<const std::byte> bytes);  // the peer sent these
    Actions closed();                                // the peer has closed or reset the connection
    Actions expired();                               // the deadline has passed

    Actions welcome();                        // server: to CookieReceived
    Actions turn_away();                      // server: to CookieReceived, busy
    Actions accept();                         // server: to ParametersReceived
    Actions streams_open();                   // all streams are open
    Actions end_test();                       // client: the senders have stopped
    Actions results(const Results& results);  // to ResultsWanted or EndOfTest
    Actions fail(Failure failure);            // something broke on our side
    Actions terminate();                      // our user wants to stop

    [[nodiscard]] std::optional<Deadline> deadline() const;
    [[nodiscard]] bool over() const;
    [[nodiscard]] const Parameters& parameters() const { return parameters_; }

private:
    enum class Role : std::uint8_t { kClient, kServer };
    enum class Progress : bool { kNone, kMade };

    Session(Role role, Cookie cookie, Parameters parameters);

    [[nodiscard]] std::span<const std::byte> pending() const;
    [[nodiscard]] std::size_t document_limit() const;
    [[nodiscard]] bool ends_session(std::byte first) const;
    void consume(std::size_t bytes);
    Progress parse(Actions& out);
    Progress parse_message(Actions& out);
    Progress parse_cookie(Actions& out);
    Progress parse_document(Actions& out);
    [[nodiscard]] bool error_is_cut_short() const;
    bool take_server_error();
    void take_document(std::string_view document, Actions& out);

    void apply(Event event, Actions& out);
    void perform(Effect effect, Actions& out);
    void perform_as_server(Effect effect, Actions& out);
    void perform_end(Effect effect, Actions& out);
    void enter(State state);
    void stop(Failure failure, Actions& out);
    void stop_told_by_peer(Failure failure, Actions& out);
    void send(Message message, Actions& out) const;
    void send_document(const Result<std::string>& document, IperfError number, Actions& out);
    void trace_message(Message message, Actions& out, std::size_t at) const;
    void trace_document(std::string what, std::string_view document, Actions& out) const;

    Role role_;
    State state_;
    std::uint32_t stage_ = 0;
    TraceLevel trace_ = TraceLevel::kNothing;
    bool holding_ = false;  // the next byte waits for a local event
    std::chrono::milliseconds patience_{120'000};
    Cookie cookie_;
    Parameters parameters_;
    Results own_results_, peer_results_;
    Failure failure_;
    std::vector<std::byte> input_;
    std::size_t consumed_ = 0;
};

}  // namespace dpdkperf::proto
