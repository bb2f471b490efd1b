"""UDP in every mode, both roles: what the two sides report must agree."""

import agreement
from framework import BOTH, CLIENT, SERVER, between, equal, require, row
from netlab.firewall import dropping

MODES = {"normal": [], "-R": ["-R"], "--bidir": ["--bidir"]}
# Per stream, small enough for 256 streams and two slow cores.
RATE, LENGTH = 400_000, 500
FEW = ("-t", 1, "-b", RATE, "-l", LENGTH)


def run_mode(context, role, mode, count, ipv6):
    rate = RATE if count < 10 else 100_000
    arguments = ["-t", 1, "-b", rate, "-l", LENGTH, "-P", count, *MODES[mode]]
    client, server = context.test(role, *arguments, ipv6=ipv6)
    agreement.check(context, client, server, mode, LENGTH, count)
    summary = "sum_received" if mode != "--bidir" else "sum_received_bidir_reverse"
    # On a busy machine a sender may fall behind; that it keeps the rate is a row of its own.
    between(client["end"][summary]["bits_per_second"], 1, rate * count * 1.1, "bit/s")
    equal(client["start"]["test_start"]["num_streams"], count, "streams in the settings")
    peer = context.lab.address("b", ipv6)
    equal(client["start"]["connected"][0]["remote_host"], peer, "remote address")


for _role in (CLIENT, SERVER):
    for _ipv6 in (False, True):
        for _count in (1, 4):
            for _mode in MODES:
                row(
                    f"{_role}: {_mode}, -P {_count}, IPv{6 if _ipv6 else 4}",
                    slow=(_ipv6 or _count > 1) and (_mode != "--bidir" or _ipv6 != (_count > 1)), role=_role, mode=_mode, count=_count, ipv6=_ipv6,
                )(run_mode)  # fmt: skip
    for _mode in MODES:
        row(
            f"{_role}: {_mode}, -P 128",
            slow=_mode != "--bidir", role=_role, mode=_mode, count=128, ipv6=False,
        )(run_mode)  # fmt: skip
for _mode in MODES:
    row(f"{BOTH}: {_mode}, -P 4", slow=_mode != "--bidir", role=BOTH, mode=_mode, count=4, ipv6=False)(run_mode)
row(f"{BOTH}: normal, -P 1, IPv6", role=BOTH, mode="normal", count=1, ipv6=True)(run_mode)


def with_equal_names(context):
    """Two interfaces of one name, each in its own namespace, are two interfaces."""
    rename = ("ip", "link", "set", "dev")
    context.lab.run("b", *rename, "veth-b", "name", "veth-a")
    try:
        client, server = context.test(BOTH, *FEW)
        agreement.check(context, client, server, "normal", LENGTH)
    finally:
        context.lab.run("b", *rename, "veth-a", "name", "veth-b")


row(f"{BOTH}: interfaces of the same name", ours_only=True)(with_equal_names)


# 1472 = 1500 - 20 - 8, 1452 = 1500 - 40 - 8
@row(f"{CLIENT}: -l 16", role=CLIENT, length=16, ipv6=False)
@row(f"{CLIENT}: -l 1472, what the MTU holds", role=CLIENT, length=1472, ipv6=False)
@row(f"{CLIENT}: -l 1452, what the MTU holds, IPv6", slow=True, role=CLIENT, length=1452, ipv6=True)
@row(f"{SERVER}: -l 16", slow=True, role=SERVER, length=16, ipv6=False)
@row(f"{SERVER}: -l 1472, what the MTU holds", slow=True, role=SERVER, length=1472, ipv6=False)
@row(f"{SERVER}: -l 1452, what the MTU holds, IPv6", role=SERVER, length=1452, ipv6=True)
def lengths(context, role, length, ipv6):
    arguments = ("-t", 1, "-b", 500 * 8 * length, "-l", length, "--bidir")
    client, server = context.test(role, *arguments, ipv6=ipv6)
    agreement.check(context, client, server, "--bidir", length, in_flight=3)


# The control connection's MSS: 1500 - 20 - 20 - 12 (timestamps), IPv6 20 more.
@row(f"{CLIENT}: default length, IPv4", ipv6=False, length=1448)
@row(f"{CLIENT}: default length, IPv6", ipv6=True, length=1428)
def default_length(context, ipv6, length):
    client, server = context.test(CLIENT, "-t", 1, "-b", "1M", ipv6=ipv6)
    equal(server["start"]["test_start"]["blksize"], length, "block size at the server")
    agreement.check(context, client, server, "normal", length)


