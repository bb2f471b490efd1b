"""scripts/quickstart after its build: the tables' numbers fit each other, and nothing stays behind."""

import contextlib
import glob
import os
import pathlib
import re
import signal
import subprocess
import tempfile

from framework import between, equal, require, row
from netlab import remains
from netlab.lab import ROOT, wait_for

UDP = re.compile(r"^(\S+) +(1448|64) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+)% +([\d.]+)$", re.M)
TCP = re.compile(r"^(\S+) +([\d.]+) +([\d.]+) +(\d+)$", re.M)
SERVED = re.compile(r"^\[ *\d+\] .* ([\d.]+) Mbits/sec .* (\d+)/(\d+) \(.*%\)  (sender|receiver)$", re.M)
MARK = "DPDKPERF_FIRST_LOOK"  # what is inherited by all that quickstart starts


def started(mark):
    """The processes that have the mark: {pid: name}."""
    found = {}
    for process in map(pathlib.Path, glob.glob("/proc/[0-9]*")):
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}\0".encode() in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "comm").read_text(encoding="utf-8").strip()
    return found


def files():
    """Of programs and labs, but for those of the living, which may be of another run."""
    found = {path for place in remains.PLACES for path in glob.glob(place)}
    return {path for path in found if not remains.held(path)} | set(glob.glob("/run/netns/*-first*"))


@contextlib.contextmanager
def quickstart(context):
    """Runs it from the program's folder; what it started is over afterwards, what it made is gone."""
    before, mark = files(), str(os.getpid())
    program = pathlib.Path(context.our)
    environment = {**os.environ, "OUR": f"./{program.name}", MARK: mark}
    with tempfile.TemporaryFile("w+") as out:
        running = subprocess.Popen(
            [ROOT / "scripts" / "quickstart", "--seconds", "1"],
            cwd=program.parent, env=environment, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip

        def text():
            return os.pread(out.fileno(), 1 << 20, 0).decode()

        try:
            yield running, text
            wait_for(lambda: not started(mark), 3, f"the end of {started(mark)}")
            wait_for(lambda: not files() - before, 3, f"no more of {files() - before}")
        finally:
            running.terminate()  # which takes its lab down
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(10)
            running.kill()
            running.wait()
            for pid in started(mark):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def near(shown, value, what, places=2):
    """A number is what the others make it, but for digits that are not shown."""
    between(float(shown), value * 0.97 - 0.6 / 10**places, value * 1.03 + 0.6 / 10**places, what)


def udp_table(text, names):
    lines = UDP.findall(text)
    equal([line[:2] for line in lines], [(who, size) for size in ("1448", "64") for who in names], "lines")
    for kernel, line in ((lines[n - n % 2], line) for n, line in enumerate(lines)):
        who = " ".join(line[:2])
        sent, sent_gbps, received, received_gbps, lost = map(float, line[2:7])
        require(received > 0, f"{who}: nothing received")
        between(received, 0, sent * 1.02, f"{who}: received of {sent}")
        near(line[3], sent * int(line[1]) * 8 / 1e3, f"{who}: Gb/s sent")
        near(line[5], received * int(line[1]) * 8 / 1e3, f"{who}: Gb/s received")
        between(lost, 100 * (1 - received / sent) - 2, 100 * max(0, 1 - received / sent) + 2, f"{who}: lost")
        near(line[7], received / float(kernel[4]), f"{who}: to kernel")


def tcp_table(text, names):
    lines = TCP.findall(text)
    equal([line[0] for line in lines], list(names), "lines")
    for who, gbps, ratio, _ in lines:
        require(float(gbps) > 0, f"{who}: nothing received")
        near(ratio, float(gbps) / float(lines[0][1]), f"{who}: to kernel")


def served(text):
    lines = SERVED.findall(text)
    equal([line[3] for line in lines], ["sender", "receiver"], "sides")
    sent, received = ([float(number) for number in line[:3]] for line in lines)
    between(sent[0], 80, 105, "Mbits/sec of the sender")
    between(sent[2], 6900, 9100, "datagrams of the sender")  # of 1448 bytes in a second
    between(received[0], 1, sent[0] * 1.03, "Mbits/sec of the receiver")
    between(received[2], 1, sent[2], "datagrams of the receiver")
    between(received[1], 0, received[2] - 1, "datagrams lost")


# All of it takes 12 s.
@row("quickstart: tables whose numbers fit", slow=True)
def tables(context):
    with quickstart(context) as (running, text):
        equal(running.wait(60), 0, f"exit code\n{text()}")
        names = ("iperf3", pathlib.Path(context.our).name)
        udp, tcp, server = re.split(r"\n(?:TCP into|The other role)", text())
        udp_table(udp, names)
        tcp_table(tcp, names)
        served(server)


@row("quickstart: interrupted, nothing stays")
def interrupted(context):
    name = f"{pathlib.Path(context.our).name} "
    with quickstart(context) as (running, text):

        def ours_runs():
            require(running.poll() is None, text())
            return UDP.search(text()) and name.strip()[:15] in started(str(os.getpid())).values()

        wait_for(ours_runs, 20, "the program under test")
        running.send_signal(signal.SIGINT)
        equal(running.wait(10), 1, f"exit code\n{text()}")
        equal(text().splitlines()[-1], "quickstart: interrupted", "last line")
