"""--pcap: what tshark finds in the file is what the streams sent and received."""

import contextlib
import re
import subprocess

from framework import BOTH, CLIENT, SERVER, between, equal, require, row
from netlab.lab import PORT
from netlab.wires import Wire
from rows_life import scratch

MEMIF = Wire("memif")
SENT, RECEIVED = 2, 1  # flags of a packet (draft-ietf-opsawg-pcapng, 4.3.1)
FIELDS = (
    "frame.packet_flags", "frame.interface_name", "frame.len", "frame.cap_len", "eth.src", "ip.src", "ip.dst",
    "udp.srcport", "udp.dstport", "udp.checksum.status", "udp.payload", "tcp.srcport", "tcp.dstport",
    "tcp.len", "tcp.seq", "tcp.payload", "tcp.checksum.status", "frame.time_epoch",
)  # fmt: skip


class Frame:
    def __init__(self, line):
        values = dict(zip(FIELDS, line.split("\t")))
        self.sent = int(values["frame.packet_flags"], 16) & 3 == SENT
        self.interface = values["frame.interface_name"]
        self.whole = values["frame.len"] == values["frame.cap_len"]
        self.source_mac = values["eth.src"]
        self.addresses = (values["ip.src"], values["ip.dst"])
        self.ports = (values["udp.srcport"] or values["tcp.srcport"], values["udp.dstport"] or values["tcp.dstport"])
        self.tcp = bool(values["tcp.srcport"])
        self.good_sum = (values["udp.checksum.status"] or values["tcp.checksum.status"]) == "1"
        self.payload = bytes.fromhex((values["udp.payload"] or values["tcp.payload"]).replace(":", ""))
        self.tcp_bytes = int(values["tcp.len"] or 0)
        self.tcp_begin = int(values["tcp.seq"] or 0)
        self.time = float(values["frame.time_epoch"])


