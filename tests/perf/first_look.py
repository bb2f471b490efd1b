#!/usr/bin/env python3
"""The kernel's iperf3 against dpdkperf in a lab of two namespaces, as one table."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

import measure  # noqa: E402
from netlab.lab import Failed, Lab, end_on_signals  # noqa: E402
from netlab.programs import STOCK, client, program_under_test, server  # noqa: E402

SECONDS = 2
SIZES = (1448, 64)

COLUMNS = "{:<10} {:>6}  {:>9} {:>9}  {:>9} {:>9}  {:>7}  {:>9}"


def print_row(who, run, kernel):
    print(
        COLUMNS.format(
            who, run.length, f"{run.sent_pps / 1e6:.3f}", f"{run.sent_gbps:.2f}",
            f"{run.received_pps / 1e6:.3f}", f"{run.received_gbps:.2f}", f"{run.lost:.1%}",
            f"{run.received_pps / kernel.received_pps:.2f}",
        ),
        flush=True,
    )  # fmt: skip


def print_table(lab, our):
    print(COLUMNS.format("", "bytes", "sent", "sent", "received", "received", "", "received,"))
    print(COLUMNS.format("sender", "each", "Mpps", "Gb/s", "Mpps", "Gb/s", "lost", "to kernel"))
    for length in SIZES:
        both = [measure.run(lab, STOCK, length, SECONDS, streams) for streams in (1, 2)]
        kernel = max(both, key=lambda run: run.received_pps)
        print_row("iperf3", kernel, kernel)
        print_row(pathlib.Path(our).name, measure.run(lab, our, length, SECONDS), kernel)


def show_server(lab, our):
    """The other way round: a stock client against our server."""
    with server(lab, "b", our, "-1") as serving:
        with client(lab, "a", STOCK, "-u", "-b", "100M", "-t", 2) as running:
            running.succeed()
            print("\n".join(line for line in running.out.splitlines() if line.startswith("[")))
        serving.succeed()


def main():
    end_on_signals("quickstart")
    our = program_under_test()
    name = pathlib.Path(our).name
    try:
        with Lab(f"dpdkperf-first{os.getpid()}") as lab:
            print(f"UDP over a veth pair into iperf3 -s, {SECONDS} s each, without a rate limit;")
            print("iperf3's line is the better of -P 1 and -P 2.\n")
            print_table(lab, our)
            print(f"\nThe other role, iperf3 -c -u -b 100M against {name} -s, as iperf3 sees it:\n")
            show_server(lab, our)
    except Failed as problem:
        print(f"quickstart: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
