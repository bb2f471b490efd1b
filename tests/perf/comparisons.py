"""The comparisons of scripts/bench: ours and theirs by turns, so that both see the same machine.

A comparison yields, for each round, one value per metric and side. Nothing is summed up here:
the raw values go into the results, and render.py makes medians and ratios of them.
"""

import contextlib
import json
import pathlib
import re
import signal
import statistics
import struct
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

import measure
from netlab.capture import Capture, read_file
from netlab.lab import Failed
from netlab.programs import STOCK, client, server


@dataclass(frozen=True)
class Metric:
    name: str
    unit: str
    goal: float = None  # ratio ours/theirs, or of ours alone if `limit`
    limit: str = ""  # "at most" or "at least"


@dataclass(frozen=True)
class Comparison:
    id: str
    title: str
    ours: str  # what is run, in words and commands
    theirs: str
    metrics: tuple
    our_turn: callable  # (setup) -> {metric name: value}
    their_turn: callable


@dataclass(frozen=True)
class Setup:
    lab: object
    our: str
    seconds: int

    def build_folder(self):
        return pathlib.Path(self.our).parent


def command(program, length, seconds, streams=1):
    return " ".join([program, "-c HOST", *measure.arguments(length, seconds, streams)])


def xdp(length):
    def ours(setup):
        run = measure.run(setup.lab, setup.our, length, setup.seconds)
        return {"sent": run.sent_pps / 1e6, "received": run.received_pps / 1e6}

    def theirs(setup):
        """The better of one and two streams, for each metric by itself."""
        runs = [measure.run(setup.lab, STOCK, length, setup.seconds, count) for count in (1, 2)]
        return {
            "sent": max(run.sent_pps for run in runs) / 1e6,
            "received": max(run.received_pps for run in runs) / 1e6,
        }

    return Comparison(
        id=f"xdp-{length}",
        title=f"UDP, {length}-byte datagrams over af_xdp on a veth pair into a stock iperf3 -s",
        ours=command("dpdkperf", length, "T"),
        theirs=command("iperf3", length, "T", "1|2") + " (better of both), no XDP program on the veth",
        metrics=(Metric("sent", "Mpps", 1.5), Metric("received", "Mpps", 1.0)),
        our_turn=ours,
        their_turn=theirs,
    )


START_ARGUMENTS = "-u -b 1M -l 64 -t 2 --forceflush"


def first_datagram(setup, program):
    """From the start of the process to its first datagram at the peer."""
    with server(setup.lab, "b", STOCK, "-1"), Capture(setup.lab, "b") as capture:
        with client(setup.lab, "a", program, *START_ARGUMENTS.split()) as running:
            capture.wait_for_data(10)
            took = time.monotonic() - running.started
            running.wait_for_line(r"0\.00-1\.\d\d +sec", 5)
            peak = running.memory_kb("VmHWM")
            running.succeed()
    return {"first datagram": took, "peak of memory": peak / 1024}


START = Comparison(
    id="start",
    title="From the start of the process to the first datagram",
    ours=f"dpdkperf -c HOST {START_ARGUMENTS}",
    theirs=f"iperf3 -c HOST {START_ARGUMENTS}",
    metrics=(
        Metric("first datagram", "s", 1.5, limit="at most"),
        Metric("peak of memory", "MB", 400, limit="at most"),
    ),
    our_turn=lambda setup: first_datagram(setup, setup.our),
    their_turn=lambda setup: first_datagram(setup, STOCK),
)


@contextlib.contextmanager
def hugepages(count=512):
    """At least `count` pages of 2 MB, given back afterwards."""
    knob = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
    before = int(knob.read_text("ascii"))
    try:
        if before < count:
            knob.write_text(str(count), "ascii")
        if int(knob.read_text("ascii")) < count:
            raise Failed(f"the kernel does not give {count} pages of 2 MB")
        yield
    finally:
        knob.write_text(str(before), "ascii")


# Without no-rx the driver makes packets up whenever somebody looks for them, which our poller
# does now and then and testpmd's txonly does not.
NULL_DEVICE = "net_null0,no-rx=1"

TESTPMD = (
    f"dpdk-testpmd -l 0,1 --in-memory --no-pci --vdev={NULL_DEVICE} -- "
    "--forward-mode=txonly --txpkts=64 --burst=64 --stats-period=1"
)


