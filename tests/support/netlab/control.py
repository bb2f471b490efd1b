"""iperf3's control protocol by hand, for peers that do not behave.

Sources: iperf 3.12, src/iperf_api.h (states), src/iperf_api.c (JSON_write, cookie).
"""

import json
import socket
import struct
import threading

from .lab import PORT, Failed

TEST_START, TEST_RUNNING, TEST_END = 1, 2, 4
PARAM_EXCHANGE, CREATE_STREAMS = 9, 10
SERVER_TERMINATE, CLIENT_TERMINATE = 11, 12
EXCHANGE_RESULTS, DISPLAY_RESULTS, IPERF_DONE = 13, 14, 16
ACCESS_DENIED, SERVER_ERROR = 0xFF, 0xFE

COOKIE = b"abcdefghijklmnopqrstuvwxyz234567abcd\0"
HELLO, REPLY = b"9876", b"6789"  # since 3.12

# How far a conversation has come; each stage includes those before it.
STAGES = ("connected", "cookie", "parameters", "hello", "running", "ended", "results")

PARAMETERS = {
    "udp": True, "omit": 0, "time": 1, "num": 0, "blockcount": 0, "parallel": 1, "len": 100,
    "bandwidth": 100000, "pacing_timer": 1000, "client_version": "3.12",
}  # fmt: skip


def results(streams=1, **changes):
    """The results of a peer that saw nothing."""
    ids = [1, *range(3, streams + 2)]
    entry = {"bytes": 0, "retransmits": -1, "jitter": 0, "errors": 0, "packets": 0}
    times = {"start_time": 0, "end_time": 1}
    return {
        "cpu_util_total": 1, "cpu_util_user": 1, "cpu_util_system": 0,
        "sender_has_retransmits": -1,
        "streams": [{"id": number, **entry, **times} for number in ids], **changes,
    }  # fmt: skip


def framed(document):
    """A document, or bytes in place of one, behind its length."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return struct.pack("!L", len(body)) + body


def server_error(number):
    """SERVER_ERROR with iperf's number and no errno."""
    return bytes([SERVER_ERROR]) + struct.pack("!LL", number, 0)


def datagram(sequence, size):
    """Data with a sequence number, of any size."""
    return (struct.pack("!LLL", 1, sequence, sequence) + bytes(70000))[:size]


# Sizes of datagrams where 100 bytes were agreed, and what is found in 200 of them, 25 of each. As
# iperf3 reads them, longer ones count with what was agreed; fragments are nobody's (RFC 791), and
# what is too short for a stamp is counted apart.
OTHER_SIZES = (100, 0, 3, 11, 50, 101, 1472, 5000)
OTHER_SIZES_FOUND = (25 * (100 + 50 + 100 + 100), 25 * 4)  # bytes, datagrams
OTHER_SIZES_TOO_SHORT = 25 * 3


class Connection:
    """One end of a control connection."""

    def __init__(self, link, seconds=10):
        self.link = link
        link.settimeout(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def send(self, data):
        self.link.sendall(data)

    def state(self, number):
        self.send(bytes([number]))

    def message(self, document):
        self.send(framed(document))

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.link.recv(count - len(data))
            if not part:
                raise Failed(f"closed by the peer after {len(data)} of {count} bytes")
            data += part
        return data

    def read_message(self):
        return json.loads(self.read(struct.unpack("!L", self.read(4))[0]))

    def expect(self, state):
        got = self.read(1)[0]
        if got != state:
            raise Failed(f"state {got} from the peer, not {state}")

    def end(self):
        """What the peer still sends until it closes; a reset counts as a close."""
        data = b""
        try:
            while part := self.link.recv(65536):
                data += part
        except ConnectionError:
            pass
        except TimeoutError:
            raise Failed(f"the peer did not close within {self.link.gettimeout()} s") from None
        return data


class FakeServer:
    """Answers the first client with `talk(connection, udp)`, in a thread of its own."""

    def __init__(self, lab, end, talk):
        self._listener = listen(lab, end)
        self._udp = udp_port(lab, end)
        self._thread = threading.Thread(target=self._serve, args=(talk,), daemon=True)

    def _serve(self, talk):
        try:
            self._listener.settimeout(10)
            link, _ = self._listener.accept()
            with Connection(link, 60) as connection:
                talk(connection, self._udp)
        except (OSError, Failed):
            pass  # the client went away: what it did is checked there

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join(60)
        self._listener.close()
        self._udp.close()


def serve_until(stage, connection, udp):
    """The well-behaved part of a server, up to and with `stage`; returns the client's port."""
    client = None
    for step in STAGES[1 : STAGES.index(stage) + 1]:
        if step == "cookie":
            connection.read(len(COOKIE))
            connection.state(PARAM_EXCHANGE)
        elif step == "parameters":
            connection.read_message()
            connection.state(CREATE_STREAMS)
        elif step == "hello":
            _, client = udp.recvfrom(1500)
            udp.sendto(REPLY, client)
        elif step == "running":
            connection.send(bytes([TEST_START, TEST_RUNNING]))
        elif step == "ended":
            connection.expect(TEST_END)
            connection.state(EXCHANGE_RESULTS)
        elif step == "results":
            connection.read_message()
    return client


def act_until(stage, connection, udp, server, parameters=None):
    """The well-behaved part of a client, up to and with `stage`."""
    for step in STAGES[1 : STAGES.index(stage) + 1]:
        if step == "cookie":
            connection.send(COOKIE)
            connection.expect(PARAM_EXCHANGE)
        elif step == "parameters":
            connection.message(parameters or PARAMETERS)
            connection.expect(CREATE_STREAMS)
        elif step == "hello":
            udp.sendto(HELLO, server)
            if udp.recv(1500) != REPLY:
                raise Failed("no reply to the hello")
        elif step == "running":
            connection.expect(TEST_START)
            connection.expect(TEST_RUNNING)
        elif step == "ended":
            connection.state(TEST_END)
            connection.expect(EXCHANGE_RESULTS)
        elif step == "results":
            connection.message(results())
            connection.read_message()
            connection.expect(DISPLAY_RESULTS)


def listen(lab, end, port=PORT):
    with lab.inside(end):
        return socket.create_server(("", port))


def udp_port(lab, end, port=PORT):
    with lab.inside(end):
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind(("", port))
    link.settimeout(10)
    return link


def connect(lab, end, port=PORT, seconds=10):
    """A control connection from `end` to the other one."""
    with lab.inside(end):
        link = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    link.settimeout(seconds)
    link.connect((lab.address(lab.other(end)), port))
    return Connection(link, seconds)
