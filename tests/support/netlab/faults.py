"""Datagrams with faults in them, sent by hand: what a receiver must find."""

import socket
import struct
import time

from . import control
from .control import act_until, datagram
from .lab import Failed

COUNT, LENGTH = 300, 100
MISSING, WRONG, TWICE = 100, 150, 200  # sequence numbers


def _wrong_checksum(lab, end, port, server, payload):
    """A datagram whose checksum is not that of its bytes; the kernel leaves it as it is."""
    header = struct.pack("!HHHH", port, server[1], 8 + len(payload), 0x1234)
    with lab.inside(end):
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    with raw:
        raw.sendto(header + payload, (server[0], 0))


def send_with_faults(lab, end):
    """Plays a client at `end` that leaves one datagram out, spoils one and sends one twice."""
    server = (lab.address(lab.other(end)), control.PORT)
    with control.connect(lab, end) as link, control.udp_port(lab, end, 0) as udp:
        act_until("running", link, udp, server)
        for number in range(1, COUNT + 1):
            data = datagram(number, LENGTH)
            if number == WRONG:
                _wrong_checksum(lab, end, udp.getsockname()[1], server, data)
            elif number != MISSING:
                udp.sendto(data, server)
            if number == TWICE:
                udp.sendto(data, server)
            time.sleep(0.001)
        time.sleep(0.3)  # for what is on its way
        link.state(control.TEST_END)
        link.expect(control.EXCHANGE_RESULTS)
        link.message(control.results())
        link.read_message()
        link.expect(control.DISPLAY_RESULTS)
        link.state(control.IPERF_DONE)


def check_found(document):
    """The receiver's JSON: everything is accounted for, by iperf3's rules and by ours."""
    udp = document["end"]["streams"][0]["udp"]
    extra = document["dpdkperf"]["streams"][0]
    port = document["dpdkperf"]["port"]
    found = {
        "packets": udp["packets"],
        "lost": udp["lost_packets"],
        "out of order": udp["out_of_order"],
        "arrived": extra["arrived"],
        "duplicates": extra["duplicates"],
        "bad checksums": port["bad_checksum"],
    }
    # iperf3 takes a datagram that comes again for one that comes late, and for one lost less
    # (iperf 3.12, src/iperf_udp.c).
    wanted = {
        "packets": COUNT,
        "lost": 1,
        "out of order": 1,
        "arrived": COUNT - 1,
        "duplicates": 1,
        "bad checksums": 1,
    }
    if found != wanted:
        raise Failed(f"the receiver found {found}, should be {wanted}")
