"""Comparisons of TCP: two of ours over memory, or one of ours and a stock iperf3 over veth."""

from comparisons import Comparison, Metric, hugepages
from netlab.lab import Lab
from netlab.programs import STOCK, client, server
from netlab.wires import Wire

# bbr is Linux's default on some machines; ours has cubic.
CUBIC = ("-C", "cubic")
KERNEL = "iperf3 -c HOST -t T -C cubic -P 1|2 (better of both) over veth with TSO and GSO"


def gbps(serving):
    """What the receiver has read, by its own account."""
    received = serving.json["end"]["sum_received"]
    return {"received": received["bytes"] * 8 / received["seconds"] / 1e9}


def test(lab, server_program, client_program, seconds, *flags):
    with server(lab, "b", server_program, "-1", "-J") as serving:
        with client(lab, "a", client_program, "-t", seconds, *CUBIC, *flags, "-J") as running:
            running.succeed(seconds + 30)
            serving.succeed()
            return gbps(serving) | {"retransmits": running.json["end"]["sum_sent"]["retransmits"]}


def kernel_turn(setup, metrics, mtu=1500):
    """The better of one and two streams."""
    with Lab(f"{setup.lab.name}-kernel", mtu) as lab:
        runs = [test(lab, STOCK, STOCK, setup.seconds, "-P", count) for count in (1, 2)]
    best = max(runs, key=lambda run: run["received"])
    return {name: best[name] for name in metrics}


def memory_turn(setup, wire, *flags):
    with hugepages(), wire.lab(f"{setup.lab.name}-tcp", setup.our) as lab:
        return {"received": test(lab, setup.our, setup.our, setup.seconds, *flags)["received"]}


def memif(mtu, goal, least):
    wire = Wire("memif", mtu=mtu)
    return Comparison(
        id=f"tcp-memif-{9000 if mtu > 1500 else 1500}",
        title=f"TCP over memif with an MTU of {mtu} bytes, zero-copy sender",
        ours="dpdkperf -l 1 --vdev=net_memif0,role=client,... -- -c HOST -t T -C cubic, dpdkperf -s on the other side",
        theirs=KERNEL,
        metrics=(Metric("received", "Gb/s", goal), Metric("received", "Gb/s", least, limit="at least")),
        our_turn=lambda setup: memory_turn(setup, wire),
        their_turn=lambda setup: kernel_turn(setup, ("received",)),
    )


VHOST = Wire("vhost", tso=True)


def vhost(direction, flags):
    return Comparison(
        id=f"tcp-vhost-tso{'-reverse' if flags else ''}",
        title=f"TCP over virtio-user and vhost-user with TSO, {direction}",
        ours=f"dpdkperf -l 1 --vdev=net_virtio_user0,... -- -c HOST -t T -C cubic {' '.join(flags)}".strip()
        + ", dpdkperf --vdev=net_vhost0,...,tso=1 -- -s on the other side",
        theirs=KERNEL,
        metrics=(Metric("received", "Gb/s", 2.5),),
        our_turn=lambda setup: memory_turn(setup, VHOST, *flags),
        their_turn=lambda setup: kernel_turn(setup, ("received",)),
    )


ALL = (memif(9000, 3.0, 100), memif(1500, 1.5, 45), vhost("to the host", ()), vhost("to the guest", ("-R",)))
