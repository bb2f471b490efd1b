"""A run that ends before there is a test says so where its reports would have gone."""

import json
import pathlib
import tempfile

from framework import CLIENT, SERVER, equal, require, row
from netlab.lab import PORT, wait_for
from netlab.programs import Process

NO_FOLDER = "/nonexistent/server.pid"
WHY = f"error - unable to write PID file '{NO_FOLDER}': No such file or directory"
NO_CAPABILITIES = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
LACKS = "error - attaching to an interface needs CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF; this process lacks"


def fails(context, *arguments, wrapper=()):
    with Process(context.lab, "b", [context.our, *arguments, "-p", PORT], wrapper=wrapper) as running:
        equal(running.wait(5), 1, "exit code")
        return running.out, running.err


@row(f"{SERVER}: a start that fails, as text, JSON and events", ours_only=True)
def forms(context):
    words = ("-s", "-I", NO_FOLDER)
    equal(fails(context, *words), ("", f"dpdkperf: {WHY}\n"), "text")
    out, err = fails(context, *words, "-J")
    equal((json.loads(out)["error"], err), (WHY, ""), "JSON")
    out, err = fails(context, *words, "--json-stream")
    equal((json.loads(out.splitlines()[0]), err), ({"event": "error", "data": WHY}, ""), "events")


@row(f"{SERVER}: a daemon whose start fails", ours_only=True)
def daemon(context):
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log"
        words = [context.our, "-s", "-D", "-I", NO_FOLDER, "--logfile", log, "-p", PORT]
        with Process(context.lab, "b", words) as running:
            equal(running.wait(5), 0, "exit code of what the shell started")
        wait_for(lambda: log.exists() and WHY in log.read_text(encoding="utf-8"), 3, "the reason in the log")


@row(f"{CLIENT}: without capabilities, JSON", ours_only=True)
def no_capabilities(context):
    out, err = fails(context, "-c", context.lab.address("a"), "-J", wrapper=NO_CAPABILITIES)
    error = json.loads(out)["error"]
    require(error.startswith(LACKS), error)
    equal(err, "", "standard error")


@row(f"{CLIENT}: help and version", first={"-h": "Usage: ", "--help": "Usage: ", "-v": "dpdkperf ", "--version": "dpdkperf "})
def says_what_it_is(context, first):
    for option, beginning in first.items():
        with Process(context.lab, "a", [context.our, option]) as running:
            equal(running.wait(5), 0, f"exit code of {option}")
            require(running.out.startswith(beginning), str(running))
            equal(running.err, "", "standard error")
