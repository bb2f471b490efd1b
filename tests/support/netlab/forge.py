"""TCP segments made by hand and sent past the kernel, as somebody does who knows a connection."""

import socket
import struct

from .capture import TCP, ones_complement_sum

WINDOW = 1003  # of forged segments, so that a capture can tell them
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def timestamps(value, echo):
    return b"\x01\x01" + struct.pack("!BBLL", 8, 10, value & 0xFFFFFFFF, echo & 0xFFFFFFFF)


def read_timestamps(segment):
    """(TSval, TSecr) of a segment as Linux and we write them, or None."""
    at = segment.find(b"\x01\x01\x08\x0a", 20, (segment[12] >> 4) * 4)
    return struct.unpack_from("!LL", segment, at + 4) if at > 0 else None


def is_forged(segment):
    return struct.unpack_from("!H", segment, 14)[0] == WINDOW


def icmp_error(kind, code, rest, quoted):
    """An ICMP message that quotes a packet; `quoted`: protocol, (address, port) from and to, sequence."""
    protocol, source, destination, sequence = quoted
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(destination[0])
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 1500, 0, 0x4000, 63, protocol, 0) + addresses
    last = sequence if protocol == TCP else (1480 << 16)
    body = ip + struct.pack("!HHL", source[1], destination[1], last & 0xFFFFFFFF)
    message = struct.pack("!BBHL", kind, code, 0, rest) + body
    return message[:2] + struct.pack("!H", 0xFFFF - ones_complement_sum(message)) + message[4:]


class IcmpForger:
    """Sends ICMP messages from one end of a lab, over IPv4, through the kernel."""

    def __init__(self, lab, end):
        with lab.inside(end):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, address, *message):
        self._socket.sendto(icmp_error(*message), (address, 0))


class Forger:
    """Sends segments in the name of the stock end of a connection, over IPv4."""

    def __init__(self, lab, end, local, remote):
        """`local`, `remote`: (address, port) of the forged sender and of its victim."""
        self._local, self._remote = local, remote
        interface = lab.interface(end)
        macs = [lab.link(one)["address"] for one in (lab.other(end), end)]
        self._ethernet = b"".join(bytes.fromhex(mac.replace(":", "")) for mac in macs) + b"\x08\x00"
        with lab.inside(end):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((interface, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, sequence, ack, flags, options=b"", payload=b"", words=None, bad_sum=False):
        """`words`: header length to be claimed, in units of 4 bytes."""
        options += b"\0" * (-len(options) % 4)
        header = struct.pack(
            "!HHLLBBHHH", self._local[1], self._remote[1], sequence & 0xFFFFFFFF, ack & 0xFFFFFFFF,
            (words or 5 + len(options) // 4) << 4, flags, WINDOW, 0, 0,
        )  # fmt: skip
        segment = header + options + payload
        addresses = socket.inet_aton(self._local[0]) + socket.inet_aton(self._remote[0])
        pseudo = addresses + struct.pack("!BBH", 0, TCP, len(segment))
        checksum = 0xFFFF - ones_complement_sum(pseudo + segment)
        checksum = (checksum + 1) % 0xFFFF if bad_sum else checksum
        segment = segment[:16] + struct.pack("!H", checksum) + segment[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, TCP, 0) + addresses
        ip = ip[:10] + struct.pack("!H", 0xFFFF - ones_complement_sum(ip)) + ip[12:]
        self._socket.send(self._ethernet + ip + segment)
