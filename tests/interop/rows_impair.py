"""--impair: a bad link on purpose, between our port and our pollers."""

from framework import BOTH, CLIENT, SERVER, between, equal, require, row
from netlab.wires import Wire
from tcp_agreement import check

WORDS = "impaired on purpose"


def run(context, role, *arguments, udp=False):
    """(client's, server's documents, what ours has printed on standard error)."""
    with context.server(role, "-1", "-J", *(arguments if role == SERVER else ())) as serving:
        rest = arguments if role != SERVER else ()
        with context.client(role, "-J", "-t", 1, *rest, *(["-b", "8M", "-l", 1000] if udp else []), tcp=not udp) as running:
            running.succeed(20)
            serving.succeed()
            return running.json, serving.json, (serving if role == SERVER else running).err


def done(document):
    found = document["dpdkperf"]["impairment"]
    return found["asked"], found["sent"], found["received"]


@row(f"{CLIENT}: --impair, UDP datagrams that we send are lost and doubled", role=CLIENT, ours_only=True)
def udp_sent(context, role):
    client, server, err = run(context, role, "--impair", "tx:loss=10%,dup=5%,delay=5ms,seed=3", udp=True)
    asked, sent, received = done(client)
    equal(asked, "tx:loss=10%,delay=5ms,dup=5% seed=3", "what was asked for")
    equal(err.count(WORDS), 1, f"warnings: {err}")
    between(sent["lost"], 60, 140, "lost of 1000")
    between(sent["twice"], 20, 75, "doubled of 900")
    equal(received, {"lost": 0, "twice": 0, "reordered": 0, "overflown": 0}, "received")
    # A copy takes a loss back by iperf3's rules; the hello may be among the lost or doubled.
    total = server["end"]["sum"]
    expected = sent["lost"] - sent["twice"]
    between(total["lost_packets"], expected - 15, expected + 15, "lost by the peer's count")


@row(f"{SERVER}: --impair, UDP datagrams that we receive come out of order", role=SERVER, ours_only=True)
def udp_received(context, role):
    _, server, _ = run(context, role, "--impair", "rx:reorder=10%/5ms", udp=True)
    _, sent, received = done(server)
    equal(sent["reordered"], 0, "sent")
    between(received["reordered"], 60, 140, "of 1000 out of order")
    stream = server["end"]["streams"][0]["udp"]
    between(stream["out_of_order"], received["reordered"] - 15, received["reordered"] + 15, "by our count")


@row(f"{CLIENT}: --impair, TCP recovers", role=CLIENT, ours_only=True)
@row(f"{SERVER}: --impair, TCP recovers", slow=True, role=SERVER, ours_only=True)
@row(f"memif, {BOTH}: --impair, TCP recovers", role=BOTH, ours_only=True, wire=Wire("memif"))
def tcp(context, role):
    client, server, _ = run(context, role, "--impair", "loss=1%,delay=1ms,reorder=1%/500us,dup=0.1%")
    check(client, server, "normal", 1)
    ours = server if role == SERVER else client
    _, sent, received = done(ours)
    require(sent["lost"] > 0 and received["lost"] > 0, f"sent {sent}, received {received}")
    if role == SERVER:
        require(ours["dpdkperf"]["streams"][0]["out_of_order"] > 0, "nothing came out of order")
        return
    sender = client["end"]["streams"][0]["sender"]
    between(sender["retransmits"], sent["lost"] // 2, 2 * sent["lost"] + 100, "retransmissions")
    between(sender["min_rtt"], 2000, 20_000, "us, RTT")


@row(f"{CLIENT}: --impair in text", role=CLIENT, ours_only=True)
def text(context, role):
    with context.server(role, "-1"):
        with context.client(role, "-t", 1, "-b", "10M", "--impair", "loss=0.1%", tcp=True) as running:
            running.succeed(15)
            equal(running.err.count(WORDS), 2, f"warnings\n{running}")
            require("(--impair tx:loss=0.1% rx:loss=0.1% seed=1)" in running.err, f"{running}")
