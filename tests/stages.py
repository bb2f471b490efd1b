#!/usr/bin/env python3
"""Builds and tests everything; the last line counts test cases.

scripts/test                what every change must pass
scripts/test --all          clang, ThreadSanitizer, all fuzzing, clang-tidy, slow and VM rows too
scripts/test --vm           rows on real PCI devices in a virtual machine, and nothing else
scripts/test --soak tcp N   N seeds of the TCP engine's simulator, and nothing else

A failing stage does not stop the others. Without root, interop and host-root tests are skipped.
Build folders (build-*) are kept, so that a second run compiles only what has changed.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[1]
FUZZ_SECONDS = 60
SANITIZED = ("-Dbuildtype=debug", "-Doptimization=1", "-Db_sanitize=address,undefined")
TCP_SEEDS = 10_000  # of the simulator, with every change; a release build takes 7 s for them
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}


@dataclass
class Stage:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0
    failures: list = field(default_factory=list)  # their names

    def count(self, good, name):
        if good:
            self.passed += 1
        else:
            self.fail(name)

    def fail(self, name):
        self.failed += 1
        self.failures.append(name)


def run(*command, **variables):
    """Shows a command and runs it; true if it succeeded."""
    command = [str(part) for part in command]
    shown = [*(f"{key}={value}" for key, value in variables.items()), *command]
    if len(shown) > 20:
        shown[10:] = [f"... ({len(shown) - 10} more)"]
    print("+ " + " ".join(shown), flush=True)
    environment = {**os.environ, **SANITIZERS, **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def introspect(folder, what):
    command = ["meson", "introspect", str(ROOT / folder), what]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def targets_of(folder, suites):
    """The files that tests of these suites are made of: most of the time goes into compiling."""
    files = {target["id"]: target["filename"] for target in introspect(folder, "--targets")}
    tests = introspect(folder, "--tests")
    chosen = [test for test in tests if {name.split(":")[-1] for name in test["suite"]} & set(suites)]
    made = {path for test in chosen for target in test["depends"] for path in files[target]}
    return sorted(os.path.relpath(path, ROOT / folder) for path in made)


def build(stage, folder, *options, targets=(), suites=(), **variables):
    """`targets` and what `suites` need. One that fails is a failed test; one that succeeds is none."""
    good = (ROOT / folder / "build.ninja").exists() or run(
        "meson", "setup", folder, "-Dwerror=true", *options, **variables
    )
    good = good and run("ninja", "-C", folder, *targets, *targets_of(folder, suites))
    if not good:
        stage.fail(f"build of {folder}")
    return good


def count_cases(stage, folder):
    """Adds up meson's report, in which a gtest program's cases stand one by one."""
    logs = ROOT / folder / "meson-logs"
    failed = 0
    for case in ElementTree.parse(logs / "tests.junit.xml").iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        failed += bad
        if case.find("skipped") is not None:
            stage.skipped += 1
        else:
            stage.count(not bad, f"{case.get('classname')}: {case.get('name')}")
    # A program whose cases passed and that failed all the same, as after a leak.
    lines = (logs / "tests.json").read_text(encoding="utf-8").splitlines()
    programs = [json.loads(line) for line in lines]
    bad = [one["name"] for one in programs if one["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")]
    for name in bad[failed:]:
        stage.fail(name)


def meson_tests(stage, folder, *suites, patience=1):
    chosen = [part for suite in suites for part in ("--suite", suite)]
    logs = ROOT / folder / "meson-logs"
    for old in ("tests.junit.xml", "tests.json"):
        (logs / old).unlink(missing_ok=True)
    # Where nothing belongs to the suites meson writes no report.
    good = run(
        "meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs", "--logbase", "tests",
        "--timeout-multiplier", patience, *chosen,
    )  # fmt: skip
    if (logs / "tests.junit.xml").exists():
        count_cases(stage, folder)
    elif not good:
        stage.fail(f"meson test in {folder}")


def lint(stage):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [path for path in listed.stdout.split("\n") if path and (ROOT / path).is_file()]
    ours = [path for path in files if path.endswith((".c", ".h", ".cpp", ".hpp"))]
    stage.count(run("clang-format", "--dry-run", "-Werror", *ours), "clang-format")
    stage.count(run("scripts/check_layers.py"), "check_layers")
    prose = [p for p in files if not p.startswith("tests/golden/") and "/corpus/" not in p]
    good = run("codespell", "-L", "nd", *prose)  # ND: neighbour discovery
    stage.count(good, "codespell")
    good = run("python3", "-m", "unittest", "discover", "-s", "tests/scripts", "-p", "*_test.py")
    stage.count(good, "tests/scripts")


def optimized(stage, everything):
    """The program and what sanitizers are too slow for; the other suites run with sanitizers."""
    suites = ["optimized", "faults", "golden", "live", "host-root", "interop"]
    suites += ["unit", "eal"] if everything else []
    if build(stage, "build-debug", targets=["dpdkperf"], suites=suites):
        os.environ.setdefault("DPDKPERF_TCP_SEEDS", str(TCP_SEEDS))
        meson_tests(stage, "build-debug", *suites)
        del os.environ["DPDKPERF_TCP_SEEDS"]


def interop(stage, everything):
    program = ROOT / "build-debug" / "dpdkperf"
    if os.geteuid() != 0:
        print("interop needs root: skipped")
        stage.skipped += 1
        return
    flags = ["--all"] if everything else []
    rows(stage, "tests/interop/run", program, *flags)


def rows(stage, runner, program, *flags):
    """Counts the rows that a program for rows has run."""
    results = program.parent / f"{pathlib.Path(runner).parent.name}.json"
    results.unlink(missing_ok=True)
    run(runner, "--results", results, *flags, OUR=str(program))
    if not results.exists():  # it could not even begin
        stage.fail(runner)
        return
    for row in json.loads(results.read_text(encoding="utf-8")):
        if row["status"] == "skipped":
            stage.skipped += 1
        else:
            stage.count(row["status"] == "passed", "\n".join([row["name"], row["text"]]))


def virtual_machine(stage):
    """Real PCI devices: QEMU without KVM, where a release build is slow enough."""
    if os.geteuid() != 0:
        print("the virtual machine needs root: skipped")
        stage.skipped += 1
        return
    configured = (ROOT / "build" / "build.ninja").exists() or run(
        "meson", "setup", "build", "--buildtype=release", "-Dtests=disabled"
    )
    if configured and run("ninja", "-C", "build"):
        rows(stage, "tests/vm/run", ROOT / "build" / "dpdkperf")
    else:
        stage.fail("build of build")


def sanitized(stage):
    """What needs DPDK, and so the compiler that DPDK is built with."""
    if build(stage, "build-sanitize", *SANITIZED, suites=["eal"]):
        meson_tests(stage, "build-sanitize", "eal", patience=5)


def without_dpdk(stage):
    """The pure half, with the other compiler and sanitizers: one build checks all three."""
    options = ("-Ddpdk=disabled", "-Db_lundef=false", *SANITIZED)
    if build(stage, "build-pure", *options, suites=["unit"], CXX="clang++", CC="clang"):
        meson_tests(stage, "build-pure", "unit", patience=5)


def clang(stage):
    """Everything with clang: all of its warnings, too."""
    if build(stage, "build-clang", targets=["all"], CXX="clang++", CC="clang"):
        meson_tests(stage, "build-clang", "unit", "eal")
        good = run("run-clang-tidy", "-quiet", "-p", "build-clang", "/(src|drivers)/")
        stage.count(good, "clang-tidy")


def threads(stage):
    options = ("-Ddpdk=disabled", "-Dbuildtype=debug", "-Doptimization=1", "-Db_sanitize=thread")
    if build(stage, "build-threads", *options, suites=["unit"]):
        meson_tests(stage, "build-threads", "unit", patience=10)


def build_fuzzers(stage, *targets):
    options = ("-Dfuzz=true", "-Ddpdk=disabled", "-Db_lundef=false")
    return build(stage, "build-fuzz", *options, targets=targets, CXX="clang++", CC="clang")


def fuzz_from_corpus(name, seconds):
    """Runs fuzz_tcp_NAME from a copy of its corpus, which grows, and shows the end of its log: what
    was covered (cov: edges, ft: features, corp: inputs kept), runs and speed."""
    program = f"build-fuzz/tests/fuzz/tcp/fuzz_tcp_{name}"
    with tempfile.TemporaryDirectory() as folder:
        corpus = shutil.copytree(ROOT / "tests" / "fuzz" / "tcp" / "corpus" / name, f"{folder}/corpus")
        command = [
            ROOT / program, corpus, f"-max_total_time={seconds}", f"-artifact_prefix={ROOT}/build-fuzz/",
            "-print_final_stats=1",
        ]  # fmt: skip
        ran = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **SANITIZERS}, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    log = ran.stdout.splitlines()
    covered = [line for line in log if " cov: " in line][-1:]
    shown = [*covered, *(line for line in log if line.startswith(("Done ", "stat::")))]
    if ran.returncode != 0:
        shown = log[-60:]
    print("\n".join([f"+ {program} CORPUS -max_total_time={seconds}: {ran.returncode}", *shown]), flush=True)
    return ran.returncode == 0


def fuzz_tcp(stage):
    """A minute each, side by side; only these two are compiled."""
    names = ("program", "options")
    if not build_fuzzers(stage, *(f"tests/fuzz/tcp/fuzz_tcp_{name}" for name in names)):
        return
    with concurrent.futures.ThreadPoolExecutor(len(names)) as workers:
        results = workers.map(lambda name: fuzz_from_corpus(name, FUZZ_SECONDS), names)
        for name, good in zip(names, results):
            stage.count(good, f"fuzz_tcp_{name}")


def fuzz(stage):
    """The targets that the stage before has not run."""
    if not build_fuzzers(stage, "all"):
        return
    for program in sorted((ROOT / "build-fuzz" / "tests" / "fuzz").glob("**/fuzz_*")):
        if program.is_file() and not program.name.startswith("fuzz_tcp_"):
            good = run(program, f"-max_total_time={FUZZ_SECONDS}", "-print_final_stats=1")
            stage.count(good, program.name)


def soak(count):
    """Seeds that CI does not run, in the fastest build. Any that fails is printed with its number."""
    folder = "build-soak"
    options = ("--buildtype=release", "-Ddpdk=disabled")
    configured = (ROOT / folder / "build.ninja").exists() or run("meson", "setup", folder, *options)
    program = "tests/support/tcp/tcp_soak"
    good = configured and run("ninja", "-C", folder, program)
    good = good and run(ROOT / folder / program, TCP_SEEDS + 1, count)
    print(f"{int(good)} passed, {int(not good)} failed")
    return 0 if good else 1


def stages(everything, only_vm):
    if only_vm:
        yield "virtual machine", virtual_machine
        return
    yield "lint", lint
    yield "optimized build", lambda stage: optimized(stage, everything)
    yield "interop", lambda stage: interop(stage, everything)
    yield "ASan and UBSan, g++: eal", sanitized
    yield "ASan and UBSan, clang, pure half: unit", without_dpdk
    yield "TCP engine: fuzz", fuzz_tcp
    if everything:
        yield "clang: unit, eal, clang-tidy", clang
        yield "ThreadSanitizer: unit", threads
        yield "other parsers: fuzz", fuzz
        yield "virtual machine", virtual_machine


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="also what takes longer")
    parser.add_argument("--vm", action="store_true", help="only the virtual machine's rows")
    parser.add_argument("--soak", nargs=2, metavar=("tcp", "N"), help="only so many more seeds")
    wanted = parser.parse_args()
    if wanted.soak:
        if wanted.soak[0] != "tcp" or not wanted.soak[1].isdigit():
            parser.error(f"--soak takes 'tcp' and a number, not '{' '.join(wanted.soak)}'")
        return soak(int(wanted.soak[1]))
    done = []
    for name, stage_of in stages(wanted.all, wanted.vm):
        print(f"\n== {name}", flush=True)
        stage = Stage(name)
        started = time.monotonic()
        stage_of(stage)
        stage.seconds = time.monotonic() - started
        done.append(stage)

    for stage in done:
        for failure in stage.failures:
            print(f"FAILED in '{stage.name}': {failure}")
    print(f"\n{'stage':<40} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for stage in done:
        print(
            f"{stage.name:<40} {stage.passed:7} {stage.failed:7} {stage.skipped:8} {stage.seconds:8.0f}"
        )
    failed = sum(stage.failed for stage in done)
    print(f"{sum(stage.passed for stage in done)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
