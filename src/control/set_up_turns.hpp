#pragma once

#include "dpdkperf/base/address.hpp"

#include <algorithm>
#include <functional>
#include <list>
#include <utility>

namespace dpdkperf::control {

// Of the tests with one peer address, one at a time sets its streams up: nothing tells whose a
// hello or a SYN is (docs/decisions/0008). Tests with other addresses do not wait.
class SetUpTurns {
public:
    // A test's place in the row of its peer's address, from its making to its end.
    class Place {
    public:
        // `go`: called when those before are gone; not if there is nobody, see first().
        Place(SetUpTurns& turns, const IpAddress& peer, std::function<void()> go)
            : turns_{turns}, peer_{peer}, go_{std::move(go)}
        {
            turns_.places_.push_back(this);
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        // NOLINTNEXTLINE(bugprone-exception-escape): without memory there is no next test either
        ~Place()
        {
            const bool was_first = first();
            std::erase(turns_.places_, this);
            const Place* const next = turns_.first_of(peer_);
            if (was_first && next != nullptr) {
                const auto go = next->go_;  // a copy: its owner may leave within
                go();
            }
        }

        [[nodiscard]] bool first() const { return turns_.first_of(peer_) == this; }

    private:
        friend class SetUpTurns;
        SetUpTurns& turns_;
        const IpAddress peer_;
        const std::function<void()> go_;
    };

private:
    [[nodiscard]] const Place* first_of(const IpAddress& peer) const
    {
        const auto at = std::ranges::find(places_, peer, &Place::peer_);
        return at == places_.end() ? nullptr : *at;
    }

    std::list<const Place*> places_;  // in the order of their coming
};

}  // namespace dpdkperf::control
