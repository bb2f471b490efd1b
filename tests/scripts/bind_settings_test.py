"""Settings of an interface, saved and restored by the real kernel: a veth pair in a namespace."""

import ctypes
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))
from bind_lib import ethtool, routes, settings  # noqa: E402
from bind_lib.machine import Machine  # noqa: E402

CLONE_NEWNET = 0x40000000  # linux/sched.h

# An interface as somebody may have set it up.
SET_UP = """
link set dev eth1 address 02:00:00:00:00:11 mtu 1400 txqueuelen 500
link set dev eth1 up
link set dev peer up
link add dev other type veth peer name elsewhere
link set dev elsewhere up
link set dev other up
address add 10.7.0.1/24 dev other
address add 10.0.0.1/24 brd 10.0.0.255 dev eth1
address add 10.0.0.2/24 dev eth1 label eth1:2
address add 10.5.5.1 peer 10.5.5.2/32 dev eth1
address add 10.6.0.1/24 dev eth1 noprefixroute
address add 10.8.0.1/24 dev eth1 valid_lft 5500 preferred_lft 4500
address add fd00::1/64 dev eth1 nodad
address add fd00::2/64 dev eth1
route add default via 10.0.0.254 dev eth1 metric 77
route add 10.60.0.0/16 via 10.0.0.253 dev eth1 src 10.0.0.2 mtu 1200
route add 10.61.0.0/16 via 10.99.99.99 dev eth1 onlink proto static
route add 10.62.0.0/16 dev eth1 scope link table 100
route add 10.63.0.0/16 nexthop via 10.0.0.252 dev eth1 weight 3 nexthop via 10.7.0.9 dev other weight 2
-6 route add fd61::/64 via fd00::9 dev eth1 metric 50
-6 route add default via fd00::8 dev eth1 pref high
"""
SYSCTL = {"ipv4/conf/eth1/rp_filter": "2", "ipv6/conf/eth1/accept_ra": "0"}

VLANS = """
link set dev eth1 up
link add link eth1 name eth1.5 type vlan id 5
link add link eth1.5 name inner type vlan protocol 802.1ad id 6
link set dev eth1.5 up mtu 1300 address 02:00:00:00:00:55
link set dev inner up
address add 10.50.0.1/24 dev eth1.5
address add fd50::1/64 dev inner nodad
route add 10.64.0.0/16 via 10.50.0.9 dev eth1.5
"""


def enter_namespace(descriptor=None):
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.unshare(CLONE_NEWNET) if descriptor is None else libc.setns(descriptor, CLONE_NEWNET)
    if done != 0:
        raise OSError(ctypes.get_errno(), "network namespace")


def ip(*words):
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)
    if "Unknown device type" in done.stderr:
        raise unittest.SkipTest(f"this kernel has no {words[words.index('type') + 1]}")
    if done.returncode != 0:
        raise AssertionError(f"ip {' '.join(words)}: {done.stderr}")


def set_up(text):
    for line in text.strip().splitlines():
        ip(*line.split())


