"""Clients and servers, ours and stock, started in the lab."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from .lab import PORT, ROOT, Failed, wait_for

STOCK = "iperf3"


def program_under_test():
    """The path in OUR, else the newest build."""
    chosen = os.environ.get("OUR")
    if chosen:
        found = shutil.which(chosen)
        if not found:
            raise SystemExit(f"OUR={chosen}: not an executable program")
        return os.path.abspath(found)
    builds = list(ROOT.glob("build*/dpdkperf"))
    if not builds:
        raise SystemExit("no build*/dpdkperf: build it, or set OUR to the program to test")
    return str(max(builds, key=lambda path: path.stat().st_mtime))


def is_stock(program):
    return pathlib.Path(program).name.startswith("iperf")


def refuse_lost_buffers(program, errors):
    """A program whose closed port has not got all its buffers back says so (src/ports/lost_mbufs.cpp)."""
    lost = re.search(r"\d+ packet buffers of .* are lost", errors)
    if lost:
        raise Failed(f"{program}: {lost[0]}")


class Process:
    """A running program, and what it has printed so far. Killed at the end of the with block."""

    def __init__(self, lab, end, arguments, wrapper=()):
        self.lab, self.end = lab, end
        self.arguments = [str(argument) for argument in arguments]
        self._out = tempfile.TemporaryFile()
        self._err = tempfile.TemporaryFile()
        self.started = time.monotonic()
        self._child = subprocess.Popen(
            lab.command(end, [*wrapper, *self.arguments]),
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
        )
        lab.started.add(self._child.pid)

    def __enter__(self):
        return self

    def __exit__(self, kind=None, *_):
        if self.running:
            self._child.send_signal(signal.SIGKILL)
        self._child.wait()
        errors = self.err
        self._out.close()
        self._err.close()
        if kind is None:
            refuse_lost_buffers(self.arguments[0], errors)

    @property
    def pid(self):
        return self._child.pid

    @property
    def running(self):
        return self._child.poll() is None

    @property
    def code(self):
        return self._child.poll()

    @staticmethod
    def _text(file):
        return os.pread(file.fileno(), 1 << 26, 0).decode(errors="replace")

    @property
    def out(self):
        return self._text(self._out)

    @property
    def err(self):
        return self._text(self._err)

    def signal(self, number):
        self._child.send_signal(number)

    def wait(self, seconds=10):
        """Waits for the end and returns the exit code."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"still running after {seconds} s\n{self}") from None

    def terminate(self, seconds=5):
        """Asks for an orderly end and waits for it."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def succeed(self, seconds=10):
        if self.wait(seconds) != 0:
            raise Failed(f"exit code {self.code}\n{self}")
        return self

    def wait_for_line(self, pattern, seconds=10):
        def found():
            if re.search(pattern, self.out + self.err):
                return True
            if not self.running:
                raise Failed(f"ended without printing '{pattern}'\n{self}")
            return False

        wait_for(found, seconds, f"'{pattern}' from {self.arguments[0]}")

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except json.JSONDecodeError as error:
            raise Failed(f"output is not JSON: {error}\n{self}") from None

    def memory_kb(self, field="VmRSS"):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"{field}:\s+(\d+)", status)[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def listens(self, port):
        """Whether somebody listens on the TCP port in the namespace of this process."""
        for table in ("tcp", "tcp6"):
            with open(f"/proc/{self.pid}/net/{table}", encoding="ascii") as lines:
                for line in lines:
                    fields = line.split()
                    # st 0A is TCP_LISTEN (linux/net/tcp_states.h)
                    if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                        return True
        return False

    def __str__(self):
        lines = [f"$ [{self.end}] {' '.join(self.arguments)}"]
        for text in (self.out, self.err):
            if text:
                lines.append(text.rstrip()[-3000:])
        return "\n".join(lines)


def server(lab, end, program, *arguments, port=PORT, wrapper=()):
    """A server that is ready for a client."""
    words = lab.words(end, program)
    process = Process(lab, end, [*words, "-s", "-p", port, *arguments], wrapper)

    def ready():
        if not process.running:
            raise Failed(f"the server ended at once\n{process}")
        try:
            return process.listens(port)
        except OSError:  # it is about to end
            return False

    try:
        wait_for(ready, 10, f"{program} listening on {port}")
    except Failed:
        process.__exit__()
        raise
    return process


def client(lab, end, program, *arguments, port=PORT, ipv6=False, host=None, wrapper=()):
    host = host or lab.address(lab.other(end), ipv6)
    words = lab.words(end, program)
    return Process(lab, end, [*words, "-c", host, "-p", port, *arguments], wrapper)
