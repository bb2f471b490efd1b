"""scripts/bind cut short: before each of its changes once, by a kill, a reboot, or a refusal."""

import unittest

from bind_world import ETH1, BindCase, new_machine
from fake_machine import NODE, UNSAFE, Killed

# Each way to take needs other changes.
WAYS = {
    "with an IOMMU": ({}, ("take", "eth1")),
    "without an IOMMU": ({"group": ""}, ("take", "eth1", "--no-iommu")),
    "two devices": ({}, ("take", "eth1", "eth2")),
    "by uio": ({"group": ""}, ("take", "eth1", "--driver", "uio_pci_generic")),
}


class CutShort(BindCase):
    def begin(self, way):
        """A fresh machine, and how it was."""
        nic, self.command = WAYS[way]
        self.machine = new_machine(self, **nic)
        self.machine.put(UNSAFE, "N")
        self.before = self.machine.world()
        self.machine.effects = 0

    def count(self, way):
        """How many changes the command makes."""
        self.begin(way)
        self.succeeds(*self.command)
        return self.machine.effects

    def killed(self, number, *command):
        self.machine.die_at = self.machine.effects + number
        with self.assertRaises(Killed):
            self.bind(*command)
        self.machine.die_at = None

    def at_each_change(self, check):
        """Calls check(number of the change), for each change of each way to take."""
        for way in WAYS:
            changes = self.count(way)
            self.assertGreater(changes, 8)
            for number in range(1, changes + 1):
                with self.subTest(way=way, change=number):
                    self.begin(way)
                    check(number)

    def test_a_kill_while_taking_then_give_back(self):
        def check(number):
            self.killed(number, *self.command)
            self.succeeds("give-back", "--all")
            self.as_before()

        self.at_each_change(check)

    def test_a_kill_while_taking_then_take_then_give_back(self):
        def check(number):
            self.killed(number, *self.command)
            self.succeeds(*self.command)
            uio = "uio_pci_generic" in self.command
            self.assertEqual(self.driver(), "uio_pci_generic" if uio else "vfio-pci")
            self.succeeds("give-back", "--all")
            self.as_before()

        self.at_each_change(check)

    def test_a_kill_while_taking_then_a_reboot_then_give_back(self):
        def check(number):
            self.killed(number, *self.command)
            had_state = f"{ETH1}.json" in self.machine.names_in_state()
            self.assertEqual(had_state, number > 1)
            self.machine.reboot()
            fresh = self.machine.world()
            self.succeeds("give-back", "--all")
            if had_state:  # then the settings are known; all else is the new boot's
                fresh["interfaces"]["eth1"] = self.before["interfaces"]["eth1"]
            fresh["interfaces"].pop("eth2")
            now = self.machine.world()
            now["interfaces"].pop("eth2")
            self.assertEqual(now, fresh)
            self.assertEqual(self.machine.names_in_state(), [])

        self.at_each_change(check)

    def test_a_kill_while_giving_back_then_give_back(self):
        for way in WAYS:
            self.begin(way)
            self.succeeds(*self.command)
            taken = self.machine.effects
            self.succeeds("give-back", "--all")
            changes = self.machine.effects - taken
            self.assertGreater(changes, 8)
            for number in range(1, changes + 1):
                with self.subTest(way=way, change=number):
                    self.begin(way)
                    self.succeeds(*self.command)
                    self.killed(number, "give-back", "--all")
                    self.succeeds("give-back", "--all")
                    self.as_before()

    def test_a_change_that_is_refused_leaves_nothing_half_bound(self):
        def check(number):
            self.machine.fail_at = number
            code, out, err = self.bind(*self.command)
            if code:  # a refused hint of drivers_probe alone is no failure
                self.assertIn("refused by the test", err + out)
                self.as_before()

        self.at_each_change(check)

    def test_a_kill_does_not_take_away_pages_of_others(self):
        for number in range(1, self.count("with an IOMMU") + 1):
            with self.subTest(change=number):
                self.begin("with an IOMMU")
                self.machine.put(f"{NODE}/nr_hugepages", "100")
                self.machine.put(f"{NODE}/free_hugepages", "100")
                self.killed(number, *self.command)
                self.succeeds("give-back", "--all")
                self.assertEqual(self.machine.read(f"{NODE}/nr_hugepages"), "100")

    def test_the_half_taken_are_shown(self):
        self.begin("with an IOMMU")
        self.killed(3, "take", "eth1")
        self.assertIn("half taken: give it back", self.succeeds("status"))

    def test_ctrl_c_rolls_back(self):
        def interrupt(*_):
            raise KeyboardInterrupt

        self.machine.mount_hugetlbfs = interrupt
        self.assertIn("interrupted", self.fails("take", "eth1"))
        self.as_before()
        self.assertEqual(self.driver(ETH1), "e1000e")


if __name__ == "__main__":
    unittest.main()
