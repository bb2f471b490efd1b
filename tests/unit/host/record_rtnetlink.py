#!/usr/bin/env python3
"""Make recorded_rtnetlink.hpp: real answers of the kernel, for the parsers' tests.

As root: unshare -n python3 record_rtnetlink.py > recorded_rtnetlink.hpp
"""

import os
import socket
import struct
import subprocess

RTM_GETLINK, RTM_GETROUTE, RTM_GETNEIGH = 18, 26, 30
RTNLGRP_LINK, RTNLGRP_NEIGH = 1, 3
RTEXT_FILTER_SKIP_STATS = 8


def run(commands):
    for command in commands.strip().splitlines():
        subprocess.run(command.split(), check=True)


def attribute(kind, data):
    length = 4 + len(data)
    return struct.pack("=HH", length, kind) + data + bytes(-length % 4)


def ask(message_type, body):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        s.bind((0, 0))
        s.send(struct.pack("=IHHII", 16 + len(body), message_type, 1, 1, 0) + body)
        return s.recv(65536)


def link(name):
    body = struct.pack("=BxHiII", 0, 0, socket.if_nametoindex(name), 0, 0)
    return ask(RTM_GETLINK, body + attribute(29, struct.pack("=I", RTEXT_FILTER_SKIP_STATS)))


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def route(address):
    raw = socket.inet_pton(family(address), address)
    return ask(RTM_GETROUTE,
               struct.pack("=8BI", family(address), len(raw) * 8, *[0] * 6, 0) + attribute(1, raw))


def neighbour(name, address):
    raw = socket.inet_pton(family(address), address)
    index = socket.if_nametoindex(name)
    return ask(RTM_GETNEIGH,
               struct.pack("=BxxxiHBB", family(address), index, 0, 0, 0) + attribute(1, raw))


def announced(group, command, wanted):
    """The first announcement during command that wanted(type, family) accepts."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        s.bind((0, 1 << (group - 1)))
        s.settimeout(2)
        run(command)
        while True:
            message = s.recv(65536)
            if wanted(struct.unpack_from("=H", message, 4)[0], message[16]):
                return message


def show(name, what, message):
    print(f"// {what}\nalignas(4) inline constexpr unsigned char k{name}[] = {{")
    for i in range(0, len(message), 16):
        print("    " + " ".join(f"0x{b:02x}," for b in message[i:i + 16]))
    print("};\n")


def main():
    run(f"""
        ip link set lo up
        ip link add hx0 index 10 address 02:00:00:00:00:01 type veth peer name hx1 index 11
        ip link set hx1 address 02:00:00:00:00:02
        ip addr add 10.9.0.1/24 dev hx0
        ip addr add fd09::1/64 dev hx0 nodad
        ip link set hx0 mtu 1400 up
        ip link set hx1 up
        ip tuntap add hxtun mode tun
        ip link add hxbr type bridge
        ip link add hxvx type vxlan id 9 dstport 4789
        ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev hx0 nud permanent
        ip neigh add 10.9.0.3 dev hx0 nud failed
        ip route add 10.8.0.0/16 via 10.9.0.2
        ip route add 10.7.0.0/16 via inet6 fd09::2 dev hx0
        ip -6 route add fd08::/64 via fd09::2
        ip -6 route add unreachable fd07::/64
    """)
    release = ".".join(os.uname().release.split(".")[:2])
    print("#pragma once\n")
    print(f"// Recorded on Linux {release} by record_rtnetlink.py, which says how.\n")
    print("// Lines of bytes as they were written.\n// clang-format off\n")
    print("namespace dpdkperf::host::recorded {\n")
    show("Veth", "hx0: index 10, one end of a veth pair, MTU 1400, up, peer up", link("hx0"))
    show("Loopback", "lo, up", link("lo"))
    show("Tun", "hxtun, down", link("hxtun"))
    show("RouteOnLink", "10.9.0.2 on hx0, 10.9.0.1/24", route("10.9.0.2"))
    show("RouteViaGateway", "10.8.0.1 via 10.9.0.2", route("10.8.0.1"))
    show("RouteVia6", "10.7.0.1 via inet6 fd09::2", route("10.7.0.1"))
    show("RouteLocal", "10.9.0.1, an address of hx0", route("10.9.0.1"))
    show("Route6ViaGateway", "fd08::1 via fd09::2", route("fd08::1"))
    show("NeighbourPermanent", "10.9.0.2 is at 02:00:00:00:00:02", neighbour("hx0", "10.9.0.2"))
    show("NeighbourFailed", "10.9.0.3 did not answer", neighbour("hx0", "10.9.0.3"))
    show("NeighbourDeleted", "ip neigh del 10.9.0.2",
         announced(RTNLGRP_NEIGH, "ip neigh del 10.9.0.2 dev hx0", lambda t, f: t == 29))
    show("TunnelEntry", "an entry of a VXLAN's forwarding table, with the address 10.9.0.9",
         announced(RTNLGRP_NEIGH, "bridge fdb add 02:00:00:00:00:09 dev hxvx dst 10.9.0.9",
                   lambda t, f: t == 28 and f == socket.AF_BRIDGE))
    run("ip link set hx1 master hxbr")
    show("BridgePortLeaves", "ip link set hx1 nomaster",
         announced(RTNLGRP_LINK, "ip link set hx1 nomaster",
                   lambda t, f: t == 17 and f == socket.AF_BRIDGE))
    print("}  // namespace dpdkperf::host::recorded")


main()
