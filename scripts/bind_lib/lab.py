"""Two cabled cards of one machine as the ends of scripts/lab.

lab.py up NAMESPACE-A NAMESPACE-B IF-or-PCI IF-or-PCI [--force]
lab.py down NAMESPACE-A NAMESPACE-B

An interface moves into its namespace with all its settings, and back; a card that scripts/bind has
taken needs no move, because the program that uses it makes its interface where it runs.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from bind_lib import guard, pci, settings, state as states  # noqa: E402
from bind_lib.machine import Machine  # noqa: E402
from bind_lib.problem import Problem  # noqa: E402

CLONE_NEWNET = 0x40000000  # linux/sched.h
ADDRESSES = (("10.99.0.1/24", "fd99::1/64"), ("10.99.0.2/24", "fd99::2/64"))


@contextlib.contextmanager
def inside(namespace):
    """This thread, and the commands that it starts, are in the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(descriptor):
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"namespace {namespace}")

    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        enter(there)
        yield
    finally:
        enter(home)
        os.close(home)
        os.close(there)


def _file(machine, namespace):
    return machine.state / "labs" / f"{namespace}.json"


def _interfaces(machine):
    return [link["ifname"] for link in settings.ip_json(machine, "link", "show")]


def _restore(machine, name, saved):
    left = machine.restore_settings(name, saved)
    if left:
        raise Problem(f"{name}: not all is as it was:\n  " + "\n  ".join(left), "ip address; ip route")


def move(machine, name, namespace, addresses):
    """Into the namespace. The settings are written down first, for `back` after any end."""
    saved = machine.save_settings(name)
    machine.replace(_file(machine, namespace), json.dumps(saved, indent=1) + "\n")
    machine.run("ip", "link", "set", "dev", name, "netns", namespace)
    with inside(namespace):
        _restore(machine, name, {**saved, "up": True})
        if not saved["addresses"]:
            for address in addresses:
                nodad = ("nodad",) if ":" in address else ()
                machine.run("ip", "address", "replace", address, "dev", name, *nodad)
            saved["addresses"] = list(addresses)
    print(f"lab: {name} is in {namespace}: {', '.join(saved['addresses'])}")


def back(machine, namespace):
    """Home again, where it was taken from; nothing if nothing was."""
    path = _file(machine, namespace)
    if not path.exists():
        return
    saved = json.loads(path.read_text(encoding="utf-8"))
    name = saved["interface"]
    if name not in _interfaces(machine):
        with inside(namespace):
            if name not in _interfaces(machine):
                raise Problem(f"{name}: is neither here nor in {namespace}", f"rm {path}")
            machine.run("ip", "link", "set", "dev", name, "down")
        home = str(os.getpid())  # to the namespace of this process
        machine.run("ip", "-n", namespace, "link", "set", "dev", name, "netns", home)
    _restore(machine, name, saved)
    path.unlink()
    print(f"lab: {name} is back from {namespace}")


def commands(machine, address, end, number, role):
    """How to run the program at one end on a card that was taken."""
    known = states.load(machine, address)
    first = ADDRESSES[number][0]
    option = "" if known["addresses"] else f" --ip {first}"
    cores = "0-1" if number == 0 else "2-3"
    return f"  sudo scripts/lab exec {end} build/dpdkperf -l {cores} -a {address} -- {role}{option}"


def up(machine, namespaces, names, force):
    taken = {state["interface"] or pci_: pci_ for pci_, state in states.load_all(machine).items()}
    here = _interfaces(machine)
    for namespace in namespaces:
        if _file(machine, namespace).exists():
            raise Problem(f"{namespace}: already has an interface of this machine", "scripts/lab down")
    plan = []
    for name in names:
        address = taken.get(name) or (pci.as_address(name) if pci.as_address(name) in taken.values() else None)
        if not address and name not in here:
            pci.find(machine, name, taken)  # which says what is wrong with the name
            raise Problem(f"{name}: is no interface and not taken", f"scripts/bind take {name}")
        if not address and not force:
            guard.check_connections(machine, name, f"scripts/lab ports {' '.join(names)} --force")
        plan.append((name, address))
    if plan[0] == plan[1]:
        raise Problem(f"{names[0]}: is both ends", "scripts/bind status")
    try:
        for number, (name, address) in enumerate(plan):
            if not address:
                move(machine, name, namespaces[number], ADDRESSES[number])
    except BaseException:
        for namespace in namespaces:
            back(machine, namespace)
        raise
    _tell(machine, plan)


def _tell(machine, plan):
    """The commands of the program for ends that are no kernel interfaces."""
    if not any(address for _, address in plan):
        return
    known = [states.load(machine, address)["addresses"] if address else None for _, address in plan]
    target = (known[1] or [ADDRESSES[1][0]])[0].split("/")[0]
    roles = (f"-c {target} -u -b 0", "-s")
    print("lab: now, the server first:")
    for number in (1, 0):
        end, address = "ab"[number], plan[number][1]
        if address:
            print(commands(machine, address, end, number, roles[number]))
        else:
            print(f"  sudo scripts/lab exec {end} build/dpdkperf {roles[number]}")


def main(arguments):
    machine = Machine()
    action, *rest = arguments
    force = "--force" in rest
    names = [word for word in rest if word != "--force"]
    try:
        if action == "up":
            up(machine, names[:2], names[2:], force)
        else:
            for namespace in names:
                back(machine, namespace)
    except Problem as problem:
        print(f"lab: {problem.text}", file=sys.stderr)
        if problem.hint:
            print(f"     next: {problem.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
