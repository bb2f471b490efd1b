"""Comparisons of TCP: two of ours over memory, or ours and a stock iperf3 over veth."""

import contextlib
import json

from bottleneck import Bottleneck
from comparisons import Comparison, Metric, hugepages
from measure import RECEIVER, kernel_path_is_clear
from netlab.lab import Failed, Lab
from netlab.programs import PORT, STOCK, Process, client, server
from netlab.wires import Wire

# bbr is Linux's default on some machines; ours has cubic.
CUBIC = ("-C", "cubic")
KERNEL = "iperf3 -c HOST -t T -C cubic -P 1|2 (better of both) over veth with TSO and GSO"
WIRE_SIZED = ("tso", "off", "gso", "off")
KERNEL_SHARE = "sender's CPU time in the kernel"
FEWEST, MOST = "retransmitted per lost", "retransmitted beyond 1.2 per lost"


def tested(lab, server_program, client_program, seconds, *flags, wrapper=()):
    """{received: Gb/s by the receiver's account, retransmits, kernel: % of the sender's CPU time}."""
    with server(lab, "b", server_program, "-1", "-J", wrapper=wrapper) as serving:
        with client(lab, "a", client_program, "-t", seconds, *CUBIC, *flags, "-J") as running:
            running.succeed(seconds + 30)
            serving.succeed()
            receiver = running if "-R" in flags else serving
            received = receiver.json["end"]["sum_received"]
            cpu = running.json["end"]["cpu_utilization_percent"]
            return {
                "received": received["bytes"] * 8 / received["seconds"] / 1e9,
                "retransmits": running.json["end"]["sum_sent"]["retransmits"],
                "kernel": cpu["host_system"] / cpu["host_total"] * 100,
            }


def better_of_one_and_two(lab, seconds, **settings):
    kernel_path_is_clear(lab)
    runs = [tested(lab, STOCK, STOCK, seconds, "-P", count, **settings) for count in (1, 2)]
    return max(runs, key=lambda run: run["received"])


def kernel_turn(setup):
    with Lab(f"{setup.lab.name}-kernel") as lab:
        rate = better_of_one_and_two(lab, setup.seconds)["received"]
    return {"received": rate, "alone": rate}


def memory_turn(setup, wire, *flags):
    with hugepages(), wire.lab(f"{setup.lab.name}-tcp", setup.our) as lab:
        rate = tested(lab, setup.our, setup.our, setup.seconds, *flags)["received"]
    return {"received": rate, "alone": rate}


def ours_over(device, flags=()):
    command = " ".join(["-c HOST -t T -C cubic", *map(str, flags)])
    return f"dpdkperf -l 1 --vdev={device} -- {command}, dpdkperf -s over the other end"


def memif(mtu, goal, least):
    wire = Wire("memif", mtu=mtu)
    return Comparison(
        id=f"tcp-memif-{mtu}",
        title=f"TCP over memif with an MTU of {mtu} bytes, zero-copy sender",
        ours=ours_over("net_memif0,role=client,zero-copy=yes,..."),
        theirs=KERNEL,
        metrics=(Metric("received", "Gb/s", goal), Metric("alone", "Gb/s", least, limit="at least")),
        our_turn=lambda setup: memory_turn(setup, wire),
        their_turn=kernel_turn,
    )


VHOST = Wire("vhost", tso=True)


def vhost(name, title, flags):
    return Comparison(
        id=name,
        title=f"TCP over virtio-user and vhost-user (tso=1) with TSO, {title}",
        ours=ours_over("net_virtio_user0,...", flags),
        theirs=KERNEL,
        metrics=(Metric("received", "Gb/s", 2.5), Metric("alone", "Gb/s")),
        our_turn=lambda setup: memory_turn(setup, VHOST, *flags),
        their_turn=kernel_turn,
    )


STREAMS = Comparison(
    id="tcp-streams",
    title="128 streams against one: TCP over memif, MTU 9000",
    ours=ours_over("net_memif0,...", ("-P", 128)),
    theirs=ours_over("net_memif0,..."),
    # A segment may cost 1.2 times as much.
    metrics=(Metric("received", "Gb/s", round(1 / 1.2, 3)),),
    our_turn=lambda setup: {"received": memory_turn(setup, JUMBO, "-P", 128)["received"]},
    their_turn=lambda setup: {"received": memory_turn(setup, JUMBO)["received"]},
)
JUMBO = Wire("memif", mtu=9000)


@contextlib.contextmanager
def wire_sized(setup):
    """A lab in which no frame is longer than the MTU, whoever sends."""
    with Lab(f"{setup.lab.name}-wire") as lab:
        for end in "ab":
            lab.run(end, "ethtool", "-K", lab.interface(end), *WIRE_SIZED)
        yield lab


def xdp_figures(run):
    return {"received": run["received"], KERNEL_SHARE: run["kernel"]}


def xdp_turn(setup):
    with wire_sized(setup) as lab:
        return xdp_figures(tested(lab, STOCK, setup.our, setup.seconds, wrapper=RECEIVER))


def wire_turn(setup):
    with wire_sized(setup) as lab:
        return xdp_figures(better_of_one_and_two(lab, setup.seconds, wrapper=RECEIVER))


