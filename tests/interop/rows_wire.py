"""What stands on the wire, captured at the stock end."""

import struct

from framework import CLIENT, SERVER, between, equal, require, row, stock_end
from netlab import control
from netlab.capture import TCP, UDP, Capture
from netlab.lab import PORT

LENGTH = 200
PACED = ("-t", 1, "-b", "400K", "-l", LENGTH)


def captured(context, role, *arguments, **settings):
    """One test; returns the packets as they passed the stock end."""
    with Capture(context.lab, stock_end(role)) as capture:
        context.test(role, *arguments, **settings)
        return capture.packets()


def udp_from(packets, context, end, ipv6=False):
    source = context.lab.address(end, ipv6)
    return [one for one in packets if one.protocol == UDP and one.source == source]


def data_of(packets, context, role, length=LENGTH, ipv6=False):
    """Data of our side."""
    ours = udp_from(packets, context, "b" if role == SERVER else "a", ipv6)
    found = [one for one in ours if len(one.payload) == length]
    require(found, "no data packet of ours was captured")
    return found


@row(f"{CLIENT}: --repeating-payload", role=CLIENT, flags=[], header=12)
@row(
    f"{CLIENT}: --repeating-payload, 64-bit counters",
    role=CLIENT, flags=["--udp-counters-64bit"], header=16,
)  # fmt: skip
@row(f"{SERVER}: --repeating-payload -R", role=SERVER, flags=["-R"], header=12)
def digits(context, role, flags, header):
    packets = captured(context, role, *PACED, "--repeating-payload", *flags)
    want = bytes(ord("0") + index % 10 for index in range(header, LENGTH))
    for packet in data_of(packets, context, role):
        equal(packet.payload[header:], want, "payload")


@row(f"{CLIENT}: -S 0x20", slow=True, role=CLIENT, flags=["-S", "0x20"], tos=0x20, ipv6=False)
@row(f"{CLIENT}: --dscp ef", role=CLIENT, flags=["--dscp", "ef"], tos=0xB8, ipv6=False)
@row(f"{CLIENT}: -S 0x20, IPv6", role=CLIENT, flags=["-S", "0x20"], tos=0x20, ipv6=True)
def tos(context, role, flags, tos, ipv6):
    packets = captured(context, role, *PACED, *flags, ipv6=ipv6)
    for packet in data_of(packets, context, role, ipv6=ipv6):
        equal(packet.tos, tos, "TOS")


# A sending stock server sets TOS only since 3.13.
row(
    f"{SERVER}: -S 0x20 -R", ours_only=True,
    role=SERVER, flags=["-S", "0x20", "-R"], tos=0x20, ipv6=False,
)(tos)  # fmt: skip


def label(context, role, flags, tcp):
    """Every packet of our flows has it: greetings, data and acknowledgements."""
    packets = captured(context, role, *PACED, "-L", "0xabcde", *flags, ipv6=True, tcp=tcp)
    source = context.lab.address("b" if role == SERVER else "a", True)
    if tcp:
        ours = [one for one in data_connections(packets, context) if one.source == source]
    else:
        # Not what wakes up the kernel's neighbour table.
        udp = udp_from(packets, context, "b" if role == SERVER else "a", True)
        ours = [one for one in udp if PORT in (one.source_port, one.destination_port)]
    sends = (role == CLIENT) != ("-R" in flags)
    require(len(ours) > (10 if tcp or sends else 0), "few packets of ours were captured")
    for packet in ours:
        equal(packet.flow_label, 0xABCDE, f"flow label of {packet}")


def data_connections(packets, context):
    """Without the control connection, which is the kernel's and the first of all."""
    client = context.lab.address("a", True)
    segments = [one for one in packets if one.protocol == TCP]
    syns = [one for one in segments if one.source == client and one.segment[13] & 0x12 == 0x02]
    ports = {one.source_port for one in syns} - {syns[0].source_port}
    return [one for one in segments if ports & {one.source_port, one.destination_port}]


for _role in (CLIENT, SERVER):
    for _tcp in (False, True):
        for _flags in ([], ["-R"]):
            row(
                f"{_role}: {'TCP' if _tcp else 'UDP'}, -L 0xabcde{' -R' if _flags else ''}",
                ours_only=True, slow=_tcp == bool(_flags), role=_role, flags=_flags, tcp=_tcp,
            )(label)  # fmt: skip


