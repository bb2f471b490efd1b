#pragma once

// The whole protocol as tables: what may happen in which state, and what follows. An event
// without a row is a protocol error.

#include "dpdkperf/proto/failure.hpp"

#include <chrono>
#include <cstdint>
#include <span>

namespace dpdkperf::proto {

enum class State : std::uint8_t {
    kIdle,
    // Client.
    kCookieSent,
    kParametersSent,
    kStreamsOpen,
    kArmed,
    kResultsWanted,
    kResultsSent,
    kResultsKnown,
    // Server.
    kAwaitCookie,
    kCookieKnown,
    kAwaitParameters,
    kParametersKnown,
    kAwaitResults,
    kAwaitDone,
    // Both.
    kOpening,
    kRunning,
    kEnding,
    kOver,
};

enum class Event : std::uint8_t {
    // From the peer: messages ...
    kTestStart,
    kTestRunning,
    kTestEnd,
    kParamExchange,
    kCreateStreams,
    kServerTerminate,
    kClientTerminate,
    kExchangeResults,
    kDisplayResults,
    kIperfDone,
    kAccessDenied,
    kServerError,
    // ... and the rest.
    kCookie,
    kParameters,
    kResults,
    kClosed,
    // From the owner.
    kStarted,
    kWelcome,
    kTurnAway,
    kAccepted,
    kStreamsAreOpen,
    kTestOver,
    kResultsReady,
    kBroken,
    kStopped,
    kExpired,
};

enum class Effect : std::uint8_t {
    kNone,
    kHold,  // leave the message unread until the owner reports something
    kSendCookie,
    kSendParameters,
    kOpenStreams,
    kStartClock,
    kStartTraffic,
    kSendTestEnd,
    kWantResults,
    kSendResults,
    kGiveResults,
    kShowAndFinish,
    kGiveCookie,
    kSendParamExchange,
    kGiveParameters,
    kSendCreateStreams,
    kSendStartAndRunning,
    kEndOfTest,
    kSendExchangeResults,
    kGiveAndSendResults,
    kFinish,
    kFinishUnclean,
    // Ends before the end.
    kDenied,
    kReportPeerError,
    kSayDoneAndEnd,
    kPeerTerminated,
    kPeerGaveUp,
    kLost,
    kSendBusy,
    kFail,
    kSendTerminate,
};

struct Rule {
    State in;
    Event got;
    State next;
    Effect effect;
};

// What ends a session in any state that has no row of its own for it.
struct Always {
    Event got;
    Effect effect;
};

inline constexpr Rule kClientRules[] = {
    {State::kIdle, Event::kStarted, State::kCookieSent, Effect::kSendCookie},
    {State::kCookieSent, Event::kParamExchange, State::kParametersSent, Effect::kSendParameters},
    {State::kParametersSent, Event::kCreateStreams, State::kOpening, Effect::kOpenStreams},
    // The server knows that the last stream is open before its reply has reached us over UDP.
    {State::kOpening, Event::kTestStart, State::kOpening, Effect::kHold},
    {State::kOpening, Event::kStreamsAreOpen, State::kStreamsOpen, Effect::kNone},
    {State::kStreamsOpen, Event::kTestStart, State::kArmed, Effect::kStartClock},
    {State::kArmed, Event::kTestRunning, State::kRunning, Effect::kStartTraffic},
    {State::kRunning, Event::kTestOver, State::kEnding, Effect::kSendTestEnd},
    {State::kEnding, Event::kExchangeResults, State::kResultsWanted, Effect::kWantResults},
    {State::kResultsWanted, Event::kResultsReady, State::kResultsSent, Effect::kSendResults},
    {State::kResultsSent, Event::kResults, State::kResultsKnown, Effect::kGiveResults},
    {State::kResultsKnown, Event::kDisplayResults, State::kOver, Effect::kShowAndFinish},
};

inline constexpr Always kClientAlways[] = {
    {Event::kAccessDenied, Effect::kDenied},
    {Event::kServerError, Effect::kReportPeerError},
    {Event::kServerTerminate, Effect::kSayDoneAndEnd},
    {Event::kClosed, Effect::kLost},
    {Event::kBroken, Effect::kFail},
    {Event::kExpired, Effect::kFail},
    {Event::kStopped, Effect::kSendTerminate},
};

inline constexpr Rule kServerRules[] = {
    {State::kIdle, Event::kStarted, State::kAwaitCookie, Effect::kNone},
    {State::kAwaitCookie, Event::kCookie, State::kCookieKnown, Effect::kGiveCookie},
    {State::kCookieKnown, Event::kWelcome, State::kAwaitParameters, Effect::kSendParamExchange},
    {State::kAwaitParameters, Event::kParameters, State::kParametersKnown, Effect::kGiveParameters},
    {State::kParametersKnown, Event::kAccepted, State::kOpening, Effect::kSendCreateStreams},
    {State::kOpening, Event::kStreamsAreOpen, State::kRunning, Effect::kSendStartAndRunning},
    {State::kRunning, Event::kTestEnd, State::kEnding, Effect::kEndOfTest},
    {State::kEnding, Event::kResultsReady, State::kAwaitResults, Effect::kSendExchangeResults},
    {State::kAwaitResults, Event::kResults, State::kAwaitDone, Effect::kGiveAndSendResults},
    {State::kAwaitDone, Event::kIperfDone, State::kOver, Effect::kFinish},
    // Everything has been said; how the client goes is its own affair.
    {State::kAwaitDone, Event::kClosed, State::kOver, Effect::kFinishUnclean},
    {State::kAwaitDone, Event::kExpired, State::kOver, Effect::kFinishUnclean},
};

inline constexpr Always kServerAlways[] = {
    {Event::kClientTerminate, Effect::kPeerTerminated},
    {Event::kIperfDone, Effect::kPeerGaveUp},
    {Event::kClosed, Effect::kLost},
    {Event::kTurnAway, Effect::kSendBusy},
    {Event::kBroken, Effect::kFail},
    {Event::kExpired, Effect::kFail},
    {Event::kStopped, Effect::kSendTerminate},
};

enum class Reads : std::uint8_t { kMessage, kCookie, kDocument };

// What a state waits for, how long, and as what it fails. States without a row read messages and
// wait for our own side.
struct Wait {
    State in;
    Reads reads;
    IperfError number;
    std::chrono::seconds quiet, total;
};

// Documents and cookies: iperf 3.15 and later (src/net.c, Nread: 10 s without progress, 30 s in
// all). A stock client waits for messages without limit; 30 s are ours.
inline constexpr Wait kClientWaits[] = {
    {State::kCookieSent, Reads::kMessage, IperfError::kReceiveMessage, std::chrono::seconds{30},
        std::chrono::seconds{30}},
    {State::kParametersSent, Reads::kMessage, IperfError::kReceiveMessage, std::chrono::seconds{30},
        std::chrono::seconds{30}},
    {State::kStreamsOpen, Reads::kMessage, IperfError::kReceiveMessage, std::chrono::seconds{30},
        std::chrono::seconds{30}},
    {State::kArmed, Reads::kMessage, IperfError::kReceiveMessage, std::chrono::seconds{30},
        std::chrono::seconds{30}},
    {State::kEnding, Reads::kMessage, IperfError::kReceiveMessage, std::chrono::seconds{30},
        std::chrono::seconds{30}},
    {State::kResultsSent, Reads::kDocument, IperfError::kReceiveResults, std::chrono::seconds{10},
        std::chrono::seconds{30}},
    {State::kResultsKnown, Reads::kMessage, IperfError::kReceiveMessage, std::chrono::seconds{30},
        std::chrono::seconds{30}},
};

inline constexpr Wait kServerWaits[] = {
    {State::kAwaitCookie, Reads::kCookie, IperfError::kReceiveCookie, std::chrono::seconds{10},
        std::chrono::seconds{10}},
    {State::kAwaitParameters, Reads::kDocument, IperfError::kReceiveParameters,
        std::chrono::seconds{10}, std::chrono::seconds{30}},
    {State::kAwaitResults, Reads::kDocument, IperfError::kReceiveResults, std::chrono::seconds{10},
        std::chrono::seconds{30}},
    {State::kAwaitDone, Reads::kMessage, IperfError::kControlClosed, std::chrono::seconds{10},
        std::chrono::seconds{30}},
};

// Null for a state without a row.
constexpr const Wait* wait_in(bool server, State state)
{
    for (const Wait& wait :
        server ? std::span<const Wait>{kServerWaits} : std::span<const Wait>{kClientWaits}) {
        if (wait.in == state) {
            return &wait;
        }
    }
    return nullptr;
}

struct Step {
    State next;
    Effect effect;
};

// A step, or the news that the tables have no row.
struct Lookup {
    bool found = false;
    Step step{State::kOver, Effect::kFail};
};

constexpr Lookup look_up(
    std::span<const Rule> rules, std::span<const Always> always, State in, Event got)
{
    for (const Rule& rule : rules) {
        if (rule.in == in && rule.got == got) {
            return {true, {rule.next, rule.effect}};
        }
    }
    for (const Always& row : always) {
        if (row.got == got) {
            return {true, {State::kOver, row.effect}};
        }
    }
    return {};
}

constexpr Lookup look_up_for(bool server, State in, Event got)
{
    return server ? look_up(kServerRules, kServerAlways, in, got)
                  : look_up(kClientRules, kClientAlways, in, got);
}

static_assert(
    look_up_for(false, State::kArmed, Event::kTestRunning).step.effect == Effect::kStartTraffic);
static_assert(!look_up_for(false, State::kCookieSent, Event::kDisplayResults).found);
static_assert(
    look_up_for(true, State::kOpening, Event::kIperfDone).step.effect == Effect::kPeerGaveUp);

}  // namespace dpdkperf::proto
