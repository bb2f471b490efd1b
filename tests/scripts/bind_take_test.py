"""scripts/bind on a machine in a folder: taking and giving back, and what is said about it."""

import json
import unittest

from bind_world import ETH1, ETH2, ROUTE, BindCase, new_machine
from fake_machine import NODE


class TakeAndGiveBack(BindCase):
    def state(self, address=ETH1):
        return json.loads((self.machine.state / f"{address}.json").read_text(encoding="utf-8"))

    def test_what_was_taken_is_given_back_as_it_was(self):
        self.succeeds("take", "eth1")
        self.assertEqual(self.driver(), "vfio-pci")
        self.assertNotIn("eth1", self.machine.interfaces)
        self.assertIn("given back", self.succeeds("give-back", "eth1"))
        self.as_before()

    def test_the_state_says_what_another_program_reads(self):
        self.succeeds("take", "00:04.0")
        state = self.state()
        wanted = {
            "version": 1, "pci": ETH1, "interface": "eth1", "mac": "02:00:00:00:00:01", "mtu": 9000,
            "addresses": ["10.0.0.1/24", "fd00::1/64"], "routes": [ROUTE], "driver": "e1000e",
            "taken_driver": "vfio-pci", "phase": "taken", "numa_node": 0,
        }  # fmt: skip
        self.assertEqual({key: state[key] for key in wanted}, wanted)

    def test_taking_twice_says_so_and_changes_nothing(self):
        self.succeeds("take", "eth1")
        between, effects = self.machine.world(), self.machine.effects
        for name in ("eth1", ETH1):
            self.assertIn("already taken", self.succeeds("take", name))
        self.assertEqual((self.machine.world(), self.machine.effects), (between, effects))

    def test_give_back_of_what_was_never_taken_says_so(self):
        self.assertIn("was not taken", self.succeeds("give-back", "eth1"))
        self.assertIn("nothing was taken", self.succeeds("give-back", "--all"))
        self.as_before()

    def test_give_back_all_gives_back_all(self):
        self.succeeds("take", "eth1", "eth2")
        self.succeeds("give-back", "--all")
        self.as_before()

    def test_several_devices_share_the_pages_of_a_node(self):
        self.machine.put(f"{NODE}/nr_hugepages", "10")
        self.machine.put(f"{NODE}/free_hugepages", "10")
        self.succeeds("take", "eth1", "--hugepages", "100")
        self.succeeds("take", "eth2", "--hugepages", "100")
        self.assertEqual(self.machine.read(f"{NODE}/nr_hugepages"), "190")
        self.succeeds("give-back", "eth1")  # which had mounted hugetlbfs: eth2 still needs it
        self.assertEqual(self.machine.read(f"{NODE}/nr_hugepages"), "100")
        self.assertEqual(self.machine.hugetlbfs(), ["/dev/hugepages"])
        self.succeeds("give-back", "eth2")
        self.assertEqual(self.machine.read(f"{NODE}/nr_hugepages"), "10")
        self.assertEqual(self.machine.hugetlbfs(), [])

    def test_pages_in_use_are_not_kept_free_a_second_time(self):
        for in_use in (0, 32, 256):
            with self.subTest(in_use=in_use):
                self.machine = new_machine(self)
                for what in ("nr", "free"):
                    self.machine.put(f"{NODE}/{what}_hugepages", "300")
                self.machine.hold("/dev/null", pid=78, pages=300)  # a stranger
                self.succeeds("take", "eth1")
                self.machine.hold("/dev/vfio/7", pages=in_use)
                self.succeeds("take", "eth2")
                self.assertEqual(self.pages(), {"nr": 812, "free": 512 - in_use})

    def test_pages_that_one_program_uses_do_not_count_for_another_device(self):
        self.machine.add_nic("0000:00:06.0", "eth3", group="9", mac=3)
        self.succeeds("take", "eth1", "eth2")
        self.machine.put(f"{NODE}/nr_hugepages", "612")
        self.machine.put(f"{NODE}/free_hugepages", "612")
        self.machine.hold("/dev/vfio/7", pages=356)  # 100 more than came with eth1
        self.succeeds("take", "eth3")
        self.assertEqual(self.pages(), {"nr": 868, "free": 512})

    def test_pages_of_an_earlier_boot_are_not_promised(self):
        self.succeeds("take", "eth1")
        self.machine.reboot()
        self.succeeds("take", "eth2")
        self.assertEqual(self.pages(), {"nr": 256, "free": 256})

    def pages(self):
        return {what: int(self.machine.read(f"{NODE}/{what}_hugepages")) for what in ("nr", "free")}

    def test_no_pages_are_reserved_where_none_are_asked_for(self):
        self.succeeds("take", "eth1", "--hugepages", "0")
        self.assertEqual(self.machine.read(f"{NODE}/nr_hugepages"), "0")
        self.assertEqual(self.machine.hugetlbfs(), [])

    def test_a_mount_of_others_stays(self):
        self.machine.put("/proc/mounts", "nodev /mnt/huge hugetlbfs rw,pagesize=2M 0 0")
        before = self.machine.world()
        self.succeeds("take", "eth1")
        self.succeeds("give-back", "eth1")
        self.as_before(before=before)

    def test_a_driver_override_of_the_user_comes_back(self):
        self.machine.put(f"/sys/bus/pci/devices/{ETH1}/driver_override", "e1000e")
        before = self.machine.world()
        self.succeeds("take", "eth1")
        self.succeeds("give-back", "eth1")
        self.as_before(before=before)

    def test_after_a_reboot_give_back_restores_the_settings_and_no_pages(self):
        self.succeeds("take", "eth1")
        self.machine.reboot()
        self.machine.put(f"{NODE}/nr_hugepages", "300")  # by whoever configures this machine
        self.succeeds("give-back", "eth1")
        self.assertEqual(self.machine.interfaces["eth1"], self.before["interfaces"]["eth1"])
        self.assertEqual(self.machine.read(f"{NODE}/nr_hugepages"), "300")
        self.assertEqual(self.machine.names_in_state(), [])

    def test_after_a_reboot_take_keeps_the_settings(self):
        self.succeeds("take", "eth1")
        self.machine.reboot()
        self.succeeds("take", "eth1")
        self.assertEqual(self.driver(), "vfio-pci")
        self.assertEqual(self.state()["addresses"], ["10.0.0.1/24", "fd00::1/64"])
        self.assertEqual(self.state()["mtu"], 9000)

    def test_a_reboot_that_binds_again_gets_new_pages(self):
        self.succeeds("take", "eth1")
        self.machine.reboot()
        self.machine.write(f"/sys/bus/pci/devices/{ETH1}/driver/unbind", ETH1)
        self.machine.write(f"/sys/bus/pci/devices/{ETH1}/driver_override", "vfio-pci")
        self.machine.write("/sys/bus/pci/drivers_probe", ETH1)
        self.assertIn("already taken", self.succeeds("take", "eth1"))
        self.assertEqual(self.machine.read(f"{NODE}/nr_hugepages"), "256")
        self.succeeds("give-back", "eth1")
        self.assertEqual(self.machine.read(f"{NODE}/nr_hugepages"), "0")

    def test_a_device_without_driver_comes_back_without(self):
        self.machine.write(f"/sys/bus/pci/devices/{ETH1}/driver/unbind", ETH1)
        before = self.machine.world()
        self.succeeds("take", ETH1)
        self.assertEqual(self.state()["interface"], "")
        self.succeeds("give-back", ETH1)
        self.as_before(before=before)

    def test_mlx5_needs_no_binding(self):
        self.machine.add_nic("0000:00:06.0", "eth3", driver="mlx5_core", group="9")
        before = self.machine.world()
        self.assertIn("needs no binding", self.succeeds("take", "eth3"))
        self.as_before(before=before)

    def test_what_something_else_bound_is_left_alone(self):
        self.machine.add_nic("0000:00:06.0", "", driver="vfio-pci", group="9")
        before = self.machine.world()
        self.assertIn("not from this program", self.succeeds("take", "0000:00:06.0"))
        self.assertIn("not from this program", self.fails("give-back", "0000:00:06.0"))
        self.as_before(before=before)


class Status(BindCase):
    def test_shows_kernel_and_taken_devices(self):
        self.machine.put("/sys/bus/pci/devices/0000:00:01.0/class", "0x010000")
        self.succeeds("take", "eth2")
        lines = [line.split() for line in self.succeeds("status").splitlines()]
        self.assertEqual(lines[0][:3], ["PCI", "INTERFACE", "DRIVER"])
        self.assertEqual(
            lines[1:],
            [
                [ETH1, "eth1", "e1000e", "0", "down", "10.0.0.1/24,fd00::1/64", "kernel"],
                [ETH2, "eth2", "vfio-pci", "0", "-", "10.1.0.1/24", "taken"],
            ],
        )

    def test_names_the_process_that_uses_a_device(self):
        self.succeeds("take", "eth1")
        self.machine.hold("/dev/vfio/7")
        self.assertIn("in use: testpmd (77)", self.succeeds("status"))


if __name__ == "__main__":
    unittest.main()
