"""Two cabled cards of one machine as the ends of scripts/lab.

lab.py check NAMESPACE-A NAMESPACE-B IF-or-PCI IF-or-PCI [--force]    whether `up` can be tried
lab.py up NAMESPACE-A NAMESPACE-B IF-or-PCI IF-or-PCI [--force]
lab.py down NAMESPACE...

An interface moves into its namespace with all its settings, and back; a card that scripts/bind has
taken needs no move, because the program that uses it makes its interface where it runs.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import signal
import sys
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from bind_lib import guard, pci, settings, state as states  # noqa: E402
from bind_lib.machine import Machine  # noqa: E402
from bind_lib.problem import Problem, explain  # noqa: E402

CLONE_NEWNET = 0x40000000  # linux/sched.h
ADDRESSES = (("10.99.0.1/24", "fd99::1/64"), ("10.99.0.2/24", "fd99::2/64"))


@contextlib.contextmanager
def inside(namespace):
    """This thread, and the commands that it starts, are in the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(descriptor):
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), f"namespace {namespace}")

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


def _saved(machine, namespace):
    """The settings of the interface that went there from here, or None."""
    path = _file(machine, namespace)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except json.JSONDecodeError as error:
        raise Problem(f"{path}: is no JSON: {error}", f"rm {path}") from None


def _exists(namespace):
    return os.path.exists(f"/run/netns/{namespace}")


def _is_in(machine, name, namespace):
    if not _exists(namespace):
        return False
    with inside(namespace):
        return name in _interfaces(machine)


def _interfaces(machine):
    return [link["ifname"] for link in settings.ip_json(machine, "link", "show")]


def _restore(machine, name, saved, hint=""):
    left = machine.restore_settings(name, saved)
    if left:
        raise Problem(f"{name}: not all is as it was:\n  " + "\n  ".join(left), hint)


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
    path, saved = _file(machine, namespace), _saved(machine, namespace)
    if not saved:
        return
    name = saved["interface"]
    if name not in _interfaces(machine):
        if not _is_in(machine, name, namespace):
            raise Problem(f"{name}: is neither here nor in {namespace}", f"rm {path}")
        machine.run("ip", "-n", namespace, "link", "set", "dev", name, "down")
        home = str(os.getpid())  # to the namespace of this process
        machine.run("ip", "-n", namespace, "link", "set", "dev", name, "netns", home)
    _restore(machine, name, saved, f"mend it, then scripts/lab down again, or: rm {path}")
    path.unlink()
    print(f"lab: {name} is back from {namespace}")


def commands(machine, address, end, number, role):
    """How to run the program at one end on a card that was taken."""
    known = states.load(machine, address)
    first = ADDRESSES[number][0]
    option = "" if known["addresses"] else f" --ip {first}"
    cores = "0-1" if number == 0 else "2-3"
    return f"  sudo scripts/lab exec {end} build/dpdkperf -l {cores} -a {address} -- {role}{option}"


def all_back(machine, namespaces):
    """Both home; one that fails does not keep the other. The exit code."""
    bad = 0
    for namespace in namespaces:
        try:
            back(machine, namespace)
        except (Problem, OSError) as error:
            explain("lab", error)
            bad = 1
    return bad


@dataclass(frozen=True)
class End:
    name: str
    namespace: str
    pci: str | None  # of a card that was taken
    moved: bool  # an earlier call did it


def plan(machine, namespaces, names, force):
    """The two ends as they are to be; changes nothing."""
    taken = states.taken(machine)
    again = f"scripts/lab ports {' '.join(names)} --force"
    ends = [_end(machine, *pair, taken, None if force else again) for pair in zip(namespaces, names)]
    if ends[0].name == ends[1].name or (ends[0].pci and ends[0].pci == ends[1].pci):
        raise Problem(f"{names[0]}: is both ends", "scripts/bind status")
    return ends


def _end(machine, namespace, name, taken, again):
    """`again` is the command that forces what speaks against it."""
    saved = _saved(machine, namespace)
    if saved and saved["interface"] != name:
        raise Problem(f"{namespace}: already has {saved['interface']}", "scripts/lab down")
    if saved and _is_in(machine, name, namespace):
        return End(name, namespace, None, True)
    address = pci.taken_as(name, taken)
    if not address:
        if name not in _interfaces(machine):
            pci.find(machine, name, taken)  # which says what is wrong with the name
            raise Problem(f"{name}: is no interface and not taken", f"scripts/bind take {name}")
        if again:
            guard.check_connections(machine, name, again)
    return End(name, namespace, address, False)


def up(machine, ends):
    """Both ends, or neither of those that are still here."""
    begun = []
    try:
        for end, addresses in zip(ends, ADDRESSES):
            if end.moved:
                print(f"lab: {end.name} is in {end.namespace} already")
            elif not end.pci:
                back(machine, end.namespace)  # what is left of a call that was cut short
                begun.append(end.namespace)
                move(machine, end.name, end.namespace, addresses)
    except BaseException:
        all_back(machine, begun)
        raise
    _tell(machine, [end.pci for end in ends])


def _tell(machine, devices):
    """The commands of the program for ends that are no kernel interfaces."""
    if not any(devices):
        return
    known = [states.load(machine, address)["addresses"] if address else None for address in devices]
    target = (known[1] or [ADDRESSES[1][0]])[0].split("/")[0]
    roles = (f"-c {target} -u -b 0", "-s")
    print("lab: now, the server first:")
    for number in (1, 0):
        end, address = "ab"[number], devices[number]
        if address:
            print(commands(machine, address, end, number, roles[number]))
        else:
            print(f"  sudo scripts/lab exec {end} build/dpdkperf {roles[number]}")


def main(arguments):
    for number in (signal.SIGTERM, signal.SIGHUP):  # so that half of it is undone
        signal.signal(number, _interrupted)
    machine = Machine()
    action, *rest = arguments
    force = "--force" in rest
    names = [word for word in rest if word != "--force"]
    try:
        if action == "down":
            return all_back(machine, names)
        ends = plan(machine, names[:2], names[2:], force)
        if action == "up":
            up(machine, ends)
    except (Problem, OSError, KeyboardInterrupt) as error:
        explain("lab", error)
        return 1
    return 0


def _interrupted(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
