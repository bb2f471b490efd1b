"""Two namespaces joined by a cable, made by scripts/lab."""

import contextlib
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[3]
PORT = 5201
CLONE_NEWNET = 0x40000000  # linux/sched.h


class Failed(Exception):
    """A check did not hold; the text says which and with what values."""


def wait_for(condition, seconds, what):
    """Polls until `condition()` is true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.005)


def end_on_signals(who):
    """Lets with blocks clean up when the run is terminated or its terminal goes away."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(f"{who}: interrupted"))


class Lab:
    """Ends "a" and "b": 10.99.0.1 and .2, fd99::1 and ::2, on veth-a and veth-b."""

    # How late a program may be that waits for a CPU while ours is polling on another.
    late_seconds = 0.1

    def __init__(self, name, mtu=1500, queues=1):
        self.name = name
        self.started = set()  # process ids of all programs that ran in it
        self.settings = ["--mtu", str(mtu), "--queues", str(queues)]

    def __enter__(self):
        try:
            self.up()
        except BaseException:  # half a lab is taken down too
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()

    def _script(self, *arguments):
        environment = {**os.environ, "LAB_NAME": self.name}
        script = str(ROOT / "scripts" / "lab")
        done = subprocess.run(
            [script, *arguments], env=environment, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode != 0:
            raise Failed(f"scripts/lab {' '.join(arguments)}: {done.stderr.strip()}")

    def up(self):
        self._script("up", *self.settings)

    def down(self):
        self._script("down")

    def words(self, end, program):
        """The program and what must stand before its own arguments."""
        return [program]

    def interface_of_stock(self, end):
        """The interface that a stock program at `end` will use; it exists afterwards."""
        return self.interface(end)

    def rest(self):
        """Called between rows."""

    def files(self):
        """Files of the lab itself, besides those that remains.py knows."""
        return set()

    def namespace(self, end):
        return f"{self.name}-{end}"

    @staticmethod
    def interface(end):
        return f"veth-{end}"

    @staticmethod
    def address(end, ipv6=False):
        host = {"a": 1, "b": 2}[end]
        return f"fd99::{host}" if ipv6 else f"10.99.0.{host}"

    @staticmethod
    def other(end):
        return {"a": "b", "b": "a"}[end]

    def command(self, end, arguments):
        return ["ip", "netns", "exec", self.namespace(end), *map(str, arguments)]

    def run(self, end, *arguments, check=True):
        """Runs a short command at one end and returns its output."""
        done = subprocess.run(
            self.command(end, arguments), capture_output=True, text=True, timeout=30, check=False
        )
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def ip(self, end, *arguments):
        return self.run(end, "ip", *arguments)

    def link(self, end, interface=None):
        """What the kernel says of the interface of `end`."""
        text = self.ip(end, "-j", "-d", "link", "show", "dev", interface or self.interface(end))
        return json.loads(text)[0]

    def xdp_program(self, end):
        """The id of the XDP program on the interface of `end`, or None."""
        return self.link(end).get("xdp", {}).get("prog", {}).get("id")

    def processes(self, end):
        found = subprocess.run(
            ["ip", "netns", "pids", self.namespace(end)], capture_output=True, text=True, check=True
        )
        return {int(pid) for pid in found.stdout.split()}

    @contextlib.contextmanager
    def inside(self, end):
        """The calling thread is at `end`: sockets that it makes belong there."""
        libc = ctypes.CDLL(None, use_errno=True)

        def enter(descriptor):
            if libc.setns(descriptor, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.namespace(end)}", os.O_RDONLY)
        try:
            enter(there)
            yield
        finally:
            enter(home)
            os.close(home)
            os.close(there)
