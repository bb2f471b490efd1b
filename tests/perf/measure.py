"""One UDP test between the two ends of a lab, in numbers; the receiver is a stock server."""

from dataclasses import dataclass

from netlab.lab import Failed
from netlab.programs import STOCK, client, is_stock, server


@dataclass(frozen=True)
class Run:
    """What one side offered and what arrived at the other."""

    length: int  # payload of a datagram in bytes
    sent_pps: float  # by the sender's account
    received_pps: float  # datagrams that the peer read, by the peer's account

    @property
    def sent_gbps(self):
        return self.sent_pps * self.length * 8 / 1e9

    @property
    def received_gbps(self):
        return self.received_pps * self.length * 8 / 1e9

    @property
    def lost(self):
        return max(0.0, 1 - self.received_pps / self.sent_pps)


def arguments(length, seconds, streams=1):
    return ("-u", "-b", "0", "-l", str(length), "-t", str(seconds), "-P", str(streams))


def kernel_path_is_clear(lab):
    """A kernel with an XDP program in its way would be an unfair opponent."""
    for end in "ab":
        number = lab.xdp_program(end)
        if number:
            raise Failed(f"XDP program {number} is on {lab.interface(end)}")


# The receiver stands for another machine, so it keeps to one CPU whoever sends. Left alone it is
# drawn to the sender's, where the veth wakes it up, and shares that with a poller.
RECEIVER = ("taskset", "--cpu-list", "0")


def run(lab, program, length, seconds, streams=1):
    if is_stock(program):
        kernel_path_is_clear(lab)
    with server(lab, "b", STOCK, "-1", "-J", wrapper=RECEIVER) as serving:
        flags = arguments(length, seconds, streams)
        with client(lab, "a", program, *flags, "-J") as running:
            running.succeed(seconds + 20)
            serving.succeed()
            sent = running.json["end"]["sum_sent"]
            received = serving.json["end"]["sum_received"]
    return Run(
        length,
        sent["packets"] / sent["seconds"],
        received["bytes"] / length / received["seconds"],
    )
