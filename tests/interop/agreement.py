"""Both sides' JSON of one test must tell the same story."""

from framework import between, equal, require


def direction(document, reverse_of_bidir):
    """The sums of one direction: (sent, received)."""
    suffix = "_bidir_reverse" if reverse_of_bidir else ""
    end = document["end"]
    return end["sum_sent" + suffix], end["sum_received" + suffix]


def streams(document, sender):
    """The UDP streams on which this side sends (or receives), in order of creation."""
    found = [stream["udp"] for stream in document["end"]["streams"]]
    return [stream for stream in found if stream["sender"] == sender]


def check_direction(sending, receiving, mode, length, count, in_flight, late_seconds):
    """One direction: `sending` and `receiving` are the JSON of the two ends.

    in_flight: datagrams per stream that may be on the way when the clock stops.
    late_seconds: how late a program may be that waits for a CPU (Lab.late_seconds).
    """
    from_server = sending["start"].get("accepted_connection") is not None
    backwards = mode == "--bidir" and from_server
    sent = direction(sending, backwards)[0]
    client = receiving if from_server else sending
    received = direction(receiving, backwards)[1]

    out, back = streams(sending, True), streams(receiving, False)
    equal(len(out), count, "sending streams")
    equal(len(back), count, "receiving streams")
    for index, (there, here) in enumerate(zip(out, back)):
        where = f"stream {index + 1} of {count}"
        require(there["packets"] > 0, f"{where}: nothing was sent")
        equal(there["bytes"], there["packets"] * length, f"{where}: bytes sent")
        equal(here["lost_packets"], 0, f"{where}: lost")
        equal(here["out_of_order"], 0, f"{where}: out of order")
        between(here["jitter_ms"], 1e-9, 200 * late_seconds, f"{where}: jitter in ms")
    short = sent["packets"] - received["packets"]
    # Losses in between are none (above). At the end, a stock receiver drops what it has not yet
    # read when the control message comes, and a sending server hears late that the test is over.
    late = late_seconds * sent["packets"] / sent["seconds"]
    between(short, 0, max(in_flight * count, late), "sent but not received")
    equal(received["bytes"], received["packets"] * length, "bytes received")
    # The client prints what the other side told it.
    for ours, theirs, what in zip(direction(client, backwards), (sent, received), ("sent", "received")):
        equal(ours["packets"], theirs["packets"], f"datagrams {what}, client's and own account")
        equal(ours["bytes"], theirs["bytes"], f"bytes {what}, client's and own account")


def check(context, client, server, mode, length, count=1, in_flight=2):
    late = context.late_seconds
    for document in (client, server):
        require("error" not in document, f"error: {document.get('error')}")
    if mode != "-R":
        check_direction(client, server, mode, length, count, in_flight, late)
    if mode != "normal":
        check_direction(server, client, mode, length, count, in_flight, late)


def check_rate(summary, bits_per_second, tolerance=0.05):
    low, high = bits_per_second * (1 - tolerance), bits_per_second * (1 + tolerance)
    between(summary["bits_per_second"], low, high, "bit/s")
