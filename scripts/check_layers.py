#!/usr/bin/env python3
"""Checks the layers: who may include whom.

The table below is the one source; docs/architecture.md explains it. Rules:
- a module includes "dpdkperf/<module>/..." only of the modules that its row lists;
- DPDK headers (rte_*.h) occur only in modules whose row says so;
- a header under src/ or drivers/ is private to its module;
- every header under include/ compiles alone (--no-compile leaves this out).
Tests may include anything.

Usage: scripts/check_layers.py [--no-compile] [TREE]
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Module:
    """What a module may include, besides itself, the standard library and its own headers."""

    may_use: frozenset
    dpdk: bool = False


def row(names="", dpdk=False):
    return Module(frozenset(names.split()), dpdk)


LAYERS = {
    "base": row(),
    "wire": row("base"),
    "stats": row("base"),
    "pacing": row("base"),
    "impair": row("base"),
    "capture": row("base"),
    "proto": row("base"),
    "auth": row("base"),
    "traffic": row("base stats"),
    "options": row("base impair stats traffic"),
    "tcp": row("base wire"),
    "report": row("base stats"),
    "host": row("base"),
    "control": row("auth base host impair options proto stats traffic"),
    "ports": row("base", dpdk=True),
    "drivers": row("base host ports", dpdk=True),
    "engine": row("base capture impair pacing ports stats tcp traffic wire", dpdk=True),
    # Wires everything, but has no business with the inside of protocol and data plane.
    "app": row("auth base capture control drivers engine host impair options ports report stats traffic", dpdk=True),
}

SOURCES = {".c", ".cpp", ".h", ".hpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def module_of(path):
    """The module that a path within the tree belongs to, or None."""
    parts = path.parts
    if parts[0] == "drivers":
        return "drivers"
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ("include", "dpdkperf") and len(parts) > 3:
        return parts[2]
    return None


def sources(tree):
    for top in ("include", "src", "drivers"):
        for path in sorted((tree / top).rglob("*")):
            if path.suffix in SOURCES:
                yield path.relative_to(tree)


def includes(file):
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1] == '"', match[2]


def check_include(tree, path, module, quoted, target):
    """What is wrong with one #include, or None."""
    if target.startswith("dpdkperf/"):
        used = target.split("/")[1]
        if used not in LAYERS:
            return f"there is no module '{used}'"
        if used != module and used not in LAYERS[module].may_use:
            return f"{module} may not use {used}"
        if not (tree / "include" / target).is_file():
            return f"{target} does not exist"
        return None
    if pathlib.PurePath(target).name.startswith("rte_"):
        return None if LAYERS[module].dpdk else f"{module} may not use DPDK ({target})"
    if quoted:
        return check_private(tree, path, module, target)
    return None


def check_private(tree, path, module, target):
    """A quoted include without dpdkperf/ must stay within the module."""
    if path.parts[0] == "include":
        return f"a public header includes the private header {target}"
    for folder in (tree / path.parent, tree / "src", tree):
        file = (folder / target).resolve()
        if file.is_file() and file.is_relative_to(tree):
            owner = module_of(file.relative_to(tree))
            return None if owner == module else f"{target} is private to {owner}"
    return None  # generated, or a library's: the compiler knows


def check_includes(tree):
    problems = []
    for path in sources(tree):
        module = module_of(path)
        if module not in LAYERS:
            problems.append(f"{path}: belongs to no module of the table")
            continue
        for number, quoted, target in includes(tree / path):
            wrong = check_include(tree, path, module, quoted, target)
            if wrong:
                problems.append(f"{path}:{number}: {wrong}")
    return problems


def dpdk_flags():
    """How the compiler finds DPDK; empty if it is not installed."""
    found = subprocess.run(
        ["pkg-config", "--cflags", "libdpdk"], capture_output=True, text=True, check=False
    )
    return [re.sub("^-I", "-isystem", flag) for flag in shlex.split(found.stdout)]


def compile_alone(tree, path, flags):
    compiler = os.environ.get("CXX", "g++")
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", *flags]
    command += ["-I", str(tree / "include"), "-x", "c++", "-"]
    unit = f'#include "{path.relative_to("include")}"\n'
    run = subprocess.run(command, input=unit, capture_output=True, text=True, check=False)
    return None if run.returncode == 0 else f"{path}: does not compile alone:\n{run.stderr}"


def check_headers_alone(tree):
    flags = dpdk_flags()
    headers = [path for path in sources(tree) if path.parts[0] == "include"]
    if not flags:
        headers = [path for path in headers if not LAYERS.get(module_of(path), row()).dpdk]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda path: compile_alone(tree, path, flags), headers)
        return [problem for problem in found if problem]


def main(arguments):
    parser = argparse.ArgumentParser(description="Checks who includes whom.")
    parser.add_argument("tree", nargs="?", default=pathlib.Path(__file__).parent.parent)
    parser.add_argument("--no-compile", action="store_true", help="only read the includes")
    options = parser.parse_args(arguments)
    tree = pathlib.Path(options.tree).resolve()
    problems = check_includes(tree)
    if not options.no_compile:
        problems += check_headers_alone(tree)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
