"""What rows work with: the machine, its cards, and how a card is looked at from both ends."""

import functools
import json
import re
import time
import traceback
from dataclasses import dataclass, field

import agreement
from framework import Outcome, equal, require
from machine import CARDS, MODELS
from netlab.lab import PORT, Failed, wait_for
from netlab.programs import Process, server

HOME = "/opt/dpdkperf"
BIND = f"{HOME}/scripts/bind"
OUR = f"{HOME}/build/dpdkperf"
GUEST = f"{HOME}/guest"
STATE = "/var/lib/dpdkperf"
PAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
KERNEL_DRIVER = {"virtio": "virtio-pci", "e1000e": "e1000e", "vmxnet3": "vmxnet3"}
LENGTH, RATE = 1000, "2M"
# What QEMU's model of a card can have changed, by ethtool(8).
TUNING = {
    "virtio": (("-K", "tso", "off"), ("-G", "rx", "128")),
    "e1000e": (("-G", "rx", "512", "tx", "1024"), ("-K", "tso", "off", "rxvlan", "off")),
    "vmxnet3": (("-G", "rx", "512"), ("-K", "gro", "off"), ("-X", "equal", "1")),
}


@dataclass(frozen=True)
class Row:
    name: str
    run: callable
    iommu: bool  # in a machine with an IOMMU


ROWS = []


def row(name, iommu=True, **arguments):
    """Registers the decorated function as a row; may be applied several times."""

    def register(function):
        assert all(known.name != name for known in ROWS), f"two rows named '{name}'"
        ROWS.append(Row(name, functools.partial(function, **arguments), iommu))
        return function

    return register


def each_model(name, **arguments):
    """Registers a row for each model of card."""

    def register(function):
        for model in MODELS:
            row(f"{model}: {name}", card=card_of(model), **arguments)(function)
        return function

    return register


class Skipped(Exception):
    """The row cannot run here; the text says why."""