XDP = Comparison(
    id="tcp-xdp",
    title="TCP over af_xdp on a veth pair into a stock iperf3 -s",
    ours="dpdkperf -c HOST -t T -C cubic",
    theirs="iperf3 -c HOST -t T -C cubic -P 1|2 (better of both), TSO and GSO off on the veth",
    # A sender that did nothing but have the kernel send would be faster by the rest at most: this
    # takes the place of a bare loop, which no peer's TCP would answer.
    metrics=(Metric("received", "Gb/s", 1.0), Metric(KERNEL_SHARE, "%", 90, limit="at least")),
    our_turn=xdp_turn,
    their_turn=wire_turn,
)


def bare_turn(setup):
    programs = setup.build_folder() / "tests/perf"
    with wire_sized(setup) as lab:
        with Process(lab, "b", [programs / "bench_sink", PORT], RECEIVER) as sinking:
            sinking.wait_for_line("listening")
            with Process(lab, "a", [programs / "bench_tcp", lab.address("b"), PORT, setup.seconds]) as running:
                running.succeed(setup.seconds + 10)
            sinking.succeed()
            return {"received": sinking.json["bytes"] * 8 / sinking.json["seconds"] / 1e9}


XDP_BARE = Comparison(
    id="tcp-xdp-bare",
    title="The same against the driver alone: a loop that writes sequence numbers and reads acknowledgments",
    ours="dpdkperf -c HOST -t T -C cubic, into iperf3 -s",
    theirs="bench_tcp HOST PORT T, into bench_sink, which reads as iperf3 -s does",
    metrics=(Metric("received", "Gb/s", 0.9),),
    our_turn=lambda setup: {"received": xdp_turn(setup)["received"]},
    their_turn=bare_turn,
)


@contextlib.contextmanager
def loses(lab, per_mille):
    """At the receiver, before its TCP: so many data segments of a thousand are dropped at random.
    Yields a function that tells how many were."""
    rules = f"""table netdev loss {{
        chain ingress {{
            type filter hook ingress device {lab.interface("b")} priority 0;
            tcp dport 5201 ip length > 1000 numgen random mod 1000 < {per_mille} counter drop
        }}
    }}"""
    lab.run("b", "sh", "-c", f"nft -f - <<'RULES'\n{rules}\nRULES")
    try:
        yield lambda: lost(lab)
    finally:
        lab.run("b", "nft", "delete", "table", "netdev", "loss")


def lost(lab):
    listed = json.loads(lab.run("b", "nft", "-j", "list", "table", "netdev", "loss"))["nftables"]
    expressions = [part for one in listed if "rule" in one for part in one["rule"]["expr"]]
    return next(part["counter"]["packets"] for part in expressions if "counter" in part)


def loss_turn(setup, program, per_mille):
    with wire_sized(setup) as lab, loses(lab, per_mille) as dropped:
        found = tested(lab, STOCK, program, setup.seconds, wrapper=RECEIVER)
        count = dropped()
    if count == 0:
        raise Failed("nothing was lost")
    retransmits = found["retransmits"]
    return {
        "received": found["received"],
        FEWEST: retransmits / count,
        MOST: max(0, retransmits - 1.2 * count - 10),
    }


def loss(per_mille):
    return Comparison(
        id=f"tcp-loss-{per_mille}",
        title=f"{per_mille / 10:g} % of the data segments are lost at random, into a stock iperf3 -s over veth",
        ours="dpdkperf -c HOST -t T -C cubic",
        theirs="iperf3 -c HOST -t T -C cubic, TSO and GSO off on the veth",
        metrics=(
            Metric("received", "Gb/s", 0.8),
            Metric(FEWEST, "", 1.0, limit="at least"),
            Metric(MOST, "segments", 0, limit="at most"),
        ),
        our_turn=lambda setup: loss_turn(setup, setup.our, per_mille),
        their_turn=lambda setup: loss_turn(setup, STOCK, per_mille),
    )


def jain(rates):
    return sum(rates) ** 2 / (len(rates) * sum(rate**2 for rate in rates))


def fair_turn(setup, program):
    """Four streams of the program and four of a stock client at the same time."""
    seconds = max(setup.seconds, 10)
    options = ("-t", seconds, "-P", 4, *CUBIC, "-J")
    with Bottleneck(f"{setup.lab.name}-fair", "400mbit", 20) as lab:
        with server(lab, "b", STOCK, "-1", "-J") as one, server(lab, "b", STOCK, "-1", "-J", port=5301) as two:
            with client(lab, "a", program, *options) as first:
                with client(lab, "a", STOCK, *options, port=5301) as second:
                    for running in (first, second, one, two):
                        running.succeed(seconds + 30)
                    documents = (one.json, two.json)
    streams = [one["receiver"] for document in documents for one in document["end"]["streams"]]
    return {"Jain index": jain([stream["bytes"] / stream["seconds"] for stream in streams])}


FAIR = Comparison(
    id="tcp-fair",
    title="Four streams of ours and four of the kernel's through one bottleneck: 400 Mb/s, 20 ms of queue",
    ours="dpdkperf -c HOST -P 4 -C cubic beside iperf3 -c HOST -P 4 -C cubic",
    theirs="iperf3 -c HOST -P 4 -C cubic beside another",
    metrics=(Metric("Jain index", "", 0.85, limit="at least"),),
    our_turn=lambda setup: fair_turn(setup, setup.our),
    their_turn=lambda setup: fair_turn(setup, STOCK),
)

ALL = (
    memif(9000, 3.0, 100),
    memif(1500, 1.5, 45),
    vhost("tcp-vhost-tso", "to the host", ()),
    vhost("tcp-vhost-tso-reverse", "to the guest", ("-R",)),
    XDP,
    XDP_BARE,
    *(loss(per_mille) for per_mille in (1, 10)),
    STREAMS,
    FAIR,
)
