"""The state of a device that was taken: one JSON file each, replaced as a whole."""

import fcntl
import json
import os

from .problem import Problem

VERSION = 1
# Where bind is with a device.
TAKING, TAKEN, GIVING_BACK = "taking", "taken", "giving-back"
REQUIRED = {"pci": str, "model": str, "interface": str, "driver": str, "phase": str,
            "addresses": list, "routes": list}  # fmt: skip


def path_of(machine, address):
    return machine.state / f"{address}.json"


def load(machine, address):
    """The state of a device, or None if it is not taken."""
    path = path_of(machine, address)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise Problem(f"{path}: is no JSON: {error}", f"rm {path}") from None
    version = found.get("version") if isinstance(found, dict) else None
    if version != VERSION:
        raise Problem(f"{path}: version {version}, this program reads version {VERSION}", f"rm {path}")
    for key, kind in REQUIRED.items():
        if not isinstance(found.get(key), kind):
            raise Problem(f"{path}: '{key}' is missing or of the wrong type", f"rm {path}")
    if found["pci"] != address:
        raise Problem(f"{path}: is the state of {found['pci']}", f"rm {path}")
    return found


def addresses(machine):
    """The devices of which there is a state."""
    names = machine.names_in_state()
    return [name.removesuffix(".json") for name in names if name.endswith(".json")]


def load_all(machine):
    """The states of all devices, by address."""
    return {address: load(machine, address) for address in addresses(machine)}


def taken(machine):
    """The names that devices had before they were taken: {address: interface or address}."""
    return {address: state["interface"] or address for address, state in load_all(machine).items()}


def save(machine, state):
    machine.replace(path_of(machine, state["pci"]), json.dumps(state, indent=1) + "\n")


def remove(machine, address):
    machine.remove(path_of(machine, address))


class Lock:
    """One bind at a time; the kernel lets go of it however the process ends."""

    def __init__(self, machine):
        machine.state.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(machine.state, os.O_RDONLY)

    def __enter__(self):
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem("another scripts/bind is at work: try again when it has ended") from None

    def __exit__(self, *_):
        os.close(self._descriptor)
