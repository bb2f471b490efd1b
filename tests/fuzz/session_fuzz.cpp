// A peer in either role that says anything at all, in pieces of any size, while our own side does
// what it is asked to, or does something else. The first byte chooses the role; then come blocks: a
// length byte and that many bytes, or 0 and a byte that chooses an event of our side. Whatever
// comes, nothing may follow the end of the session.

#include "dpdkperf/proto/session.hpp"

#include <algorithm>
#include <cstdlib>
#include <span>

namespace {

using namespace dpdkperf::proto;

class Owner {
public:
    explicit Owner(bool client)
        : session_{client ? Session::client({}, {}) : Session::server(std::chrono::seconds{1})},
          is_client_{client}
    {
        take(session_.start());
    }

    void feed(std::span<const std::byte> bytes) { take(session_.feed(bytes)); }
    void close() { take(session_.closed()); }

    void happen(std::byte event)
    {
        switch (std::to_integer<int>(event) % 5) {
        case 0:
            return take(session_.expired());
        case 1:
            return take(session_.terminate());
        case 2:
            return take(session_.fail({IperfError::kStreamRead, 0, {}}));
        case 3:
            answers_ = false;  // busy, for ever
            return;
        default:
            return take(session_.turn_away());
        }
    }

private:
    void take(const Actions& actions)
    {
        for (const Action& action : actions) {
            if (ended_) {
                std::abort();  // nothing may follow the end
            }
            ended_ = std::holds_alternative<Finished>(action) ||
                     std::holds_alternative<Failed>(action) ||
                     std::holds_alternative<PeerTerminated>(action);
            answer(action);
        }
    }

    void answer(const Action& action)
    {
        if (!answers_) {
            return;
        }
        if (std::holds_alternative<CookieReceived>(action)) {
            take(session_.welcome());
        } else if (std::holds_alternative<ParametersReceived>(action)) {
            take(session_.accept());
            take(session_.streams_open());
        } else if (std::holds_alternative<OpenStreams>(action)) {
            take(session_.streams_open());
        } else if (std::holds_alternative<StartTraffic>(action)) {
            running_ = true;
        } else if (std::holds_alternative<EndOfTest>(action) ||
                   std::holds_alternative<ResultsWanted>(action)) {
            take(session_.results({}));
        }
        if (running_ && !session_.over() && is_client_) {
            running_ = false;
            take(session_.end_test());
        }
    }

    Session session_;
    bool is_client_;
    bool running_ = false;
    bool answers_ = true;
    bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    const bool client = data[0] % 2 == 0;
    Owner owner{client};
    auto rest = std::as_bytes(std::span{data + 1, bytes - 1});
    while (!rest.empty()) {
        if (rest.size() > 1 && rest[0] == std::byte{0}) {
            owner.happen(rest[1]);
            rest = rest.subspan(2);
            continue;
        }
        const auto length =
            std::min<std::size_t>(rest.size() - 1, std::to_integer<std::size_t>(rest[0]));
        owner.feed(rest.subspan(1, length));
        rest = rest.subspan(1 + length);
    }
    owner.close();
    return 0;
}
