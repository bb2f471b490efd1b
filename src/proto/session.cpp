#include "dpdkperf/proto/session.hpp"

#include "dpdkperf/base/endian.hpp"
#include "session_tables.hpp"

#include <algorithm>

namespace dpdkperf::proto {

namespace {

// A server ends a test that its client should have ended so long ago (iperf 3.7 and later,
// src/iperf_server_api.c).
constexpr std::chrono::seconds kGrace{40};

// For the rest of a SERVER_ERROR; such a wait is a stage of its own.
constexpr std::chrono::seconds kErrorQuiet{10};
constexpr std::uint32_t kCutShort = 1U << 31;

std::string in_seconds(std::chrono::milliseconds time)
{
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

Session::Session(Role role, Cookie cookie, Parameters parameters)
    : role_{role}, state_{State::kIdle}, cookie_{cookie}, parameters_{std::move(parameters)}
{
}

Session Session::client(const Cookie& cookie, Parameters parameters)
{
    return {Role::kClient, cookie, std::move(parameters)};
}

Session Session::server(std::chrono::milliseconds patience)
{
    Session session{Role::kServer, {}, {}};
    session.patience_ = patience;
    return session;
}

bool Session::over() const
{
    return state_ == State::kOver;
}

Actions Session::start()
{
    Actions out;
    apply(Event::kStarted, out);
    return out;
}

Actions Session::welcome()
{
    Actions out;
    apply(Event::kWelcome, out);
    return out;
}

Actions Session::turn_away()
{
    Actions out;
    apply(Event::kTurnAway, out);
    return out;
}

Actions Session::accept()
{
    Actions out;
    apply(Event::kAccepted, out);
    return out;
}

Actions Session::streams_open()
{
    Actions out;
    apply(Event::kStreamsAreOpen, out);
    while (parse(out) == Progress::kMade) {
    }
    return out;
}

Actions Session::end_test()
{
    Actions out;
    apply(Event::kTestOver, out);
    return out;
}

Actions Session::results(const Results& results)
{
    Actions out;
    own_results_ = results;
    apply(Event::kResultsReady, out);
    return out;
}

Actions Session::fail(Failure failure)
{
    Actions out;
    failure_ = std::move(failure);
    apply(Event::kBroken, out);
    return out;
}

Actions Session::terminate()
{
    Actions out;
    apply(Event::kStopped, out);
    return out;
}

Actions Session::expired()
{
    Actions out;
    const auto waited = deadline();
    if (error_is_cut_short()) {
        if (!take_server_error()) {
            failure_ = {IperfError::kMessage, 0, "SERVER_ERROR without its number"};
        }
    } else if (const Wait* wait = wait_in(role_ == Role::kServer, state_)) {
        failure_ = {wait->number, 0, "nothing for " + in_seconds(wait->quiet)};
    } else if (state_ == State::kRunning) {
        failure_ = {IperfError::kTestExpired, 0, {}};
    } else {
        failure_ = {IperfError::kNoData, 0, {}};
    }
    if (waited) {
        apply(Event::kExpired, out);
    }
    return out;
}

std::optional<Deadline> Session::deadline() const
{
    const bool server = role_ == Role::kServer;
    if (error_is_cut_short()) {
        return Deadline{stage_ | kCutShort, kErrorQuiet, kErrorQuiet};
    }
    if (const Wait* wait = wait_in(server, state_)) {
        return Deadline{stage_, wait->quiet, wait->total};
    }
    if (server && state_ == State::kOpening) {
        return Deadline{stage_, patience_, patience_};
    }
    if (server && state_ == State::kRunning && parameters_.time.count() > 0) {
        const auto limit = parameters_.omit + parameters_.time + kGrace;
        return Deadline{stage_, limit, limit};
    }
    return {};
}

void Session::enter(State state)
{
    if (state != state_) {
        state_ = state;
        ++stage_;
    }
}

void Session::apply(Event event, Actions& out)
{
    if (over()) {
        return;
    }
    holding_ = false;
    const Lookup found = role_ == Role::kServer
                             ? look_up(kServerRules, kServerAlways, state_, event)
                             : look_up(kClientRules, kClientAlways, state_, event);
    if (!found.found) {
        stop({IperfError::kMessage, 0, {}}, out);
        return;
    }
    enter(found.step.next);
    perform(found.step.effect, out);
}

void Session::perform(Effect effect, Actions& out)
{
    switch (effect) {
    case Effect::kNone:
        return;
    case Effect::kHold:
        holding_ = true;
        return;
    case Effect::kSendCookie: {
        const auto bytes = std::as_bytes(std::span{cookie_.bytes});
        out.emplace_back(Send{{bytes.begin(), bytes.end()}});
        return;
    }
    case Effect::kSendParameters:
        return send_document(to_document(parameters_), IperfError::kSendParameters, out);
    case Effect::kOpenStreams:
        out.emplace_back(OpenStreams{});
        return;
    case Effect::kStartClock:
        out.emplace_back(StartClock{});
        return;
    case Effect::kStartTraffic:
        out.emplace_back(StartTraffic{});
        return;
    case Effect::kSendTestEnd:
        return send(Message::kTestEnd, out);
    case Effect::kWantResults:
        out.emplace_back(ResultsWanted{});
        return;
    case Effect::kSendResults:
        return send_document(
            to_document(own_results_, kMaxClientResultsBytes), IperfError::kSendResults, out);
    case Effect::kGiveResults:
        out.emplace_back(ResultsReceived{std::move(peer_results_)});
        return;
    case Effect::kShowAndFinish:
        out.emplace_back(ShowSummary{});
        send(Message::kIperfDone, out);
        out.emplace_back(Finished{true});
        return;
    default:
        return perform_as_server(effect, out);
    }
}

void Session::perform_as_server(Effect effect, Actions& out)
{
    switch (effect) {
    case Effect::kGiveCookie:
        out.emplace_back(CookieReceived{cookie_});
        return;
    case Effect::kSendParamExchange:
        return send(Message::kParamExchange, out);
    case Effect::kGiveParameters:
        out.emplace_back(ParametersReceived{parameters_});
        return;
    case Effect::kSendCreateStreams:
        return send(Message::kCreateStreams, out);
    case Effect::kSendStartAndRunning:
        send(Message::kTestStart, out);
        out.emplace_back(StartClock{});
        send(Message::kTestRunning, out);
        out.emplace_back(StartTraffic{});
        return;
    case Effect::kEndOfTest:
        out.emplace_back(EndOfTest{});
        return;
    case Effect::kSendExchangeResults:
        return send(Message::kExchangeResults, out);
    case Effect::kGiveAndSendResults:
        out.emplace_back(ResultsReceived{std::move(peer_results_)});
        send_document(
            to_document(own_results_, kMaxServerResultsBytes), IperfError::kSendResults, out);
        if (!over()) {
            send(Message::kDisplayResults, out);
        }
        return;
    default:
        return perform_end(effect, out);
    }
}

void Session::perform_end(Effect effect, Actions& out)
{
    switch (effect) {
    case Effect::kFinish:
        out.emplace_back(Finished{true});
        return;
    case Effect::kFinishUnclean:
        out.emplace_back(Finished{false});
        return;
    case Effect::kDenied:
        return stop_told_by_peer({IperfError::kBusy, 0, {}}, out);
    case Effect::kReportPeerError:
        return stop_told_by_peer(failure_, out);
    case Effect::kSayDoneAndEnd:
        // A stock client answers so (3.12, src/iperf_client_api.c).
        send(Message::kIperfDone, out);
        out.emplace_back(PeerTerminated{});
        return;
    case Effect::kPeerTerminated:
        out.emplace_back(PeerTerminated{});
        return;
    case Effect::kPeerGaveUp: {
        // So ends a stock client whose hello was not answered.
        Failure failure{IperfError::kClientTerminated, 0, "it gave up before the test was over"};
        out.emplace_back(Failed{failure, to_string(failure), true});
        return;
    }
    case Effect::kLost: {
        // Servers up to 3.18 send SERVER_ERROR without an errno when they refuse a password.
        if (role_ == Role::kClient && take_server_error()) {
            return stop_told_by_peer(failure_, out);
        }
        const Failure failure{IperfError::kControlClosed, 0, {}};
        out.emplace_back(Failed{failure,
            role_ == Role::kServer ? "the client has unexpectedly closed the connection"
                                   : to_string(failure),
            true});
        return;
    }
    case Effect::kSendBusy:
        return send(Message::kAccessDenied, out);
    case Effect::kSendTerminate:
        return send(
            role_ == Role::kServer ? Message::kServerTerminate : Message::kClientTerminate, out);
    default:
        return stop(failure_, out);
    }
}

// Ends the session for a reason of our own, and tells the peer as its release would understand:
// a client says goodbye, a server says why.
void Session::stop(Failure failure, Actions& out)
{
    enter(State::kOver);
    if (role_ == Role::kClient) {
        send(Message::kIperfDone, out);
    } else {
        trace_message(Message::kServerError, out, out.size());
        Send message{std::vector<std::byte>(9)};
        message.bytes[0] = to_byte(Message::kServerError);
        store_be<std::uint32_t>(
            &message.bytes[1], static_cast<std::uint32_t>(static_cast<int>(failure.number)));
        store_be<std::uint32_t>(&message.bytes[5], static_cast<std::uint32_t>(failure.os_errno));
        out.emplace_back(std::move(message));
    }
    std::string text = to_string(failure);
    out.emplace_back(Failed{std::move(failure), std::move(text), false});
}

void Session::stop_told_by_peer(Failure failure, Actions& out)
{
    enter(State::kOver);
    std::string text = to_string(failure);
    out.emplace_back(Failed{std::move(failure), std::move(text), true});
}

void Session::send(Message message, Actions& out) const
{
    trace_message(message, out, out.size());
    out.emplace_back(Send{{to_byte(message)}});
}

// At position `at` of the actions. iperf3 takes each message for a change of state.
void Session::trace_message(Message message, Actions& out, std::size_t at) const
{
    if (trace_ >= TraceLevel::kMessages) {
        const int number = std::to_integer<std::int8_t>(to_byte(message));
        out.insert(out.begin() + static_cast<std::ptrdiff_t>(at),
            Traced{"State change: State set to " + std::to_string(number) + "-" +
                       std::string{name_of(message)},
                {}});
    }
}

void Session::trace_document(std::string what, std::string_view document, Actions& out) const
{
    if (trace_ >= TraceLevel::kDocuments) {
        out.emplace_back(Traced{std::move(what), std::string{document}});
    }
}

void Session::send_document(const Result<std::string>& document, IperfError number, Actions& out)
{
    if (!document) {
        return stop({number, 0, document.error().message}, out);
    }
    trace_document(number == IperfError::kSendParameters ? "send_parameters:" : "send_results",
        *document, out);
    Send message{std::vector<std::byte>(4 + document->size())};
    store_be<std::uint32_t>(message.bytes.data(), static_cast<std::uint32_t>(document->size()));
    const auto text = std::as_bytes(std::span{*document});
    std::copy(text.begin(), text.end(), message.bytes.begin() + 4);
    out.emplace_back(std::move(message));
}

}  // namespace dpdkperf::proto
