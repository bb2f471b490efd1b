"""Two ends joined by a router whose way to the second is narrow."""

import subprocess

from netlab.lab import Lab


class Bottleneck(Lab):
    """Ends "a" and "b" with "r" between them, which forwards at most `rate` to b."""

    ENDS = "arb"
    WIRES = (("a", "veth-a", "10.98.0.1"), ("r", "to-a", "10.98.0.254")), (
        ("b", "veth-b", "10.99.0.2"),
        ("r", "to-b", "10.99.0.254"),
    )

    def __init__(self, name, rate, queue_ms):
        super().__init__(name)
        self._shaper = ["tbf", "rate", rate, "burst", "32kb", "latency", f"{queue_ms}ms"]

    def up(self):
        for end in self.ENDS:
            subprocess.run(["ip", "netns", "add", self.namespace(end)], check=True)
            self.ip(end, "link", "set", "dev", "lo", "up")
        for wire in self.WIRES:
            (one, name, _), (other, other_name, _) = wire
            self.ip(
                one, "link", "add", "name", name, "type", "veth",
                "peer", "name", other_name, "netns", self.namespace(other),
            )  # fmt: skip
            for end, interface, address in wire:
                # As on a wire: no frame is longer than the MTU.
                self.run(end, "ethtool", "-K", interface, "tso", "off", "gso", "off")
                self.ip(end, "address", "add", f"{address}/24", "dev", interface)
                self.ip(end, "link", "set", "dev", interface, "up")
        self.ip("a", "route", "add", "default", "via", "10.98.0.254")
        self.ip("b", "route", "add", "default", "via", "10.99.0.254")
        self.run("r", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.run("r", "tc", "qdisc", "add", "dev", "to-b", "root", *self._shaper)

    def down(self):
        for end in self.ENDS:
            subprocess.run(["ip", "netns", "del", self.namespace(end)], check=False, capture_output=True)

    @staticmethod
    def address(end, ipv6=False):
        return {"a": "10.98.0.1", "b": "10.99.0.2"}[end]
