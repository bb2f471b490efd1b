"""Ports below 1024: who binds one keeps the right to do so, who only connects to one does not."""

from framework import BOTH, equal, row
from rows_privileges import TEST, UNDER_WAY, Threads, check_nothing_left, mask

LOW, LOW_TOO = 80, 700
MAY_BIND = mask(["net_bind_service"])


@row(f"{BOTH}: capabilities for ports below 1024", ours_only=True)
def low_ports(context):
    with context.server(BOTH, port=LOW) as serving:
        for words, check in (([], check_nothing_left), (["--cport", LOW_TOO], check_may_bind)):
            with context.client(BOTH, *TEST, "-i", "0.2", *words, port=LOW) as running:
                running.wait_for_line(UNDER_WAY)
                check(running.pid)
                check_main_may_bind(serving.pid)
                equal(running.terminate(), 0, f"exit code after SIGTERM\n{running}")


def check_may_bind(process):
    equal(Threads(process).masks(), {MAY_BIND}, "capabilities of all threads")


def check_main_may_bind(process):
    equal(int(Threads(process).main["CapEff"], 16), MAY_BIND, "capabilities of the main thread")
