"""What scripts/bind does not do: each refusal names thing, value and the next command."""

import errno
import os
import unittest
from unittest import mock

from bind_world import ETH1, ETH2, BindCase
from fake_machine import NODE, UNSAFE

from bind_lib.problem import Problem


def socket_line(local, peer, state="01"):
    return f"   0: {local} {peer} {state} 00000000:00000000 00:00000000 00000000 0 0 1 1"


class RefusalCase(BindCase):
    """Without an ssh session of its own."""

    def setUp(self):
        super().setUp()
        patch = mock.patch.dict(os.environ)
        patch.start()
        self.addCleanup(patch.stop)
        os.environ.pop("SSH_CONNECTION", None)

    def refused(self, *arguments, words=()):
        """Refused with these words, a next command, and nothing changed."""
        before, states = self.machine.world(), self.machine.names_in_state()
        err = self.fails(*arguments)
        for word in (*words, "next: "):
            self.assertIn(word, err)
        self.assertEqual(self.machine.world(), before)
        self.assertEqual(self.machine.names_in_state(), states)


class Refusals(RefusalCase):
    def test_names(self):
        self.machine.add_nic("0000:00:06.0", "", driver="nvme", kind="0x010802", group="9")
        self.machine.path("/sys/class/net/veth0").mkdir()
        cases = [
            ("0000:00:1f.0", ["0000:00:1f.0", "no such PCI device"]),
            ("00:1f.0", ["0000:00:1f.0", "no such PCI device"]),
            ("eht1", ["eht1", "did you mean eth1", "status"]),
            ("wlan7", ["wlan7", "there is no such interface\n"]),
            ("0000:00:06.0", ["0000:00:06.0", "no network device", "class 01"]),
            ("veth0", ["veth0", "is no PCI device"]),
        ]
        for name, words in cases:
            with self.subTest(name=name):
                self.refused("take", name, words=words)
        self.refused("give-back", "eht1", words=["did you mean eth1"])
        self.refused("give-back", words=["name devices, or say --all"])
        self.refused("take", "eth2", "eht1", words=["did you mean eth1"])  # none rather than one

    def test_the_default_route(self):
        route = {"destination": "default", "gateway": "10.0.0.254", "dev": "eth1"}
        self.machine.configure("eth1", routes=[route])
        words = ["eth1", "default route through 10.0.0.254", "take eth1 --force"]
        self.refused("take", "eth1", words=words)
        self.refused("take", "eth2", "eth1", words=words)
        self.succeeds("take", "eth1", "--force")
        self.succeeds("give-back", "eth1")
        self.assertEqual(self.machine.interfaces["eth1"]["routes"], [route])

    def test_the_default_route_on_a_vlan(self):
        vlan = {"ifname": "eth1.5", "link": "eth1", "linkinfo": {"info_kind": "vlan"}}
        route = {"destination": "default", "gateway": "10.5.0.254", "dev": "eth1.5"}
        self.machine.configure("eth1", upper=[vlan])
        self.machine.interfaces["eth1.5"] = {"addresses": [], "routes": [route], "interface": "eth1.5"}
        self.refused("take", "eth1", words=["10.5.0.254", "--force"])

    def test_an_ssh_session(self):
        heading = "  sl  local_address rem_address   st"
        # 10.0.0.1:22 and 10.0.0.9:4660; the same in IPv6's clothes; fd00::1 and fd00::9
        own, mapped = "0100000A:0016", "0000000000000000FFFF00000100000A:0016"
        six = "000000FD" + "0" * 16 + "01000000"
        cases = [
            ("tcp", socket_line(own, "0900000A:1234"), "10.0.0.9 to 10.0.0.1"),
            ("tcp6", socket_line(mapped, "0000000000000000FFFF00000900000A:1234"), "10.0.0.9 to 10.0.0.1"),
            ("tcp6", socket_line(f"{six}:0016", f"{six[:-8]}09000000:1234"), "fd00::9 to fd00::1"),
        ]
        for table, line, words in cases:
            with self.subTest(table=table, line=line):
                self.machine.put(f"/proc/net/{table}", f"{heading}\n{line}")
                self.refused("take", "eth1", words=["eth1", f"ssh session from {words}", "--force"])
                self.machine.path(f"/proc/net/{table}").unlink()
        for line in (
            socket_line("0100000A:0016", "00000000:0000", "0A"),  # listening
            socket_line("0100000A:0050", "0900000A:1234"),  # another service
            socket_line("0200000A:0016", "0900000A:1234"),  # another address
        ):
            with self.subTest(line=line):
                self.machine.put("/proc/net/tcp", f"{heading}\n{line}")
                self.succeeds("take", "eth1")
                self.succeeds("give-back", "eth1")

    def test_the_session_we_run_in_whatever_its_port(self):
        os.environ["SSH_CONNECTION"] = "10.0.0.9 4660 10.0.0.1 2222"
        self.refused("take", "eth1", words=["ssh session from 10.0.0.9 to 10.0.0.1"])
        # An address of another interface, reached through this one.
        os.environ["SSH_CONNECTION"] = "10.44.0.9 4660 10.1.0.1 2222"
        self.machine.configure("eth1", ways=["10.44.0.9"])
        self.refused("take", "eth1", words=["ssh session from 10.44.0.9"])

    def test_an_interface_that_others_need(self):
        vlan = {"ifname": "eth1.5", "link": "eth1", "linkinfo": {"info_kind": "vlan"}}
        above = {"ifname": "mac0", "link": "eth1.5", "linkinfo": {"info_kind": "macvlan"}}
        cases = [
            ({"link": {"master": "bond0"}}, ["eth1", "port of bond0", "nomaster"]),
            ({"link": {"xdp": {"prog": {"id": 3, "name": "steer"}}}}, ["in use", "steer", "xdp off"]),
            ({"upper": [vlan, above]}, ["mac0 (macvlan)", "ip link del dev mac0"]),
        ]
        self.machine.interfaces["eth1.5"] = {"addresses": [], "routes": [], "interface": "eth1.5"}
        self.machine.interfaces["mac0"] = {"addresses": [], "routes": [], "interface": "mac0"}
        for settings, words in cases:
            with self.subTest(words=words):
                self.machine.configure("eth1", **settings)
                self.refused("take", "eth1", words=words)
                for key in settings:
                    del self.machine.interfaces["eth1"][key]

    def test_virtual_functions(self):
        self.machine.put(f"/sys/bus/pci/devices/{ETH1}/sriov_numvfs", "4")
        self.refused("take", "eth1", words=["4 virtual functions", "sriov_numvfs"])

    def test_an_interface_out_of_sight(self):
        self.machine.path(f"/sys/bus/pci/devices/{ETH1}/net/eth1/device").unlink()
        self.machine.path(f"/sys/bus/pci/devices/{ETH1}/net/eth1").rmdir()
        self.refused("take", ETH1, words=["e1000e", "network namespace"])

    def test_no_iommu(self):
        self.machine.add_nic("0000:00:06.0", "eth3", group="", mac=3)
        self.refused("take", "eth3", words=["0000:00:06.0", "no IOMMU", "take eth3 --no-iommu"])
        words = ["VFIO_NOIOMMU", "take eth3 --driver uio_pci_generic"]
        self.refused("take", "eth3", "--no-iommu", words=words)  # no such parameter
        self.machine.put(UNSAFE, "N")
        out = self.succeeds("take", "eth3", "--no-iommu")
        self.assertIn("WARNING", out)
        self.assertEqual(self.machine.read(UNSAFE), "1")
        self.succeeds("give-back", "eth3")
        self.assertEqual(self.machine.read(UNSAFE), "N")

    def test_where_there_is_an_iommu_it_is_used(self):
        self.machine.put(UNSAFE, "N")
        self.assertNotIn("WARNING", self.succeeds("take", "eth1", "--no-iommu"))
        self.assertEqual(self.machine.read(UNSAFE), "N")

    def test_uio_behind_an_iommu(self):
        self.machine.put("/sys/kernel/iommu_groups/7/type", "DMA-FQ")
        words = ["IOMMU is on", "uio_pci_generic", "take eth1"]
        self.refused("take", "eth1", "--driver", "uio_pci_generic", words=words)

    def test_a_driver_that_is_not_there(self):
        self.machine.no_modules.add("igb_uio")
        self.machine.add_nic("0000:00:06.0", "eth3", group="", mac=3)
        words = ["igb_uio", "not found", "modprobe"]
        self.refused("take", "eth3", "--driver", "igb_uio", words=words)

    def test_a_group_with_a_stranger_in_it(self):
        self.machine.add_nic("0000:00:06.0", "eth3", group="7", mac=3)
        words = ["group 7", "0000:00:06.0", f"take {ETH1} 0000:00:06.0"]
        self.refused("take", "eth1", words=words)
        self.succeeds("take", "eth1", "eth3")

    def test_a_busy_group(self):
        self.machine.add_nic("0000:00:06.0", "eth3", group="7", mac=3)
        self.succeeds("take", "eth1", "eth3")
        self.succeeds("give-back", "eth1")
        self.machine.hold("/dev/vfio/7")
        self.refused("take", "eth1", words=["group 7", "process 77 (testpmd)", "kill 77"])

    def test_a_device_in_use_is_not_given_back(self):
        self.succeeds("take", "eth1", "eth2")
        self.machine.hold("/dev/vfio/7")
        self.refused("give-back", "eth1", words=[ETH1, "process 77 (testpmd)", "kill 77"])
        self.fails("give-back", "--all")  # eth2 comes back all the same
        self.assertEqual(self.driver(ETH2), "e1000e")
        self.assertEqual(self.driver(ETH1), "vfio-pci")

    def test_one_that_fails_does_not_keep_the_others(self):
        restore = self.machine.restore_settings

        def broken(interface, saved):
            if interface == "eth1":
                raise failure
            return restore(interface, saved)

        for failure in (OSError(errno.EIO, "broken by the test"), Problem("broken by the test")):
            with self.subTest(failure=failure):
                self.succeeds("take", "eth1", "eth2")
                self.machine.restore_settings = broken
                err = self.fails("give-back", "--all")
                self.assertIn("broken by the test", err)
                self.assertNotIn("next:", err)  # nobody knows
                self.assertEqual(self.machine.names_in_state(), [f"{ETH1}.json"])
                self.assertEqual(self.driver(ETH2), "e1000e")
                self.machine.restore_settings = restore
                self.succeeds("give-back", "--all")
                self.as_before()

    def test_two_that_had_the_same_name(self):
        self.succeeds("take", "eth1")
        self.machine.comes_as(ETH2, "eth1")
        self.succeeds("take", "eth1")
        self.machine.comes_as(ETH2, "eth9")
        for action in ("take", "give-back"):
            self.refused(action, "eth1", words=["eth1: 2 taken devices", f"{ETH1}, {ETH2}", "status"])
        self.succeeds("give-back", "--all")
        self.assertEqual((self.driver(ETH1), self.driver(ETH2)), ("e1000e", "e1000e"))
        self.assertEqual(self.machine.names_in_state(), [])

    def test_hugepages_that_cannot_be_had(self):
        self.machine.free_pages = 100
        words = ["node 0", "256", "100 to be had", "--hugepages 100"]
        self.refused("take", "eth1", words=words)
        self.assertEqual(self.machine.read(f"{NODE}/nr_hugepages"), "0")


