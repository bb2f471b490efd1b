"""What a program left behind: on the interfaces, in the namespaces, in the file system."""

import glob
import json
import os
import re

from .lab import Failed, wait_for

# Where DPDK and we could leave files.
PLACES = (
    "/run/dpdk/*dpdkperf*",
    "/run/dpdk/rte",  # DPDK's prefix if none is given
    "/run/*dpdkperf*",
    "/run/lock/*dpdkperf*",
    "/dev/shm/*dpdk*",
    "/dev/hugepages/*",
    "/sys/fs/bpf/*",
)
# States of a TCP socket that the kernel ends by itself, without a process (tcp(7)).
ENDING = {"TIME-WAIT", "FIN-WAIT-1", "FIN-WAIT-2", "LAST-ACK", "CLOSING"}


def _files(lab):
    return {path for place in PLACES for path in glob.glob(place)} | lab.files()


def _interfaces(lab, end):
    found = {}
    for link in json.loads(lab.ip(end, "-j", "-d", "link", "show")):
        kept = ("address", "flags", "mtu", "promiscuity", "qdisc", "xdp")
        state = {key: link.get(key) for key in kept}
        state["flags"] = sorted(state["flags"])
        found[link["ifname"]] = state
    return found


def _sockets(lab, end):
    lines = lab.run(end, "ss", "-Hantuw0", "--xdp").splitlines()
    return sorted(line for line in lines if not ENDING & set(line.split()))


def _processes(lab, end):
    return lab.processes(end)


def _features(lab, end):
    # An interface that a program brings along is not there before and after.
    return lab.run(end, "ethtool", "-k", lab.interface(end), check=False)


class Before:
    """The state before a program ran. `check()` compares."""

    def __init__(self, lab):
        self._lab = lab
        self._files = _files(lab)
        self._ends = self._look()

    def _look(self):
        looks = (_interfaces, _features, _sockets, _processes)
        return {(end, look.__name__): look(self._lab, end) for end in "ab" for look in looks}

    def _left(self):
        left = []
        for key, now in self._look().items():
            if now != self._ends[key]:
                left.append(f"end {key[0]}:\n  before {self._ends[key]}\n  now    {now}")
        left += [path for path in _files(self._lab) - self._files if self._is_ours(path) and not held(path)]
        return left

    def _is_ours(self, path):
        """False if the name says that the file is of a process outside this lab."""
        pid = re.search(r"(\d+)$", os.path.basename(path))
        return not pid or int(pid[1]) in self._lab.started

    def check(self, seconds=3):
        """Everything must be as before within this time."""
        left = []

        def clean():
            left[:] = self._left()
            return not left

        try:
            wait_for(clean, seconds, "clean")
        except Failed:
            raise Failed("left behind:\n" + "\n".join(left)) from None


def held(path):
    """Whether a living process has this file, or one below it, open or mapped."""
    for process in glob.glob("/proc/[0-9]*"):
        try:
            for descriptor in os.scandir(process + "/fd"):
                if os.readlink(descriptor.path).startswith(path):
                    return True
            with open(process + "/maps", encoding="utf-8", errors="replace") as maps:
                if any(path in line for line in maps):
                    return True
        except OSError:
            continue
    return False
