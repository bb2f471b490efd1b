"""--dry-run prints what DPDK is told about a port: an interface is left alone, a port of our own checks itself."""

from framework import equal, require, row
from netlab.programs import Process
from netlab.wires import VETH, Wire

FACTS = ("driver", "queue pairs", "descriptors", "buffers", "checksums in", "pollers: 1")


def shown(running):
    running.succeed()
    for fact in FACTS:
        require(fact in running.out, f"'{fact}' is not shown\n{running}")


@row("--dry-run: the interface that a client would use", wire=VETH, options=("-c", "{peer}", "-u"))
@row("--dry-run: the interface of a server's address", wire=VETH, options=("-s", "-B", "{own}"))
def interface(context, options):
    lab = context.lab
    words = [one.format(peer=lab.address("b"), own=lab.address("a")) for one in options]
    with Process(lab, "a", [context.our, *words, "--dry-run"]) as running:
        shown(running)
        require("port veth-a" in running.out and "net_af_xdp" in running.out, str(running))
    equal(lab.xdp_program("a"), None, "XDP program")


@row("--dry-run: a port of our own", wire=Wire("memif"))
def own(context):
    device = f"--vdev=net_memif0,role=server,socket={context.lab.folder}/x,socket-abstract=no"
    words = ["-l", "1", device, "--", "-s", "--ip", "10.99.0.1/24", "--dry-run"]
    with Process(context.lab, "a", [context.our, *words]) as running:
        shown(running)
        require("self check" in running.out and "the driver takes" in running.out, str(running))
        require("port net_memif0" in running.out and "10.99.0.1/24" in running.out, str(running))
