"""What is for scripts: --require, --save and --wait."""

import json
import os
import pwd
import time

from framework import BOTH, CLIENT, SERVER, between, equal, require, row
from netlab.programs import STOCK, Process, client
from netlab.wires import Wire
from rows_life import scratch
from rows_output import complaints_about

PACED = ("-t", 1, "-b", "8M", "-l", 1000)
EASY_UDP = "tx>=7.5M,rx>=7.5M,rx<9M,pps>900,loss<=1%,jitter<=20ms"
EASY_TCP = "tx>=100K,rx>=100K,rx<12M,retr<=1000"


def judged(context, role, *arguments, code, tcp=False):
    """Our client's exit code, and with it what it has said of each requirement."""
    with context.server(role, "-1") as serving:
        with context.client(role, *PACED, *arguments, "-J", tcp=tcp) as running:
            equal(running.wait(15), code, f"exit code\n{running}")
            serving.succeed()
            equal(complaints_about(running.out), [], "what does not fit the schema")
            return running.json["dpdkperf"]["required"], running.err


@row(f"{CLIENT}: --require is met, UDP", slow=True, ours_only=True, role=CLIENT, wanted=EASY_UDP, flags=[])
@row(f"{CLIENT}: --require is met, UDP -R", ours_only=True, role=CLIENT, wanted=EASY_UDP, flags=["-R"])
@row(f"{CLIENT}: --require is met, TCP --bidir", slow=True, ours_only=True, role=CLIENT, wanted=EASY_TCP, flags=["--bidir"])
@row(f"{BOTH}: --require is met, TCP -R", ours_only=True, role=BOTH, wanted=EASY_TCP, flags=["-R"])
def met(context, role, wanted, flags):
    required, err = judged(context, role, *flags, "--require", wanted, code=0, tcp=wanted == EASY_TCP)
    directions = 2 if "--bidir" in flags else 1
    equal(len(required), directions * len(wanted.split(",")), "verdicts")
    require(all(verdict["met"] for verdict in required), f"{required}")
    require("require:" not in err, err)


@row(f"{CLIENT}: --require is not met, UDP", slow=True, ours_only=True, role=CLIENT, flags=["-u"])
@row(f"{CLIENT}: --require is not met, TCP -R", ours_only=True, role=CLIENT, flags=["-R"])
@row(f"{BOTH}: --require is not met, UDP -R", ours_only=True, role=BOTH, flags=["-u", "-R"])
def not_met(context, role, flags):
    required, err = judged(context, role, *flags, "--require", "rx>=90G,tx>100K", code=2, tcp=True)
    equal([verdict["met"] for verdict in required], [False, True], "met")
    equal(err.count("require: "), 1, f"lines\n{err}")
    require("require: rx " in err and "bits/sec is not >= 90 Gbits/sec" in err, err)


@row(f"{CLIENT}: --require, datagrams are lost on the way", ours_only=True)
def lost(context):
    """In text; the loss is our own doing."""
    with context.server(CLIENT, "-1"):
        wanted = ("--impair", "tx:loss=20%", "--require", "loss<=5%,loss>5%")
        with context.client(CLIENT, *PACED, *wanted) as running:
            equal(running.wait(15), 2, f"exit code\n{running}")
            require("iperf Done." in running.out, str(running))
            equal(running.err.count("require: loss "), 1, f"lines\n{running}")
            require("% is not <= 5%" in running.err, str(running))


@row(f"{CLIENT}: --require, and nobody to test with", ours_only=True)
def no_server(context):
    with context.client(CLIENT, "--require", "rx>1", port=5999) as running:
        equal(running.wait(5), 1, f"exit code\n{running}")


@row(f"{CLIENT}: --require that cannot be", ours_only=True)
def impossible(context):
    for flags in (["--require", "loss<=1%"], ["-u", "--require", "retr<=1"], ["--require", "rx=1G"]):
        with context.client(CLIENT, *flags, tcp=True) as running:
            equal(running.wait(5), 1, f"exit code\n{running}")
            require("parameter error - --require" in running.err, str(running))


@row(f"{CLIENT}: --wait for a server that is busy", slow=True, ours_only=True, role=CLIENT, tcp=False)
@row(f"{CLIENT}: --wait for a server that is busy, TCP", ours_only=True, role=CLIENT, tcp=True)
@row(f"{BOTH}: --wait for a server that is busy", slow=True, ours_only=True, role=BOTH, tcp=False)
def busy(context, role, tcp):
    with context.server(role) as serving:
        with client(context.lab, "a", STOCK, *PACED, "-t", 3, "-i", "0.5", "--forceflush") as first:
            first.wait_for_line("sec")
            with context.client(role, *PACED, "--wait", 20, tcp=tcp) as second:
                second.wait_for_line("waiting for the server: the server is busy running a test")
                require(first.running, "the first client has ended before")
                second.succeed(20)
                equal(second.err.count("waiting for"), 1, f"lines\n{second}")
            first.succeed()
        require(serving.running, "the server ended")