@row(f"{CLIENT}: -b 2M/20, bursts of 20", role=CLIENT, flags=[])
@row(f"{SERVER}: -b 2M/20 -R, bursts of 20", slow=True, role=SERVER, flags=["-R"])
def bursts(context, role, flags):
    packets = captured(context, role, "-t", 2, "-b", "2M/20", "-l", 1000, *flags)
    data = data_of(packets, context, role, 1000)
    # A burst of 20 every 80 ms.
    sizes, last = [], None
    for packet in data:
        if last is None or packet.time - last > 0.02:
            sizes.append(0)
        sizes[-1] += 1
        last = packet.time
    equal(set(sizes[:-1]), {20}, "sizes of the bursts")
    # The last burst may be cut by the end of a test that the other side ends.
    between(sizes[-1], 1 if flags else 20, 20, "last burst")
    between(len(sizes), 24, 27, "bursts in 2 s")


@row(f"{CLIENT}: stamps and sequence", slow=True, role=CLIENT, flags=[], wide=False)
@row(f"{CLIENT}: stamps, 64-bit", role=CLIENT, flags=["--udp-counters-64bit"], wide=True)
@row(f"{SERVER}: stamps and sequence, -R", role=SERVER, flags=["-R"], wide=False)
@row(f"{SERVER}: stamps, 64-bit, -R", slow=True, role=SERVER, flags=["-R", "--udp-counters-64bit"], wide=True)
def stamps(context, role, flags, wide):
    packets = captured(context, role, *PACED, *flags)
    before, skew = None, []
    for number, packet in enumerate(data_of(packets, context, role), 1):
        form = "!LLQ" if wide else "!LLL"
        seconds, microseconds, sequence = struct.unpack_from(form, packet.payload)
        equal(sequence, number, "sequence number")
        between(microseconds, 0, 999_999, "microseconds")
        stamp = seconds + microseconds * 1e-6
        require(before is None or stamp >= before, f"packet {number}: the clock went back")
        before = stamp
        skew.append(packet.time - stamp)
    # The sender's clock and the capture's differ by a constant, but for delays.
    between(max(skew) - min(skew), 0, 0.05, "seconds between stamp and capture, spread")


@row(f"{CLIENT}: headers, IPv4", ours_only=True, role=CLIENT, ipv6=False)
@row(f"{CLIENT}: headers, IPv6", ours_only=True, role=CLIENT, slow=True, ipv6=True)
@row(f"{SERVER}: headers, IPv4", ours_only=True, role=SERVER, slow=True, ipv6=False)
@row(f"{SERVER}: headers, IPv6", ours_only=True, role=SERVER, ipv6=True)
def headers(context, role, ipv6):
    """Every checksum is real, nothing is fragmented; the hello included."""
    arguments = (*PACED, "--bidir", "-P", 2)
    packets = captured(context, role, *arguments, ipv6=ipv6)
    end = "b" if role == SERVER else "a"
    mac = bytes.fromhex(context.lab.link(end)["address"].replace(":", ""))
    for packet in udp_from(packets, context, end, ipv6):
        require(packet.checksums_hold(), f"checksum of {packet}")
        require(not packet.fragment, f"fragment: {packet}")
        equal(packet.source_mac, mac, "source MAC")


@row(f"{CLIENT}: order of hello, data and control", slow=True, role=CLIENT, flags=[])
@row(f"{CLIENT}: order of hello, data and control, -R", role=CLIENT, slow=True, flags=["-R"])
@row(f"{CLIENT}: order of hello, data and control, --bidir", role=CLIENT, flags=["--bidir"])
@row(f"{SERVER}: order of hello, data and control", slow=True, role=SERVER, flags=[])
@row(f"{SERVER}: order of hello, data and control, -R", role=SERVER, flags=["-R"])
@row(f"{SERVER}: order of hello, data and control, --bidir", role=SERVER, slow=True, flags=["--bidir"])
def order(context, role, flags):
    packets = captured(context, role, *PACED, "-P", 3, *flags)
    streams = 6 if "--bidir" in flags else 3
    running, done = control_times(packets)
    opening = [one for one in packets if one.protocol == UDP and len(one.payload) == 4]
    texts = [one.payload for one in opening]
    equal(texts, [control.HELLO, control.REPLY] * streams, "hellos and replies, in order")
    ports = {one.source_port for one in opening if one.payload == control.HELLO}
    equal(len(ports), streams, "ports that said hello, once each")
    for packet in packets:
        if packet.protocol == UDP and len(packet.payload) == LENGTH:
            require(packet.time > running, "data before TEST_RUNNING")
            require(packet.time < done, "data after IPERF_DONE")


def control_times(packets):
    """When TEST_RUNNING and IPERF_DONE passed."""
    running = done = None
    for packet in packets:
        if packet.protocol != TCP or not packet.payload:
            continue
        # TEST_START and TEST_RUNNING may share a segment.
        if packet.source_port == PORT and packet.payload in (b"\x02", b"\x01\x02"):
            running = packet.time
        if packet.destination_port == PORT and packet.payload == bytes([control.IPERF_DONE]):
            done = packet.time
    require(running and done, "TEST_RUNNING or IPERF_DONE was not captured")
    return running, done
