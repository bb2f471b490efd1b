"""Debian's kernel package, unpacked in a build folder: nothing of it is installed on this machine."""

import pathlib
import re
import subprocess

PACKAGE = "linux-image-amd64"


class Kernel:
    """The image and the modules of one kernel."""

    def __init__(self, folder):
        self.image = next(folder.glob("boot/vmlinuz-*"))
        self.version = self.image.name.removeprefix("vmlinuz-")
        self.folder = folder

    def modules(self, names):
        """The files of these modules and of all that they need, in no order."""
        found = set()
        for name in names:
            shown = output("modprobe", "-d", self.folder, "-S", self.version, "--show-depends", name)
            found.update(re.findall(r"^insmod (\S+)", shown, re.MULTILINE))
        return [pathlib.Path(path) for path in sorted(found)]

    def inside(self, path):
        """Where a module belongs in the machine that runs this kernel."""
        return path.resolve().relative_to(self.folder.resolve())

    def index(self):
        """What modprobe reads."""
        return sorted((self.folder / "lib/modules" / self.version).glob("modules.*"))


def output(*command, **settings):
    command = [str(part) for part in command]
    return subprocess.run(command, capture_output=True, text=True, check=True, **settings).stdout


def newest_package():
    """The package that Debian's meta package names now."""
    shown = output("apt-cache", "show", "--no-all-versions", PACKAGE)
    return re.search(r"^Depends: (linux-image-\S+)", shown, re.MULTILINE)[1]


def get(folder):
    """Downloads and unpacks the kernel if `folder` does not hold one yet."""
    ready = folder / "kernel"
    if not ready.exists():
        folder.mkdir(parents=True, exist_ok=True)
        package = newest_package()
        print(f"vm: downloading {package}", flush=True)
        output("apt-get", "download", package, cwd=folder, timeout=600)
        archive = next(folder.glob(f"{package}_*.deb"))
        half = folder / "kernel.half"
        output("rm", "-rf", half)
        output("dpkg-deb", "-x", archive, half)
        output("depmod", "-b", half, next(half.glob("lib/modules/*")).name)
        half.rename(ready)
        archive.unlink()
    return Kernel(ready)
