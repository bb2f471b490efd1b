"""QEMU without KVM: six network cards, each with a wire into a namespace of the host."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

from netlab.lab import Failed, wait_for
from netlab.programs import refuse_lost_buffers

MODELS = ("virtio", "e1000e", "vmxnet3")
# The second virtio card has two queues and spreads packets over them as a real card does.
DEVICES = {
    "virtio": "virtio-net-pci,disable-legacy=on,iommu_platform={iommu}",
    "e1000e": "e1000e",
    "vmxnet3": "vmxnet3",
}
BOOT_SECONDS = 240  # a tenth of it where nothing else runs


class Card:
    """The n-th card (1 or 2) of a model: PCI address, MAC, wire, and addresses at both ends."""

    def __init__(self, model, number):
        index = MODELS.index(model)
        self.model, self.number = model, number
        self.slot = 4 + 2 * index + number - 1
        self.pci = f"0000:00:{self.slot:02x}.0"
        self.mac = f"52:54:00:00:{index + 1:02x}:{number:02x}"
        self.wire = f"{model}-{number}"
        self.net = f"10.{index + 1}.{number}"
        self.net6 = f"fd0{index + 1}:{number}:"
        self.guest, self.host = f"{self.net}.1", f"{self.net}.2"
        self.guest6, self.host6 = f"{self.net6}:1", f"{self.net6}:2"
        several = (model, number) == ("virtio", 2)
        self.queues = ",queues=2" if several else ""
        self.spreading = ",mq=on,vectors=6,rss=on,hash=on" if several else ""


CARDS = [Card(model, number) for model in MODELS for number in (1, 2)]


class Wires:
    """The host's namespace, with a TAP per card; the lab of the stock programs."""

    late_seconds = 0.3  # the other end is emulated (Lab.late_seconds)

    def __init__(self, name):
        self.name = name
        self.started = set()

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.ip("link", "set", "dev", "lo", "up")
        return self

    def __exit__(self, *_):
        found = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        for pid in found.stdout.split():
            try:
                os.kill(int(pid), 9)
            except ProcessLookupError:
                pass
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def ip(self, *arguments):
        subprocess.run(["ip", "-n", self.name, *arguments], check=True)

    @staticmethod
    def words(_end, program):
        return [program]

    def command(self, _end, arguments):
        return ["ip", "netns", "exec", self.name, *map(str, arguments)]

    def configure(self):
        """QEMU has made the TAPs."""
        for card in CARDS:
            self.ip("link", "set", "dev", card.wire, "up")
            self.ip("address", "replace", f"{card.host}/24", "dev", card.wire)
            self.ip("address", "replace", f"{card.host6}/64", "dev", card.wire, "nodad")


