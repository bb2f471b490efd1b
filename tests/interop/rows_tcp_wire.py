"""What our TCP puts on the wire, judged by tshark."""

import subprocess
import tempfile

from framework import CLIENT, SERVER, require, row, stock_end
from netlab.capture import TCP, Capture
from netlab.forge import FIN, RST
from netlab.lab import PORT, wait_for
from netlab.wires import Wire
from tcp_agreement import MODES, check

# On a clean path no frame of ours is any of these (tshark(1), wireshark-filter(4)).
FAULTS = (
    "ip.checksum.status == Bad",
    "tcp.checksum.status == Bad",
    "_ws.malformed",
    "_ws.expert.severity == error",
    "tcp.analysis.retransmission",
    "tcp.analysis.fast_retransmission",
    "tcp.analysis.spurious_retransmission",
    "tcp.analysis.out_of_order",
)
# Not such as the kernel gives to others; what Linux leaves in TIME_WAIT blocks one for us.
PORTS_OF_DATA = {CLIENT: 30001, SERVER: 30002}
# Payload is noise, in which the heuristics of other dissectors find what is not there.
NOISE = ("-d", f"tcp.port=={PORT},data")
CHECKED = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")


def tshark(path, expression):
    command = ["tshark", "-n", "-r", path, *NOISE, *CHECKED, "-Y", expression]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def flows(document):
    """A filter for the data connections of a test, as this side has them."""
    return " || ".join(
        f"(tcp.port == {one['local_port']} && tcp.port == {one['remote_port']})"
        for one in document["start"]["connected"]
    )


@row(f"{CLIENT}: TCP, tshark finds no fault", role=CLIENT, ipv6=False)
@row(f"{SERVER}: TCP, tshark finds no fault, IPv6", role=SERVER, ipv6=True)
@row(f"{CLIENT}: TCP, MTU 3000, tshark finds no fault, IPv6", role=CLIENT, ipv6=True, wire=Wire(mtu=3000))
def clean(context, role, ipv6):
    lab, end = context.lab, stock_end(role)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/frames.pcap"
        # -Z: tcpdump else becomes somebody who may not write here.
        words = ["tcpdump", "-Z", "root", "-n", "-i", lab.interface(end), "-B", "100000", "-U", "-w", path, "tcp"]
        with subprocess.Popen(lab.command(end, words), stderr=subprocess.PIPE, text=True) as capture:
            try:
                wait_for(lambda: "listening on" in capture.stderr.readline(), 5, "capture")
                arguments = ("-n", "2M", "-b", "50M", "-P", 2, *MODES["--bidir"], "-C", "cubic")
                client, server = context.test(role, *arguments, ipv6=ipv6, tcp=True)
            finally:
                capture.terminate()
            said = capture.stderr.read()
        require("\n0 packets dropped by kernel" in said, f"tcpdump missed packets: {said}")
        check(client, server, "--bidir", 2)
        document = client if role == CLIENT else server
        ours, theirs = (
            f"{'ipv6' if ipv6 else 'ip'}.src == {lab.address(one, ipv6)}" for one in (lab.other(end), end)
        )
        sent = f"{ours} && ({flows(document)})"
        frames = tshark(path, sent)
        require(len(frames) > 100, f"only {len(frames)} frames were captured")
        bad = tshark(path, f"{sent} && ({' || '.join(FAULTS)})")
        require(not bad, "\n".join([f"{len(bad)} of {len(frames)} frames:", *bad[:10]]))
        # A Linux peer on veth leaves its checksums unfinished: tshark does look.
        require(tshark(path, f"{theirs} && tcp.checksum.status == Bad"), "tshark checks no checksums")
        context.note(f"{len(frames)} frames")


@row(f"{CLIENT}: TCP, connections over a slow link are closed and not reset", ours_only=True, role=CLIENT)
@row(f"{SERVER}: TCP, connections over a slow link are closed and not reset", ours_only=True, role=SERVER)
def closed_in_peace(context, role):
    """Our side waits for the other's FIN, which may come later than the results."""
    slow = ("--impair", "delay=60ms")
    # Linux is to send: it resets what it has not read.
    mode = ["-R"] if role == CLIENT else []
    port = PORTS_OF_DATA[role]
    flags = ("-n", "300K", "--cport", port, *mode)
    with Capture(context.lab, stock_end(role)) as capture:
        with context.server(role, "-1", *(slow if role == SERVER else ())) as serving:
            with context.client(role, *flags, *(slow if role == CLIENT else ()), tcp=True) as running:
                running.succeed(15)
            serving.succeed()
        flags = [
            one.segment[13]
            for one in capture.packets()
            if one.protocol == TCP and not one.outgoing and port in (one.source_port, one.destination_port)
        ]
    require(any(one & FIN for one in flags), "no FIN of ours was seen")
    require(not any(one & RST for one in flags), "a reset of ours was seen")
