"""Ports of our own over memif, in every mode; the functions say what is checked."""

from framework import BOTH, CLIENT, SERVER, row
from netlab.wires import Wire
from rows_modes import MODES, intervals, lengths, limits, loss, omit, run_mode
from rows_wire import bursts, digits, stamps

MEMIF = Wire("memif")
JUMBO = Wire("memif", mtu=9000)


def modes(role, count, ipv6):
    for mode in MODES:
        row(
            f"memif, {role}: {mode}, -P {count}, IPv{6 if ipv6 else 4}",
            slow=mode != "--bidir" or role != BOTH or ipv6 != (count > 1), wire=MEMIF, role=role, mode=mode, count=count, ipv6=ipv6,
        )(run_mode)  # fmt: skip


for _ipv6 in (False, True):
    modes(BOTH, 1, _ipv6)
    modes(BOTH, 4, _ipv6)
    modes(CLIENT, 2, _ipv6)
    modes(SERVER, 2, _ipv6)
modes(BOTH, 128, False)

# 1472 = 1500 - 20 - 8, 8972 = 9000 - 20 - 8
for _role, _length, _wire in (
    (BOTH, 16, MEMIF),
    (BOTH, 1472, MEMIF),
    (CLIENT, 1472, MEMIF),
    (BOTH, 8972, JUMBO),
    (SERVER, 8972, JUMBO),
):
    row(
        f"memif, {_role}: -l {_length}", slow=_role != BOTH, wire=_wire, role=_role, length=_length, ipv6=False
    )(lengths)  # fmt: skip

row(f"memif, {BOTH}: -k 100", wire=MEMIF, role=BOTH, flags=["-k", 100], expected=100)(limits)
row(f"memif, {BOTH}: -n 100K", slow=True, wire=MEMIF, role=BOTH, flags=["-n", "100K"], expected=103)(limits)
row(f"memif, {BOTH}: -R -k 100", wire=MEMIF, role=BOTH, flags=["-R", "-k", 100], expected=100)(limits)
row(f"memif, {BOTH}: -O 1", slow=True, wire=MEMIF, role=BOTH, flags=[])(omit)
row(f"memif, {BOTH}: -i 0.1", slow=True, wire=MEMIF, role=BOTH, interval="0.1", count=10)(intervals)

# Captures on the twin of the stock end's bridge.
row(f"memif, {CLIENT}: -b 2M/20, bursts of 20", slow=True, wire=MEMIF, role=CLIENT, flags=[])(bursts)
row(f"memif, {CLIENT}: stamps and sequence", slow=True, wire=MEMIF, role=CLIENT, flags=[], wide=False)(stamps)
row(
    f"memif, {SERVER}: --repeating-payload -R", slow=True, wire=MEMIF, role=SERVER, flags=["-R"], header=12
)(digits)  # fmt: skip

# The end that drops is the stock one.
for _role in (CLIENT, SERVER):
    for _reverse in ([], ["-R"]):
        row(
            " ".join([f"memif, {_role}: lost datagrams are reported", *_reverse]),
            slow=_role == CLIENT, wire=MEMIF, role=_role, reverse=_reverse,
        )(loss)  # fmt: skip
