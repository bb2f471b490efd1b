#!/usr/bin/env python3
"""Builds and tests everything; the last line counts test cases.

scripts/test                what every change must pass
scripts/test --all          clang-tidy, ThreadSanitizer, slow and VM rows, more builds too
scripts/test --allow-missing    without the rows for an iperf3 that cannot be downloaded
scripts/test --vm           rows on real PCI devices in a virtual machine, and nothing else
scripts/test --soak tcp N   N seeds of the TCP engine's simulator, and nothing else

A failing stage does not stop the others. Without root, interop and host-root tests are skipped.
Build folders (build-*) are kept, so that a second run compiles only what has changed.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from stage import ROOT, SANITIZERS, Stage, build, meson_tests, run

FUZZ_SECONDS = 60
FUZZERS_AT_ONCE = 4
# One unit per target takes a quarter of the time; build-debug compiles every file by itself.
SANITIZED = (
    "-Dbuildtype=debug", "-Doptimization=1", "-Db_sanitize=address,undefined", "-Db_lundef=false",
    "-Dunity=on", "-Dunity_size=1000",
)  # fmt: skip
TCP_SEEDS = 10_000  # of the simulator, with every change; a release build takes 7 s for them


def lint(stage):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [path for path in listed.stdout.split("\n") if path and (ROOT / path).is_file()]
    ours = [path for path in files if path.endswith((".c", ".h", ".cpp", ".hpp"))]
    stage.count(run("clang-format", "--dry-run", "-Werror", *ours), "clang-format")
    stage.count(run("scripts/check_layers.py"), "check_layers")
    prose = [p for p in files if not p.startswith("tests/golden/") and "/corpus/" not in p]
    good = run("codespell", "-L", "nd", *prose)  # ND: neighbour discovery
    stage.count(good, "codespell")
    programs = sorted((ROOT / "tests" / "scripts").glob("*_test.py"))
    with concurrent.futures.ThreadPoolExecutor() as workers:  # most of the time they wait
        for path, good in zip(programs, workers.map(lambda path: run("python3", path), programs)):
            stage.count(good, f"tests/scripts/{path.name}")


def optimized(stage, everything):
    """The program and what sanitizers are too slow for; the other suites run with sanitizers."""
    suites = ["optimized", "faults", "golden", "live", "host-root", "interop"]
    suites += ["unit", "eal"] if everything else []
    if build(stage, "build-debug", targets=["dpdkperf"], suites=suites):
        meson_tests(stage, "build-debug", *suites, DPDKPERF_TCP_SEEDS=str(TCP_SEEDS))


def interop(stage, *flags):
    program = ROOT / "build-debug" / "dpdkperf"
    if os.geteuid() != 0:
        print("interop needs root: skipped")
        stage.skipped += 1
        return
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


def build_sanitized(stage):
    return build(
        stage, "build-sanitize", *SANITIZED, suites=["unit", "eal"], CXX="clang++", CC="clang"
    )


def sanitized(stage):
    """Every unit and eal test with the other compiler and sanitizers."""
    if build_sanitized(stage):
        meson_tests(stage, "build-sanitize", "unit", "eal", patience=5)


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


def fuzz_from_corpus(program):
    """Runs a fuzzer from a copy of its corpus, which grows, and shows the end of its log: what was
    covered (cov: edges, ft: features, corp: inputs kept), runs and speed."""
    folder = ROOT / program.parent.relative_to(ROOT / "build-fuzz") / "corpus"
    given = folder / program.name.removeprefix("fuzz_").removeprefix(f"{program.parent.name}_")
    with tempfile.TemporaryDirectory() as grown:
        if given.exists():
            shutil.copytree(given, grown, dirs_exist_ok=True)
        command = [
            program, grown, f"-max_total_time={FUZZ_SECONDS}", f"-artifact_prefix={ROOT}/build-fuzz/",
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
    title = f"+ {program.relative_to(ROOT)} CORPUS -max_total_time={FUZZ_SECONDS}: {ran.returncode}"
    print("\n".join([title, *shown]), flush=True)
    return ran.returncode == 0


def fuzz(stage):
    """Every fuzzer for a minute, some side by side."""
    options = ("-Dfuzz=true", "-Ddpdk=disabled", "-Dunity=on", "-Dunity_size=1000", "-Db_lundef=false")
    if not build(stage, "build-fuzz", *options, targets=["fuzzers"], CXX="clang++", CC="clang"):
        return
    found = sorted((ROOT / "build-fuzz" / "tests" / "fuzz").glob("**/fuzz_*"))
    programs = [path for path in found if path.is_file() and os.access(path, os.X_OK)]
    with concurrent.futures.ThreadPoolExecutor(FUZZERS_AT_ONCE) as workers:
        for program, good in zip(programs, workers.map(fuzz_from_corpus, programs)):
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


def give_way():
    """In the child, which leads a session of its own: SCHED_IDLE counts among the processes of a
    session only, where the kernel groups them by session (sched(7), autogroup)."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/autogroup").write_text("19", encoding="ascii")


