#!/usr/bin/env python3
"""Instructions of the TCP engine's steps, counted by callgrind.

tests/perf/tcp_cost.py check PROGRAM    fails if a step is over its budget; PROGRAM is tcp_cost
tests/perf/tcp_cost.py render PROGRAM   also writes the table into docs/tcp-engine.md

A count is the difference of two runs, of which the second makes twice as many steps, divided by
the steps: what set-up costs falls out. Only instructions within the engine's calls are counted.
The same program gives the same numbers on every run.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "tcp-engine.md"
BEGIN, END = "<!-- tests/perf/tcp_cost.py render: begin -->", "<!-- end -->"
ARRIVE = "dpdkperf::tcp::Connection::on_segment*"
DEPART = "dpdkperf::tcp::Connection::next_segment*"


@dataclass(frozen=True)
class Step:
    what: str
    case: str
    calls: tuple  # functions that count
    steps: int
    units: int  # of `what` in a step
    budget: int  # instructions per unit
    bound: str


# Bounds come from the cycles that 100 Gbit/s leave at 3 GHz: 369 for a packet of 1500 bytes on one
# core, 738 on two, 16,600 for 64 KB; and from the 2,000 that no segment of a peer may exceed. They
# are counted as two instructions each, although this code runs at three to four. A budget is the
# bound or a fifth more than what was reached, whichever is less, so that a dearer step is noticed.
ANY = "4,000: 2,000 cycles for whatever a peer sends"
BURST = "33,200: 16,600 cycles for 64 KB"
STEPS = (
    Step(
        "a segment to send", "send_segments", (DEPART,), 40, 45, 930,
        "1,128: 738 cycles, less 174 for mbufs and port",
    ),
    Step("45 segments to send at once", "send_super_segments", (DEPART,), 40, 1, 1800, BURST),
    Step("an ACK of 45 segments", "send_segments", (ARRIVE,), 40, 1, 2030, BURST),
    Step(
        "an ACK of 2 segments", "send_behind_small_acks", (ARRIVE,), 200, 1, 1476,
        "1,476: 738 cycles, one core for ACKs",
    ),
    Step("an ACK with 3 new SACK blocks of 44", "sack_blocks", (ARRIVE,), 60, 1, 3000, ANY),
    Step("an ACK with 3 new SACK blocks of 1", "sack_odd_segments", (ARRIVE,), 1500, 1, 2520, ANY),
    Step("the same, known already", "sack_odd_segments_again", (ARRIVE,), 1000, 1, 1200, ANY),
    Step(
        "an ACK with 3 blocks of 20,000, known already", "hostile_scan", (ARRIVE,), 40, 1, 8000,
        "8,000: 2,000 cycles, but a plain loop: four each",
    ),
    Step(
        "a segment in order", "receive_in_order", (ARRIVE,), 40, 45, 222,
        "498: 369 cycles, less 120 for port and memory",
    ),
    Step("an ACK for 45 of them", "receive_in_order", (DEPART,), 40, 1, 935, BURST),
    Step("a segment out of order", "receive_out_of_order", (ARRIVE,), 1000, 1, 738, "738: 369 cycles"),
    Step("an ACK with 3 SACK blocks", "receive_out_of_order", (DEPART,), 1000, 1, 1430, ANY),
    Step(
        "a segment in front of 500 to 1,000 others", "receive_islands_backwards", (ARRIVE,), 500, 1,
        2130, ANY,
    ),
)  # fmt: skip


def instructions(program, step, steps):
    toggles = [f"--toggle-collect={name}" for name in step.calls]
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *toggles]
    ran = subprocess.run(
        [*command, program, step.case, str(steps)], capture_output=True, text=True, check=False
    )
    collected = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode != 0 or not collected:
        raise SystemExit(f"{step.case}: {' '.join(command)} failed:\n{ran.stderr}")
    return int(collected[1])


def cost(program, step):
    """Instructions per unit."""
    once, twice = (instructions(program, step, n * step.steps) for n in (1, 2))
    if twice <= once:
        raise SystemExit(f"{step.case}: nothing was counted in {step.calls}")
    return (twice - once) / (step.steps * step.units)


def table(costs):
    lines = ["| step | instructions | budget | bound |", "|---|---|---|---|"]
    for step, count in zip(STEPS, costs):
        lines.append(f"| {step.what} | {count:,.0f} | {step.budget:,} | {step.bound} |")
    return "\n".join(lines)


def render(text):
    old = DOCUMENT.read_text(encoding="utf-8")
    before, rest = old.split(BEGIN)
    after = rest.split(END, 1)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in ("check", "render"):
        print(__doc__)
        return 2
    action, program = arguments
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        costs = list(workers.map(lambda step: cost(program, step), STEPS))
    text = table(costs)
    print(text)
    over = [step for step, count in zip(STEPS, costs) if count > step.budget]
    for step in over:
        print(f"over budget: {step.what}")
    if action == "render" and not over:
        render(text)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
