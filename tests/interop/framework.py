"""Rows: named checks, each counted once, run one after another in one lab."""

import functools
import time
import traceback
from dataclasses import dataclass, field

from netlab import releases, remains
from netlab.lab import Failed
from netlab.programs import STOCK, client, is_stock, server
from netlab.wires import BUSY_SECONDS, VETH, Wire

# Who plays which part. The client is at end a, the server at end b.
CLIENT, SERVER, BOTH = "our client", "our server", "both ours"

# The iperf3 of this machine.
INSTALLED = releases.named(STOCK)


def stock_end(role):
    """Where packets can be captured."""
    return "a" if role == SERVER else "b"


@dataclass(frozen=True)
class Row:
    name: str
    run: callable
    ours_only: bool  # stock iperf3 cannot pass
    slow: bool  # only with --all
    wire: Wire  # what joins the two ends
    peer: releases.Iperf3  # the stock program


ROWS = []


def row(name, ours_only=False, slow=False, wire=VETH, peer=INSTALLED, **arguments):
    """Registers the decorated function as a row; may be applied several times.

    Wires other than a plain veth are ours_only: they are made by our program.
    """

    def register(function):
        assert all(known.name != name for known in ROWS), f"two rows named '{name}'"
        run = functools.partial(function, **arguments)
        ROWS.append(Row(name, run, ours_only or wire != VETH, slow, wire, peer))
        return function

    return register


class Skipped(Exception):
    """This machine cannot play the row; the text says why."""


def require(condition, text):
    if not condition:
        raise Failed(text)


def equal(have, want, what):
    require(have == want, f"{what}: {have}, should be {want}")


def between(have, low, high, what):
    require(low <= have <= high, f"{what}: {have}, should be from {low} to {high}")


@dataclass
class Context:
    """What a row works with."""

    lab: object
    our: str
    peer: releases.Iperf3 = INSTALLED
    notes: list = field(default_factory=list)
    role: str = ""  # of the programs that were asked for last

    @property
    def stock(self):
        return is_stock(self.our)

    def note(self, text):
        """Remarked beside the row's result."""
        self.notes.append(text)

    @property
    def late_seconds(self):
        """Lab.late_seconds; two of ours have a poller on every CPU."""
        return BUSY_SECONDS if self.role == BOTH else self.lab.late_seconds

    def programs(self, role):
        """Client and server program."""
        self.role = role
        return (
            self.peer.program if role == SERVER else self.our,
            self.peer.program if role == CLIENT else self.our,
        )

    def ends_with_interval(self, role):
        """Whether the client looks at -n and -k only when an interval ends, as iperf3 does since 3.16."""
        return role == SERVER and self.peer.release >= (3, 16)

    def server(self, role, *arguments, **settings):
        return server(self.lab, "b", self.programs(role)[1], *arguments, **settings)

    def client(self, role, *arguments, tcp=False, **settings):
        return client(self.lab, "a", self.programs(role)[0], *([] if tcp else ["-u"]), *arguments, **settings)

    def test(self, role, *arguments, seconds=15, **settings):
        """One test from start to end, both sides as JSON: (client's, server's)."""
        with self.server(role, "-1", "-J") as serving:
            with self.client(role, "-J", *arguments, **settings) as running:
                running.wait(seconds)
                require(running.code == 0, f"exit code {running.code}\n{running}\n{serving}")
                serving.succeed()
                return running.json, serving.json

    def serves(self, role=SERVER):
        """The server, already running, completes a short test."""
        quick = ("-k", "5", "-b", "1M", "-l", "100", "-i", "0.1", "-J")
        most = 200 if self.ends_with_interval(role) else 6
        with self.client(role, *quick) as running:
            running.succeed()
            require("error" not in running.json, f"not served\n{running}")
            between(running.json["end"]["sum"]["packets"], 5, most, "datagrams")


@dataclass
class Outcome:
    row: Row
    status: str  # "passed", "failed", "skipped"
    seconds: float = 0
    text: str = ""


def run_row(a_row, lab, our):
    if a_row.ours_only and is_stock(our):
        return Outcome(a_row, "skipped", text="only ours can pass")
    started = time.monotonic()
    context = Context(lab, our, a_row.peer)
    status, text = "passed", ""
    try:
        before = remains.Before(lab)
        try:
            a_row.run(context)
        finally:
            lab.rest()
            before.check()
    except Skipped as reason:
        status, text = "skipped", str(reason)
    except Failed as problem:
        status, text = "failed", str(problem)
    except Exception:  # a fault of the row itself is a failure like any other
        status, text = "failed", traceback.format_exc()
    text = "\n".join([*context.notes, *([text] if text else [])])
    return Outcome(a_row, status, time.monotonic() - started, text)