@row(f"{CLIENT}: --wait for a server that is not there yet", ours_only=True, role=CLIENT, tcp=True)
@row(f"{CLIENT}: --wait for a server that is not there yet, UDP", slow=True, ours_only=True, role=CLIENT, tcp=False)
@row(f"{BOTH}: --wait for a server that is not there yet", slow=True, ours_only=True, role=BOTH, tcp=True)
def later(context, role, tcp):
    with context.client(role, *PACED, "--wait", 20, "-J", tcp=tcp) as running:
        time.sleep(2)
        require(running.running, f"it did not wait\n{running}")
        with context.server(role, "-1") as serving:
            running.succeed(15)
            serving.succeed()
        require("error" not in running.json and running.err.count("waiting") == 0, str(running))


@row(f"{CLIENT}: --wait, and nobody comes", ours_only=True)
def nobody_comes(context):
    with context.client(CLIENT, *PACED, "--wait", 2, port=5999) as running:
        equal(running.wait(8), 1, "exit code")
        between(time.monotonic() - running.started, 2, 5, "seconds")
        require("unable to connect to server: Connection refused" in running.err, str(running))


@row(f"{CLIENT}: --wait, and a server that refuses the test", ours_only=True)
def refused_for_good(context):
    with context.server(CLIENT, "--server-bitrate-limit", "1M"):
        with context.client(CLIENT, "-t", 5, "-b", "5M", "-l", 500, "--wait", 20) as running:
            equal(running.wait(8), 1, "exit code")
            require("control socket has closed unexpectedly" in running.err, str(running))


def saved_in(folder, role, count=1):
    """The files of --save, in the order of their making."""
    paths = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    equal(len(paths), count, f"files {paths}")
    texts = [path.read_text(encoding="utf-8") for path in paths]
    for path, text in zip(paths, texts):
        require(path.name.endswith(".json") and f"Z-{role}" in path.name, path.name)
        equal(complaints_about(text), [], "what does not fit the schema")
    return [json.loads(text) for text in texts]


@row(f"{CLIENT}: --save keeps the test and its document", ours_only=True)
def save(context):
    with scratch() as folder:
        # Relayed: then the server's version is known.
        flags = (*PACED, "-J", "--get-server-output", "--save", folder)
        with context.server(CLIENT, "-1", "-J") as serving:
            with context.client(CLIENT, *flags) as running:
                running.succeed(15)
                serving.succeed()
                (saved,) = saved_in(folder, "client")
                equal(saved["result"], running.json, "the document")
                equal(saved["peer_version"], serving.json["start"]["version"], "the server's version")
        equal(saved["arguments"], running.arguments[1:], "the command line")
        require(saved["versions"]["dpdk"].startswith("DPDK ") and saved["host"]["cpu"], f"{saved['host']}")
        with Process(context.lab, "a", [*running.arguments, "--dry-run"]) as dry:
            dry.succeed()
            equal(saved["port_plan"], dry.out.splitlines(), "the port's plan")


@row(f"{SERVER}: --save keeps each test", ours_only=True, slow=True)
def save_as_server(context):
    with scratch() as folder:
        with context.server(SERVER, "--save", folder) as serving:
            for flags in ([], ["-R"]):
                with context.client(SERVER, *PACED, *flags, tcp=True) as running:
                    running.succeed(15)
            serving.terminate()
        first, second = saved_in(folder, "server", 2)
        equal([run["result"]["start"]["test_start"]["reverse"] for run in (first, second)], [0, 1], "-R")
        # Of the stock client.
        require(first["peer_version"].startswith("3."), first["peer_version"])


@row(f"memif, {BOTH}: --save keeps the port's plan", wire=Wire("memif"))
def save_own_port(context):
    with scratch() as folder:
        with context.server(BOTH, "-1"):
            with context.client(BOTH, *PACED, "--save", folder) as running:
                running.succeed(20)
        (saved,) = saved_in(folder, "client")
        require(saved["port_plan"][0].startswith("port net_memif"), f"{saved['port_plan']}")
        require(any(line.startswith("kernel twin: ") for line in saved["port_plan"]), f"{saved['port_plan']}")


@row(f"{CLIENT}: --save into another user's folder", ours_only=True)
def save_as_other(context):
    """A test has no privileges, whoever started it."""
    with scratch() as folder:
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        with context.server(CLIENT, "-1") as serving:
            with context.client(CLIENT, *PACED, "--save", folder) as running:
                equal(running.wait(5), 1, "exit code")
                require("Permission denied; " in running.err and "--user" in running.err, str(running))
            require(serving.running, f"there was a test\n{serving}")
            with context.client(CLIENT, *PACED, "--save", folder, "--user", "nobody") as running:
                running.succeed(15)
        saved_in(folder, "client")


@row(f"{CLIENT}: --save to nowhere is an error before the test", ours_only=True)
def save_nowhere(context):
    with context.server(CLIENT, "-1") as serving:
        with context.client(CLIENT, *PACED, "--save", "/proc/nowhere") as running:
            equal(running.wait(5), 1, "exit code")
            require("--save: unable to write '/proc/nowhere/" in running.err, str(running))
        require(serving.running, f"there was a test\n{serving}")
