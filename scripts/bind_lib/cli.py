"""The command line of scripts/bind."""

import argparse
import os
import signal

from . import pci, state as states
from .give_back import give_back
from .machine import Machine
from .problem import Problem, explain
from .status import show
from .take import take

PAGES = 256  # 512 MB: one test with 128 streams on a 9000-byte MTU


def _number(text):
    if not text.isdigit() or int(text) > 1 << 20:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of pages from 0 to {1 << 20}")
    return int(text)


def parser():
    top = argparse.ArgumentParser(
        prog="scripts/bind",
        description="Takes network cards from the kernel for DPDK, and gives them back as they were.",
    )
    actions = top.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("status", help="a table of this machine's network cards")
    one = actions.add_parser("take", help="bind to vfio-pci; settings are saved first")
    one.add_argument("names", nargs="+", metavar="IF-or-PCI")
    one.add_argument("--driver", choices=pci.USERSPACE, default="vfio-pci", help="default: vfio-pci")
    one.add_argument("--no-iommu", action="store_true", help="unsafe: vfio-pci without an IOMMU")
    one.add_argument("--force", action="store_true", help="also with default route or ssh session")
    one.add_argument(
        "--hugepages", type=_number, default=PAGES, metavar="N",
        help=f"free 2 MB pages to see to on the card's node (default {PAGES}; 0: none)",
    )  # fmt: skip
    other = actions.add_parser("give-back", help="restore driver and settings")
    other.add_argument("names", nargs="*", metavar="IF-or-PCI")
    other.add_argument("--all", action="store_true", help="everything that was taken")
    return top


def main(arguments=None, machine=None):
    wanted = parser().parse_args(arguments)
    machine = machine or Machine()
    for number in (signal.SIGTERM, signal.SIGHUP):  # so that half a take is rolled back
        signal.signal(number, _interrupted)
    try:
        return _act(machine, wanted)
    except (Problem, OSError, KeyboardInterrupt) as error:
        explain("bind", error)
    return 1


def _interrupted(*_):
    raise KeyboardInterrupt


def _act(machine, wanted):
    if wanted.action == "status":
        print(show(machine))
        return 0
    if os.geteuid() != 0 and str(machine.root) == "/":
        raise Problem(f"{wanted.action} changes drivers: root is needed", "use sudo")
    with states.Lock(machine):
        if wanted.action == "take":
            return _take(machine, wanted)
        return _give_back(machine, wanted)


def _say(text):
    print(f"bind: {text}", flush=True)


def _take(machine, wanted):
    taken = states.taken(machine)
    devices = [pci.find(machine, name, taken) for name in wanted.names]
    unique = {device.address: device for device in devices}
    take(machine, list(unique.values()), wanted, _say)
    return 0


def _give_back(machine, wanted):
    if bool(wanted.names) == wanted.all:
        raise Problem("give-back: name devices, or say --all, and not both", "scripts/bind status")
    taken = states.taken(machine)
    if wanted.all:
        devices = [pci.Device(machine, address) for address in taken]
        if not devices:
            _say("nothing was taken")
    else:
        devices = [_to_give_back(machine, name, taken) for name in wanted.names]
    bad = 0
    for device in devices:  # one that fails does not keep the others
        try:
            _give_one_back(machine, device)
        except (Problem, OSError) as error:
            explain("bind", error)
            bad = 1
    return bad


def _to_give_back(machine, name, taken):
    """A taken device by the name it had, whatever has that name now."""
    address = pci.taken_as(name, taken)
    return pci.Device(machine, address) if address else pci.find(machine, name, taken)


def _give_one_back(machine, device):
    known = states.load(machine, device.address)
    if known:
        give_back(machine, device, known)
        name = known["interface"] or device.address
        _say(f"{name}: given back: {device.address} has {known['driver'] or 'no driver'} again")
    elif device.driver in pci.USERSPACE:
        raise Problem(
            f"{device.address}: driver {device.driver} has it, but not from this program: there is "
            f"nothing saved to restore",
            f"echo > {device.path}/driver_override; echo {device.address} > {device.path}/driver/unbind; "
            f"echo {device.address} > /sys/bus/pci/drivers_probe",
        )
    else:
        name = " ".join([device.address, *device.interfaces])
        _say(f"{name}: was not taken; nothing to give back")
