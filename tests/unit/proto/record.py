#!/usr/bin/env python3
"""Records the control conversations of two stock iperf3 on loopback.

    tests/unit/proto/record.py [FOLDER]        default: the folder "conversations" beside this file

The client talks to a relay, the relay to the server, for TCP and UDP alike. Every read of the
relay becomes one entry, so that the files show how the bytes were split. Only the control
connection is recorded; no data goes over TCP in these tests. Needs iperf3 and python3, no root.
"""

import datetime
import json
import pathlib
import select
import socket
import subprocess
import sys

HOST = "127.0.0.1"

TESTS = {
    "udp": ["-u", "-b", "1M", "-t", "1", "-l", "1000"],
    "udp-reverse": ["-u", "-b", "1M", "-t", "1", "-l", "1000", "-R"],
    "udp-bidir": ["-u", "-b", "1M", "-t", "1", "-l", "1000", "--bidir"],
    "udp-parallel": ["-u", "-b", "1M", "-t", "1", "-l", "64", "-P", "2"],
    "udp-omit-64bit": ["-u", "-b", "1M", "-t", "1", "-O", "1", "-l", "500",
                       "--udp-counters-64bit", "--repeating-payload"],
    "udp-bytes": ["-u", "-b", "8M", "-n", "100K", "-l", "1400"],
}


def free_port():
    """A port that was free for both TCP and UDP a moment ago."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((HOST, 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind((HOST, port))
            except OSError:
                continue
            return port


class UdpRelay:
    """One socket for all clients, and one towards the server for each of them."""

    def __init__(self, port, server):
        self.front = socket.socket(type=socket.SOCK_DGRAM)
        self.front.bind((HOST, port))
        self.server = server
        self.backs = {}

    def sockets(self):
        return [self.front, *self.backs.values()]

    def move(self, ready):
        try:
            if ready is self.front:
                data, client = self.front.recvfrom(65536)
                if client not in self.backs:
                    back = socket.socket(type=socket.SOCK_DGRAM)
                    back.connect(self.server)
                    self.backs[client] = back
                self.backs[client].send(data)
            else:
                data = ready.recv(65536)
                client = next(c for c, back in self.backs.items() if back is ready)
                self.front.sendto(data, client)
        except ConnectionRefusedError:
            pass  # the other end has closed its socket already: a late datagram


def relay(listener, udp, server):
    """Carries one test and returns [["client"|"server", hex], ...]."""
    client, _ = listener.accept()
    back = socket.create_connection(server)
    for s in (client, back):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    messages = []
    ways = {client: (back, "client"), back: (client, "server")}
    while ways:
        for ready in select.select([*ways, *udp.sockets()], [], [])[0]:
            if ready not in ways:
                if ready.fileno() >= 0 and ready not in (client, back):
                    udp.move(ready)
                continue
            data = ready.recv(65536)
            to, who = ways[ready]
            if not data:
                to.shutdown(socket.SHUT_WR)
                del ways[ready]
                continue
            messages.append([who, data.hex()])
            to.sendall(data)
    return messages


def record(arguments):
    server_port, port = free_port(), free_port()
    server = subprocess.Popen(["iperf3", "-s", "-1", "-p", str(server_port), "--forceflush"],
                              stdout=subprocess.PIPE, text=True)
    while "Server listening" not in server.stdout.readline():
        pass
    with socket.create_server((HOST, port)) as listener:
        udp = UdpRelay(port, (HOST, server_port))
        command = ["iperf3", "-c", HOST, "-p", str(port), *arguments]
        client = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        messages = relay(listener, udp, (HOST, server_port))
    if client.wait() != 0 or server.wait() != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return messages


def main():
    default = pathlib.Path(__file__).parent / "conversations"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    version = subprocess.run(["iperf3", "--version"], capture_output=True, text=True, check=True)
    for name, arguments in TESTS.items():
        document = {
            "made_by": "tests/unit/proto/record.py",
            "iperf3": version.stdout.split(" (")[0],
            "date": datetime.date.today().isoformat(),
            "client": "iperf3 -c HOST " + " ".join(arguments),
            "messages": record(arguments),
        }
        lines = ",\n  ".join(json.dumps(m) for m in document.pop("messages"))
        head = json.dumps(document, indent=1)[:-2]
        (folder / f"{name}.json").write_text(f'{head},\n "messages": [\n  {lines}\n ]\n}}\n')


main()
