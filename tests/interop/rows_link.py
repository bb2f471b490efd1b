"""What we say of the link and of our pollers is plausible, by the kernel's counters of the other end."""

import json

from framework import CLIENT, SERVER, between, equal, require, row

SECONDS, LENGTH = 1, 500
UDP_FRAME = 14 + 20 + 8 + LENGTH
# Packets of the control connection, and of neighbours that look for each other.
OTHERS = 60


def counters(context, end):
    """(packets, bytes) that the stock end has received and sent, from the Ethernet header on."""
    link = json.loads(context.lab.ip(end, "-j", "-s", "link", "show", "dev", context.lab.interface(end)))[0]
    return [(way["packets"], way["bytes"]) for way in (link["stats64"]["rx"], link["stats64"]["tx"])]


def check_way(way, before, after):
    packets, octets = (late - early for late, early in zip(after, before))
    between(way["packets"], packets - OTHERS, packets, "packets")
    size = way["frame_bits_per_second"] / way["packets_per_second"] / 8
    # With an XDP program on the other side a veth counts without the Ethernet header.
    between(size * way["packets"], octets - OTHERS * 300, octets + 14 * packets, "bytes of frames")
    gaps = way["wire_bits_per_second"] - way["frame_bits_per_second"]
    between(gaps / way["packets_per_second"] / 8, 23.99, 24 + 6, "bytes around a frame")
    between(way["packets"] / way["packets_per_second"], SECONDS * 0.95, SECONDS * 1.3, "seconds")
    require("link_percent" not in way, "a veth has no speed")


def check_pollers(pollers):
    equal(len(pollers), 1, "pollers")
    load = pollers[0]
    between(load["busy_turns"], 1, load["turns"] - 1, "busy turns")
    between(load["busy_percent"], 0.01, 99.99, "busy percent")
    between(load["turns"] * load["mean_turn_ns"] / 1e9, SECONDS * 0.95, SECONDS * 1.5, "seconds of turns")


def check_datagrams(ours, stream):
    between(stream["packets_per_second"] * UDP_FRAME * 8, *near(stream["frame_bits_per_second"]), "bit/s of frames")
    between(stream["packets_per_second"] * (UDP_FRAME + 24) * 8, *near(stream["wire_bits_per_second"]), "bit/s on the wire")
    equal((ours["stamp_clock"], ours["arrival_clock"], ours["stamp_unit_ns"]), ("burst", "burst", 1000), "clocks")


def near(value):
    return value * 0.9999, value * 1.0001


@row(f"{CLIENT}: what the link carried, UDP", ours_only=True, role=CLIENT, flags=["-b", "20M", "-l", LENGTH], tcp=False)
@row(f"{SERVER}: what the link carried, UDP", slow=True, ours_only=True, role=SERVER, flags=["-b", "20M", "-l", LENGTH], tcp=False)
@row(f"{CLIENT}: what the link carried, TCP", slow=True, ours_only=True, role=CLIENT, flags=["-b", "50M"], tcp=True)
@row(f"{SERVER}: what the link carried, TCP", ours_only=True, role=SERVER, flags=["-b", "50M"], tcp=True)
def link_use(context, role, flags, tcp):
    stock = "b" if role == CLIENT else "a"
    before = counters(context, stock)
    client, server = context.test(role, "-t", SECONDS, *flags, tcp=tcp)
    after = counters(context, stock)
    ours = (client if role == CLIENT else server)["dpdkperf"]
    ways = ("sent", "received")
    for way, early, late in zip(ways, before, after):
        if tcp or (way == "sent") == (role == CLIENT):
            check_way(ours[way], early, late)
        else:
            equal(ours[way]["packets"], 0, f"datagrams {way}")
    check_pollers(ours["pollers"])
    stream = ours["streams"][0]
    equal(stream["packets_per_second"], ours["sent" if role == CLIENT else "received"]["packets_per_second"], "packets/s")
    if tcp:
        return
    check_datagrams(ours, stream)
    if role == CLIENT:
        equal(stream["asked_bits_per_second"], 20_000_000, "asked")
        between(stream["offered"] - stream["accepted"], 0, 64, "offered, and not accepted")
        equal(stream["accepted"], client["end"]["sum_sent"]["packets"], "accepted")
        equal(stream["received"], server["end"]["sum_received"]["packets"], "received")
    else:
        equal(stream["arrived"], server["end"]["sum_received"]["packets"], "arrived")
        equal(stream["duplicates"], 0, "duplicates")