@row(f"{CLIENT}: default rate is 1 Mbit/s")
def default_rate(context):
    client, _ = context.test(CLIENT, "-t", 1, "-l", 500)
    agreement.check_rate(client["end"]["sum_received"], 1024 * 1024)


@row(f"{CLIENT}: 64-bit counters", role=CLIENT, flags=["--udp-counters-64bit"])
@row(f"{SERVER}: 64-bit counters", slow=True, role=SERVER, flags=["--udp-counters-64bit"])
@row(f"{CLIENT}: -w is passed on", slow=True, role=CLIENT, flags=["-w", "128K"])
@row(f"{SERVER}: -w is accepted", role=SERVER, flags=["-w", "128K"])
def flags_change_nothing(context, role, flags):
    client, server = context.test(role, *FEW, "--bidir", *flags)
    agreement.check(context, client, server, "--bidir", LENGTH)


@row(f"{CLIENT}: -b 0", role=CLIENT, flags=[])
@row(f"{CLIENT}: -b 0 -R", role=CLIENT, slow=True, flags=["-R"])
@row(f"{SERVER}: -b 0", role=SERVER, flags=[])
@row(f"{SERVER}: -b 0 -R", role=SERVER, flags=["-R"])
@row(f"{SERVER}: -b 0 --bidir -P 2", role=SERVER, flags=["--bidir", "-P", 2])
def unlimited(context, role, flags):
    """As fast as it goes: the receiver may lose, but the accounts still agree."""
    client, server = context.test(role, "-t", 1, "-b", 0, "-l", 1000, *flags)
    sending, receiving = (server, client) if "-R" in flags else (client, server)
    sent, received = sending["end"]["sum_sent"], receiving["end"]["sum_received"]
    require(sent["packets"] > 10_000, f"only {sent['packets']} datagrams sent")
    arrived = received["bytes"] // 1000
    between(arrived, 1, sent["packets"], "datagrams received")
    equal(arrived + received["lost_packets"], received["packets"], "received and lost")
    equal(client["end"]["sum_received"]["bytes"], received["bytes"], "bytes at the client")
    context.note(f"sent {sent['packets']}, received {arrived}")


@row(f"{CLIENT}: -k 100", role=CLIENT, flags=["-k", 100], expected=100)
@row(f"{CLIENT}: -n 100K", role=CLIENT, flags=["-n", "100K"], expected=103)  # 102400 / 1000
@row(f"{CLIENT}: -R -k 100", role=CLIENT, flags=["-R", "-k", 100], expected=100)
@row(f"{CLIENT}: -P 4 -k 100, over all streams", role=CLIENT, flags=["-P", 4, "-k", 100], expected=100)
@row(f"{SERVER}: -k 100", role=SERVER, flags=["-k", 100], expected=100)
@row(f"{SERVER}: -R -k 100", role=SERVER, flags=["-R", "-k", 100], expected=100)
def limits(context, role, flags, expected):
    """The client stops at the limit; a sending server some datagrams later."""
    client, server = context.test(role, "-b", "10M", "-l", 1000, "-i", "0.1", *flags)
    reverse = "-R" in flags
    counted = client["end"]["sum_received" if reverse else "sum_sent"]["packets"]
    # Stock checks after each round over all streams; a server hears of it later.
    more = 1250 * context.late_seconds if reverse else 8 if context.stock else 0
    if context.ends_with_interval(role):
        more += 250  # what passes in two intervals
    between(counted, expected, expected + more, "datagrams")
    received = (client if reverse else server)["end"]["sum_received"]["packets"]
    # A stock server drops what it has not read when the test ends; the whole lasts 80 ms.
    between(received, expected * 0.8, counted, "received")


@row(f"{CLIENT}: -O 1", role=CLIENT, flags=[])
@row(f"{CLIENT}: -O 1 -R", slow=True, role=CLIENT, flags=["-R"])
@row(f"{SERVER}: -O 1", slow=True, role=SERVER, flags=[])
@row(f"{SERVER}: -O 1 -R", slow=True, role=SERVER, flags=["-R"])
def omit(context, role, flags):
    client, server = context.test(role, *FEW, "-O", 1, "-i", "0.4", *flags)
    sums = [interval["sum"] for interval in client["intervals"]]
    # The interval that the end of omit cuts off is not reported; the clock begins anew.
    equal([one["omitted"] for one in sums[:4]], [True, True, False, False], "omitted intervals")
    between(sums[2]["end"], 0.3, 0.45, "end of the first interval that counts")
    receiving = client if flags else server
    received = receiving["end"]["sum_received"]
    agreement.check_rate(received, RATE)
    between(received["seconds"], 0.9, 1.2, "seconds")
    between(received["bytes"], RATE / 8 * 0.9, RATE / 8 * 1.1, "bytes without the omitted ones")
    equal(received["lost_packets"], 0, "lost")


