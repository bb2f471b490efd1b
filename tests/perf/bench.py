#!/usr/bin/env python3
"""Compares dpdkperf with others on this machine, as root.

scripts/bench [ROW...]   run comparisons and put their results into docs/performance.json
scripts/bench render     write docs/performance.md from docs/performance.json

OUR selects the program under test; the default is a release build in build-bench/, which
is made first.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "perf"), str(ROOT / "tests" / "support")]

import comparisons  # noqa: E402
import machine  # noqa: E402
import memif  # noqa: E402
import render  # noqa: E402
import tcp  # noqa: E402
from netlab.lab import Failed, Lab, end_on_signals  # noqa: E402
from netlab.programs import program_under_test  # noqa: E402

ALL = (*comparisons.ALL, *memif.ALL, *tcp.ALL)
RESULTS = ROOT / "docs" / "performance.json"
TABLE = ROOT / "docs" / "performance.md"


def options():
    known = [one.id for one in ALL]
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"rows, all of them if none is named: {' '.join(known)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="what to run, or 'render'")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="length of one test")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS, help="file of the results")
    wanted = parser.parse_args()
    for name in wanted.rows:
        if name not in known and wanted.rows != ["render"]:
            parser.error(f"no row '{name}'; rows: {' '.join(known)}")
    return wanted


def build():
    folder = ROOT / "build-bench"
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, "--buildtype=release"], cwd=ROOT, check=True)
    programs = [f"tests/perf/bench_{name}" for name in ("sink", "tcp", "udp")]
    subprocess.run(["ninja", "-C", folder, "dpdkperf", *programs], check=True)
    return str(folder / "dpdkperf")


def as_result(comparison, values, conditions):
    return {
        "id": comparison.id,
        "run": conditions,
        "title": comparison.title,
        "ours": comparison.ours,
        "theirs": comparison.theirs,
        "metrics": [
            {"name": metric.name, "unit": metric.unit, "goal": metric.goal, "limit": metric.limit}
            | values[metric.name]
            for metric in comparison.metrics
        ],
    }


def kept(path, found):
    """The comparisons in the file that were not run this time."""
    if not path.exists():
        return []
    old = json.loads(path.read_text(encoding="utf-8"))["comparisons"]
    return [comparison for comparison in old if comparison["id"] not in found]


def run(wanted):
    our = program_under_test() if "OUR" in os.environ else build()
    chosen = [one for one in ALL if not wanted.rows or one.id in wanted.rows]
    with Lab(f"dpdkperf-bench{os.getpid()}") as lab:
        setup = comparisons.Setup(lab, our, wanted.seconds)
        conditions = {
            "date": datetime.date.today().isoformat(),
            "rounds": wanted.rounds,
            "seconds": wanted.seconds,
            "machine": machine.describe(),
        }
        found = {
            one.id: as_result(one, comparisons.run(one, setup, wanted.rounds), conditions)
            for one in chosen
        }
    results = {"comparisons": [*kept(wanted.results, found), *found.values()]}
    wanted.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print()
    print(render.markdown(results))
    print(f"results: {wanted.results}")


def main():
    wanted = options()
    if wanted.rows == ["render"]:
        results = json.loads(wanted.results.read_text(encoding="utf-8"))
        TABLE.write_text(render.markdown(results), encoding="utf-8")
        return 0
    if os.geteuid() != 0:
        sys.exit("bench: network namespaces need root: run it with sudo")
    end_on_signals("bench")
    try:
        run(wanted)
    except (Failed, subprocess.CalledProcessError) as problem:
        sys.exit(f"bench: {problem}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
