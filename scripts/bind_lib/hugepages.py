"""2 MB pages on a NIC's node: reserved with a device, released with it."""

import re

from . import pci
from .problem import Problem

SIZE = "hugepages-2048kB"
PAGE_KB = 2048
MOUNT = "/dev/hugepages"


def _folder(machine, node):
    """The node's folder; the machine's where it has no nodes."""
    folder = f"/sys/devices/system/node/node{node}/hugepages/{SIZE}"
    return folder if machine.exists(folder) else f"/sys/kernel/mm/hugepages/{SIZE}"


def count(machine, node, what="nr"):
    return int(machine.read(f"{_folder(machine, node)}/{what}_hugepages") or "0")


def settle(machine, states, save):
    """Finds out what a run that was cut short while reserving got: until then it is None."""
    for state in states:
        pages = state.get("hugepages")
        if pages and pages["added"] is None and pages["boot"] == machine.boot():
            surplus = count(machine, pages["node"]) - pages["before"]
            pages["added"] = max(0, min(pages["planned"], surplus))
            save(state)


def _in_use_by(machine, pid):
    status = machine.read(f"/proc/{pid}/status") or ""
    found = re.search(r"^HugetlbPages:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) // PAGE_KB if found else 0


def _promised(machine, node, others):
    """Pages added for other devices that their programs have yet to take from the free ones."""
    idle, busy, programs = 0, 0, set()
    for state in others:
        pages = state.get("hugepages")
        if not pages or pages["node"] != node or pages["boot"] != machine.boot():
            continue
        users = {pid for pid, _ in pci.Device(machine, state["pci"]).users()}
        programs |= users
        if users:
            busy += pages["added"] or 0
        else:
            idle += pages["added"] or 0
    return idle + max(0, busy - sum(_in_use_by(machine, pid) for pid in programs))


def plan(machine, node, pages, others):
    """What to reserve so that `pages` are free beside those of other taken devices."""
    missing = max(0, pages + _promised(machine, node, others) - count(machine, node, "free"))
    now = {"boot": machine.boot(), "before": count(machine, node)}
    return {"node": node, **now, "planned": missing, "added": None if missing else 0}


def _set(machine, node, number):
    try:
        machine.write(f"{_folder(machine, node)}/nr_hugepages", f"{number}\n")
    except OSError as error:
        raise Problem(f"hugepages on node {node}: {error.strerror}", "grep Huge /proc/meminfo") from None


def reserve(machine, planned, wish):
    """Reserves what `plan` said and notes it there. `wish` is what the user asked for."""
    node, missing = planned["node"], planned["planned"]
    if missing:
        goal = planned["before"] + missing
        _set(machine, node, goal)
        if count(machine, node) < goal and machine.exists("/proc/sys/vm/compact_memory"):
            machine.write("/proc/sys/vm/compact_memory", "1\n")
            _set(machine, node, goal)
        planned["added"] = max(0, count(machine, node) - planned["before"])
        if planned["added"] < missing:
            raise Problem(
                f"hugepages on node {node}: {missing} of 2 MB asked for, "
                f"{planned['added']} to be had: too little free memory in one piece",
                f"add --hugepages {max(0, wish - missing + planned['added'])}, or reserve them at "
                f"boot: hugepages={goal} on the kernel's command line",
            )


def release(machine, state, save):
    """Takes away what was added. `save` writes the state: no page is taken away twice."""
    pages = state.get("hugepages")
    if not pages:
        return
    if pages["boot"] == machine.boot():  # a reboot took them away
        node = pages["node"]
        have = count(machine, node)
        if "goal" not in pages:
            pages["goal"] = max(0, have - pages["added"])
            save(state)
        if have > pages["goal"]:
            _set(machine, node, pages["goal"])
    state["hugepages"] = None
    save(state)


def mount(machine, state, save):
    """Sees to it that there is a file system of such pages, and remembers if it made it."""
    if machine.hugetlbfs():
        return
    state["mounted"] = {"path": MOUNT, "boot": machine.boot()}
    save(state)
    machine.mount_hugetlbfs(MOUNT)


def unmount(machine, state, others, save):
    """Unmounts what `mount` made, or leaves that to another device that needs it."""
    mounted = state.get("mounted")
    if not mounted:
        return
    heirs = [other for other in others if not other.get("mounted")]
    if heirs:
        heirs[0]["mounted"] = mounted
        save(heirs[0])
    elif mounted["boot"] == machine.boot() and mounted["path"] in machine.hugetlbfs():
        machine.unmount(mounted["path"])
    state["mounted"] = None
    save(state)