def read(path):
    """Every frame, as a judge sees it that knows nothing of us."""
    options = [word for field in FIELDS for word in ("-e", field)]
    checks = ["-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    command = ["tshark", "-n", "-r", path, *checks, "-T", "fields", "-E", "occurrence=f", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    equal(done.returncode, 0, f"exit code of tshark\n{done.stderr}")
    require("appears to be damaged" not in done.stderr and "cut short" not in done.stderr, done.stderr)
    return [Frame(line) for line in done.stdout.splitlines()]


def facts(path):
    done = subprocess.run(["capinfos", path], capture_output=True, text=True, check=False)
    equal(done.returncode, 0, f"exit code of capinfos\n{done.stderr}")
    return done.stdout


def stamp_of(payload):
    """Seconds, microseconds and number (iperf 3.12, src/iperf_udp.c)."""
    return tuple(int.from_bytes(payload[at : at + 4], "big") for at in (0, 4, 8))


def check_addresses(context, frames, ends):
    """`ends`: the one that made the file, and the other."""
    ours, theirs = (context.lab.address(end) for end in ends)
    macs = {frame.source_mac for frame in frames if frame.sent}
    equal(len(macs), 1, f"our MACs, {macs}")
    if context.lab.interface(ends[0]).startswith("veth"):  # a port of our own is gone by now
        equal(macs, {context.lab.link(ends[0])["address"]}, "our MAC")
    for frame in frames:
        require(frame.whole, "a frame is cut")
        equal(frame.addresses, (ours, theirs) if frame.sent else (theirs, ours), "addresses")
        equal(frame.source_mac in macs, frame.sent, "sent by our MAC")


def sent_and_received(frames):
    return [f for f in frames if f.sent], [f for f in frames if not f.sent]


@row(f"{CLIENT}: --pcap, UDP both ways", ours_only=True, role=CLIENT)
@row(f"{SERVER}: --pcap, UDP both ways", slow=True, ours_only=True, role=SERVER)
@row(f"memif, {BOTH}: --pcap of the client, UDP both ways", role=BOTH, wire=MEMIF)
def udp(context, role):
    """The first 50 of each direction, hello and reply among them, and no others."""
    with scratch() as folder:
        path = folder / "file.pcapng"
        pcap = ["--pcap", f"{path}:50"]
        test = ["--bidir", "-t", 1, "-b", "1M", "-l", 500]
        with context.server(role, "-1", *(pcap if role == SERVER else [])) as serving:
            with context.client(role, *test, *([] if role == SERVER else pcap)) as running:
                running.succeed()
            serving.succeed()
        frames = read(path)
        sent, received = sent_and_received(frames)
        equal((len(sent), len(received)), (50, 50), "frames")
        check_addresses(context, frames, "ba" if role == SERVER else "ab")
        equal(len({f.interface for f in frames}), 1, "interfaces")
        for way in (sent, received):
            data = [f for f in way if len(f.payload) == 500]
            between(len(data), 48, 50, "datagrams of the test")
            equal([stamp_of(f.payload)[2] for f in data], list(range(1, len(data) + 1)), "numbers")
            times = [f.time for f in way]
            equal(times, sorted(times), "times")
        require(all(f.good_sum for f in sent), "a checksum of ours is wrong")
        for frame in sent:
            if len(frame.payload) == 500:
                seconds, microseconds, _ = stamp_of(frame.payload)
                between(microseconds, 0, 999999, "microseconds")
        told = facts(path)
        require(re.search(r"Number of packets:\s+100\b", told), told)
        require("dpdkperf" in told and "Number of interfaces in file: 1" in told, told)


@row(f"{CLIENT}: --pcap, TCP", ours_only=True)
@row(f"memif, {BOTH}: --pcap, TCP with payload in place", wire=MEMIF, role=BOTH)
def tcp(context, role=CLIENT):
    """Whole segments: header and payload lie in different buffers. From the SYN on; no control connection."""
    with scratch() as folder:
        path = folder / "file.pcapng"
        with context.server(role, "-1"):
            with context.client(role, "-t", 1, "-b", "20M", "--pcap", f"{path}:200", tcp=True) as running:
                running.succeed()
        frames = read(path)
        sent, received = sent_and_received(frames)
        equal(len(sent), 200, "frames sent")
        between(len(received), 10, 200, "frames received")
        check_addresses(context, frames, "ab")
        require(all(f.tcp for f in frames), "something else than TCP")
        equal({f.ports[1] for f in sent}, {str(PORT)}, "port of the server")
        equal(len({f.ports[0] for f in sent}), 1, "connections")
        data = [f for f in sent if f.tcp_bytes]
        require(re.match(rb"[a-z2-7]{36}\0", data[0].payload), "no cookie at the beginning")
        at = 1  # behind the SYN
        for frame in data:
            equal((frame.tcp_begin, len(frame.payload)), (at, frame.tcp_bytes), "beginning and bytes of a segment")
            at += frame.tcp_bytes
        require(max(f.tcp_bytes for f in sent) > 1400, "no full segment")
        require(all(f.good_sum for f in sent), "a checksum of ours is wrong")


@row(f"{CLIENT}: --pcap without a number keeps a thousand", ours_only=True)
def thousand(context):
    with scratch() as folder:
        path = folder / "file.pcapng"
        with context.server(CLIENT):
            with context.client(CLIENT, "-k", 3000, "-b", "20M", "-l", 200, "--pcap", path) as running:
                running.succeed()
                equal(running.err, "", "what it complains about")
        sent, received = sent_and_received(read(path))
        equal(len(sent), 1000, "frames sent")
        equal(len(received), 1, "frames received: the answer to the hello")


@row(f"{SERVER}: --pcap, one file of several tests, --user", slow=True, ours_only=True)
def several(context):
    """The interface is let go of between them and opened again."""
    with scratch() as folder:
        path = folder / "file.pcapng"
        with context.server(SERVER, "--user", "nobody", "--pcap", path) as serving:
            context.serves()
            with contextlib.suppress(Exception):
                serving.wait(11.5)
            context.serves()
            serving.terminate()
        sent, received = sent_and_received(read(path))
        equal(len(sent), 2, "replies to hellos")
        between(len(received), 12, 14, "frames received")
        require("Number of interfaces in file: 1" in facts(path), facts(path))


@row(f"{CLIENT}: --pcap with a file that cannot be written", ours_only=True)
def unwritable(context):
    for path, why in (("/no/such/folder/f", "No such file or directory"), ("/dev/full", "No space left on device")):
        with context.client(CLIENT, "-t", 5, "--pcap", path) as running:
            equal(running.wait(3), 1, "exit code")
            require(f"--pcap: unable to write packets to '{path}': {why}" in running.err, str(running))
            equal(running.out, "", "output")
