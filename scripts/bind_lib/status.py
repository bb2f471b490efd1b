"""The table of `bind status`."""

from . import pci, routes, state as states
from .problem import Problem

COLUMNS = ("PCI", "INTERFACE", "DRIVER", "NODE", "LINK", "ADDRESSES", "STATE")


def rows(machine):
    found = [COLUMNS]
    for device in pci.network_devices(machine):
        try:
            known = states.load(machine, device.address)
        except Problem as problem:
            known = {"interface": "?", "addresses": [], "phase": problem.text}
        names = device.interfaces or [known["interface"] if known else "-"]
        found += [_row(machine, device, name or "-", known) for name in names]
    kept = [name for name in states.addresses(machine) if not pci.Device(machine, name).present]
    return found + [(name, "-", "-", "-", "-", "-", "gone; state kept") for name in kept]


def _row(machine, device, interface, known):
    here = interface in device.interfaces
    if here:
        entries = routes.plain(routes.details(machine, interface))
    else:
        entries = known["addresses"] if known else []
    return (
        device.address,
        interface,
        device.driver or "-",
        str(device.node),
        _link(machine, interface) if here else "-",
        ",".join(entries) or "-",
        _state(device, known, here),
    )


def _link(machine, interface):
    folder = f"/sys/class/net/{interface}"
    if machine.read(f"{folder}/operstate") not in ("up", "unknown"):
        return "down"
    speed = machine.read(f"{folder}/speed") or "-1"  # Mb/s; unreadable while down
    if not speed.isdigit():
        return "up"
    return f"{int(speed) // 1000}G" if int(speed) >= 1000 else f"{speed}M"


def _state(device, known, here):
    users = device.users()
    if users:
        return "in use: " + ", ".join(f"{name} ({pid})" for pid, name in users)
    if known:
        taken = known["phase"] == states.TAKEN and device.driver == known.get("taken_driver")
        return "taken" if taken else f"half taken: give it back ({known['phase']})"
    if device.driver in pci.USERSPACE:
        return "taken by something else"
    if device.driver and not here:
        return "kernel, not in this namespace"
    return "kernel" if device.driver else "no driver"


def show(machine):
    table = rows(machine)
    if len(table) == 1:
        return "no PCI network device"
    widths = [max(len(line[column]) for line in table) for column in range(len(COLUMNS) - 1)]
    return "\n".join(
        "  ".join([*(f"{text:<{width}}" for text, width in zip(line, widths)), line[-1]])
        for line in table
    )
