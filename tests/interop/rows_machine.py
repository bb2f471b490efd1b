"""The machine around the program: what it changes, shares and puts back."""

import os
import socket
import signal
import subprocess
import tempfile
import threading
import time

from framework import BOTH, CLIENT, SERVER, between, equal, require, row, stock_end
from netlab.capture import Capture
from netlab.control import udp_port
from netlab.lab import PORT, wait_for
from netlab.programs import Process, client, server

PACED = ("-b", "1M", "-l", 500)


def first_data(lab, role):
    """Waits until a test is under way."""
    with Capture(lab, stock_end(role)) as capture:
        capture.wait_for_data(10)


@row(f"{CLIENT}: kill -9 of our client", role=CLIENT)
@row(f"{SERVER}: kill -9 of the client", role=SERVER)
@row(f"{BOTH}: kill -9 of the client", role=BOTH)
def kill_client(context, role):
    with context.server(role) as serving:
        with context.client(role, "-t", 10, *PACED, "-i", "0.2", "--forceflush") as running:
            running.wait_for_line(r"0\.00-0\.2\d +sec")
            running.signal(signal.SIGKILL)
            running.wait()
        wait_for(lambda: context.lab.processes("a") == set(), 3, "no process left at the client")
        wait_for(lambda: context.lab.xdp_program("a") is None, 3, "no XDP program left")
        serving.wait_for_line("unexpectedly closed the connection", 5)
        context.serves(role)


@row(f"{CLIENT}: kill -9 of the server", role=CLIENT)
@row(f"{SERVER}: kill -9 of our server", role=SERVER)
def kill_server(context, role):
    with context.server(role) as serving:
        with context.client(role, "-t", 10, *PACED) as running:
            first_data(context.lab, role)
            serving.signal(signal.SIGKILL)
            serving.wait()
            equal(running.wait(5), 1, "exit code of the client")
            # A stock client may meet the closed port of its data first.
            refused = role == SERVER and "stream socket: Connection refused" in running.err
            closed = "control socket has closed unexpectedly" in running.err
            require(closed or refused, str(running))
    wait_for(lambda: context.lab.processes("b") == set(), 3, "no process left at the server")
    wait_for(lambda: context.lab.xdp_program("b") is None, 3, "no XDP program left")
    with context.server(role):
        context.serves(role)


@row(f"{SERVER}: kill -9 of our server while idle")
def kill_idle_server(context):
    with context.server(SERVER) as serving:
        context.serves()
        serving.signal(signal.SIGKILL)
        serving.wait()
        wait_for(lambda: context.lab.processes("b") == set(), 3, "no process left")
    with context.server(SERVER):
        context.serves()


def change_mac(lab, end, mac):
    """As a fail-over does it, with the announcement (arp_notify, ip-sysctl)."""
    interface = lab.interface(end)
    lab.run(end, "sysctl", "-qw", f"net.ipv4.conf.{interface}.arp_notify=1")
    lab.ip(end, "link", "set", "dev", interface, "address", mac)


@row(f"{CLIENT}: the server's MAC changes during a test", role=CLIENT, flags=[])
@row(f"{SERVER}: the client's MAC changes during a test, -R", slow=True, role=SERVER, flags=["-R"])
def neighbour_moves(context, role, flags):
    lab, end = context.lab, stock_end(role)
    before = lab.link(end)["address"]
    with context.server(role, "-1", "-J", "-i", "0.5") as serving:
        arguments = ("-t", 4, "-i", "0.5", *PACED, "-J", *flags)
        with context.client(role, *arguments) as running:
            first_data(lab, role)
            # The kernel holds a fresh neighbour entry for a second (locktime, arp(7)).
            time.sleep(1.3)
            change_mac(lab, end, "02:00:00:00:00:99")
            try:
                running.succeed()
                serving.succeed()
            finally:
                change_mac(lab, end, before)
            receiving = (serving if role == CLIENT else running).json
    last = [one["sum"] for one in receiving["intervals"][-4:-1]]
    for one in last:
        between(one["packets"] - one["lost_packets"], 100, 150, "datagrams in half a second, at last")
    lost = receiving["end"]["sum_received"]["lost_packets"]
    between(lost, 0, 125, "lost in all")
    context.note(f"{lost} of {receiving['end']['sum_received']['packets']} lost by the change")


