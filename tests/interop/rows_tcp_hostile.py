"""Somebody who sees a TCP connection sends segments in the name of our peer."""

import contextlib
import struct
import time

from framework import CLIENT, SERVER, between, equal, require, row, stock_end
from netlab.capture import TCP, Capture
from netlab.forge import ACK, FIN, PSH, RST, SYN, Forger, is_forged, read_timestamps, timestamps
from netlab.lab import PORT

FAR = 0x40000000  # beyond every window
TIMES = 300

# What is sent, given the state of the victim, and the counter that it moves.
KINDS = (
    ("inexact_reset", lambda s: s.send(s.expects + 1000, 0, RST)),
    ("outside_window", lambda s: s.send(s.expects - 1000, 0, RST)),
    ("unexpected_syn", lambda s: s.send(s.expects + 5, s.sent, SYN, s.stamps())),
    ("unexpected_syn", lambda s: s.send(s.expects, s.sent, SYN | ACK, s.stamps())),
    ("no_ack", lambda s: s.send(s.expects, 0, PSH, s.stamps(), b"x")),
    ("ack_of_unsent", lambda s: s.send(s.expects, s.sent + FAR, ACK, s.stamps())),
    ("old_ack", lambda s: s.send(s.expects, s.sent - FAR, ACK, s.stamps())),
    ("bad_sack_block", lambda s: s.send(s.expects, s.acked, ACK, s.sack(FAR, FAR + 5))),
    ("bad_sack_block", lambda s: s.send(s.expects, s.acked, ACK, s.sack(5000, 10))),
    ("outside_window", lambda s: s.send(s.expects + FAR, s.acked, ACK, s.stamps(), b"x" * 100)),
    ("outside_window", lambda s: s.send(s.expects + FAR, s.acked, FIN | ACK, s.stamps())),
    ("missing_timestamp", lambda s: s.send(s.expects, s.acked, ACK, b"", b"x")),
    ("missing_timestamp", lambda s: s.send(s.expects, s.acked, ACK, b"\x08\x00\x01\x02")),
    ("missing_timestamp", lambda s: s.send(s.expects, s.acked, ACK, b"\x08\x0a\x01\x02")),
    ("old_timestamp", lambda s: s.send(s.expects, s.acked, ACK, s.stamps(-100_000), b"x")),
    ("bad_length", lambda s: s.send(s.expects, s.acked, ACK, words=15)),
    ("bad_length", lambda s: s.send(s.expects, s.acked, ACK, words=2)),
    ("bad_checksum", lambda s: s.send(s.expects, s.acked, RST, bad_sum=True)),
)


class Stranger:
    """Knows from the wire what the victim has sent and expects."""

    def __init__(self, capture, forger, victim):
        self._capture, self.send, self.ports = capture, forger.send, victim
        self.sent = self.acked = self.expects = self.value = self.echo = None
        while None in (self.sent, self.acked, self.value):
            time.sleep(0.02)
            self.look()

    def look(self):
        for packet in self._capture.packets():
            ports = (packet.source_port, packet.destination_port)
            if packet.protocol != TCP or packet.segment[13] & (SYN | RST) or is_forged(packet.segment):
                continue
            sequence, ack = struct.unpack_from("!LL", packet.segment, 4)
            if ports == self.ports:
                self.sent, self.expects = sequence, ack
            elif ports == self.ports[::-1]:
                self.acked = ack
                self.value, self.echo = read_timestamps(packet.segment)

    def stamps(self, ahead=0):
        return timestamps(self.value + ahead, self.echo)

    def sack(self, left, right):
        edges = struct.pack("!LL", (self.acked + left) & 0xFFFFFFFF, (self.acked + right) & 0xFFFFFFFF)
        return self.stamps() + b"\x01\x01\x05\x0a" + edges


@contextlib.contextmanager
def after(context, role, act):
    """A test whose sender is ours, to whom `act` happens; it is over: (process of ours, client)."""
    lab, end = context.lab, stock_end(role)
    flags = ["-t", 2, "-i", "0.2", "-b", "50M", "-C", "cubic", "-J", *(["-R"] if role == SERVER else [])]
    with Capture(lab, end) as capture, context.server(role, "-J", "-1") as serving:
        with context.client(role, *flags, tcp=True) as running:
            ours = running if role == CLIENT else serving
            victim = data_flow(capture, lab.address(lab.other(end)))
            addresses = [(lab.address(one), port) for one, port in zip((end, lab.other(end)), victim[::-1])]
            with Forger(lab, end, *addresses) as forger:
                act(Stranger(capture, forger, victim), ours)
            running.wait(15)
            ours.wait(5)
            yield ours, running


def data_flow(capture, victim):
    """The ports of the first connection on which the victim sends full segments."""
    for _ in range(200):
        for packet in capture.packets():
            if packet.protocol == TCP and packet.source == victim and len(packet.payload) > 1000:
                return packet.source_port, packet.destination_port
        time.sleep(0.02)
    require(False, "no data was seen")


@row(f"{CLIENT}: TCP, hostile segments", ours_only=True, role=CLIENT)
@row(f"{SERVER}: TCP, hostile segments", slow=True, ours_only=True, role=SERVER)
def hostile(context, role):
    memory = []

    def act(stranger, ours):
        memory.append(ours.memory_kb())
        for _ in range(TIMES):
            for _, send in KINDS:
                send(stranger)
            stranger.look()
        memory.append(ours.memory_kb())

    with after(context, role, act) as (ours, running):
        equal((ours.code, running.code), (0, 0), f"exit codes\n{ours}\n{running}")
        document = ours.json
    require(all(one["sum"]["bytes"] > 500_000 for one in document["intervals"][:-1]), "the test was held up")
    counters = {**document["dpdkperf"]["port"], **document["dpdkperf"]["streams"][0]}
    for kind in {kind for kind, _ in KINDS}:
        between(counters[kind], TIMES // 2, 4 * TIMES + 50, kind)
    between(counters["challenge_acks"], 1, 1000, "challenge ACKs")
    between(memory[1] - memory[0], -1024, 1024, "KB more of memory")


@row(f"{CLIENT}: TCP, an exact reset ends the test", ours_only=True, role=CLIENT)
def exact(context, role):
    with after(context, role, lambda stranger, _: stranger.send(stranger.expects, 0, RST)) as (ours, _):
        equal(ours.code, 1, "exit code")
        require("Connection reset by peer" in ours.json["error"], f"{ours}")
