"""What the tests of bind have in common: a machine with cards, and the command run on it."""

import contextlib
import io
import os
import tempfile
import unittest

from fake_machine import FakeMachine

from bind_lib import cli

ETH1, ETH2 = "0000:00:04.0", "0000:00:05.0"
ROUTE = {"destination": "10.9.0.0/16", "gateway": "10.0.0.254", "dev": "eth1"}


def new_machine(case, **nic):
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # thousands of small files
    folder = tempfile.TemporaryDirectory(dir=memory)
    case.addCleanup(folder.cleanup)
    machine = FakeMachine(folder.name)
    machine.add_nic(ETH1, "eth1", **nic)
    machine.add_nic(ETH2, "eth2", **{"group": "8", "mac": 2, **nic})
    addresses = ["10.0.0.1/24", "fd00::1/64"]
    machine.configure("eth1", addresses=addresses, routes=[dict(ROUTE)], mtu=9000, up=True)
    machine.configure("eth2", addresses=["10.1.0.1/24"], up=True)
    return machine


class BindCase(unittest.TestCase):
    """A machine with eth1 and eth2, which are configured."""

    def setUp(self):
        self.machine = new_machine(self)
        self.before = self.machine.world()

    def bind(self, *arguments, machine=None):
        """Runs the command; returns (exit code, standard output, standard error)."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(list(arguments), machine or self.machine)
        return code, out.getvalue(), err.getvalue()

    def succeeds(self, *arguments):
        code, out, err = self.bind(*arguments)
        self.assertEqual((code, err), (0, ""), out)
        return out

    def fails(self, *arguments):
        code, _, err = self.bind(*arguments)
        self.assertEqual(code, 1)
        return err

    def driver(self, address=ETH1):
        return self.machine.link_name(f"/sys/bus/pci/devices/{address}/driver")

    def as_before(self, machine=None, before=None):
        machine = machine or self.machine
        self.assertEqual(machine.world(), before or self.before)
        self.assertEqual(machine.names_in_state(), [])
