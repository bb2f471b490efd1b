"""A server's life: daemon, PID file, limits, timeouts, clients that vanish."""

import contextlib
import os
import pathlib
import signal
import tempfile
import time

from framework import BOTH, SERVER, between, equal, require, row
from netlab import control
from netlab.lab import PORT, wait_for
from netlab.programs import Process

PACED = ("-b", "1M", "-l", 500)
UNDER_WAY = r"0\.00-0\.2\d +sec"
# Of what arrives at the client's end.
NEW_TABLE = "add table inet gone"
DROP_ALL = "add chain inet gone arrivals { type filter hook input priority 0; policy drop; }"
TOO_FAST = "total required bandwidth is larger than server limit"


@contextlib.contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="dpdkperf-row-") as name:
        yield pathlib.Path(name)


def number_in(path):
    """The process that a PID file names; None while there is none."""
    try:
        return int(path.read_text(encoding="ascii").strip("\0\n"))
    except (OSError, ValueError):
        return None


def is_running(process):
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@row(f"{SERVER}: --daemon and --pidfile")
def daemon(context):
    with scratch() as folder:
        path = folder / "server.pid"
        words = [context.our, "-s", "-D", "-I", path, "-p", PORT]
        with Process(context.lab, "b", words) as started:
            equal(started.wait(5), 0, f"exit code of what the shell started\n{started}")
        process = wait_for(lambda: number_in(path), 5, "PID file")
        context.lab.started.add(process)
        try:
            require(process != started.pid, "it is not another process")
            require(os.getsid(process) != os.getsid(0), "it belongs to this session still")
            wait_for(lambda: listens(process), 5, "listening")
            context.serves()
            os.kill(process, signal.SIGTERM)
            wait_for(lambda: not is_running(process), 5, "its end")
            require(not path.exists(), "the PID file is still there")
        finally:
            if is_running(process):
                os.kill(process, signal.SIGKILL)


def listens(process):
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{process}/net/{table}", encoding="ascii") as lines:
            fields = [line.split() for line in lines]
        if any(f[3] == "0A" and int(f[1].rsplit(":", 1)[1], 16) == PORT for f in fields[1:]):
            return True
    return False


@row(f"{SERVER}: --pidfile that names a running server")
def second_instance(context):
    with scratch() as folder:
        path = folder / "server.pid"
        with context.server(SERVER, "-I", path) as serving:
            wait_for(lambda: number_in(path) == serving.pid, 3, "PID file")
            with Process(context.lab, "b", [context.our, "-s", "-p", 5998, "-I", path]) as second:
                equal(second.wait(5), 1, "exit code")
                said = (second.out + second.err).lower()
                require("another instance of" in said and "appears to be running" in said, str(second))
            equal(number_in(path), serving.pid, "PID file")
            serving.signal(signal.SIGKILL)
            serving.wait()
        # What a killed server has left behind is in nobody's way.
        with context.server(SERVER, "-I", path) as serving:
            wait_for(lambda: number_in(path) == serving.pid, 3, "PID file")
            serving.terminate()
        require(not path.exists(), "the PID file is still there")


@row(f"{SERVER}: --idle-timeout with -1 ends an idle server")
def idle_once(context):
    with context.server(SERVER, "-1", "--idle-timeout", 1) as serving:
        equal(serving.wait(3), 0, "exit code")
        between(time.monotonic() - serving.started, 1, 2.5, "seconds")


@row(f"{SERVER}: --idle-timeout, and clients come later", slow=True)
def idle(context):
    """A test that takes longer is not idle."""
    with context.server(SERVER, "--idle-timeout", 1) as serving:
        time.sleep(1.5)
        for _ in range(2):
            with context.client(SERVER, "-t", 2, *PACED, "-J") as running:
                running.succeed()
                equal(running.json["end"]["sum"]["lost_packets"], 0, "lost")
            time.sleep(1.2)
        require(serving.running, str(serving))


@row(f"{SERVER}: clients that come while it lets go of its interface", ours_only=True, slow=True)
def while_letting_go(context):
    """10 s after the last test; the kernel needs some time to have the queue back."""
    with context.server(SERVER) as serving:
        context.serves()
        time.sleep(1)
        descriptors = serving.descriptors()
        for seconds in (9.95, 10, 10.03, 10.1):
            context.serves()
            time.sleep(seconds)
        context.serves()
        wait_for(lambda: serving.descriptors() <= descriptors, 3, "as few open descriptors as at first")