class Counting(Machine):
    """Notes the commands that change something."""

    def __init__(self):
        super().__init__(state="/nonexistent")
        self.changes = []

    def run(self, *command):
        if "-j" not in command:
            self.changes.append(command)
        return super().run(*command)

    def write(self, absolute, text):
        self.changes.append((absolute, text))
        super().write(absolute, text)


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Settings(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.addCleanup(os.close, home)
        enter_namespace()
        self.addCleanup(enter_namespace, home)
        self.machine = Counting()

    def add_card(self, name):
        ip("link", "add", name, "numtxqueues", "4", "numrxqueues", "4", "type", "veth", "peer", "name",
           "peer", "numtxqueues", "4", "numrxqueues", "4")  # fmt: skip
        ip("link", "set", "dev", "peer", "up")

    def saved(self):
        found = settings.save(self.machine, "eth1")
        for one in (found, *found["vlans"]):
            for entry in one["address_details"]:
                for key in ("valid_life_time", "preferred_life_time"):  # they run
                    entry[key] = entry[key] // 1000
        found.pop("permanent_mac")  # a new veth has a new one
        return found

    def test_everything_comes_back_on_a_fresh_interface(self):
        self.add_card("eth1")
        set_up(SET_UP)
        for name, value in SYSCTL.items():
            self.machine.write(f"/proc/sys/net/{name}", value)
        ethtool.set_offloads("eth1", {"tx-tcp-segmentation": False, "rx-gro": True})
        ethtool.set_channels("eth1", {"rx": 2, "tx": 3})
        before, whole = self.saved(), settings.save(self.machine, "eth1")
        self.assertEqual(len(before["routes"]), 7)
        self.assertEqual(before["offloads"]["tx-tcp-segmentation"], False)
        self.assertEqual((before["channels"]["rx"], before["channels"]["tx"]), (2, 3))
        self.assertEqual(
            before["addresses"],
            ["10.0.0.1/24", "10.5.5.1/32", "10.6.0.1/24", "10.8.0.1/24", "10.0.0.2/24", "fd00::2/64",
             "fd00::1/64"],
        )  # fmt: skip

        ip("link", "del", "dev", "eth1")
        self.add_card("card0")  # the driver gives its own name, and defaults
        self.assertEqual(settings.restore(self.machine, "card0", whole), [])
        self.assertEqual(self.saved(), before)

    def test_vlans_come_back_with_all_of_theirs(self):
        self.add_card("eth1")
        set_up(VLANS)
        before = self.saved()
        self.assertEqual([vlan["interface"] for vlan in before["vlans"]], ["eth1.5", "inner"])
        self.assertEqual([len(vlan["routes"]) for vlan in before["vlans"]], [1, 0])
        ip("link", "del", "dev", "eth1")
        self.add_card("card0")
        self.assertEqual(settings.restore(self.machine, "card0", before), [])
        self.assertEqual(self.saved(), before)

    def test_restoring_again_changes_nothing(self):
        self.add_card("eth1")
        set_up(SET_UP)
        whole = settings.save(self.machine, "eth1")
        self.machine.changes.clear()
        self.assertEqual(settings.restore(self.machine, "eth1", whole), [])
        self.assertEqual(self.machine.changes, [])

    def test_what_cannot_be_restored_is_named(self):
        self.add_card("eth1")
        ip("link", "set", "dev", "eth1", "up")
        ip("address", "add", "10.0.0.1/24", "dev", "eth1")
        whole = settings.save(self.machine, "eth1")
        whole["routes"].append({"destination": "10.9.0.0/16", "gateway": "10.77.0.1", "family": 4})
        whole["channels"] = {"rx": 99}
        left = settings.restore(self.machine, "eth1", whole)
        self.assertEqual(len(left), 2, left)
        self.assertIn("eth1: channels: Invalid argument", left[0])
        self.assertIn("10.9.0.0/16", left[1])

    def test_an_interface_that_was_down_stays_down(self):
        self.add_card("eth1")
        ip("address", "add", "10.0.0.1/24", "dev", "eth1")
        before = self.saved()
        ip("link", "set", "dev", "eth1", "up")
        self.assertEqual(settings.restore(self.machine, "eth1", settings.save(self.machine, "eth1")), [])
        ip("link", "del", "dev", "eth1")
        self.add_card("eth1")
        self.assertEqual(settings.restore(self.machine, "eth1", before), [])
        self.assertFalse(self.saved()["up"])

    def test_default_routes_are_found(self):
        self.add_card("eth1")
        ip("link", "set", "dev", "eth1", "up")
        ip("-6", "address", "add", "fd00::1/64", "dev", "eth1", "nodad")
        self.assertEqual(routes.default_routes(self.machine, ["eth1"]), [])
        ip("-6", "route", "add", "default", "via", "fd00::9", "dev", "eth1")
        found = routes.default_routes(self.machine, ["eth1"])
        self.assertEqual([route["gateway"] for route in found], ["fd00::9"])
        self.assertEqual(routes.way_to(self.machine, "fd00::77"), "eth1")
        self.assertEqual(routes.way_to(self.machine, "10.1.2.3"), None)


if __name__ == "__main__":
    unittest.main()
