#!/usr/bin/env python3
"""The kernel's iperf3 against dpdkperf in a lab of two namespaces, as tables."""

import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

import measure  # noqa: E402
from netlab.lab import Failed, Lab, end_on_signals  # noqa: E402
from netlab.programs import STOCK, client, program_under_test, server  # noqa: E402

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


def print_table(lab, our, seconds):
    print(COLUMNS.format("", "bytes", "sent", "sent", "received", "received", "", "received,"))
    print(COLUMNS.format("sender", "each", "Mpps", "Gb/s", "Mpps", "Gb/s", "lost", "to kernel"))
    for length in SIZES:
        both = [measure.run(lab, STOCK, length, seconds, streams) for streams in (1, 2)]
        kernel = max(both, key=lambda run: run.received_pps)
        print_row("iperf3", kernel, kernel)
        print_row(pathlib.Path(our).name, measure.run(lab, our, length, seconds), kernel)


TCP_COLUMNS = "{:<10} {:>9}  {:>9}  {:>6}"


def tcp_run(lab, program, seconds):
    """Gb/s that the receiver counted, and retransmissions."""
    with server(lab, "b", STOCK, "-1", "-J", wrapper=measure.RECEIVER) as serving:
        with client(lab, "a", program, "-t", seconds, "-C", "cubic", "-J") as running:
            running.succeed(seconds + 20)
            serving.succeed()
            end = running.json["end"]
    return end["sum_received"]["bits_per_second"] / 1e9, end["sum_sent"]["retransmits"]


def print_tcp(lab, our, seconds):
    """Frames of the MTU on both sides: a veth would hand the kernel's segments over uncut."""
    lab.run("a", "ethtool", "-K", lab.interface("a"), "tso", "off", "gso", "off")
    kernel = tcp_run(lab, STOCK, seconds)
    ours = tcp_run(lab, our, seconds)
    print(TCP_COLUMNS.format("sender", "Gb/s", "to kernel", "Retr"))
    for who, (gbps, retransmits) in (("iperf3", kernel), (pathlib.Path(our).name, ours)):
        print(TCP_COLUMNS.format(who, f"{gbps:.2f}", f"{gbps / kernel[0]:.2f}", retransmits))


def show_server(lab, our, seconds):
    """The other way round: a stock client against our server."""
    with server(lab, "b", our, "-1") as serving:
        with client(lab, "a", STOCK, "-u", "-b", "100M", "-t", seconds) as running:
            running.succeed(seconds + 10)
            print("\n".join(line for line in running.out.splitlines() if line.startswith("[")))
        serving.succeed()


def main():
    parser = argparse.ArgumentParser(prog="quickstart", description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, metavar="N", help="of each test (default 2)")
    seconds = parser.parse_args().seconds
    end_on_signals("quickstart")
    our = program_under_test()
    name = pathlib.Path(our).name
    try:
        with Lab(f"dpdkperf-first{os.getpid()}") as lab:
            print(f"UDP over a veth pair into iperf3 -s, {seconds} s each, without a rate limit;")
            print("iperf3's line is the better of -P 1 and -P 2.\n")
            print_table(lab, our, seconds)
            print(f"\nTCP into iperf3 -s, {seconds} s each, one stream, in frames of the MTU:\n")
            print_tcp(lab, our, seconds)
            print(f"\nThe other role, iperf3 -c -u -b 100M against {name} -s, as iperf3 sees it:\n")
            show_server(lab, our, seconds)
    except Failed as problem:
        print(f"quickstart: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
