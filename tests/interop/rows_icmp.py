"""What routers and hosts say of packets of ours: a path that is narrower, a port where nobody listens."""

import time

from framework import BOTH, CLIENT, SERVER, between, equal, require, row
from netlab.capture import TCP, UDP
from netlab.control import FakeServer, serve_until
from netlab.forge import IcmpForger
from netlab.lab import PORT
from netlab.wires import Wire
from rows_tcp_hostile import FAR, TIMES, after
from tcp_agreement import MODES, check, halves

HOP = 1400
NARROW = Wire(hop=HOP)
UNREACHABLE, TOO_BIG, NO_PORT, NO_HOST = 3, 4, 3, 1
PORT_OF_DATA = 30000  # not one that the kernel gives to others


@row(f"{CLIENT}: TCP, a hop with an MTU of 1400", slow=True, role=CLIENT, mode="normal", ipv6=False, wire=NARROW)
@row(f"{CLIENT}: TCP, a hop with an MTU of 1400, -R", slow=True, role=CLIENT, mode="-R", ipv6=False, wire=NARROW)
@row(f"{CLIENT}: TCP, a hop with an MTU of 1400, --bidir, IPv6", slow=True, role=CLIENT, mode="--bidir", ipv6=True, wire=NARROW)
@row(f"{SERVER}: TCP, a hop with an MTU of 1400", role=SERVER, mode="normal", ipv6=False, wire=NARROW)
@row(f"{SERVER}: TCP, a hop with an MTU of 1400, -R", slow=True, role=SERVER, mode="-R", ipv6=False, wire=NARROW)
@row(f"{SERVER}: TCP, a hop with an MTU of 1400, --bidir, IPv6", slow=True, role=SERVER, mode="--bidir", ipv6=True, wire=NARROW)
@row(f"{BOTH}: TCP, a hop with an MTU of 1400, --bidir", role=BOTH, mode="--bidir", ipv6=False, wire=NARROW)
def narrow(context, role, mode, ipv6):
    arguments = ["-t", 2, "-i", "0.2", "-C", "cubic", "-P", 2, *MODES[mode]]
    client, server = context.test(role, *arguments, ipv6=ipv6, tcp=True)
    check(client, server, mode, 2)
    for document in (client, server):
        if "dpdkperf" not in document:
            continue
        for one in document["intervals"][3:]:
            for stream in (each for each in one["streams"] if each["sender"]):
                equal(stream["pmtu"], HOP, "path MTU")
                require(stream["bytes"] > 100_000, f"only {stream['bytes']} bytes in an interval")
        for sent, _ in halves(document, True):
            require(sent["retransmits"] > 0, "nothing was sent again")
        for stream in document["dpdkperf"]["streams"]:
            equal(stream["bad_icmp"], 0, "ICMP errors that were not believed")


@row(f"{CLIENT}: TCP, forged ICMP errors", slow=True, ours_only=True, role=CLIENT)
@row(f"{SERVER}: TCP, forged ICMP errors", ours_only=True, role=SERVER)
def forged(context, role):
    lab = context.lab

    def act(stranger, _):
        victim, peer = (lab.address("a" if role == CLIENT else "b"), lab.address("b" if role == CLIENT else "a"))
        ports = stranger.ports
        with IcmpForger(lab, "b" if role == CLIENT else "a") as forger:
            for _ in range(TIMES):
                stranger.look()
                time.sleep(0.003)  # our socket has room for some hundred
                for sequence, code, rest in (
                    (stranger.sent + FAR, TOO_BIG, 600),
                    (stranger.sent - FAR, TOO_BIG, 600),
                    (stranger.sent + FAR, NO_PORT, 0),
                    (stranger.sent, TOO_BIG, 68),
                ):
                    quoted = (TCP, (victim, ports[0]), (peer, ports[1]), sequence)
                    forger.send(victim, UNREACHABLE, code, rest, quoted)

    with after(context, role, act) as (ours, running):
        equal((ours.code, running.code), (0, 0), f"exit codes\n{ours}\n{running}")
        document = ours.json
    for one in document["intervals"][:-1]:
        equal(one["streams"][0]["pmtu"], 1500, "path MTU")
        equal(one["streams"][0]["retransmits"], 0, "segments sent again")
        require(one["sum"]["bytes"] > 500_000, "the test was held up")
    counters = document["dpdkperf"]["streams"][0]
    # The kernel drops some if we are slow.
    between(counters["bad_icmp"], TIMES, 4 * TIMES, "ICMP errors that were not believed")
    equal(counters["unreachable"], 0, "times unreachable")


