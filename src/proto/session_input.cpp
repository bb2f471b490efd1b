// How a Session cuts the peer's bytes into messages and documents.

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/proto/session.hpp"
#include "session_tables.hpp"

#include <algorithm>

namespace dpdkperf::proto {

namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kServerErrorBytes = 1 + 4 + 4;

// What may wait behind a held message: TEST_START, TEST_RUNNING, an error or a goodbye.
constexpr std::size_t kMaxHeldBytes = 64;

constexpr Event event_of(Message message)
{
    switch (message) {
    case Message::kTestStart:
        return Event::kTestStart;
    case Message::kTestRunning:
        return Event::kTestRunning;
    case Message::kTestEnd:
        return Event::kTestEnd;
    case Message::kParamExchange:
        return Event::kParamExchange;
    case Message::kCreateStreams:
        return Event::kCreateStreams;
    case Message::kServerTerminate:
        return Event::kServerTerminate;
    case Message::kClientTerminate:
        return Event::kClientTerminate;
    case Message::kExchangeResults:
        return Event::kExchangeResults;
    case Message::kDisplayResults:
        return Event::kDisplayResults;
    case Message::kIperfDone:
        return Event::kIperfDone;
    case Message::kAccessDenied:
        return Event::kAccessDenied;
    case Message::kServerError:
        return Event::kServerError;
    }
    return Event::kClosed;
}

int load_int(std::span<const std::byte> from)
{
    return static_cast<int>(load_be<std::uint32_t>(from.data()));
}

}  // namespace

Actions Session::feed(std::span<const std::byte> bytes)
{
    Actions out;
    if (over()) {
        return out;
    }
    input_.insert(input_.end(), bytes.begin(), bytes.end());
    while (parse(out) == Progress::kMade) {
    }
    if (holding_ && pending().size() > kMaxHeldBytes) {
        stop({IperfError::kMessage, 0, {}}, out);
    }
    return out;
}

Actions Session::closed()
{
    Actions out;
    apply(Event::kClosed, out);
    return out;
}

std::span<const std::byte> Session::pending() const
{
    return std::span{input_}.subspan(consumed_);
}

void Session::consume(std::size_t bytes)
{
    consumed_ += bytes;
    if (consumed_ == input_.size()) {
        input_.clear();
        consumed_ = 0;
    }
}

// Takes one message, cookie or document from the input. None: more bytes are needed, the next
// message is held, or the session is over.
Session::Progress Session::parse(Actions& out)
{
    if (over() || holding_ || pending().empty()) {
        return Progress::kNone;
    }
    const Wait* wait = wait_in(role_ == Role::kServer, state_);
    switch (wait != nullptr ? wait->reads : Reads::kMessage) {
    case Reads::kCookie:
        return parse_cookie(out);
    case Reads::kDocument:
        return ends_session(pending()[0]) ? parse_message(out) : parse_document(out);
    case Reads::kMessage:
        break;
    }
    return parse_message(out);
}

// The first byte of the longest document is below those of all messages that end a session.
static_assert(kMaxServerResultsBytes >> 24 < static_cast<std::size_t>(Message::kServerTerminate));

// A goodbye or an error in place of a document.
bool Session::ends_session(std::byte first) const
{
    const auto message = message_from(first);
    if (!message || *message == Message::kAccessDenied) {
        return false;  // nobody is turned away once documents are exchanged: a length of 4 GiB
    }
    const Lookup found = look_up_for(role_ == Role::kServer, state_, event_of(*message));
    return found.found && found.step.next == State::kOver;
}

Session::Progress Session::parse_message(Actions& out)
{
    const auto message = message_from(pending()[0]);
    if (!message) {
        stop({IperfError::kMessage, 0, std::to_string(std::to_integer<std::int8_t>(pending()[0]))},
            out);
        return Progress::kMade;
    }
    if (*message == Message::kServerError && role_ == Role::kClient) {
        if (error_is_cut_short()) {
            return Progress::kNone;
        }
        trace_message(*message, out, out.size());
        (void)take_server_error();
        apply(Event::kServerError, out);
        return Progress::kMade;
    }
    const std::size_t before = out.size();
    apply(event_of(*message), out);
    if (!holding_) {
        trace_message(*message, out, before);
        consume(1);
    }
    return Progress::kMade;
}

Session::Progress Session::parse_cookie(Actions& out)
{
    if (pending().size() < Cookie::kSize) {
        return Progress::kNone;
    }
    std::transform(pending().begin(), pending().begin() + Cookie::kSize, cookie_.bytes.begin(),
        [](std::byte byte) { return std::to_integer<char>(byte); });
    consume(Cookie::kSize);
    apply(Event::kCookie, out);
    return Progress::kMade;
}

std::size_t Session::document_limit() const
{
    if (role_ == Role::kClient) {
        return kMaxServerResultsBytes;
    }
    return state_ == State::kAwaitParameters ? kMaxParametersBytes : kMaxClientResultsBytes;
}

Session::Progress Session::parse_document(Actions& out)
{
    if (pending().size() < kLengthBytes) {
        return Progress::kNone;
    }
    const std::size_t bytes = load_be<std::uint32_t>(pending().data());
    if (bytes == 0 || bytes > document_limit()) {
        const auto number = state_ == State::kAwaitParameters ? IperfError::kReceiveParameters
                                                              : IperfError::kReceiveResults;
        stop({number, 0,
                 "a document of " + std::to_string(bytes) + " bytes, limit " +
                     std::to_string(document_limit())},
            out);
        return Progress::kMade;
    }
    if (pending().size() < kLengthBytes + bytes) {
        return Progress::kNone;
    }
    const auto body = pending().subspan(kLengthBytes, bytes);
    std::string document(bytes, '\0');
    std::transform(body.begin(), body.end(), document.begin(),
        [](std::byte byte) { return std::to_integer<char>(byte); });
    consume(kLengthBytes + bytes);
    take_document(document, out);
    return Progress::kMade;
}

void Session::take_document(std::string_view document, Actions& out)
{
    if (state_ == State::kAwaitParameters) {
        trace_document("get_parameters:", document, out);
        auto parameters = parse_parameters(document);
        if (auto* failure = std::get_if<Failure>(&parameters)) {
            return stop(std::move(*failure), out);
        }
        parameters_ = std::get<Parameters>(std::move(parameters));
        return apply(Event::kParameters, out);
    }
    trace_document("get_results", document, out);
    auto results = parse_results(document, parameters_.streams());
    if (auto* failure = std::get_if<Failure>(&results)) {
        return stop(std::move(*failure), out);
    }
    peer_results_ = std::get<Results>(std::move(results));
    apply(Event::kResults, out);
}

// The rest of a SERVER_ERROR is still to come.
bool Session::error_is_cut_short() const
{
    return role_ == Role::kClient && !over() && !pending().empty() &&
           pending()[0] == to_byte(Message::kServerError) && pending().size() < kServerErrorBytes;
}

// Reads what a server says before it closes into failure_. At the end of the connection the errno
// may be missing. False if there is no such message.
bool Session::take_server_error()
{
    const auto bytes = pending();
    if (bytes.size() < 1 + 4 || bytes[0] != to_byte(Message::kServerError)) {
        return false;
    }
    failure_ = {static_cast<IperfError>(load_int(bytes.subspan(1))),
        bytes.size() < kServerErrorBytes ? 0 : load_int(bytes.subspan(5)), {}};
    consume(std::min(bytes.size(), kServerErrorBytes));
    return true;
}

}  // namespace dpdkperf::proto
