"""iperf3 of other releases than this machine's: what IPERF3_BINARIES names, and later Debian suites'.

The program of a suite is unpacked into a build folder with all that it needs, its own C library, too.
Nothing of it is installed.
"""

import functools
import os
import pathlib
import re
import subprocess
from dataclasses import dataclass

from .lab import ROOT, Failed

CACHE = ROOT / "build-releases"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
# A suite that is released keeps its iperf3; of sid nobody knows.
SUITES = {"trixie": "3.18", "sid": None}


@dataclass(frozen=True)
class Iperf3:
    """A stock program: at `path`, or the one of a Debian suite."""

    name: str  # as rows call it: the release if it is known, else where it comes from
    path: str = ""
    suite: str = ""

    @functools.cached_property
    def program(self):
        """Its path; Failed if it cannot be had."""
        return str(of_suite(self.suite)) if self.suite else self.path

    @functools.cached_property
    def release(self):
        """Of the program, such as (3, 18)."""
        return release_of(self.program)


def release_of(program):
    try:
        shown = subprocess.run([program, "-v"], capture_output=True, text=True, timeout=10, check=False).stdout
    except OSError as problem:
        raise Failed(f"{program}: {problem.strerror}") from None
    found = re.match(r"iperf (\d+)\.(\d+)", shown)
    if not found:
        raise Failed(f"{program} -v says '{shown.strip()}'")
    return tuple(map(int, found.groups()))


def dotted(release):
    return ".".join(map(str, release))


def known(installed):
    """Those of IPERF3_BINARIES if it is set, else those of later suites, after the `installed` one."""
    listed = os.environ.get("IPERF3_BINARIES")
    if listed is None:
        others = [Iperf3(release or suite, suite=suite) for suite, release in SUITES.items()]
    else:
        others = [named(path) for path in listed.split(":") if path]
    return list({one.name: one for one in (installed, *others)}.values())


def named(path):
    try:
        return Iperf3(dotted(release_of(path)), path)
    except Failed:  # said again when it is needed
        return Iperf3(path, path)


def of_suite(suite):
    """The program of a Debian suite, downloaded unless it is there."""
    folder = CACHE / suite
    if not folder.exists():
        half = CACHE / f"{suite}.half"
        output("rm", "-rf", half)
        (half / "lists" / "partial").mkdir(parents=True)
        (half / "archives" / "partial").mkdir(parents=True)
        print(f"interop: downloading the iperf3 of {suite}", flush=True)
        download(suite, half)
        unpack(half)
        output("rm", "-rf", half / "lists", half / "archives")
        half.rename(folder)
    return folder / "iperf3"


def mirror():
    """Where this machine has its packages from."""
    wanted = ("Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main")
    found = output("apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted).split()
    return found[0] if found else "http://deb.debian.org/debian"


def download(suite, folder):
    """All packages that iperf3 depends on, as apt finds and verifies them for an empty machine."""
    (folder / "sources.list").write_text(f"deb [signed-by={KEYS}] {mirror()} {suite} main\n", encoding="ascii")
    (folder / "status").touch()
    settings = {
        "Dir::Etc::SourceList": folder / "sources.list", "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State": folder, "Dir::State::Lists": folder / "lists", "Dir::State::status": folder / "status",
        "Dir::Cache": folder, "Dir::Cache::Archives": folder / "archives",
        "Acquire::Languages": "none", "APT::Sandbox::User": "",
    }  # fmt: skip
    flags = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    output("apt-get", *flags, "update", "--error-on=any", timeout=300)
    wanted = ("install", "--yes", "--download-only", "--no-install-recommends", "iperf3")
    output("apt-get", *flags, *wanted, timeout=300)


def unpack(folder):
    """The packages' files below root, and a script that starts iperf3 with the libraries it finds there."""
    root = folder / "root"
    for package in sorted((folder / "archives").glob("*.deb")):
        output("dpkg-deb", "-x", package, root)
    loader = next(root.rglob("ld-linux*.so.*"))
    places = {path.parent.relative_to(folder) for name in ("libc.so.6", "libiperf.so.0") for path in root.rglob(name)}
    libraries = ":".join(f"$here/{place}" for place in sorted(places))
    script = folder / "iperf3"
    script.write_text(
        "#!/bin/sh\n"
        'here=$(dirname "$(realpath "$0")")\n'
        f'exec "$here/{loader.relative_to(folder)}" --argv0 iperf3 --library-path "{libraries}" '
        '"$here/root/usr/bin/iperf3" "$@"\n',
        encoding="ascii",
    )
    script.chmod(0o755)
    release_of(script)


def output(*command, **settings):
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **settings)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
