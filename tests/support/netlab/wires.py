"""Wires between the ends of a lab: veth, or shared memory between two ports that DPDK owns."""

import pathlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from .lab import Lab
from .programs import is_stock, server

# Main wherever there is room, two pollers on a CPU each.
TWO_POLLERS = "--lcores=0@(0,1),1@0,2@1"
# The control port of a bridge, out of the way of the tests'.
BRIDGE_PORT = 5999


# Lab.late_seconds where there is a poller on every CPU, and the rest has to share them.
BUSY_SECONDS = 0.3


@dataclass(frozen=True)
class Wire:
    """How the ends of a lab are joined, and with how many pollers our programs run there."""

    kind: str = "veth"  # or "memif", "vhost"
    mtu: int = 1500
    pollers: int = 1  # with a queue each
    tso: bool = False  # vhost: segments of up to 64 KB pass
    hop: int = 0  # veth: a router in between, whose way on is of this MTU; 0: none

    def lab(self, name, our):
        if self.hop:
            return RoutedLab(name, self)
        if self.kind == "veth":
            return VethLab(name, self)
        return TwinLab(name, self, our)


VETH = Wire()


class VethLab(Lab):
    """The interfaces are the kernel's; ours finds them by the route."""

    def __init__(self, name, wire):
        super().__init__(name, wire.mtu, queues=wire.pollers)
        self._hop = wire.hop
        self._eal = [TWO_POLLERS, "--"] if wire.pollers == 2 else []
        if wire.pollers == 2:
            self.late_seconds = BUSY_SECONDS

    def words(self, end, program):
        return [program] if is_stock(program) else [program, *self._eal]


class RoutedLab(VethLab):
    """Ends in networks of their own, and a router with a narrow way between them.

    The router's interfaces are as wide as the ends', so that they take what is too large and say so.
    """

    def up(self):
        super().up()
        if self.router in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout:
            return
        subprocess.run(["ip", "netns", "add", self.router], check=True)
        self._at_router("sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        self.ip("a", "link", "del", "dev", "veth-a")
        for end in "ab":
            self._connect(end)

    def _connect(self, end):
        interface = self.interface(end)
        self.ip(end, "link", "add", interface, "type", "veth", "peer", "name", f"to-{end}", "netns", self.router)
        for where, name in ((self._at_router, f"to-{end}"), (lambda *words: self.run(end, *words), interface)):
            where("sysctl", "-q", "-w", f"net.ipv6.conf.{name}.accept_dad=0")
            where("ip", "link", "set", "dev", name, "up")
        for ipv6, length, router in ((False, 24, self._router_address(end)), (True, 64, self._router_address(end, True))):
            self.ip(end, "address", "add", f"{self.address(end, ipv6)}/{length}", "dev", interface)
            self.ip(end, "route", "add", "default", "via", router)
            # Not the route that comes with an address: this one has an MTU of its own.
            self._at_router("ip", "address", "add", f"{router}/{length}", "dev", f"to-{end}", "noprefixroute")
            network = self._network(end, ipv6)
            self._at_router("ip", "route", "add", network, "dev", f"to-{end}", "mtu", "lock", str(self._hop))

    def down(self):
        super().down()
        subprocess.run(["ip", "netns", "del", self.router], check=False, stderr=subprocess.DEVNULL)

    def rest(self):
        """Forgets what the ends' kernels have learned of the path; a server would offer an MSS that fits."""
        super().rest()
        for end in "ab":
            self.ip(end, "route", "flush", "cache")
            self.ip(end, "-6", "route", "flush", "cache")

    @property
    def router(self):
        return f"{self.name}-router"

    def _at_router(self, *words):
        subprocess.run(["ip", "netns", "exec", self.router, *words], check=True)

    @staticmethod
    def _network(end, ipv6):
        place = {"a": 99, "b": 98}[end]
        return f"fd{place}::/64" if ipv6 else f"10.{place}.0.0/24"

    @staticmethod
    def _router_address(end, ipv6=False):
        place = {"a": 99, "b": 98}[end]
        return f"fd{place}::fe" if ipv6 else f"10.{place}.0.254"

    @staticmethod
    def address(end, ipv6=False):
        place, host = {"a": (99, 1), "b": (98, 2)}[end]
        return f"fd{place}::{host}" if ipv6 else f"10.{place}.0.{host}"


class TwinLab(Lab):
    """Two namespaces without a cable: ours brings port and kernel twin along.

    The end where a program of ours starts first serves the socket, for the rest of the row. A stock
    program talks through the twin of an idle server of ours at its end, the bridge. It is started
    when a stock program is, and ends with the row.
    """

    late_seconds = BUSY_SECONDS

    def __init__(self, name, wire, our):
        super().__init__(name)
        self._wire, self._our = wire, our
        self._bridges = {}
        self._serving = None  # the end that serves the socket
        self.folder = None  # of the sockets

    def up(self):
        self.folder = tempfile.mkdtemp(prefix="dpdkperf-wire-")
        for end in "ab":
            subprocess.run(["ip", "netns", "add", self.namespace(end)], check=True)
            self.ip(end, "link", "set", "dev", "lo", "up")

    def down(self):
        self.rest()
        super().down()
        if self.folder:
            shutil.rmtree(self.folder)
            self.folder = None

    @staticmethod
    def interface(end):
        return "dpdkperf0"

    def files(self):
        return {str(path) for path in pathlib.Path(self.folder).iterdir()}

    def device(self, end):
        """What EAL is told about the port at `end`."""
        self._serving = self._serving or end
        serves = self._serving == end
        socket = f"{self.folder}/{self._wire.kind}"
        if self._wire.kind == "memif":
            role = "role=server" if serves else "role=client,zero-copy=yes"
            jumbo = ",bsize=9600" if self._wire.mtu > 1500 else ""
            return f"net_memif0,{role},id=0,socket={socket},socket-abstract=no,rsize=8{jumbo}"
        if serves:
            large = ",tso=1" if self._wire.tso else ""
            return f"net_vhost0,iface={socket},queues={self._wire.pollers}{large}"
        queues = f"queues={self._wire.pollers},queue_size=256,mrg_rxbuf=1"
        return f"net_virtio_user0,path={socket},{queues}"

    def cores(self, end):
        if self._wire.pollers == 2:
            return [TWO_POLLERS]
        return ["-l", "0" if end == "b" else "1"]

    def port_options(self, end):
        large = ["--mtu", self._wire.mtu] if self._wire.mtu != 1500 else []
        v4, v6 = (f"{self.address(end, ipv6)}/{64 if ipv6 else 24}" for ipv6 in (False, True))
        return ["--ip", v4, "--ip", v6, *large]

    def words(self, end, program):
        if is_stock(program):
            self.bridge(end)
            return [program]
        device = f"--vdev={self.device(end)}"
        return [program, *self.cores(end), device, "--", *self.port_options(end)]

    def bridge(self, end):
        """The idle server of ours at `end`."""
        if end not in self._bridges:
            self._bridges[end] = server(self, end, self._our, port=BRIDGE_PORT)
        return self._bridges[end]

    def interface_of_stock(self, end):
        self.bridge(end)
        return self.interface(end)

    def rest(self):
        """Ends what a row has left running on purpose."""
        self._serving = None
        for end in list(self._bridges):
            with self._bridges.pop(end) as bridge:
                if bridge.running:
                    bridge.terminate()
