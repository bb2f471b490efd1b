"""What the user can get wrong about a port that DPDK owns."""

import pathlib

from framework import BOTH, CLIENT, equal, require, row
from netlab.programs import Process
from netlab.wires import Wire
from rows_bad_options import refused

MEMIF = Wire("memif")
JUMBO = Wire("memif", mtu=9000)
IP = ("--ip", "10.99.0.1/24")


def port(context, eal, options, end="a"):
    return Process(context.lab, end, [context.our, "-l", "1", *eal, "--", "-s", *options])


MEMIF_SERVER = "--vdev=net_memif0,role=server,id=0,socket={folder}/x,socket-abstract=no"
MEMIF_CLIENT = "--vdev=net_memif0,role=client,id=0,socket={folder}/x,socket-abstract=no"
# EAL's arguments, options, and what must be named.
BAD = {
    "a driver that does not exist": (["--vdev=net_nosuch0"], IP, ["net_nosuch0"]),
    "a PCI device that does not exist": (["-a", "0000:ff:1f.7"], IP, ["0000:ff:1f.7"]),
    "no PCI address": (["-a", "eth0"], IP, ["eth0", "PCI address"]),
    "no address": ([MEMIF_SERVER], [], ["net_memif0", "--ip"]),
    "two ports": (["--vdev=net_null0", "--vdev=net_null1"], IP, ["2 ports", "net_null0", "net_null1"]),
    "a port without another end": (["--vdev=net_null0"], IP, ["net_null0", "no other end"]),
    "a memif that nobody serves": ([MEMIF_CLIENT], IP, ["net_memif0", "role=server"]),
    "an unknown memif role": ([MEMIF_SERVER.replace("server", "boss")], IP, ["boss"]),
    "a gateway that is no neighbour": (
        [MEMIF_SERVER], (*IP, "--gateway", "10.98.0.1", "--default-route"), ["--gateway", "10.98.0.1"]
    ),
    "--default-route without a gateway": ([MEMIF_SERVER], (*IP, "--default-route"), ["--default-route"]),
    "an MTU that no interface has": ([MEMIF_SERVER], (*IP, "--mtu", "70000"), ["--mtu", "70000"]),
    "an address that another interface has": (
        [MEMIF_SERVER], ("--ip", "10.77.0.1/24"), ["10.77.0.1", "spare0"]
    ),
}  # fmt: skip


def bad(context, eal, options, words):
    lab = context.lab
    eal = [one.format(folder=lab.folder) for one in eal]
    lab.ip("a", "link", "add", "spare0", "type", "veth")
    lab.ip("a", "address", "add", "10.77.0.1/24", "dev", "spare0")
    try:
        with port(context, eal, [*options, "-J"]) as running:
            equal(running.wait(15), 1, "exit code")
            # Before the options are understood there is no JSON.
            said = running.json["error"] if running.out else running.err
            for word in words:
                require(word in said, f"'{word}' is not named\n{running}")
    finally:
        lab.ip("a", "link", "del", "dev", "spare0")


for _name, (_eal, _options, _words) in BAD.items():
    row(f"bad port: {_name}", wire=MEMIF, eal=_eal, options=_options, words=_words)(bad)


@row("bad port: options of a port without a device", wire=MEMIF)
def no_device(context):
    refused(Process(context.lab, "a", [context.our, "-s", *IP]), "--ip", "no device")


def pci_devices():
    for folder in sorted(pathlib.Path("/sys/bus/pci/devices").glob("*")):
        yield folder.name, (folder / "class").read_text("ascii").startswith("0x02"), folder


@row("bad port: PCI devices that are no NIC or the kernel's", wire=MEMIF)
def pci(context):
    """Nothing is bound: all of them are refused."""
    tried = 0
    for address, network, folder in pci_devices():
        if network and (folder / "driver").exists():
            driver = (folder / "driver").resolve().name
            refused(port(context, ["-a", address], IP), address, driver)
        elif not network:
            refused(port(context, ["-a", address], IP), address, "not a network device")
        tried += 1
    context.note(f"{tried} devices of this machine")


@row("bad port: two servers of one memif", wire=MEMIF)
def two_servers(context):
    with context.server(BOTH):
        socket = f"{context.lab.folder}/memif"
        eal = [f"--vdev=net_memif0,role=server,id=0,socket={socket},socket-abstract=no"]
        refused(port(context, eal, IP), socket, "another process")
        context.serves(BOTH)


@row("bad port: a datagram that is larger than its MTU", wire=MEMIF, length=1473, limit="1472")
@row("bad port: a datagram that is larger than its large MTU", wire=JUMBO, length=8973, limit="8972")
def too_large(context, length, limit):
    with context.server(CLIENT), context.client(CLIENT, "-t", 1, "-l", length, "-J") as running:
        equal(running.wait(10), 1, "exit code")
        error = running.json["error"]
        require(str(length) in error and limit in error, str(running))
