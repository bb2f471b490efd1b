"""TCP while something goes wrong: with the peer, with the link, with ourselves."""

import contextlib
import signal
import time

from framework import BOTH, CLIENT, SERVER, between, equal, require, row, stock_end
from netlab.lab import wait_for
from netlab.programs import client
from rows_machine import change_mac
from tcp_agreement import check, healthy

BUSY = "the server is busy running a test"
UNDER_WAY = r"0\.00-0\.2\d +sec"
PORT_OF_DATA = 40000


@contextlib.contextmanager
def test_under_way(context, role, *arguments):
    """A server and its client, in the middle of a test: (client, server)."""
    with context.server(role, "--forceflush") as serving:
        flags = ("-C", "cubic", "-i", "0.2", "--forceflush", *arguments)
        with context.client(role, *flags, tcp=True) as running:
            running.wait_for_line(UNDER_WAY)
            yield running, serving


def completes(context, role, *arguments, count=1):
    """The server, already running, serves a TCP test with traffic in both directions.

    The slower one must have begun before the faster one has reached the limit.
    """
    limit = ("-n", "1M", "-b", "50M", "--bidir", "-C", "cubic", "-J")
    with context.client(role, *limit, *arguments, tcp=True) as running:
        running.succeed()
        healthy(running.json)
        between(running.json["end"]["sum_sent"]["bytes"], 1, 1 << 30, "bytes sent")


def nothing_left(lab, end):
    wait_for(lambda: lab.processes(end) == set(), 3, "no process left")
    wait_for(lambda: lab.xdp_program(end) is None, 3, "no XDP program left")


@row(f"{CLIENT}: TCP, kill -9 of our client, which comes back at once from the same port", role=CLIENT, flags=[])
@row(f"{CLIENT}: TCP, kill -9 of our client, which comes back at once from the same port, -R", role=CLIENT, flags=["-R"])
@row(f"{SERVER}: TCP, kill -9 of the client, which comes back from the same port", role=SERVER, flags=["--bidir"])
@row(f"{BOTH}: TCP, kill -9 of the client, which comes back from the same port", role=BOTH, flags=["--bidir"])
def client_killed(context, role, flags):
    port = ("--cport", PORT_OF_DATA)
    with test_under_way(context, role, "-t", 10, "-P", 2, *port, *flags) as (running, serving):
        running.signal(signal.SIGKILL)
        running.wait()
        if role == SERVER:
            serving.wait_for_line("unexpectedly closed the connection", 5)
        started = time.monotonic()
        while True:  # the server learns of the end when it sends or reads
            with context.client(role, "-n", "1M", "-P", 2, *port, *flags, "-C", "cubic", tcp=True) as again:
                if again.wait(5) == 0:
                    break
                require(BUSY in again.err, f"neither served nor told that the server is busy\n{again}")
            require(time.monotonic() - started < 3, f"busy for 3 seconds\n{serving}")
        context.note(f"served again after {time.monotonic() - started:.2f} s")


@row(f"{CLIENT}: TCP, kill -9 of the server", role=CLIENT, flags=[])
@row(f"{CLIENT}: TCP, kill -9 of the server, -R -P 4", slow=True, role=CLIENT, flags=["-R", "-P", 4])
@row(f"{SERVER}: TCP, kill -9 of our server", role=SERVER, flags=["--bidir"])
def server_killed(context, role, flags):
    with test_under_way(context, role, "-t", 10, *flags) as (running, serving):
        serving.signal(signal.SIGKILL)
        serving.wait()
        equal(running.wait(5), 1, "exit code of the client")
        known = ("control socket has closed unexpectedly", "Connection reset by peer", "Broken pipe")
        require(any(one in running.err for one in known), f"no cause is told\n{running}")
    nothing_left(context.lab, "b")
    with context.server(role):
        completes(context, role)


