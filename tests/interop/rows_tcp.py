"""TCP in every mode, both roles: what the two sides report must agree."""

from framework import BOTH, CLIENT, SERVER, between, equal, require, row
from netlab.wires import Wire
from tcp_agreement import MODES, check

MEMIF = Wire("memif")
VHOST = Wire("vhost")
JUMBO = Wire("memif", mtu=9000)


def run_mode(context, role, mode, count, flags, ipv6):
    arguments = ["-t", 1, "-C", "cubic", "-P", count, *MODES[mode], *flags]
    client, server = context.test(role, *arguments, seconds=30, ipv6=ipv6, tcp=True)
    check(client, server, mode, count)


def modes(name, role, count, wire=None, flags=(), ipv6=False, slow=False, basic=False):
    """Of what is not basic, --bidir stands for both directions when time is short."""
    more = {"wire": wire} if wire else {}
    for mode in MODES:
        row(
            f"{name}{role}: TCP, {mode}, -P {count}{''.join(f' {flag}' for flag in flags)}"
            f"{', IPv6' if ipv6 else ''}",
            slow=slow or (mode != "--bidir" and not basic), role=role, mode=mode, count=count,
            flags=flags, ipv6=ipv6, **more,
        )(run_mode)  # fmt: skip


for _role in (CLIENT, SERVER):
    modes("", _role, 1, basic=True)
    modes("", _role, 4, ipv6=True)
    modes("", _role, 16, slow=True)
    modes("memif, ", _role, 2, wire=MEMIF, slow=True)
modes("", BOTH, 2)
modes("", CLIENT, 128, flags=("-b", "1M"))
modes("", SERVER, 128, flags=("-b", "1M"))
modes("memif, ", BOTH, 1, wire=MEMIF)
modes("memif, ", BOTH, 16, wire=MEMIF, ipv6=True)
modes("memif, MTU 9000, ", BOTH, 1, wire=JUMBO)
modes("memif, two pollers, ", BOTH, 4, wire=Wire("memif", pollers=2))
modes("vhost, ", BOTH, 1, wire=VHOST)
modes("vhost, TSO, ", BOTH, 2, wire=Wire("vhost", tso=True))
for _flags in (("-M", 900), ("-w", "256K"), ("-N", "-l", "10K"), ("-C", "reno")):
    for _role in (CLIENT, SERVER):
        row(
            f"{_role}: TCP, {' '.join(str(one) for one in _flags)}",
            slow=_role == SERVER and _flags[0] != "-N",
            role=_role, mode="--bidir", count=1, flags=_flags, ipv6=False,
        )(run_mode)  # fmt: skip


@row(f"{CLIENT}: TCP, -n 20M", role=CLIENT, flags=["-n", "20M"], expected=20 << 20)
@row(f"{CLIENT}: TCP, -k 100", role=CLIENT, flags=["-k", 100], expected=100 * 128 * 1024)
@row(f"{BOTH}: TCP, -n 20M", role=BOTH, flags=["-n", "20M"], expected=20 << 20)
def limits(context, role, flags, expected):
    """Of stock iperf3, the client looks at its limit after up to ten blocks and counts what its socket has
    taken, and the server drops what it has not read when the test ends."""
    client, server = context.test(role, *flags, tcp=True)
    check(client, server, "normal", 1)
    sent, received = client["end"]["sum_sent"]["bytes"], server["end"]["sum_received"]["bytes"]
    more, least = {BOTH: (0, 1), CLIENT: (0, 0.9), SERVER: (10 * 128 * 1024, 0.5)}[role]
    between(sent, expected, expected + more, "bytes sent")
    between(received, least * expected, sent, "bytes received")


@row(f"{CLIENT}: TCP, -b 100M", role=CLIENT, flags=[])
@row(f"{SERVER}: TCP, -b 100M -R", slow=True, role=SERVER, flags=["-R"])
def rate(context, role, flags):
    client, server = context.test(role, "-t", 2, "-b", "100M", *flags, tcp=True)
    check(client, server, "-R" if flags else "normal", 1)
    between(client["end"]["sum_received"]["bits_per_second"], 85e6, 107e6, "bit/s")


@row(f"{CLIENT}: TCP, columns of a sender", role=CLIENT, flags=[], some=["Retr  Cwnd", "KBytes       "])
@row(f"{CLIENT}: TCP, columns of a receiver", role=CLIENT, flags=["-R"], some=["Bitrate\n", "Retr\n"])
def columns(context, role, flags, some):
    with context.server(role):
        with context.client(role, "-t", 1, "-b", "50M", *flags, tcp=True) as running:
            running.succeed(15)
            for one in some:
                require(one in running.out, f"'{one}' is not there\n{running}")


@row(f"{CLIENT}: TCP, tests one after another", role=CLIENT)
@row(f"{SERVER}: TCP, tests one after another", slow=True, role=SERVER)
def again(context, role):
    with context.server(role):
        for flags, tcp in (([], True), (["-R"], True), ([], False), ([], True)):
            with context.client(role, "-t", 1, "-b", "10M", *flags, tcp=tcp) as running:
                running.succeed(15)
