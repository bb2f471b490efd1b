"""What the figures were measured on."""

import os
import pathlib
import platform
import re
import subprocess

from netlab.lab import ROOT


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    except FileNotFoundError:
        return "not installed"
    return (done.stdout or done.stderr).strip().split("\n")[0]


def field(path, name):
    match = re.search(rf"^{name}\s*[:=]\s*(.*)$", pathlib.Path(path).read_text("utf-8"), re.M)
    return match[1].strip('"') if match else "unknown"


def source():
    """The commit, and whether anything but the figures themselves has been changed since."""
    changed = first_line("git", "status", "--porcelain", "--untracked-files=no", "--", ":!docs/performance.*")
    return first_line("git", "describe", "--always") + ("-dirty" if changed else "")


def describe():
    virtual = " hypervisor " in field("/proc/cpuinfo", "flags") + " "
    return {
        "processor": field("/proc/cpuinfo", "model name") + (", virtual" if virtual else ""),
        "processors": os.cpu_count(),
        "memory": field("/proc/meminfo", "MemTotal"),
        "system": field("/etc/os-release", "PRETTY_NAME"),
        "kernel": platform.release(),
        "dpdk": first_line("pkg-config", "--modversion", "libdpdk"),
        "iperf3": first_line("iperf3", "--version"),
        "compiler": first_line("g++", "--version"),
        "source": source(),
    }
