"""What rows work with: the machine, its cards, and how a card is looked at from both ends."""

import functools
import json
import re
import time
import traceback
from dataclasses import dataclass, field

import agreement
import tcp_agreement
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
NO_APPLETS = 'ip() { /usr/bin/ip "$@"; }'  # busybox's shell would take its own
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

    def script(self, lines):
        """Several commands at once: each way into the machine takes its time."""
        return self.run("sh", "-ec", "\n".join([NO_APPLETS, *lines])).out

    def configure(self, card):
        """Settings that differ from what the driver begins with."""
        name = interface(card)
        subnet = f"172.16.{card.slot}.0/24"
        lines = [f"ethtool {words[0]} {name} {' '.join(words[1:])}" for words in TUNING[card.model]]
        lines += [
            f"ip link set dev {name} mtu 1400 txqueuelen 500 up",
            f"ip address add {card.guest}/24 brd + dev {name}",
            f"ip address add {card.guest6}/64 dev {name} nodad",
            f"ip route add {subnet} via {card.host} dev {name} mtu 1300",
            f"ip -6 route add fd77:{card.slot}::/64 via {card.host6} dev {name} metric 77",
        ]
        self.script(lines)
        self.wait_for_link(card)

    def wait_for_link(self, card):
        """Until duplicate address detection has ended, nobody may use the link's own address."""
        name = interface(card)
        shown = f"ip -6 address show dev {name} scope link -tentative"
        command = f"{NO_APPLETS}; [ $(cat /sys/class/net/{name}/carrier) = 1 ] && {shown}"
        wait_for(lambda: self.run("sh", "-c", command, check=False).out, 60, f"link of {card.wire}")

    def ip(self, *arguments):
        return self.run("ip", *arguments).out

    def settings(self, card):
        """All that this project promises to restore, in the words of ip(8) and ethtool(8)."""
        name = interface(card)
        shown = {
            "link": f"ip -d link show dev {name}",
            "addresses": f"ip address show dev {name}",
            "IPv4 routes": f"ip -4 route show table all dev {name}",
            "IPv6 routes": f"ip -6 route show table all dev {name} | sort",
            **{f"ethtool -{option}": f"ethtool -{option} {name}" for option in "gklx"},
        }
        text = self.script(f"{command} || true; echo ---" for command in shown.values())
        found = dict(zip(shown, text.split("---\n")))
        # A new interface has a new number; the rest is of the moment.
        for key, value in found.items():
            found[key] = re.sub(r"^\d+: |qdisc \w+| linkdown| pref medium|  +", "", value, flags=re.MULTILINE)
        return found

    def equal_settings(self, card, before):
        self.wait_for_link(card)
        now = self.settings(card)
        for key, value in before.items():
            require(now[key] == value, f"{key} of {interface(card)}:\nbefore {value}\nnow    {now[key]}")

    @property
    def late_seconds(self):
        return self.wires.late_seconds

    def pings(self, card, seconds=30):
        """The host answers over both families; the first packets wait for the neighbour."""
        for address in (card.host, card.host6):
            wait_for(
                lambda: self.run("ping", "-c", 1, "-W", 2, address, check=False).code == 0,
                seconds, f"ping {address}",
            )  # fmt: skip

    def udp(self, card, role, program, mode="normal", seconds=2):
        """One test over the wire of a card, the other end stock; both accounts must agree."""
        documents = self.test(card, role, program, "-u", "-b", RATE, "-l", LENGTH, mode=mode, seconds=seconds)
        agreement.check(self, *documents, mode, LENGTH, in_flight=5)
        return documents

    def tcp(self, card, role, program, mode="normal", seconds=2):
        documents = self.test(card, role, program, "-C", "cubic", mode=mode, seconds=seconds)
        tcp_agreement.check(*documents, mode, 1)
        return documents

    def test(self, card, role, program, *arguments, mode, seconds):
        """The JSON of the client and of the server."""
        flags = [] if mode == "normal" else [mode]
        common = [*arguments, "-t", seconds, "-J", *flags]
        patience = seconds + 60
        if role == "client":
            with server(self.wires, "host", "iperf3", "-1", "-J") as serving:
                with self.vm.start(*program, "-c", card.host, *common) as running:
                    running.succeed(patience)
                    serving.succeed()
                    return running.json, serving.json
        else:
            with self.vm.start(*program, "-s", "-1", "-J") as serving:
                self.wait_for_listener(serving)
                arguments = ["iperf3", "-c", card.guest, *common]
                with Process(self.wires, "host", arguments) as running:
                    running.wait(patience)
                    require(running.code == 0, f"exit code {running.code}\n{running}\n{serving}")
                    serving.succeed(patience)
                    return running.json, serving.json

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
        left = self.script([f"ls {STATE}; cat {PAGES}; grep hugetlbfs /proc/mounts || true"])
        equal(left.split(), ["0"], "state files, hugepages, mounts of hugetlbfs")
        drivers = self.script(f"readlink /sys/bus/pci/devices/{card.pci}/driver" for card in CARDS)
        found = [line.rsplit("/", 1)[-1] for line in drivers.splitlines()]
        equal(found, [KERNEL_DRIVER[card.model] for card in CARDS], "drivers")
        for action in ("address flush dev {}", "link set dev {} down mtu 1500"):
            self.script(f"ip {action.format(interface(card))}" for card in CARDS)
        left = self.run("ps", "-o", "args").out
        require("dpdkperf -" not in left, f"processes:\n{left}")


def spread_test(context, card, program, *flags):
    """A test with two pollers and a stock server that sends; no data may come to the wrong one."""
    streams = 6
    documents = context.test(card, "client", program, *flags, "-P", streams, mode="-R", seconds=2)
    port = documents[0]["dpdkperf"]["port"]
    # The host's TAP sends a packet to the queue that its flow was last sent by, which it notes only
    # when the answer is under way (drivers/net/tun.c, tun_get_user(); Linux 6.1). So a SYN-ACK can
    # come to another poller, there and back, and what acknowledges the cookie to the first one.
    most = 0 if "-u" in flags else 3 * streams
    require(port["handed_over"] <= most and port["not_handed_over"] == 0, f"on the port: {port}")
    return port


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