class StateFiles(RefusalCase):
    """States that do not fit any more."""

    def spoil(self, old, new):
        path = self.machine.state / f"{ETH1}.json"
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new), encoding="utf-8")

    def test_a_file_that_is_no_state(self):
        cases = [
            ("{", "{{", ["is no JSON"]),
            ('"version": 1', '"version": 2', ["version 2"]),
            ('"addresses": [', '"addresses_": [', ["'addresses' is missing"]),
            (f'"pci": "{ETH1}"', f'"pci": "{ETH2}"', [f"is the state of {ETH2}"]),
        ]
        for old, new, words in cases:
            with self.subTest(words=words):
                self.succeeds("take", "eth1")
                self.spoil(old, new)
                for action in ("take", "give-back"):
                    self.refused(action, ETH1, words=[*words, f"{ETH1}.json", "rm "])
                self.spoil(new, old)
                self.succeeds("give-back", "eth1")

    def test_another_card_in_the_slot(self):
        self.succeeds("take", "eth1")
        self.machine.put(f"/sys/bus/pci/devices/{ETH1}/device", "0x1017")
        for action in ("take", "give-back"):
            words = [ETH1, "8086:10d3 then, 8086:1017 now", "rm "]
            self.refused(action, ETH1, words=words)

    def test_another_card_of_the_same_model(self):
        self.succeeds("take", "eth1")
        self.machine.natural[ETH1][2]["permanent_mac"] = "02:00:00:00:00:77"
        err = self.fails("give-back", "eth1")
        self.assertIn("MAC 02:00:00:00:00:01 then, 02:00:00:00:00:77 now", err)
        self.assertEqual(self.machine.interfaces["eth1"]["addresses"], [])

    def test_no_card_in_the_slot(self):
        self.succeeds("take", "eth1")
        self.machine.natural.pop(ETH1)
        folder = self.machine.path(f"/sys/bus/pci/devices/{ETH1}")
        folder.rename(self.machine.path("/removed"))
        self.refused("give-back", ETH1, words=[ETH1, "is gone", "rm "])
        self.refused("take", ETH1, words=[ETH1, "no such PCI device"])
        self.assertIn("gone; state kept", self.succeeds("status"))

    def test_settings_that_could_not_be_restored_are_named_and_kept(self):
        self.succeeds("take", "eth1")
        restore = self.machine.restore_settings
        self.machine.restore_settings = lambda *_: ["eth1: ring: Invalid argument"]
        err = self.fails("give-back", "eth1")
        self.assertIn("eth1: ring: Invalid argument", err)
        self.assertIn("give-back eth1 again", err)
        self.machine.restore_settings = restore
        self.succeeds("give-back", "eth1")
        self.as_before()


if __name__ == "__main__":
    unittest.main()
