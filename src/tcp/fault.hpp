#pragma once

#include <cstdint>

namespace dpdkperf::tcp {

// Faults that a test build can put into the engine, to show that the tests would notice them
// (tests/support/tcp/faults.cpp). In the product faulty() is a constant and costs nothing.
enum class Fault : std::uint8_t {
    kNone,
    kNoPrr,                   // recovery sends whatever cwnd allows at once
    kNoRackTimer,             // the reordering timer never fires
    kNoTlp,                   // no tail loss probe
    kWindowNotScaled,         // the peer's window is taken as it stands in the header
    kWindowScaledInSyn,       // the peer's scale is applied to the window of a SYN
    kNoPaws,                  // old timestamps are accepted
    kCwndIgnored,             // data in flight is never compared with cwnd
    kPeerWindowIgnored,       // data is sent beyond the peer's window
    kSackWrap,                // SACK edges are compared as plain numbers
    kSackRoundedOut,          // a slot counts as delivered when a part of it was
    kSackedRangeEvicted,      // a full receiver forgets what it has reported
    kProbeBlockedByCwnd,      // a zero-window probe waits for room in cwnd
    kRenegingIgnored,         // a timeout believes old SACKs
    kLostRetransmissionKept,  // a retransmission is never judged lost
    kNoBackoff,               // the retransmission timeout never doubles
    kKarnIgnored,             // RTT is taken from retransmitted slots
    kNoUndo,                  // a spurious recovery is never taken back
    kDuplicateSackIgnored,    // D-SACK neither undoes nor widens the reordering window
    kOldWindowUpdate,         // a reordered segment rewinds the peer's window
    kAnyResetInWindow,        // a reset need not match RCV.NXT
    kOutOfOrderAckDelayed,    // a hole is reported by the delayed ACK only
    kFinBeforeItsTurn,        // a FIN counts when it arrives, not when it is reached
    kWrongRetransmitOffset,   // a retransmission carries the bytes of the slot behind
    kDuplicateSynAckIgnored,  // a lost handshake ACK is never repeated
    kHolePredictedAway,       // header prediction takes no notice of what came out of order
    kLargeSegmentsShunned,    // an outage is taken for a path that swallows large segments
    kRoomInSlivers,           // the window opens by whatever little room there is
    kWindowReopensSilently,   // the peer is not told that there is room again
    kStoredBeforeItsTurn,     // payload out of order is put at the end of what is there
    kCount,
};

#ifdef DPDKPERF_TCP_FAULTS
bool faulty(Fault fault) noexcept;  // defined by the test program
#else
constexpr bool faulty(Fault /*fault*/) noexcept
{
    return false;
}
#endif

}  // namespace dpdkperf::tcp
