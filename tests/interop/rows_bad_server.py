"""Servers that do not behave, played by hand: our client says so and ends in time."""

import contextlib
import re
import struct
import time

from framework import CLIENT, between, equal, require, row
from netlab import control
from netlab.control import (
    OTHER_SIZES, OTHER_SIZES_FOUND, OTHER_SIZES_TOO_SHORT, STAGES, FakeServer, datagram, framed, serve_until,
)  # fmt: skip

QUICK = ("-t", 1, "-b", "100K", "-l", 100)


def against(context, talk, *words, seconds=5, codes=(1,), flags=()):
    """Our client against a server that does `talk`."""
    with FakeServer(context.lab, "b", talk):
        with context.client(CLIENT, *QUICK, *flags) as running:
            code = running.wait(seconds)
            require(code in codes, f"exit code {code}\n{running}")
            for word in words:  # or one of several
                require(re.search(word, running.err), f"'{word}' is not said\n{running}")


def closes(context, stage):
    """The server closes once it has come to this stage.

    What the client was about to do decides whether it reads an end, or writes in vain.
    """
    word = "results|control " if stage == "results" else "control "
    against(context, lambda link, udp: serve_until(stage, link, udp), word)


for _stage in STAGES:
    # iperf3 waits 30 s for the reply to its hello, whatever the control connection does.
    _waits = _stage == "parameters"
    row(f"{CLIENT}: the server closes, {_stage}", ours_only=_waits, stage=_stage)(closes)


def says(stage, data):
    def talk(link, udp):
        serve_until(stage, link, udp)
        link.send(data)
        link.end()

    return talk


UNKNOWN = "unknown control message"


@row(f"{CLIENT}: the server speaks HTTP", stage="connected", data=b"HTTP/1.1 400 Bad Request\r\n\r\n")
@row(f"{CLIENT}: the server speaks SSH", stage="connected", data=b"SSH-2.0-OpenSSH_9.2p1\r\n")
@row(f"{CLIENT}: an unknown state during the run", stage="running", data=bytes([77]))
def foreign(context, stage, data):
    against(context, says(stage, data), UNKNOWN)


@row(f"{CLIENT}: TEST_RUNNING first", ours_only=True, stage="connected", state=control.TEST_RUNNING)
@row(f"{CLIENT}: results before the streams", ours_only=True, stage="cookie", state=control.EXCHANGE_RESULTS)
@row(f"{CLIENT}: CREATE_STREAMS during the run", ours_only=True, stage="running", state=control.CREATE_STREAMS)
@row(f"{CLIENT}: DISPLAY_RESULTS during the run", ours_only=True, stage="running", state=control.DISPLAY_RESULTS)
@row(f"{CLIENT}: PARAM_EXCHANGE twice", ours_only=True, stage="parameters", state=control.PARAM_EXCHANGE)
def out_of_turn(context, stage, state):
    """iperf3 follows some of these, and waits for ever after others."""
    against(context, says(stage, bytes([state])), UNKNOWN)


@row(f"{CLIENT}: the server is busy", data=b"\xff", word="busy running a test")
@row(
    f"{CLIENT}: SERVER_ERROR",
    data=struct.pack("!Bii", 0xFE, 27, 0), word="total required bandwidth is larger than server limit",
)  # fmt: skip
@row(f"{CLIENT}: SERVER_ERROR of an unknown number", data=struct.pack("!Bii", 0xFE, 999, 0), word="999")
@row(f"{CLIENT}: SERVER_ERROR, cut short", ours_only=True, slow=True, data=b"\xfe\0\0", word="error")
def refusals(context, data, word):
    # What is cut short may be waited for as long as any control message.
    against(context, says("cookie", data), word, seconds=15)


BAD_RESULTS = {
    "a length of 4 GiB": struct.pack("!L", 0xFFFFFFFF),
    "no JSON": framed(b"}{" * 20),
    "an array": framed([]),
    "nested 100000 deep": framed(b"[" * 100_000),
    "without streams": framed({"cpu_util_total": 1, "cpu_util_user": 1, "cpu_util_system": 0}),
    "a stream that does not exist": framed({**control.results(), "streams": [{"id": 9}]}),
    "empty": framed(b""),
    "a broken escape": framed(b'{"cpu_util_total":"\\ud800\\u12"}'),
}


def bad_results(context, data):
    against(context, says("results", data), "results")


