"""Both sides' JSON of one TCP test must tell the same story."""

import re

from framework import equal, require

MODES = {"normal": [], "-R": ["-R"], "--bidir": ["--bidir"]}


def halves(document, sender):
    """The streams on which this side sends (or receives): (sent, received) of each."""
    found = [(one["sender"], one["receiver"]) for one in document["end"]["streams"]]
    return [pair for pair in found if pair[0]["sender"] == sender]


def healthy(document):
    """Nothing that must be zero in a document of ours is not."""
    require("error" not in document, f"error: {document.get('error')}")
    trouble = document.get("dpdkperf", {}).get("port", {})
    require(not any(trouble.values()), f"trouble on the port: {trouble}")


def uncounted(sending):
    """Bytes that a sender may send without counting them: iperf3 since 3.16 leaves out the block that it
    writes while the test ends."""
    threads = re.match(r"iperf 3\.(1[6-9]|[2-9]\d)", sending["start"]["version"])
    return sending["start"]["test_start"]["blksize"] if threads else 0


def check_direction(sending, receiving, count):
    there, here = halves(sending, True), halves(receiving, False)
    equal(len(there), count, "sending streams")
    equal(len(here), count, "receiving streams")
    for index, ((sent, _), (_, received)) in enumerate(zip(there, here)):
        where = f"stream {index + 1} of {count}"
        require(received["bytes"] > 0, f"{where}: nothing arrived")
        most = sent["bytes"] + uncounted(sending)
        require(received["bytes"] <= most, f"{where}: {received['bytes']} of {sent['bytes']} bytes arrived")
        require("retransmits" in sent, f"{where}: no retransmissions reported")
        require(sent["max_snd_cwnd"] > 0 and sent["mean_rtt"] > 0, f"{where}: no state of TCP: {sent}")


def check(client, server, mode, count):
    healthy(client)
    healthy(server)
    equal(client["start"]["test_start"]["protocol"], "TCP", "protocol")
    for document in (client, server):
        for stream in document.get("dpdkperf", {}).get("streams", []):
            equal(stream["broken_invariants"], 0, f"broken invariants of {stream}")
    if mode != "-R":
        check_direction(client, server, count)
    if mode != "normal":
        check_direction(server, client, count)