@row(f"{CLIENT}: ping and TCP go on during a test", role=CLIENT, flags=[])
@row(f"{CLIENT}: ping and TCP go on during a test, -R", slow=True, role=CLIENT, flags=["-R"])
@row(f"{SERVER}: ping and TCP go on during a test", slow=True, role=SERVER, flags=[])
def others(context, role, flags, seconds=3):
    lab = context.lab
    with context.server(role, "-1"), context.client(role, "-t", seconds, *PACED, *flags) as running:
        first_data(lab, role)
        for end in "ab":
            text = lab.run(end, "ping", "-c", 5, "-i", "0.1", "-W", 1, lab.address(lab.other(end)))
            require(" 0% packet loss" in text, text)
            text = lab.run(
                end, "ping", "-c", 5, "-i", "0.1", "-W", 1, lab.address(lab.other(end), ipv6=True)
            )
            require(" 0% packet loss" in text, text)
            tcp_transfer(lab, end)
        require(running.running, "the test ended before the other traffic did")
        running.succeed()


def tcp_transfer(lab, end):
    """A megabyte through the kernel, from `end` to the other."""
    data, received = os.urandom(1 << 20), []
    with lab.inside(lab.other(end)):
        listener = socket.create_server(("", 7000))
    listener.settimeout(5)

    def receive():
        link, _ = listener.accept()
        with link:
            while part := link.recv(1 << 16):
                received.append(part)

    thread = threading.Thread(target=receive)
    thread.start()
    with lab.inside(end):
        sender = socket.socket()
    with listener, sender:
        sender.settimeout(5)
        sender.connect((lab.address(lab.other(end)), 7000))
        sender.sendall(data)
        sender.shutdown(socket.SHUT_WR)
        thread.join(5)
    equal(b"".join(received) == data, True, "the megabyte arrived")


@row(f"{SERVER}: attaches on the first client, lets go after 10 s", ours_only=True, slow=True)
def lets_go(context):
    lab = context.lab
    with context.server(SERVER):
        equal(lab.xdp_program("b"), None, "XDP program before the first client")
        with context.client(SERVER, "-t", 2, *PACED) as running:
            wait_for(lambda: lab.xdp_program("b"), 5, "XDP program during a test")
            running.succeed()
        wait_for(lambda: lab.xdp_program("b") is None, 12, "let go")
        # Now a client of ours can use the interface beside the idle server.
        with server(lab, "a", "iperf3", "-1"):
            with client(lab, "b", context.our, "-u", "-t", 1, *PACED) as running:
                running.succeed()
        context.serves()


@row(f"{CLIENT}: the interface is owned by another dpdkperf", ours_only=True)
def owned(context):
    with server(context.lab, "b", "iperf3", "-1"), server(context.lab, "b", "iperf3", "-1", port=5301):
        with context.client(CLIENT, "-t", 3, *PACED, "-J") as first:
            first_data(context.lab, CLIENT)
            with context.client(CLIENT, "-t", 1, *PACED, port=5301) as second:
                equal(second.wait(5), 1, "exit code")
                for word in ("veth-a", str(first.pid)):
                    require(word in second.err, f"'{word}' is not named\n{second}")
            first.succeed()
            equal(first.json["end"]["sum"]["lost_packets"], 0, "lost by the first")
        # The second server still waits.
        with context.client(CLIENT, "-t", 1, *PACED, port=5301) as third:
            third.succeed()


@row(f"{SERVER}: the interface is owned by a client of ours", ours_only=True)
def owned_by_a_client(context):
    lab = context.lab
    with context.server(SERVER) as serving, server(lab, "a", "iperf3", "-1", port=5301):
        with client(lab, "b", context.our, "-u", "-t", 1, *PACED, port=5301) as first:
            wait_for(lambda: lab.xdp_program("b"), 5, "XDP program of the client")
            with context.client(SERVER, "-t", 1, *PACED) as second:
                equal(second.wait(5), 1, "exit code")
            require(f"interface veth-b is used by dpdkperf with pid {first.pid}" in serving.err, str(serving))
            first.succeed()
        context.serves()


@row(f"{SERVER}: the server's UDP port is somebody else's", ours_only=True)
def udp_port_busy(context):
    with context.server(SERVER) as serving:
        with udp_port(context.lab, "b"), context.client(SERVER, "-t", 1, *PACED) as running:
            equal(running.wait(5), 1, "exit code")
            require(f"UDP port {PORT} on 10.99.0.2 is in use" in serving.err, str(serving))
        context.serves()