@row(f"{CLIENT}: TCP, forged ICMP errors are counted with -V", ours_only=True, role=CLIENT)
def counted(context, role):
    lab = context.lab
    with context.server(role, "-1"):
        with context.client(role, "-t", 1, "-b", "10M", "-V", "--cport", PORT_OF_DATA, tcp=True) as running:
            with IcmpForger(lab, "b") as forger:
                quoted = (TCP, (lab.address("a"), PORT_OF_DATA), (lab.address("b"), PORT), 1)
                while running.running:
                    forger.send(lab.address("a"), UNREACHABLE, TOO_BIG, 68, quoted)
                    time.sleep(0.05)
            running.succeed(10)
            require("ICMP errors that fit nothing" in running.err, f"not counted\n{running}")


WRITE, READ = "unable to write to stream socket: ", "unable to read from stream socket: "


@row(f"{CLIENT}: UDP, the server's port is unreachable", role=CLIENT, flags=[], code=NO_PORT, says=WRITE + "Connection refused")
@row(f"{CLIENT}: UDP, the server's port is unreachable, -R", slow=True, role=CLIENT, flags=["-R"], code=NO_PORT, says=READ + "Connection refused")
@row(f"{CLIENT}: UDP, the server's host is unreachable for a moment", role=CLIENT, flags=[], code=NO_HOST, says=None)
def unreachable(context, role, flags, code, says):
    lab = context.lab
    with context.server(role, "-1") as serving:
        rate = ("-b", "1M", "-l", 1000, "-t", 2, "--cport", PORT_OF_DATA)
        with context.client(role, *rate, *flags) as running:
            time.sleep(1)
            with IcmpForger(lab, "b") as forger:
                quoted = (UDP, (lab.address("a"), PORT_OF_DATA), (lab.address("b"), PORT), 0)
                forger.send(lab.address("a"), UNREACHABLE, code, 0, quoted)
            running.wait(10)
            equal(running.code, 1 if says else 0, f"exit code\n{running}")
            require(not says or says in running.err, f"not told\n{running}")
        serving.wait(10)


@row(f"{SERVER}: UDP, the client's port is unreachable, -R")
def client_unreachable(context):
    lab = context.lab
    with context.server(SERVER, "-1") as serving:
        rate = ("-b", "1M", "-l", 1000, "-t", 2, "-R", "--cport", PORT_OF_DATA)
        with context.client(SERVER, *rate) as running:
            time.sleep(1)
            with IcmpForger(lab, "a") as forger:
                quoted = (UDP, (lab.address("b"), PORT), (lab.address("a"), PORT_OF_DATA), 0)
                forger.send(lab.address("b"), UNREACHABLE, NO_PORT, 0, quoted)
            equal(running.wait(10), 1, f"exit code of the client\n{running}")
        serving.wait(10)
        require(WRITE + "Connection refused" in serving.err, f"not told\n{serving}")


@row(f"{CLIENT}: UDP, nobody listens for the hello")
def nobody_listens(context):
    def talk(connection, udp):
        udp.close()
        serve_until("parameters", connection, None)
        connection.end()

    with FakeServer(context.lab, "b", talk):
        with context.client(CLIENT, "-t", 1) as running:
            equal(running.wait(5), 1, f"exit code\n{running}")
            require(READ + "Connection refused" in running.err, f"not told\n{running}")


@row(f"{CLIENT}: UDP, datagrams that do not fit the path", role=CLIENT, flags=[], wire=NARROW)
@row(f"{SERVER}: UDP, datagrams that do not fit the path, -R", slow=True, role=SERVER, flags=["-R"], wire=NARROW)
def too_large(context, role, flags):
    """iperf3 3.12 says so, too, but for the number."""
    with context.server(role, "-1") as serving:
        with context.client(role, "-l", 1472, "-b", "10M", "-t", 2, *flags) as running:
            equal(running.wait(10), 1, f"exit code\n{running}")
            serving.wait(10)
            ours = running if role == CLIENT else serving
            want = "Message too long: datagrams of 1472 bytes do not fit the path, at most 1372 do"
            require(WRITE + want in ours.err, f"not told\n{ours}")
    context.test(role, "-l", 1372, "-b", "10M", "-t", 1, *flags)