@dataclass
class Context:
    vm: object
    our_options: str  # what `dpdkperf --help` prints
    notes: list = field(default_factory=list)

    def note(self, text):
        self.notes.append(text)

    @property
    def wires(self):
        return self.vm.wires

    def run(self, *command, **settings):
        return self.vm.run(*command, **settings)

    def bind(self, *arguments, code=0):
        done = self.run(BIND, *arguments, check=False, seconds=120)
        require(done.code == code, f"exit code {done.code}, should be {code}\n{done}")
        return done

    def driver(self, card):
        done = self.run("readlink", f"/sys/bus/pci/devices/{card.pci}/driver", check=False)
        return done.out.strip().rsplit("/", 1)[-1]

    def read(self, path):
        return self.run("cat", path).out.strip()

    def states(self):
        return self.run("ls", STATE).out.split()

    def saved(self, card):
        return json.loads(self.read(f"{STATE}/{card.pci}.json"))

    def configure(self, card):
        """Settings that differ from what the driver begins with."""
        name = interface(card)
        for words in TUNING[card.model]:
            self.run("ethtool", words[0], name, *words[1:])
        self.ip("link", "set", "dev", name, "mtu", 1400, "txqueuelen", 500, "up")
        self.ip("address", "add", f"{card.guest}/24", "brd", "+", "dev", name)
        self.ip("address", "add", f"{card.guest6}/64", "dev", name, "nodad")
        self.ip("route", "add", f"{card.net.replace('10.', '172.16.', 1).rsplit('.', 1)[0]}.0/24",
                "via", card.host, "dev", name, "mtu", 1300)  # fmt: skip
        self.ip("-6", "route", "add", f"fd77:{card.slot}::/64", "via", card.host6, "dev", name, "metric", 77)
        self.wait_for_link(card)

    def wait_for_link(self, card):
        path = f"/sys/class/net/{interface(card)}/carrier"
        wait_for(lambda: self.run("cat", path, check=False).out.strip() == "1", 30, f"link of {card.wire}")
        # Until duplicate address detection has ended, nobody may use the link's own address.
        name = interface(card)
        shown = ("ip", "-6", "address", "show", "dev", name, "scope", "link", "-tentative")
        wait_for(lambda: self.run(*shown).out, 30, f"{name}'s own address")

    def ip(self, *arguments):
        return self.run("ip", *arguments).out

    def settings(self, card):
        """All that this project promises to restore, in the words of ip(8) and ethtool(8)."""
        name = interface(card)
        found = {}
        link = json.loads(self.ip("-j", "link", "show", "dev", name))[0]
        found["link"] = {key: link[key] for key in ("mtu", "address", "txqlen", "ifname")}
        found["up"] = "UP" in link["flags"]
        for family in ("-4", "-6"):
            shown = json.loads(self.ip("-j", family, "address", "show", "dev", name))
            found[f"addresses {family}"] = [entry for one in shown for entry in one.get("addr_info", ())]
            text = self.ip(family, "route", "show", "table", "all", "dev", name)
            found[f"routes {family}"] = sorted(re.sub(r" linkdown| pref medium", "", text).splitlines())
        for option in "gklx":
            found[f"ethtool -{option}"] = self.run("ethtool", f"-{option}", name, check=False).out
        return found

    def equal_settings(self, card, before):
        self.wait_for_link(card)
        now = self.settings(card)
        for key, value in before.items():
            require(now[key] == value, f"{key} of {interface(card)}:\nbefore {value}\nnow    {now[key]}")

    def pings(self, card, seconds=30):
        """The host answers over both families; the first packets wait for the neighbour."""
        for address in (card.host, card.host6):
            wait_for(
                lambda: self.run("ping", "-c", 1, "-W", 2, address, check=False).code == 0,
                seconds, f"ping {address}",
            )  # fmt: skip

    def udp(self, card, role, program, mode="normal", seconds=2):
        """One test over the wire of a card, the other end stock; both accounts must agree."""
        flags = [] if mode == "normal" else [mode]
        common = ["-u", "-b", RATE, "-l", LENGTH, "-t", seconds, "-J", *flags]
        patience = seconds + 60
        if role == "client":
            with server(self.wires, "host", "iperf3", "-1", "-J") as serving:
                with self.vm.start(*program, "-c", card.host, *common) as running:
                    running.succeed(patience)
                    serving.succeed()
                    documents = running.json, serving.json
        else:
            with self.vm.start(*program, "-s", "-1", "-J") as serving:
                self.wait_for_listener(serving)
                arguments = ["iperf3", "-c", card.guest, *common]
                with Process(self.wires, "host", arguments) as running:
                    running.wait(patience)
                    require(running.code == 0, f"exit code {running.code}\n{running}\n{serving}")
                    serving.succeed(patience)
                    documents = running.json, serving.json
        agreement.check(*documents, mode, LENGTH, in_flight=5)
        return documents

    def wait_for_listener(self, serving):
        def listens():
            if serving.look() is not None:
                raise Failed(f"the server ended at once\n{serving}")
            return self.run("ss", "-Hltn", f"sport = :{PORT}").out

        wait_for(listens, 60, "the server listens")

    def check_clean(self):
        """After a row: what is still taken is given back, and nothing may be left."""
        if self.states():
            self.bind("give-back", "--all")
        equal(self.states(), [], "state files")
        equal(self.read(PAGES), "0", "hugepages")
        require("hugetlbfs" not in self.read("/proc/mounts"), "hugetlbfs is mounted")
        for card in CARDS:
            equal(self.driver(card), KERNEL_DRIVER[card.model], f"driver of {card.pci}")
            name = interface(card)
            self.ip("address", "flush", "dev", name)
            self.ip("link", "set", "dev", name, "down", "mtu", 1500)
        left = self.run("ps", "-o", "args").out
        require("dpdkperf -" not in left, f"processes:\n{left}")


def interface(card):
    """net.ifnames=0 counts in the order in which the drivers come."""
    return f"eth{2 * MODELS.index(card.model) + card.number - 1}"


def card_of(model, number=1):
    return next(card for card in CARDS if (card.model, card.number) == (model, number))


def run_row(a_row, vm, our_options):
    started = time.monotonic()
    context = Context(vm, our_options)
    status, text = "passed", ""
    try:
        a_row.run(context)
        context.check_clean()
    except Skipped as reason:
        status, text = "skipped", str(reason)
    except Failed as problem:
        status, text = "failed", str(problem)
    except Exception:  # a fault of the row itself is a failure like any other
        status, text = "failed", traceback.format_exc()
    text = "\n".join([*context.notes, *([text] if text else [])])
    return Outcome(a_row, status, time.monotonic() - started, text)