@row(f"{BOTH}: --server-bitrate-limit, too much is asked for", ours_only=True)
def too_fast_a_wish(context):
    """iperf3 before 3.21 closes without a word, and after the streams are open."""
    with context.server(BOTH, "--server-bitrate-limit", "2M"):
        for flags in (["-b", "3M"], ["-b", "1.1M", "--bidir"], ["-b", "600K", "-P", 4]):
            with context.client(BOTH, "-t", 5, "-l", 500, *flags) as running:
                equal(running.wait(4), 1, f"exit code with {flags}")
                require(TOO_FAST in running.err, str(running))
        with context.client(BOTH, "-t", 1, "-l", 500, "-b", "900K", "--bidir") as running:
            running.succeed()


@row(f"{SERVER}: --server-bitrate-limit, more passes than was asked for", ours_only=True, flags=[])
@row(f"{SERVER}: --server-bitrate-limit, more passes than was asked for, -R", slow=True, ours_only=True, flags=["-R"])
def too_fast(context, flags):
    """TCP without -b asks for nothing. The test ends when the first window is over."""
    with context.server(SERVER, "--server-bitrate-limit", "5M/0.5") as serving:
        with context.client(SERVER, "-t", 10, *flags, tcp=True) as running:
            equal(running.wait(5), 1, "exit code")
            between(time.monotonic() - running.started, 0.5, 2.5, "seconds")
        serving.wait_for_line(TOO_FAST, 3)
        with context.client(SERVER, "-t", 1, "-b", "3M", *flags, tcp=True) as running:
            running.succeed()


@row(f"{BOTH}: --server-max-duration", ours_only=True)
def too_long(context):
    with context.server(BOTH, "--server-max-duration", 3):
        for flags in (["-t", 4], ["-t", 2, "-O", 2], ["-n", "10K"]):
            with context.client(BOTH, *flags, *PACED) as running:
                equal(running.wait(4), 1, f"exit code with {flags}")
                require("exceeds the server's maximum permitted limit" in running.err, str(running))
        with context.client(BOTH, "-t", 1, "-O", 1, *PACED) as running:
            running.succeed()


@row(f"{SERVER}: --rcv-timeout, a client that sends nothing", ours_only=True)
def nothing_comes(context):
    """The error is iperf 3.21's; earlier ones close only."""
    with context.server(SERVER, "--rcv-timeout", 700) as serving:
        with control.connect(context.lab, "a") as link, control.udp_port(context.lab, "a", 0) as udp:
            control.act_until("running", link, udp, (context.lab.address("b"), PORT))
            started = time.monotonic()
            equal(link.end(), control.server_error(144), "what the server says")
            between(time.monotonic() - started, 0.6, 1.5, "seconds")
        serving.wait_for_line("idle timeout for receiving data", 3)
        context.serves()


@contextlib.contextmanager
def vanished_client(context, *flags, options=(), tcp=False):
    """A client of a running test whose host is gone, without a FIN or an ICMP."""
    with context.server(SERVER, "--forceflush", *options) as serving:
        arguments = ("-t", 60, "-i", "0.2", "--forceflush", *flags)
        with context.client(SERVER, *arguments, tcp=tcp) as running:
            running.wait_for_line(UNDER_WAY)
            for command in (NEW_TABLE, DROP_ALL):
                context.lab.run("a", "nft", command)
            running.signal(signal.SIGSTOP)
            gone = time.monotonic()
            try:
                yield serving, gone
            finally:
                running.signal(signal.SIGKILL)
                running.wait()
                context.lab.run("a", "nft", "flush", "ruleset")


@row(f"{SERVER}: --cntl-ka frees it from a client that has vanished, -R", ours_only=True, flags=["-R", *PACED])
@row(f"{SERVER}: --cntl-ka frees it from a client that has vanished", ours_only=True, slow=True, flags=PACED)
def keepalive(context, flags):
    with vanished_client(context, *flags, options=["--cntl-ka=2/1/1"]) as (serving, gone):
        serving.wait_for_line("unexpectedly closed the connection|has terminated", 8)
        between(time.monotonic() - gone, 1.5, 6, "seconds")


@row(f"{SERVER}: frees itself from a client that has vanished, -R", ours_only=True, slow=True, flags=["-R", *PACED])
def without_keepalive(context, flags):
    """A sending iperf3 from 3.16 on waits for ever."""
    with vanished_client(context, *flags) as (serving, gone):
        serving.wait_for_line("unexpectedly closed the connection|has terminated", 40)
        between(time.monotonic() - gone, 20, 30, "seconds")


@row(f"{SERVER}: --snd-timeout, TCP data that nobody acknowledges", ours_only=True)
def nobody_acknowledges(context):
    options = ["--snd-timeout", 1500]
    with vanished_client(context, "-R", tcp=True, options=options) as (serving, gone):
        serving.wait_for_line("unable to write to stream socket: Connection timed out", 6)
        between(time.monotonic() - gone, 1, 4, "seconds")
