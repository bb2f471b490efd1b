"""The machine: files below a root, which tests replace by a folder, and commands."""

import os
import pathlib
import re
import shutil
import subprocess
import time

from . import ethtool, settings
from .problem import Problem

STATE = "/var/lib/dpdkperf"


class Machine:
    """All that bind reads and changes goes through here."""

    def __init__(self, root="/", state=None):
        self.root = pathlib.Path(root)
        self.state = pathlib.Path(state or os.environ.get("DPDKPERF_STATE") or self.path(STATE))

    def path(self, absolute):
        return self.root / absolute.lstrip("/")

    def exists(self, absolute):
        return os.path.lexists(self.path(absolute))

    def read(self, absolute):
        """The text of a file without the line's end; None if it cannot be read."""
        try:
            return self.path(absolute).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    def write(self, absolute, text):
        """Writes to a file of the kernel; OSError says what it thinks of it."""
        descriptor = os.open(self.path(absolute), os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    def names(self, absolute):
        """What a folder holds, sorted; nothing if there is no such folder."""
        try:
            return sorted(os.listdir(self.path(absolute)))
        except OSError:
            return []

    def replace(self, path, text):
        """Replaces a file at once: after a crash there is the old text or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        with open(new, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(new, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self, path):
        path.unlink(missing_ok=True)

    def names_in_state(self):
        return sorted(os.listdir(self.state)) if self.state.is_dir() else []

    def link_name(self, absolute):
        """The last part of what a symbolic link points to, or None."""
        try:
            return os.path.basename(os.readlink(self.path(absolute)))
        except OSError:
            return None

    def run(self, *command):
        """Runs a command and returns its output."""
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except FileNotFoundError:
            raise Problem(f"{command[0]}: not found", "scripts/deps install lab") from None
        except subprocess.TimeoutExpired:
            raise Problem(f"{' '.join(command)}: no end within 60 s") from None
        if done.returncode != 0:
            raise Problem(f"{' '.join(command)}: {done.stderr.strip() or 'failed'}")
        return done.stdout

    def boot(self):
        """Differs after each boot."""
        return self.read("/proc/sys/kernel/random/boot_id") or ""

    def holders(self, files):
        """Processes that have one of these files open: [(pid, name)]."""
        found = []
        for pid in self.names("/proc"):
            if not pid.isdigit():
                continue
            for number in self.names(f"/proc/{pid}/fd"):
                try:
                    target = os.readlink(self.path(f"/proc/{pid}/fd/{number}"))
                except OSError:
                    continue
                if target in files:
                    found.append((int(pid), self.read(f"/proc/{pid}/comm") or "?"))
                    break
        return found

    def load_module(self, driver):
        """Sees to it that a PCI driver is there; modules have the names of their drivers."""
        if self.exists(f"/sys/bus/pci/drivers/{driver}"):
            return
        try:
            self.run("modprobe", driver)
        except Problem as problem:
            raise Problem(f"driver {driver}: {problem.text}", f"modprobe -v {driver}") from None

    def load_vfio(self):
        self.run("modprobe", "vfio")

    def hugetlbfs(self):
        """Where file systems of 2 MB pages are mounted."""
        found = []
        for line in (self.read("/proc/mounts") or "").splitlines():
            fields = line.split()
            size = re.search(r"pagesize=(\w+)", fields[3]) if len(fields) > 3 else None
            if len(fields) > 3 and fields[2] == "hugetlbfs" and (not size or size[1] == "2M"):
                found.append(fields[1])
        return found

    def mount_hugetlbfs(self, where):
        self.path(where).mkdir(parents=True, exist_ok=True)
        self.run("mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "nodev", where)

    def unmount(self, where):
        self.run("umount", where)

    def save_settings(self, interface):
        """All settings of an interface that bind restores."""
        return settings.save(self, interface)

    def restore_settings(self, interface, saved):
        """Restores what differs; returns what could not be restored, a line each."""
        return settings.restore(self, interface, saved)

    def upper_interfaces(self, interface):
        return settings.upper_interfaces(self, interface)

    def permanent_mac(self, interface):
        return ethtool.permanent_mac(interface)

    def settle(self):
        """Lets udev finish with a new interface, where there is udev: it may rename it."""
        if shutil.which("udevadm"):
            self.run("udevadm", "settle", "--timeout=10")

    def sleep(self, seconds):
        time.sleep(seconds)