class Lines:
    """Lines of JSON over a socket of QEMU."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._rest = b""

    def read(self, seconds):
        """The next line that is not empty, or Failed."""
        deadline = time.monotonic() + seconds
        while True:
            line, found, rest = self._rest.partition(b"\n")
            if found:
                self._rest = rest
                if line.strip():
                    return line.strip()
                continue
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                part = self._socket.recv(1 << 16)
            except TimeoutError:
                raise Failed(f"no answer from the virtual machine within {seconds} s") from None
            if not part:
                raise Failed("the virtual machine has ended")
            self._rest += part

    def write(self, document):
        self._socket.sendall(json.dumps(document).encode() + b"\n")

    def close(self):
        self._socket.close()


class Vm:
    """A running machine; killed at the end of the with block, and by the kernel with this process."""

    def __init__(self, kernel, initramfs, folder, wires, iommu=True):
        self.folder, self.wires, self.iommu = pathlib.Path(folder), wires, iommu
        self.state = self.folder / "state"
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir()
        self._command = [*self._machine(kernel, initramfs), *self._cards()]
        self._child = self._agent = self._monitor = None

    def _machine(self, kernel, initramfs):
        # no_timer_check: on a busy host the kernel finds the timer too slow, and panics.
        options = "console=ttyS0 panic=-1 loglevel=4 net.ifnames=0 intel_iommu=on iommu=pt no_timer_check"
        # The IOMMU first: devices after it are behind it.
        iommu = ["-device", "intel-iommu,intremap=on,aw-bits=48"] if self.iommu else []
        return [
            "qemu-system-x86_64", "-machine", "q35,kernel-irqchip=split", "-accel", "tcg,thread=multi",
            "-cpu", "max", "-smp", "2", "-m", "1536", *iommu,
            "-nodefaults", "-display", "none", "-kernel", str(kernel.image), "-initrd", str(initramfs),
            "-append", options, "-serial", f"file:{self.folder}/console.txt",
            "-chardev", f"socket,id=agent,path={self.folder}/agent,server=on,wait=off",
            "-serial", "chardev:agent", "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
            "-fsdev", f"local,id=state,path={self.state},security_model=none",
            "-device", f"virtio-9p-pci,fsdev=state,mount_tag=state,addr=0x1d,{self._virtio()}",
        ]  # fmt: skip

    def _virtio(self):
        return f"disable-legacy=on,iommu_platform={'on' if self.iommu else 'off'}"

    def _cards(self):
        iommu = "on" if self.iommu else "off"
        for card in CARDS:
            device = DEVICES[card.model].format(iommu=iommu)
            yield "-netdev"
            yield f"tap,id={card.wire},ifname={card.wire},script=no,downscript=no,vhost=off{card.queues}"
            yield "-device"
            yield f"{device},netdev={card.wire},mac={card.mac},addr={card.slot:#x}{card.spreading}"

    def __enter__(self):
        for name in ("agent", "qmp"):
            (self.folder / name).unlink(missing_ok=True)
        # Idle time belongs to others; and the machine dies with us, however we end.
        wrapper = ["nice", "-n", "5", "setpriv", "--pdeathsig", "KILL"]
        errors = open(self.folder / "qemu.txt", "wb")
        self._child = subprocess.Popen(
            [*wrapper, *self.wires.command("host", self._command)],
            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
        )  # fmt: skip
        errors.close()
        try:
            wait_for(lambda: self._running() and (self.folder / "qmp").exists(), 30, "QEMU's start")
            time.sleep(0.2)
            self._agent = Lines(self.folder / "agent")
            self._monitor = Lines(self.folder / "qmp")
            self._monitor.read(30)
            self.monitor("qmp_capabilities")
            self.wires.configure()
            self.wait_for_boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._child:
            self._child.kill()
            self._child.wait()
            self._child = None
        for lines in (self._agent, self._monitor):
            if lines:
                lines.close()
        self._agent = self._monitor = None

    def _running(self):
        if self._child.poll() is not None:
            raise Failed("QEMU: " + (self.folder / "qemu.txt").read_text(errors="replace").strip())
        return True

    def wait_for_boot(self):
        deadline = time.monotonic() + BOOT_SECONDS
        try:
            while self._agent.read(max(0, deadline - time.monotonic())) != b"READY":
                pass
        except Failed as problem:
            console = (self.folder / "console.txt").read_text(errors="replace")
            raise Failed(f"boot: {problem}\n{console[-3000:]}") from None

    def monitor(self, command, **arguments):
        """A command of QEMU's monitor (QMP)."""
        self._monitor.write({"execute": command, "arguments": arguments})
        while True:
            reply = json.loads(self._monitor.read(30))
            if "error" in reply:
                raise Failed(f"QEMU: {command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]

    def link(self, card, up):
        """Plugs the cable of a card in or out."""
        self.monitor("set_link", name=card.wire, up=up)

    def reboot(self):
        """As after a power failure: nothing is written or stopped before. Quicker than QEMU's reset."""
        self.__exit__()
        self.__enter__()

    def ask(self, seconds=30, **request):
        self._agent.write(request)
        reply = json.loads(self._agent.read(seconds))
        if "error" in reply:
            raise Failed(f"{request.get('command', request)}: {reply['error']}")
        return reply

    def start(self, *command):
        return Command(self, command)

    def run(self, *command, seconds=60, check=True):
        """Runs a command in the machine; returns it when it has ended."""
        done = Command(self, command)
        done.wait(seconds)
        if check and done.code != 0:
            raise Failed(f"exit code {done.code}\n{done}")
        return done


class Command:
    """A command in the machine: netlab's Process, there."""

    def __init__(self, vm, command):
        self._vm = vm
        self.arguments = [str(part) for part in command]
        self._id = vm.ask(do="start", command=self.arguments)["id"]
        self.code, self.out, self.err, self.pid = None, "", "", None

    def __enter__(self):
        return self

    def __exit__(self, kind=None, *_):
        if self.look() is None:
            self.signal(9)
            self.wait()
        if kind is None:
            refuse_lost_buffers(self.arguments[0], self.err)

    def look(self, wait=0):
        """Fetches what it has printed; returns the exit code, None if it runs."""
        reply = self._vm.ask(seconds=wait + 60, do="look", id=self._id, wait=wait)
        self.code, self.out, self.err, self.pid = (reply[key] for key in ("code", "out", "err", "pid"))
        return self.code

    def wait(self, seconds=60):
        if self.look(seconds) is None:
            self.signal(9)
            raise Failed(f"still running after {seconds} s\n{self}")
        return self.code

    def succeed(self, seconds=60):
        if self.wait(seconds) != 0:
            raise Failed(f"exit code {self.code}\n{self}")
        return self

    def signal(self, number):
        self._vm.ask(do="signal", id=self._id, number=number)

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except json.JSONDecodeError as error:
            raise Failed(f"output is not JSON: {error}\n{self}") from None

    def __str__(self):
        texts = (text.rstrip()[-3000:] for text in (self.out, self.err) if text)
        return "\n".join([f"$ [vm] {' '.join(self.arguments)}", *texts])
