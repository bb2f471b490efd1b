"""TCP with stock peers whose TCP lacks something, or whose link carries other sizes."""

import contextlib

from framework import CLIENT, SERVER, equal, require, row, stock_end
from netlab.wires import Wire
from tcp_agreement import MODES, check, halves

# Settings of the peer's kernel (ip-sysctl).
LACKS = {
    "no SACK": {"tcp_sack": 0},
    "no timestamps": {"tcp_timestamps": 0},
    "no window scaling": {"tcp_window_scaling": 0},
    "none of the options": {"tcp_sack": 0, "tcp_timestamps": 0, "tcp_window_scaling": 0},
    "small buffers": {"tcp_rmem": "4096 8192 16384", "tcp_wmem": "4096 8192 16384"},
    "ECN": {"tcp_ecn": 1},
}


@contextlib.contextmanager
def settings(lab, end, values):
    """The TCP of `end` behaves so within the with block."""
    before = {}
    try:
        for name, value in values.items():
            before[name] = lab.run(end, "sysctl", "-n", f"net.ipv4.{name}").strip()
            lab.run(end, "sysctl", "-qw", f"net.ipv4.{name}={value}")
        yield
    finally:
        for name, value in before.items():
            lab.run(end, "sysctl", "-qw", f"net.ipv4.{name}={value}")


def kernel_counter(lab, end, name):
    """A counter of the TCP of `end` (/proc/net/snmp)."""
    lines = [line.split() for line in lab.run(end, "cat", "/proc/net/snmp").splitlines()]
    names, values = (line for line in lines if line[0] == "Tcp:")
    return int(values[names.index(name)])


def run_peer(context, role, mode, count, lacks):
    """One test; the peer's kernel has found no fault in what we sent."""
    lab, end = context.lab, stock_end(role)
    with settings(lab, end, lacks):
        before = {name: kernel_counter(lab, end, name) for name in ("InCsumErrors", "InErrs")}
        arguments = ("-t", 1, "-C", "cubic", "-P", count, *MODES[mode])
        client, server = context.test(role, *arguments, seconds=30, tcp=True)
        after = {name: kernel_counter(lab, end, name) for name in before}
    check(client, server, mode, count)
    equal(after, before, "faults that the peer's kernel has found")
    if "tcp_wmem" in lacks:
        return
    for document in (client, server):
        for sent, _ in halves(document, sender=True):
            require(sent["bytes"] > 1 << 20, f"only {sent['bytes']} bytes sent")


# With the slow rows every peer meets every mode.
FAST_PEERS = {
    CLIENT: ("no SACK", "no window scaling", "small buffers"),
    SERVER: ("no timestamps", "none of the options", "ECN"),
}
FAST_MTU = {CLIENT: 1280, SERVER: 3000}

for _role in (CLIENT, SERVER):
    for _mode in MODES:
        for _count in (1, 4):
            _fast = (_mode, _count) == ("--bidir", 1)
            for _name, _lacks in LACKS.items():
                row(
                    f"{_role}: TCP, peer with {_name}, {_mode}, -P {_count}",
                    slow=not _fast or _name not in FAST_PEERS[_role],
                    role=_role, mode=_mode, count=_count, lacks=_lacks,
                )(run_peer)  # fmt: skip
            for _mtu in (1280, 3000):
                row(
                    f"{_role}: TCP, MTU {_mtu}, {_mode}, -P {_count}", wire=Wire(mtu=_mtu),
                    slow=not _fast or _mtu != FAST_MTU[_role],
                    role=_role, mode=_mode, count=_count, lacks={},
                )(run_peer)  # fmt: skip
