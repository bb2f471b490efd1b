// A peer in either role that says anything at all, in pieces of any size, while our own side does
// what it is asked to. The first byte chooses the role; then blocks of a length byte and that many
// bytes, with what the owner does of itself in between. Cutting must not matter: the same bytes
// one by one lead to the same answer.

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
    [[nodiscard]] const std::vector<std::byte>& sent() const { return sent_; }

private:
    void take(const Actions& actions)
    {
        for (const Action& action : actions) {
            if (ended_) {
                std::abort();  // nothing may follow the end
            }
            if (const auto* send = std::get_if<Send>(&action)) {
                sent_.insert(sent_.end(), send->bytes.begin(), send->bytes.end());
            }
            ended_ = std::holds_alternative<Finished>(action) ||
                     std::holds_alternative<Failed>(action) ||
                     std::holds_alternative<PeerTerminated>(action);
            answer(action);
        }
    }

    void answer(const Action& action)
    {
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
    bool ended_ = false;
    std::vector<std::byte> sent_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    const bool client = data[0] % 2 == 0;
    Owner whole{client};
    Owner in_pieces{client};
    auto rest = std::as_bytes(std::span{data + 1, bytes - 1});
    while (!rest.empty()) {
        const auto length =
            std::min<std::size_t>(rest.size() - 1, std::to_integer<std::size_t>(rest[0]));
        const auto block = rest.subspan(1, length);
        whole.feed(block);
        for (const std::byte& byte : block) {
            in_pieces.feed({&byte, 1});
        }
        rest = rest.subspan(1 + length);
    }
    whole.close();
    in_pieces.close();
    if (whole.sent() != in_pieces.sent()) {
        std::abort();
    }
    return 0;
}
