"""Sessions: many in a row, two at once, ends that nobody planned."""

import signal
import time

from framework import BOTH, CLIENT, SERVER, between, equal, require, row, stock_end
from netlab.capture import Capture
from netlab.firewall import dropping
from netlab.lab import PORT
from netlab.programs import client

PACED = ("-b", "1M", "-l", 500)
BUSY = "the server is busy running a test. try again later"


@row(f"{CLIENT}: 20 tests in a row against one server", slow=True, role=CLIENT, count=20)
@row(f"{SERVER}: 50 tests in a row on one server", role=SERVER, count=50)
@row(f"{BOTH}: 10 tests in a row on one server", slow=True, role=BOTH, count=10)
def in_a_row(context, role, count):
    with context.server(role) as serving:
        early = None
        for number in range(count):
            context.serves(role)
            require(serving.running, f"the server ended after test {number + 1}\n{serving}")
            if number == 4:
                early = serving.memory_kb(), serving.descriptors()
        between(serving.descriptors() - early[1], -100, 1, "growth in open files")
        between(serving.memory_kb() - early[0], -(1 << 30), 2048, "growth in KB")


@row(f"{SERVER}: tests of all modes on one server")
def all_modes(context):
    with context.server(SERVER) as serving:
        for flags in ([], ["-R"], ["--bidir"], ["-P", 8], ["-R", "-l", 16], ["--udp-counters-64bit"]):
            arguments = ("-t", 1, *PACED, *flags, "-J")
            with context.client(SERVER, *arguments) as running:
                running.succeed()
                equal(running.json["end"]["sum"]["lost_packets"], 0, f"lost with {flags}")
        context.serves()
        require(serving.running, "the server ended")


@row(f"{SERVER}: a second client is told at once that the server is busy", role=SERVER)
@row(f"{CLIENT}: told that the server is busy", role=CLIENT)
def busy(context, role):
    with context.server(role) as serving:
        with client(context.lab, "a", context.peer.program, "-u", "-t", 2, *PACED, "-J") as first:
            with Capture(context.lab, stock_end(role)) as capture:
                capture.wait_for_data(5)
            started = time.monotonic()
            with context.client(role, "-t", 1, *PACED) as second:
                equal(second.wait(5), 1, "exit code of the second client")
                took = time.monotonic() - started
                require(BUSY in second.err, f"not told that the server is busy\n{second}")
            # Ours starts a DPDK environment of its own before or after it asks.
            between(took, 0, 0.1 if role == SERVER else 2, "seconds until told")
            first.succeed()
            equal(first.json["end"]["sum"]["lost_packets"], 0, "lost by the first client")
        context.serves(role)
        require(serving.running, "the server ended")


@row(f"{CLIENT}: SIGINT", role=CLIENT, number=signal.SIGINT)
@row(f"{CLIENT}: SIGTERM", role=CLIENT, number=signal.SIGTERM)
@row(f"{SERVER}: the client gets SIGINT", role=SERVER, number=signal.SIGINT)
def client_interrupted(context, role, number):
    """-t 0 has no end of its own."""
    with context.server(role, "--forceflush") as serving:
        with context.client(role, "-t", 0, "-i", "0.5", *PACED, "--forceflush") as running:
            running.wait_for_line(r"0\.00-0\.5\d +sec")
            running.signal(number)
            # iperf3 exits with 1 until 3.18 and with 0 since 3.19; so do we.
            equal(running.wait(3), 0 if role == CLIENT and not context.stock else 1, "exit code")
            require(" sender" in running.out, f"no summary\n{running}")
            require("interrupt - the client has terminated" in running.err, f"not said\n{running}")
        serving.wait_for_line("the client has terminated", 3)
        context.serves(role)


@row(f"{CLIENT}: the server gets SIGTERM", role=CLIENT)
@row(f"{SERVER}: SIGTERM during a test", role=SERVER)
def server_terminated(context, role):
    with context.server(role) as serving:
        with context.client(role, "-t", 10, "-i", "0.5", *PACED, "--forceflush") as running:
            running.wait_for_line(r"0\.00-0\.5\d +sec")
            serving.signal(signal.SIGTERM)
            equal(running.wait(3), 1, "exit code of the client")
            require("the server has terminated" in running.err, f"not said\n{running}")
            require(" sender" in running.out, f"no summary\n{running}")
        serving.wait(3)
        if role == SERVER and not context.stock:
            equal(serving.code, 0, "exit code of our server")


@row(f"{SERVER}: SIGINT while idle ends it")
def idle_server_interrupted(context):
    with context.server(SERVER) as serving:
        serving.signal(signal.SIGINT)
        equal(serving.wait(3), 1 if context.stock else 0, "exit code")


@row(f"{SERVER}: -1 ends after one test")
def one_off(context):
    with context.server(SERVER, "-1") as serving:
        context.serves()
        equal(serving.wait(3), 0, "exit code")


@row(f"{CLIENT}: the server's rate limit ends the test")
def rate_limit(context):
    with context.server(CLIENT, "-1", "--server-bitrate-limit", "1M") as serving:
        with context.client(CLIENT, "-t", 5, "-b", "5M", "-l", 500) as running:
            serving.wait(8)
            equal(running.wait(1), 1, "exit code, a second after the server's end")
            require("control socket has closed unexpectedly" in running.err, str(running))


@row(f"{CLIENT}: nobody listens")
def nobody_listens(context):
    with context.client(CLIENT, "-t", 1, port=5999) as running:
        equal(running.wait(3), 1, "exit code")
        require("unable to connect to server: Connection refused" in running.err, str(running))


@row(f"{CLIENT}: nobody listens, -J")
def nobody_listens_json(context):
    with context.client(CLIENT, "-t", 1, "-J", port=5999) as running:
        # iperf3 exits with 0 here from 3.10 to 3.13.
        equal(running.wait(3), 0 if context.stock else 1, "exit code")
        error = running.json["error"]
        equal(error, "unable to connect to server: Connection refused", "error")


@row(f"{CLIENT}: --connect-timeout")
def connect_timeout(context):
    """An address that nobody has: only the neighbour's silence ends the attempt otherwise."""
    arguments = ("-t", 1, "--connect-timeout", 300)
    with context.client(CLIENT, *arguments, host="10.99.0.77") as running:
        equal(running.wait(5), 1, "exit code")
        between(time.monotonic() - running.started, 0.2, 2, "seconds")
        require(context.stock or "no answer from 10.99.0.77 to ARP" in running.err, str(running))


@row(f"{CLIENT}: --connect-timeout, a firewall that drops the SYN")
def connect_timeout_firewall(context):
    with dropping(context.lab, "b", f"tcp dport {PORT}"):
        with context.client(CLIENT, "-t", 1, "--connect-timeout", 300) as running:
            equal(running.wait(5), 1, "exit code")
            between(time.monotonic() - running.started, 0.3, 2, "seconds")
            require("unable to connect to server: Connection timed out" in running.err, str(running))


@row(f"{CLIENT}: --rcv-timeout, a sender that stops", role=CLIENT)
def receive_timeout(context, role):
    with context.server(role) as serving:
        arguments = ("-R", "-t", 10, "--rcv-timeout", 500, *PACED, "-i", "0.2", "--forceflush")
        with context.client(role, *arguments) as running:
            running.wait_for_line(r"0\.00-0\.2\d +sec")
            serving.signal(signal.SIGSTOP)
            equal(running.wait(5), 1, "exit code")
            require("idle timeout for receiving data" in running.err, str(running))