for _name, _data in BAD_RESULTS.items():
    row(f"{CLIENT}: results, {_name}", slow=_name in ("an array", "empty", "no JSON"), data=_data)(bad_results)


def wrong_types(context):
    """iperf3 3.12 reads 0 from a string; newer ones refuse, and so do we."""
    entry = dict(control.results()["streams"][0], bytes="many", packets=[1], jitter={})
    data = framed(control.results(cpu_util_total="high") | {"streams": [entry]})
    against(context, says("results", data), "results")


row(f"{CLIENT}: results, wrong types", ours_only=True)(wrong_types)


@row(f"{CLIENT}: results that stop in the middle", ours_only=True, slow=True)
def results_stall(context):
    started = time.monotonic()
    against(context, says("results", struct.pack("!L", 500) + b"{"), "results", seconds=15)
    between(time.monotonic() - started, 5, 15, "seconds")


def stalls(context, stage, seconds, word):
    """The server falls silent and keeps the connection: our client gives up by itself."""
    started = time.monotonic()
    against(context, says(stage, b""), word, seconds=seconds + 5)
    between(time.monotonic() - started, seconds, seconds + 5, "seconds")


for _stage in STAGES:
    _patience = 10 if _stage in ("ended", "results") else 30
    _word = {
        "parameters": "unable to read from stream socket: Resource temporarily unavailable",  # of the hello
        "ended": "unable to receive results: nothing for 10 s",
        "results": "unable to receive results: nothing for 10 s",
    }.get(_stage, "unable to receive control message: nothing for 30 s")  # fmt: skip
    row(
        f"{CLIENT}: the server falls silent, {_stage}",
        ours_only=True, slow=True, stage=_stage, seconds=_patience, word=_word,
    )(stalls)  # fmt: skip


@row(f"{CLIENT}: a reply that comes late, and one hello")
def late_reply(context):
    hellos = []

    def talk(link, udp):
        serve_until("parameters", link, udp)
        udp.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while True:
                hellos.append(udp.recvfrom(1500))
        udp.sendto(control.REPLY, hellos[0][1])
        finish(link)

    against(context, talk, codes=(0,))
    equal([data for data, _ in hellos], [control.HELLO], "hellos")


# By a little-endian server, since 3.12 and before, and by a big-endian one.
@row(f"{CLIENT}: the reply of a server since 3.12", reply=b"6789")
@row(f"{CLIENT}: the reply of an older server", reply=b"\xb1\x68\xde\x3a")
@row(f"{CLIENT}: the reply of a big-endian server", ours_only=True, reply=b"9876")
@row(f"{CLIENT}: the reply of an older big-endian server", ours_only=True, reply=b"\x3a\xde\x68\xb1")
def replies(context, reply):
    def talk(link, udp):
        serve_until("parameters", link, udp)
        udp.sendto(reply, udp.recvfrom(1500)[1])
        finish(link)

    against(context, talk, codes=(0,))


def exchange_results(link):
    """From the end of the data to DISPLAY_RESULTS."""
    link.expect(control.TEST_END)
    link.state(control.EXCHANGE_RESULTS)
    link.read_message()
    link.message(control.results())
    link.state(control.DISPLAY_RESULTS)


def finish(link):
    """The rest of a test, from the reply to the hello."""
    link.send(bytes([control.TEST_START, control.TEST_RUNNING]))
    exchange_results(link)
    link.expect(control.IPERF_DONE)


@row(f"{CLIENT}: -R, datagrams of other sizes")
def other_sizes(context):
    """Cut, long, empty and fragmented ones; the test still ends in time."""

    def talk(link, udp):
        client = serve_until("running", link, udp)
        for sequence in range(1, 201):
            udp.sendto(datagram(sequence, OTHER_SIZES[sequence % 8]), client)
            time.sleep(0.002)
        exchange_results(link)
        link.end()

    with FakeServer(context.lab, "b", talk):
        with context.client(CLIENT, *QUICK, "-R", "-J") as running:
            require(running.wait(8) in ((0, 1) if context.stock else (0,)), str(running))
            document = running.json
    if not context.stock:
        ours = document["dpdkperf"]
        found = document["end"]["sum_received"]["bytes"], ours["streams"][0]["arrived"]
        equal(found, OTHER_SIZES_FOUND, "bytes, datagrams")
        equal(ours["port"]["bad_length"], OTHER_SIZES_TOO_SHORT, "datagrams without a stamp")
