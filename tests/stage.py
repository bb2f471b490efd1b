"""What every stage of scripts/test needs: commands that are shown, builds, counted test cases."""

import json
import os
import pathlib
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[1]
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
    if (ROOT / folder / "build.ninja").exists():
        good = run("ninja", "-C", folder, "build.ninja")  # a new test may have come since
    else:
        good = run("meson", "setup", folder, "-Dwerror=true", *options, **variables)
    wanted = [*targets, *(targets_of(folder, suites) if good and suites else [])]
    good = good and run("ninja", "-C", folder, *wanted)
    if not good:
        stage.fail(f"build of {folder}")
    return good


def count_cases(stage, folder):
    """Adds up meson's report, in which a gtest program's cases stand one by one."""
    logs = ROOT / folder / "meson-logs"
    failed = []
    for suite in ElementTree.parse(logs / "tests.junit.xml").iter("testsuite"):
        for case in suite.iter("testcase"):
            bad = case.find("failure") is not None or case.find("error") is not None
            if case.find("skipped") is not None:
                stage.skipped += 1
            else:
                stage.count(not bad, f"{case.get('classname')}: {case.get('name')}")
            if bad:
                failed += [suite.get("name"), case.get("name")]
    # A program whose cases passed and that failed all the same, as after a leak.
    for line in (logs / "tests.json").read_text(encoding="utf-8").splitlines():
        program = json.loads(line)
        good = program["result"] in ("OK", "SKIP", "EXPECTEDFAIL")
        names = (f"dpdkperf.{program['name']}.", program["name"].split(" / ")[-1])
        if not good and not any(one == names[1] or one.startswith(names[0]) for one in failed):
            stage.fail(program["name"])


def meson_tests(stage, folder, *suites, patience=1, **variables):
    chosen = [part for suite in suites for part in ("--suite", suite)]
    logs = ROOT / folder / "meson-logs"
    for old in ("tests.junit.xml", "tests.json"):
        (logs / old).unlink(missing_ok=True)
    # Where nothing belongs to the suites meson writes no report.
    good = run(
        "meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs", "--logbase", "tests",
        "--timeout-multiplier", patience, *chosen, **variables,
    )  # fmt: skip
    if (logs / "tests.junit.xml").exists():
        count_cases(stage, folder)
    elif not good:
        stage.fail(f"meson test in {folder}")