@row(f"{CLIENT}: TCP, the server stands still for a while", role=CLIENT, flags=[])
@row(f"{CLIENT}: TCP, the server stands still for a while, -R", slow=True, role=CLIENT, flags=["-R"])
@row(f"{SERVER}: TCP, the client stands still for a while", slow=True, role=SERVER, flags=[])
@row(f"{SERVER}: TCP, the client stands still for a while, -R", slow=True, role=SERVER, flags=["-R"])
def peer_stopped(context, role, flags):
    """Our window probes keep the connection; it goes on when the peer does."""
    with context.server(role, "-1", "-J") as serving:
        with context.client(role, "-t", 2, "-i", "0.2", "-C", "cubic", "-J", *flags, tcp=True) as running:
            time.sleep(1)
            stopped = serving if role == CLIENT else running
            stopped.signal(signal.SIGSTOP)
            time.sleep(0.6)
            stopped.signal(signal.SIGCONT)
            running.succeed(15)
            serving.succeed()
            check(running.json, serving.json, "-R" if flags else "normal", 1)
            observer = running.json if role == CLIENT else serving.json
    goes_on(observer)


def goes_on(document):
    """There was traffic in the last full intervals that this side saw."""
    last = [one["sum"]["bytes"] for one in document["intervals"][-3:-1]]
    require(len(last) == 2 and all(count > 100_000 for count in last), f"bytes at last: {last}")


@row(f"{CLIENT}: TCP, the link goes down and up", role=CLIENT, flags=[], ours=False)
@row(f"{CLIENT}: TCP, the link goes down and up, -R", slow=True, role=CLIENT, flags=["-R"], ours=False)
@row(f"{SERVER}: TCP, the link goes down and up, --bidir", slow=True, role=SERVER, flags=["--bidir"], ours=False)
@row(f"{CLIENT}: TCP, our interface goes down and up", slow=True, role=CLIENT, flags=[], ours=True)
def link_flaps(context, role, flags, ours):
    lab = context.lab
    end = lab.other(stock_end(role)) if ours else stock_end(role)
    with context.server(role, "-1", "-J") as serving:
        with context.client(role, "-t", 3, "-i", "0.2", "-C", "cubic", "-J", *flags, tcp=True) as running:
            time.sleep(1)
            try:
                lab.ip(end, "link", "set", "dev", lab.interface(end), "down")
                time.sleep(0.3)
            finally:
                lab.up()
            running.succeed(15)
            serving.succeed()
            mode = flags[0] if flags else "normal"
            check(running.json, serving.json, mode, 1)
            goes_on(running.json if role == CLIENT else serving.json)


@row(f"{CLIENT}: TCP, the server's MAC changes during a test", role=CLIENT, flags=["--bidir"])
@row(f"{SERVER}: TCP, the client's MAC changes during a test", slow=True, role=SERVER, flags=["--bidir"])
def neighbour_moves(context, role, flags):
    lab, end = context.lab, stock_end(role)
    before = lab.link(end)["address"]
    with context.server(role, "-1", "-J") as serving:
        with context.client(role, "-t", 3, "-i", "0.2", "-b", "50M", "-C", "cubic", "-J", *flags, tcp=True) as running:
            time.sleep(1.5)  # the kernel holds a fresh neighbour entry for a second (locktime, arp(7))
            change_mac(lab, end, "02:00:00:00:00:99")
            try:
                running.succeed(15)
                serving.succeed()
            finally:
                change_mac(lab, end, before)
            check(running.json, serving.json, "--bidir", 1)
            goes_on(running.json if role == CLIENT else serving.json)


@row(f"{SERVER}: TCP, two clients of one host, one of them is busy", role=SERVER)
@row(f"{CLIENT}: TCP, told that the server is busy", role=CLIENT)
def busy(context, role):
    with context.server(role) as serving:
        with client(context.lab, "a", context.peer.program, "-t", 2, "-P", 2, "--bidir", "-C", "cubic", "-J") as first:
            time.sleep(0.5)
            with context.client(role, "-t", 1, tcp=True) as second:
                equal(second.wait(5), 1, "exit code of the second client")
                require(BUSY in second.err, f"not told that the server is busy\n{second}")
            first.succeed()
            require(first.json["end"]["sum_received"]["bytes"] > 1 << 20, "the first was held up")
        completes(context, role)
        require(serving.running, "the server ended")
