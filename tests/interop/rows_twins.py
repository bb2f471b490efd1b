"""Sessions and accidents on ports of our own over memif."""

import signal

from framework import BOTH, CLIENT, SERVER, equal, require, row
from netlab.lab import wait_for
from netlab.programs import STOCK, client, server
from netlab.wires import Wire
from rows_machine import others
from rows_session import busy, client_interrupted, in_a_row, server_terminated

MEMIF = Wire("memif")
PACED = ("-b", "1M", "-l", 500)
WATCHED = (*PACED, "-t", 40, "-i", "0.5", "--forceflush")
FIRST_LINE = r"0\.00-0\.5\d +sec"

row(
    f"memif, {BOTH}: 20 tests in a row on one server",
    slow=True, wire=MEMIF, role=BOTH, count=20,
)(in_a_row)  # fmt: skip
row(f"memif, {SERVER}: 20 tests in a row on one server", wire=MEMIF, role=SERVER, count=20)(in_a_row)
row(f"memif, {SERVER}: a second client is told that the server is busy", slow=True, wire=MEMIF, role=SERVER)(busy)
row(
    f"memif, {CLIENT}: ping and TCP go on during a test", slow=True,
    wire=MEMIF, role=CLIENT, flags=[], seconds=6,
)(others)  # fmt: skip
row(f"memif, {CLIENT}: SIGINT", slow=True, wire=MEMIF, role=CLIENT, number=signal.SIGINT)(client_interrupted)
row(f"memif, {CLIENT}: SIGTERM", wire=MEMIF, role=CLIENT, number=signal.SIGTERM)(client_interrupted)
row(f"memif, {SERVER}: SIGTERM during a test", wire=MEMIF, role=SERVER)(server_terminated)


@row("memif: iperf3's TCP from kernel to kernel", wire=MEMIF)
def kernel_tcp(context):
    lab = context.lab
    lab.bridge("b")
    lab.bridge("a")
    with server(lab, "b", STOCK, "-1"), client(lab, "a", STOCK, "-t", 1, "-J") as running:
        running.succeed()
        require(running.json["end"]["sum_received"]["bytes"] > 1 << 20, "less than a megabyte")


def gone(lab, end):
    wait_for(lambda: lab.processes(end) == set(), 5, "no process left")
    wait_for(lambda: "dpdkperf0" not in lab.ip(end, "link", "show"), 3, "no twin left")


@row(f"memif, {BOTH}: kill -9 of the client", wire=MEMIF, flags=["--rcv-timeout", 1000], word="idle timeout")
@row(
    f"memif, {BOTH}: kill -9 of the client, found by keepalive",
    slow=True, wire=MEMIF, flags=[], word="unexpectedly closed",
)  # fmt: skip
def kill_client(context, flags, word):
    """The twin goes with the client: nobody tells the server's kernel."""
    with context.server(BOTH, "--forceflush", *flags) as serving:
        with context.client(BOTH, *WATCHED) as running:
            running.wait_for_line(FIRST_LINE)
            running.signal(signal.SIGKILL)
            running.wait()
        gone(context.lab, "a")
        serving.wait_for_line(word, 30)
        equal((serving.out + serving.err).count("is down"), 1, "reports that the link is down")
        context.serves(BOTH)


@row(f"memif, {BOTH}: kill -9 of the server", wire=MEMIF, flags=["-R", "--rcv-timeout", 1000], word="idle timeout")
@row(
    f"memif, {BOTH}: kill -9 of the server, found by keepalive",
    slow=True, wire=MEMIF, flags=[], word="control socket has closed unexpectedly",
)  # fmt: skip
def kill_server(context, flags, word):
    with context.server(BOTH) as serving:
        with context.client(BOTH, *WATCHED, *flags) as running:
            running.wait_for_line(FIRST_LINE)
            serving.signal(signal.SIGKILL)
            serving.wait()
            equal(running.wait(30), 1, "exit code of the client")
            require(word in running.err, f"'{word}' is not said\n{running}")
            equal((running.out + running.err).count("is down"), 1, "reports that the link is down")
    gone(context.lab, "b")
    with context.server(BOTH):
        context.serves(BOTH)