class Beside:
    """Stages in a process of their own, which gets the CPUs only while nobody else wants them: what
    takes long and watches no clock, beside rows that wait most of their time."""

    def __init__(self, *names):
        self._folder = tempfile.TemporaryDirectory()
        self._results = pathlib.Path(self._folder.name) / "results.json"
        self._log = open(pathlib.Path(self._folder.name) / "log", "w+", encoding="utf-8")
        command = [sys.executable, __file__, "--beside", *names, "--results", self._results]
        self._names = names
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=self._log, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=give_way,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def finish(self):
        """Waits, shows what was printed, and gives the stages."""
        self._process.wait()
        self._log.seek(0)
        shutil.copyfileobj(self._log, sys.stdout)
        if not self._results.exists():
            ended = Stage(", ".join(self._names))
            ended.fail(f"exit code {self._process.returncode}")
            return [ended]
        return [Stage(**stage) for stage in json.loads(self._results.read_text(encoding="utf-8"))]


def run_stage(name, stage_of):
    print(f"\n== {name}", flush=True)
    stage = Stage(name)
    started = time.monotonic()
    stage_of(stage)
    stage.seconds = time.monotonic() - started
    return stage


BESIDE = {
    "ASan and UBSan, clang: build": build_sanitized,
    "fuzz": fuzz,
}


def stages(everything, allow_missing):
    """Before those of BESIDE have ended, and after."""
    for_rows = ["--all"] * everything + ["--allow-missing"] * allow_missing
    before = {
        "lint": lint,
        "optimized build": lambda stage: optimized(stage, everything),
        "interop": lambda stage: interop(stage, *for_rows),
    }
    after = {"ASan and UBSan, clang: unit, eal": sanitized}
    if everything:
        after["clang: unit, eal, clang-tidy"] = clang
        after["ThreadSanitizer: unit"] = threads
        after["virtual machine"] = virtual_machine
    return before, after


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="also what takes longer")
    parser.add_argument(
        "--allow-missing", action="store_true", help="skip rows of an iperf3 that cannot be had"
    )
    parser.add_argument("--vm", action="store_true", help="only the virtual machine's rows")
    parser.add_argument("--soak", nargs=2, metavar=("tcp", "N"), help="only so many more seeds")
    parser.add_argument("--beside", nargs="+", choices=BESIDE, help=argparse.SUPPRESS)
    parser.add_argument("--results", type=pathlib.Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.soak:
        if wanted.soak[0] != "tcp" or not wanted.soak[1].isdigit():
            parser.error(f"--soak takes 'tcp' and a number, not '{' '.join(wanted.soak)}'")
        return soak(int(wanted.soak[1]))
    if wanted.beside:
        done = [run_stage(name, BESIDE[name]) for name in wanted.beside]
        text = json.dumps([dataclasses.asdict(stage) for stage in done])
        wanted.results.write_text(text, encoding="utf-8")
        return 0
    if wanted.vm:
        return show([run_stage("virtual machine", virtual_machine)])
    for number in (signal.SIGTERM, signal.SIGHUP):  # so that with blocks end
        signal.signal(number, lambda *_: sys.exit("terminated"))
    before, after = stages(wanted.all, wanted.allow_missing)
    with Beside(*BESIDE) as beside:
        done = [run_stage(*named) for named in before.items()]
        done += beside.finish()
    done += [run_stage(*named) for named in after.items()]
    return show(done)


def show(done):
    """The stages' table and, as the last line, the count; the exit code."""
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
