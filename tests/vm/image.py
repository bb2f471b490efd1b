"""The initramfs of the virtual machine, assembled from this machine's own packages.

Two archives, one behind the other, as the kernel allows (initramfs-buffer-format): the system, kept in
the build folder, and what is tested, made anew each time.
"""

import hashlib
import os
import pathlib
import re
import shutil
import stat

from kernel import output

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HOME = "opt/dpdkperf"  # in the guest

PROGRAMS = ("ip", "ss", "bridge", "iperf3", "ethtool", "kmod", "ping")
KMOD_NAMES = ("modprobe", "insmod", "lsmod", "rmmod")
MODULES = (
    "virtio_pci", "virtio_net", "e1000e", "vmxnet3", "vfio-pci", "vfio_iommu_type1", "uio_pci_generic",
    "tun", "9p", "9pnet_virtio", "8021q",
)  # fmt: skip
DRIVERS = ("bus_pci", "bus_vdev", "mempool_ring", "net_af_xdp", "net_e1000", "net_memif", "net_null",
           "net_ring", "net_virtio", "net_vmxnet3")  # fmt: skip
NOT_NEEDED = {"idlelib", "lib2to3", "ensurepip", "distutils", "tkinter", "turtledemo", "pydoc_data",
              "sqlite3", "test", "venv", "wsgiref", "xmlrpc", "curses", "dbm"}  # fmt: skip


class Archive:
    """A cpio archive of the kind "newc" that is written as it grows."""

    def __init__(self, path):
        self._file = open(path, "wb")
        self._known = set()
        self._number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._entry("TRAILER!!!", 0, b"")
        self._file.close()

    def _entry(self, name, mode, data, device=(0, 0)):
        self._number += 1
        fields = (self._number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        for part in (header + name.encode() + b"\0", data):
            self._file.write(part + bytes(-len(part) % 4))

    def folder(self, name):
        name = name.strip("/")
        if name and name not in self._known:
            self.folder(os.path.dirname(name))
            self._known.add(name)
            self._entry(name, stat.S_IFDIR | 0o755, b"")

    def link(self, name, target):
        name = name.strip("/")
        if name not in self._known:
            self.folder(os.path.dirname(name))
            self._known.add(name)
            self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def file(self, source, name=None):
        """A file, at the place where this machine has it if no other is named.

        A link stays one: DPDK would take two copies of a driver for two drivers.
        """
        if name is None:
            folder, base = os.path.split(source)
            source = name = os.path.join(os.path.realpath(folder), base)
            if os.path.islink(source):
                self.link(name, os.readlink(source))
                self.file(os.path.join(os.path.dirname(name), os.readlink(source)))
                return
        name = str(name).strip("/")
        if name not in self._known:
            self.folder(os.path.dirname(name))
            self._known.add(name)
            mode = 0o755 if os.access(source, os.X_OK) else 0o644
            self._entry(name, stat.S_IFREG | mode, pathlib.Path(source).read_bytes())

    def console(self):
        """The kernel opens it for /init before anything is mounted."""
        self.folder("dev")
        self._entry("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1))

    def program(self, source, name=None):
        """A program or a library, with the libraries that it loads."""
        self.file(source, name)
        for library in re.findall(r"(?:=> |^\s)(/\S+)", output("ldd", source), re.MULTILINE):
            self.file(library)


def _python(archive):
    """Debian's Python: its compiled modules where their sources would be."""
    program = os.path.realpath(shutil.which("python3", path="/usr/bin"))
    archive.program(program)
    archive.link("usr/bin/python3", program)
    library = pathlib.Path("/usr/lib", pathlib.Path(program).name)
    for path in sorted(library.rglob("*")):
        parts = path.relative_to(library).parts
        if NOT_NEEDED & set(parts) or parts[0].startswith("config-") or not path.is_file():
            continue
        if path.suffix == ".so":
            archive.program(path)
        elif path.suffix == ".py":
            tag = pathlib.Path(program).name.replace("python", "cpython-").replace(".", "")
            compiled = path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc"
            if compiled.exists():
                archive.file(compiled, path.with_suffix(".pyc"))
            else:
                archive.file(path)


def _system(archive, kernel):
    archive.console()
    for name in ("proc", "sys", "tmp", "run", "root", "etc", "var/lib/dpdkperf"):
        archive.folder(name)
    for name in ("bin", "sbin", "lib"):  # one tree, as Debian has it
        archive.link(name, f"usr/{name}")
    archive.link("lib64", "usr/lib64")
    archive.file(shutil.which("busybox", path="/usr/bin:/bin"), "usr/bin/busybox")
    archive.link("usr/bin/sh", "busybox")
    for name in PROGRAMS:
        found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        archive.program(found, f"usr/bin/{name}")
    for name in KMOD_NAMES:
        archive.link(f"usr/sbin/{name}", "../bin/kmod")
    for path in kernel.modules(MODULES):
        archive.file(path, f"usr/{kernel.inside(path)}")
    for path in kernel.index():
        archive.file(path, f"usr/lib/modules/{kernel.version}/{path.name}")
    _python(archive)


def _tested(archive, program):
    archive.program(program, f"{HOME}/build/dpdkperf")
    for drivers in pathlib.Path("/usr/lib/x86_64-linux-gnu/dpdk").glob("pmds-*"):
        for name in DRIVERS:
            for path in drivers.glob(f"librte_{name}.so*"):
                archive.program(path)
    for path in (ROOT / "scripts").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            archive.file(path, f"{HOME}/{path.relative_to(ROOT)}")
    for path in (HERE / "guest").iterdir():
        if path.is_file():
            archive.file(path, "init" if path.name == "init" else f"{HOME}/guest/{path.name}")


class _Merged(Archive):
    """An archive of a system where /lib and /bin are links into /usr: names go there."""

    def file(self, source, name=None):
        if name is not None:
            name = str(name).strip("/")
            name = f"usr/{name}" if re.match(r"(bin|sbin|lib|lib64)/", name) else name
        super().file(source, name)


def make(folder, kernel, program):
    """The path of an initramfs with `program` in it."""
    # The system changes with the kernel, with what makes it, and with the packages here.
    packages = output("dpkg-query", "-W", "busybox-static", "iproute2", "iperf3", "ethtool", "kmod",
                      "python3-minimal", "libc6")  # fmt: skip
    makers = (pathlib.Path(__file__), HERE / "kernel.py")
    source = b"".join(path.read_bytes() for path in makers) + f"{kernel.version} {packages}".encode()
    system = folder / f"system-{hashlib.sha256(source).hexdigest()[:12]}.cpio"
    if not system.exists():
        for old in folder.glob("system-*.cpio"):
            old.unlink()
        print("vm: assembling the system", flush=True)
        with _Merged(system.with_suffix(".half")) as archive:
            _system(archive, kernel)
        system.with_suffix(".half").rename(system)
    whole = folder / f"initramfs-{os.getpid()}.cpio"
    with _Merged(whole) as archive:
        _tested(archive, program)
    with open(whole, "ab") as end:
        end.write(bytes(-whole.stat().st_size % 4))
        end.write(system.read_bytes())
    return whole