def testpmd_turn(setup):
    """Median of testpmd's own figures, one per second; the first is warming up."""
    with hugepages():
        with subprocess.Popen(
            TESTPMD.split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
        ) as running:  # fmt: skip
            stop = threading.Timer(setup.seconds + 20, running.kill)  # it is not asked for ever
            stop.start()
            output, rates = "", []
            try:
                for line in running.stdout:
                    output += line
                    # Before the first second has passed it prints 0.
                    rates += [int(rate) for rate in re.findall(r"Tx-pps:\s+([1-9]\d*)", line)]
                    if len(rates) > setup.seconds:
                        break
            finally:
                stop.cancel()
                running.send_signal(signal.SIGINT)
                running.communicate(timeout=20)
    if len(rates) < 2:
        raise Failed(f"no rate from testpmd:\n{output[-2000:]}")
    return {"sent": statistics.median(rates[1:]) / 1e6}


def bench_udp(setup, device, *arguments):
    """The engine's sender on a virtual device (tests/perf/bench_udp.cpp)."""
    program = setup.build_folder() / "tests" / "perf" / "bench_udp"
    with hugepages():
        done = subprocess.run(
            [program, device, "64", *arguments], capture_output=True, text=True, timeout=60, check=False
        )
    if done.returncode != 0:
        raise Failed(f"bench_udp: {done.stderr}")
    return json.loads(done.stdout.strip().split("\n")[-1])


def verify_frames(setup, count=1000):
    """The same program into a capture file: what the figure counts are whole, right frames."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "frames.pcap")
        began = time.monotonic()  # the clock that iperf3 stamps with (3.12, src/iperf_time.c)
        bench_udp(setup, f"net_pcap0,tx_pcap={path}", "5", str(count))
        ended = time.monotonic()
        packets = read_file(path)
    if len(packets) != count:
        raise Failed(f"{len(packets)} frames in the capture, not {count}")
    for number, packet in enumerate(packets, 1):
        if len(packet.payload) != 64 - 42 or not packet.checksums_hold():
            raise Failed(f"frame {number} is not right: {packet}")
        if struct.unpack_from("!L", packet.payload, 8)[0] != number:
            raise Failed(f"frame {number}: its sequence number is another")
    stamps = [struct.unpack_from("!LL", packet.payload) for packet in packets]
    times = [seconds + microseconds * 1e-6 for seconds, microseconds in stamps]
    if times != sorted(times) or not began - 1e-6 <= times[0] < times[-1] <= ended:
        raise Failed(f"stamped from {times[0]} to {times[-1]}, sent from {began} to {ended}")


def null_turn(setup):
    verify_frames(setup)
    return {"sent": bench_udp(setup, NULL_DEVICE, str(setup.seconds))["mpps"]}


def bare_turn(setup):
    return {"sent": bench_udp(setup, NULL_DEVICE, str(setup.seconds), "send")["mpps"]}


NULL = Comparison(
    id="null-64",
    title="64-byte frames with iperf3's stamps and real checksums on net_null, one core",
    ours=f"bench_udp {NULL_DEVICE} 64 T (its frames are verified by a capture with net_pcap first)",
    theirs=TESTPMD,
    metrics=(Metric("sent", "Mpps", 1.5),),
    our_turn=null_turn,
    their_turn=testpmd_turn,
)

BARE = Comparison(
    id="null-bare",
    title="The same against pool and driver alone: a loop that writes a number into its frames",
    ours=NULL.ours,
    theirs=f"bench_udp {NULL_DEVICE} 64 T send",
    metrics=(Metric("sent", "Mpps"),),
    our_turn=null_turn,
    their_turn=bare_turn,
)

TWO_POLLERS = "--lcores=0@(0,1),1@0,2@1"


def pollers_turn(setup, *eal):
    return {"sent": bench_udp(setup, NULL_DEVICE, str(setup.seconds), *eal)["mpps"]}


POLLERS = Comparison(
    id="pollers",
    title="Two pollers on net_null against one: 64-byte frames, a queue and a stream each",
    ours=f"bench_udp {NULL_DEVICE} 64 T -- {TWO_POLLERS} --in-memory --no-pci",
    theirs=f"bench_udp {NULL_DEVICE} 64 T",
    metrics=(Metric("sent", "Mpps", 1.9),),
    our_turn=lambda setup: pollers_turn(setup, "--", TWO_POLLERS, "--in-memory", "--no-pci"),
    their_turn=pollers_turn,
)

ALL = (xdp(64), xdp(1448), START, NULL, BARE, POLLERS)


def run(comparison, setup, rounds):
    """{metric: {"ours": [...], "theirs": [...]}}, by turns."""
    values = {metric.name: {"ours": [], "theirs": []} for metric in comparison.metrics}
    for number in range(rounds):
        for side, turn in (("ours", comparison.our_turn), ("theirs", comparison.their_turn)):
            found = turn(setup)
            for name, value in found.items():
                values[name][side].append(round(value, 6))
            shown = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
            print(f"{comparison.id}, round {number + 1} of {rounds}, {side}: {shown}", flush=True)
    return values