@row(f"{CLIENT}: -i 0.1", role=CLIENT, interval="0.1", count=10)
@row(f"{CLIENT}: -i 0", role=CLIENT, interval="0", count=0)
@row(f"{SERVER}: -i 0.1 at the client", slow=True, role=SERVER, interval="0.1", count=10)
def intervals(context, role, interval, count):
    client, _ = context.test(role, *FEW, "-i", interval)
    found = client["intervals"]
    # Stock closes a last interval with nothing in it, or none, as its timers happen to run.
    between(len(found), count - 1 if count else 0, count + 1, "intervals")
    sums = sum(interval["sum"]["packets"] for interval in found)
    if found:
        between(client["end"]["sum_sent"]["packets"] - sums, 0, 4, "datagrams of no interval")


@row(f"{CLIENT}: --cport, -P 2", role=CLIENT, flags=[], ports=[40000, 40001])
@row(f"{CLIENT}: --cport, --bidir", role=CLIENT, flags=["--bidir"], ports=list(range(40000, 40004)))
def client_port(context, role, flags, ports):
    _, server = context.test(role, *FEW, "-P", 2, "--cport", 40000, *flags)
    equal([c["remote_port"] for c in server["start"]["connected"]], ports, "ports at the server")


@row(f"{CLIENT}: -B, a second address", second="10.99.0.11", length=24, ipv6=False)
@row(f"{CLIENT}: -B, a second address, IPv6", second="fd99::11", length=64, ipv6=True)
def bind_address(context, second, length, ipv6):
    address = (f"{second}/{length}", "dev", "veth-a", *(("nodad",) if ipv6 else ()))
    context.lab.ip("a", "address", "add", *address)
    try:
        client, server = context.test(CLIENT, *FEW, "--bidir", "-B", second, ipv6=ipv6)
        agreement.check(context, client, server, "--bidir", LENGTH)
        for connection in server["start"]["connected"]:
            equal(connection["remote_host"], second, "remote address at the server")
    finally:
        context.lab.ip("a", "address", "del", f"{second}/{length}", "dev", "veth-a")


@row(f"{CLIENT}: --bind-dev", flags=["--bind-dev", "veth-a"])
@row(f"{CLIENT}: -4", flags=["-4"])
def accepted_flags(context, flags):
    client, server = context.test(CLIENT, *FEW, "--bidir", *flags)
    agreement.check(context, client, server, "--bidir", LENGTH)


@row(f"{SERVER}: -B and --bind-dev", flags=["-B", "10.99.0.2", "--bind-dev", "veth-b"], ipv6=False)
@row(f"{SERVER}: -4", flags=["-4"], ipv6=False)
@row(f"{SERVER}: -6", flags=["-6"], ipv6=True)
def server_flags(context, flags, ipv6):
    with context.server(SERVER, "-1", "-J", *flags) as serving:
        with context.client(SERVER, *FEW, "--bidir", "-J", ipv6=ipv6) as running:
            running.succeed()
            serving.succeed()
            agreement.check(context, running.json, serving.json, "--bidir", LENGTH)


@row(f"{CLIENT}: lost datagrams are reported", role=CLIENT, slow=True, reverse=[])
@row(f"{CLIENT}: lost datagrams are reported, -R", role=CLIENT, reverse=["-R"])
@row(f"{SERVER}: lost datagrams are reported", role=SERVER, reverse=[])
@row(f"{SERVER}: lost datagrams are reported, -R", role=SERVER, slow=True, reverse=["-R"])
def loss(context, role, reverse):
    """The stock end drops every tenth datagram on its way in or out."""
    end = "b" if role == CLIENT else "a"
    leaving = bool(reverse) == (role == CLIENT)
    with dropping(context.lab, end, "udp length > 100 numgen inc mod 10 == 4", leaving):
        client, server = context.test(role, *FEW, *reverse)
    received = (client if reverse else server)["end"]["sum_received"]
    between(received["lost_percent"], 8, 12, "lost percent")
    shown = client["end"]["sum"]["lost_packets"]
    equal(shown, received["lost_packets"], "lost, at the client")