@row(f"{CLIENT}: --cport that is somebody else's", ours_only=True)
def client_port_busy(context):
    with udp_port(context.lab, "a", 45000), context.server(CLIENT):
        with context.client(CLIENT, "-t", 1, *PACED, "--cport", 45000) as running:
            equal(running.wait(5), 1, "exit code")
            require("UDP port 45000 on 10.99.0.1 is in use" in running.err, str(running))


@row(f"{CLIENT}: a crash, and a terminal that goes away", ours_only=True)
def crash(context):
    for number, code in ((signal.SIGSEGV, -signal.SIGSEGV), (signal.SIGABRT, -signal.SIGABRT), (signal.SIGHUP, 0)):
        with context.server(CLIENT, "-1"):
            with context.client(CLIENT, "-t", 10, *PACED) as running:
                first_data(context.lab, CLIENT)
                running.signal(number)
                equal(running.wait(3), code, f"exit code after {number.name}")
            wait_for(lambda: context.lab.processes("a") == set(), 3, "no process left")
            wait_for(lambda: context.lab.xdp_program("a") is None, 3, "no XDP program left")


class ForeignProgram:
    """Somebody else's XDP program, which passes everything, on the interface of `end`."""

    def __init__(self, lab, end):
        self.lab, self.end = lab, end

    def __enter__(self):
        source = '__attribute__((section("xdp"))) int pass(void *c) { return 2; }'
        with tempfile.NamedTemporaryFile(suffix=".o") as file:
            compiler = ["clang", "-O2", "-target", "bpf", "-c", "-x", "c", "-", "-o", file.name]
            subprocess.run(compiler, input=source, text=True, check=True)
            interface = self.lab.interface(self.end)
            self.lab.ip(
                self.end, "link", "set", "dev", interface, "xdp", "obj", file.name, "sec", "xdp"
            )
        return self.lab.xdp_program(self.end)

    def __exit__(self, *_):
        self.lab.ip(self.end, "link", "set", "dev", self.lab.interface(self.end), "xdp", "off")


@row(f"{CLIENT}: a foreign XDP program is not touched", ours_only=True)
def foreign_at_client(context):
    with context.server(CLIENT), ForeignProgram(context.lab, "a") as number:
        with context.client(CLIENT, "-t", 1, *PACED) as running:
            equal(running.wait(5), 1, "exit code")
            for word in ("XDP", "veth-a", str(number)):
                require(word in running.err, f"'{word}' is not named\n{running}")
        equal(context.lab.xdp_program("a"), number, "the foreign program")


@row(f"{SERVER}: a foreign XDP program is not touched", ours_only=True)
def foreign_at_server(context):
    with context.server(SERVER) as serving:
        with ForeignProgram(context.lab, "b") as number:
            with context.client(SERVER, "-t", 1, *PACED) as running:
                equal(running.wait(5), 1, "exit code of the client")
            serving.wait_for_line("XDP", 3)
            equal(context.lab.xdp_program("b"), number, "the foreign program")
        context.serves()


@row("both stock: a foreign XDP program can be attached, this row's own tool")
def foreign_tool(context):
    with ForeignProgram(context.lab, "a") as number:
        require(number, "nothing is attached")
    equal(context.lab.xdp_program("a"), None, "XDP program")


@row(f"{CLIENT}: from start to the first datagram")
def start(context):
    with context.server(CLIENT, "-1"), Capture(context.lab, "b") as capture:
        with context.client(CLIENT, "-t", 1, *PACED) as running:
            capture.wait_for_data(10)
            took = time.monotonic() - running.started
            peak = running.memory_kb("VmHWM")
            running.succeed()
    context.note(f"first datagram after {took:.2f} s, peak of memory {peak / 1024:.0f} MB")
    between(took, 0, 5, "seconds")
    between(peak, 0, 400 * 1024, "KB resident")


@row(f"{CLIENT}: EAL's options before --", ours_only=True, eal=("-l", "0-1"))
@row(f"{CLIENT}: EAL's options before --, without huge pages", ours_only=True, eal=("-l", "0", "--no-huge", "-m", "256"))
def eal_options(context, eal):
    """The user places the pollers; memory is found without a mounted hugetlbfs."""
    words = (*eal, "--", "-c", context.lab.address("b"), "-p", PORT, "-u", "-k", 5, "-l", 100, "-J")
    with context.server(CLIENT, "-1", "-J") as serving:
        with Process(context.lab, "a", [context.our, *words]) as running:
            running.succeed()
            serving.succeed()
            equal(running.json["end"]["sum"]["packets"], 5, "datagrams")
            equal(serving.json["end"]["sum"]["lost_percent"], 0, "lost")
