"""Packets seen at one interface, by a packet socket (packet(7)).

Capture at the stock peer's end: frames that an XDP program redirects, and frames that an
AF_XDP socket transmits, never pass the taps of their own interface.
"""

import pathlib
import socket
import struct
from dataclasses import dataclass

ETH_P_ALL = 0x0003
SO_RCVBUFFORCE = 33  # asm-generic/socket.h
SO_TIMESTAMPNS = 35
PACKET_OUTGOING = 4
BUFFER_BYTES = 256 << 20  # all of a short test: nobody reads while it runs

TCP, UDP = 6, 17


@dataclass(frozen=True)
class Packet:
    time: float  # seconds, kernel's clock
    outgoing: bool  # sent by the end where the capture is made
    source_mac: bytes
    ipv6: bool
    protocol: int
    source: str
    destination: str
    source_port: int
    destination_port: int
    tos: int
    fragment: bool
    header: bytes  # IP header
    segment: bytes  # UDP or TCP, header and payload

    @property
    def payload(self):
        return self.segment[8 if self.protocol == UDP else (self.segment[12] >> 4) * 4 :]

    @property
    def flow_label(self):
        """0 for IPv4."""
        return struct.unpack_from("!L", self.header)[0] & 0xFFFFF if self.ipv6 else 0

    def checksums_hold(self):
        """IPv4 header and UDP checksum; a UDP checksum of 0 does not hold (RFC 768)."""
        if not self.ipv6 and ones_complement_sum(self.header) != 0xFFFF:
            return False
        addresses = self.header[8:40] if self.ipv6 else self.header[12:20]
        pseudo = addresses + struct.pack("!LL", len(self.segment), self.protocol)
        stated = struct.unpack_from("!H", self.segment, 6)[0]
        return stated != 0 and ones_complement_sum(pseudo + self.segment) == 0xFFFF


def ones_complement_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def parse(time, outgoing, frame):
    """A Packet of TCP or UDP, or None for anything else."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    ip = frame[14:]
    if kind == 0x0800:
        header_bytes = (ip[0] & 15) * 4
        total = struct.unpack_from("!H", ip, 2)[0]
        tos, protocol = ip[1], ip[9]
        fragment = struct.unpack_from("!H", ip, 6)[0] & 0x3FFF != 0
        source, destination = (socket.inet_ntop(socket.AF_INET, ip[n : n + 4]) for n in (12, 16))
    elif kind == 0x86DD:
        header_bytes, total = 40, 40 + struct.unpack_from("!H", ip, 4)[0]
        tos = struct.unpack_from("!L", ip)[0] >> 20 & 0xFF
        protocol, fragment = ip[6], ip[6] == 44
        source, destination = (socket.inet_ntop(socket.AF_INET6, ip[n : n + 16]) for n in (8, 24))
    else:
        return None
    if protocol not in (TCP, UDP):
        return None
    header, segment = ip[:header_bytes], ip[header_bytes:total]
    ports = struct.unpack_from("!HH", segment)
    return Packet(
        time, outgoing, frame[6:12], kind == 0x86DD, protocol, source, destination, *ports,
        tos, fragment, header, segment,
    )  # fmt: skip


def read_file(path):
    """The packets of a capture file, of either resolution (pcap-savefile(5))."""
    data = pathlib.Path(path).read_bytes()
    nanoseconds = struct.unpack_from("<L", data)[0] == 0xA1B23C4D
    packets, offset = [], 24
    while offset < len(data):
        seconds, fraction, captured, _ = struct.unpack_from("<LLLL", data, offset)
        time = seconds + fraction * (1e-9 if nanoseconds else 1e-6)
        packets.append(parse(time, True, data[offset + 16 : offset + 16 + captured]))
        offset += 16 + captured
    return [packet for packet in packets if packet]


class Capture:
    """Everything that passes the interface of `end` within the with block."""

    def __init__(self, lab, end):
        interface = lab.interface_of_stock(end)
        with lab.inside(end):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind((interface, ETH_P_ALL))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def wait_for_data(self, seconds):
        """The next UDP packet of at least 16 bytes: data, not a hello."""
        self._socket.settimeout(seconds)
        while True:
            packet = self._read()
            if packet and packet.protocol == UDP and len(packet.payload) >= 16:
                return packet

    def _read(self):
        frame, control, _, address = self._socket.recvmsg(65600, 64)
        seconds, nanoseconds = struct.unpack("qq", control[0][2][:16])
        return parse(seconds + nanoseconds * 1e-9, address[2] == PACKET_OUTGOING, frame)

    def packets(self):
        """What has been captured and not read yet."""
        self._socket.setblocking(False)
        found = []
        while True:
            try:
                packet = self._read()
            except BlockingIOError:
                return found
            if packet:
                found.append(packet)

    def udp(self):
        return [packet for packet in self.packets() if packet.protocol == UDP]
