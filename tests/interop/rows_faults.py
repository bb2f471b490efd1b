"""A loss, a duplicate and a bad checksum: our receiver finds each of them, on every wire."""

from framework import SERVER, row
from netlab import faults
from netlab.wires import VETH, Wire

FULL = ("--rx-csum", "full")  # the link is memory, and would be trusted


@row(f"{SERVER}: a loss, a duplicate and a bad checksum are found", wire=VETH, flags=[])
@row(f"memif, {SERVER}: a loss, a duplicate and a bad checksum are found", wire=Wire("memif"), flags=FULL)
@row(f"vhost, {SERVER}: a loss, a duplicate and a bad checksum are found", wire=Wire("vhost"), flags=FULL)
def found(context, flags):
    with context.server(SERVER, "-1", "-J", *flags) as serving:
        context.lab.words("a", "iperf3")  # the hand plays a stock program: its end needs a bridge
        faults.send_with_faults(context.lab, "a")
        serving.succeed()
        faults.check_found(serving.json)
