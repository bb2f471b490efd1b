"""A relay between an iperf3 client and server that loses and swaps datagrams.

What it does to a flow depends on the number of the datagram only, so that two recordings lose and
swap the same ones.
"""

import selectors
import socket
import threading

HOST = "127.0.0.1"


class Damage:
    """Decides about the datagrams of one flow in one direction."""

    def __init__(self, lose_every, swap_every):
        self._lose_every = lose_every
        self._swap_every = swap_every
        self._number = 0
        self._held = None

    def pass_on(self, datagram):
        """The datagrams to send now, in order."""
        if len(datagram) <= 4:  # hello or reply
            return [datagram]
        self._number += 1
        if self._held is not None:
            held, self._held = self._held, None
            return [datagram, held]
        if self._number % self._lose_every == 0:
            return []
        if self._number % self._swap_every == 0:
            self._held = datagram
            return []
        return [datagram]


class Relay(threading.Thread):
    """Listens on `port`, TCP and UDP, and passes everything on to `server_port`, until stop()."""

    def __init__(self, port, server_port, lose_every=20, swap_every=33):
        super().__init__(daemon=True)
        self._server = (HOST, server_port)
        self._damage = (lose_every, swap_every)
        self._selector = selectors.DefaultSelector()
        self._flows = {}  # client's address: (socket to the server, damage)
        self._listener = socket.create_server((HOST, port))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((HOST, port))
        self._wake, self._woken = socket.socketpair()
        self._watch(self._listener, self._accept)
        self._watch(self._udp, self._from_client)
        self._running = True

    def _watch(self, sock, call):
        self._selector.register(sock, selectors.EVENT_READ, call)

    def run(self):
        self._watch(self._woken, self._stop)
        while self._running:
            for key, _ in self._selector.select():
                key.data()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()

    def stop(self):
        self._wake.send(b"x")
        self.join()

    def _stop(self):
        self._running = False

    def _accept(self):
        client, _ = self._listener.accept()
        server = socket.create_connection(self._server)
        self._watch(client, lambda: self._copy(client, server))
        self._watch(server, lambda: self._copy(server, client))

    def _copy(self, source, sink):
        data = source.recv(65536)
        if data:
            sink.sendall(data)
        else:
            self._selector.unregister(source)
            sink.shutdown(socket.SHUT_WR)

    def _from_client(self):
        datagram, client = self._udp.recvfrom(65536)
        if client not in self._flows:
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.connect(self._server)
            back = Damage(*self._damage)
            self._watch(server, lambda: self._from_server(server, client, back))
            self._flows[client] = (server, Damage(*self._damage))
        server, damage = self._flows[client]
        for passed in damage.pass_on(datagram):
            server.send(passed)

    def _from_server(self, server, client, damage):
        for passed in damage.pass_on(server.recv(65536)):
            self._udp.sendto(passed, client)
