"""Peers of other releases than Debian's, played by hand: what they say otherwise, and leave out."""

import time

from framework import CLIENT, SERVER, between, equal, require, row
from netlab import control
from netlab.control import FakeServer, act_until, framed, serve_until
from rows_bad_client import meet
from rows_bad_server import against, exchange_results, finish

NONE = (1 << 64) - 1  # -1 as iperf 3.12 and 3.13 print it

# What iperf 3.0 says: no version, no pacing timer.
OLD_PARAMETERS = {
    "udp": True, "omit": 0, "time": 1, "num": 0, "blockcount": 0, "parallel": 1, "len": 100,
    "bandwidth": 100000,
}  # fmt: skip
OLD_ENTRY = {"id": 1, "bytes": 1000, "jitter": 0, "errors": 0, "packets": 10}
CPU = {"cpu_util_total": 1, "cpu_util_user": 1, "cpu_util_system": 0}


def results(number, **more):
    """Results with `number` for what there is none of."""
    entry = {**OLD_ENTRY, "retransmits": number, **more}
    return {**CPU, "sender_has_retransmits": number, "streams": [entry]}


RESULTS = {
    "3.0": results(-1),
    "3.12": results(NONE, errors=NONE, start_time=0, end_time=1.00025),
    "3.21": results(-1, omitted_errors=0, omitted_packets=0, start_time=0, end_time=1.00025),
    "a server that was asked before for its output": {
        **results(-1), "server_output_text": "- - -\n",
    },
}  # fmt: skip


# Little-endian up to 3.11; big-endian up to 3.11 and up to 3.16; and anything else.
@row(f"{SERVER}: the hello of an older client", hello=b"\x15\xcd\x5b\x07", reply=b"6789")
@row(f"{SERVER}: the hello of an older big-endian client", hello=b"\x07\x5b\xcd\x15", reply=b"6789")
@row(f"{SERVER}: the hello of a big-endian client", ours_only=True, hello=b"6789", reply=b"9876")
@row(f"{SERVER}: a hello of one byte", hello=b"x", reply=b"6789")
@row(f"{SERVER}: a hello of 16 bytes", hello=bytes(16), reply=b"6789")
def hellos(context, hello, reply):
    def talk(link, udp, server):
        act_until("parameters", link, udp, server, OLD_PARAMETERS)
        udp.sendto(hello, server)
        equal(udp.recv(100), reply, "reply")
        link.expect(control.TEST_START)

    meet(context, talk)


@row(f"{SERVER}: a client of 3.0 from end to end", said=RESULTS["3.0"])
@row(f"{SERVER}: a client of 3.12, results without retransmissions", said=RESULTS["3.12"])
@row(f"{SERVER}: a client of 3.21, results", said=RESULTS["3.21"])
def old_client(context, said):
    def talk(link, udp, server):
        act_until("ended", link, udp, server, OLD_PARAMETERS)
        link.message(said)
        document = link.read_message()
        equal([stream["id"] for stream in document["streams"]], [1], "streams in the results")
        equal(document["sender_has_retransmits"] in (-1, NONE), True, "no retransmissions")
        link.expect(control.DISPLAY_RESULTS)
        link.state(control.IPERF_DONE)
        equal(link.end(), b"", "said after the end")

    meet(context, talk)


@row(f"{SERVER}: a client that leaves without IPERF_DONE has completed its test")
def no_goodbye(context):
    lab = context.lab
    with context.server(SERVER, "-1") as serving:
        with control.connect(lab, "a") as link, control.udp_port(lab, "a", 0) as udp:
            act_until("results", link, udp, (lab.address("b"), control.PORT))
        equal(serving.wait(5), 0, "exit code")
        require(" receiver" in serving.out, f"no summary\n{serving}")


def old_server(context, said):
    def talk(link, udp):
        serve_until("ended", link, udp)
        link.read_message()
        link.message(said)
        link.state(control.DISPLAY_RESULTS)
        link.expect(control.IPERF_DONE)

    against(context, talk, codes=(0,))


for _name, _said in RESULTS.items():
    row(f"{CLIENT}: results of {_name}", said=_said)(old_server)


@row(f"{CLIENT}: a server before 3.10, 40 ms between TEST_START and TEST_RUNNING")
def delayed(context):
    def talk(link, udp):
        serve_until("hello", link, udp)
        link.state(control.TEST_START)
        time.sleep(0.04)
        link.state(control.TEST_RUNNING)
        exchange_results(link)
        link.expect(control.IPERF_DONE)

    against(context, talk, codes=(0,))


@row(f"{CLIENT}: results and DISPLAY_RESULTS in one segment")
def glued(context):
    def talk(link, udp):
        serve_until("ended", link, udp)
        link.read_message()
        link.send(framed(control.results()) + bytes([control.DISPLAY_RESULTS]))
        link.expect(control.IPERF_DONE)

    against(context, talk, codes=(0,))


@row(f"{CLIENT}: results that lack a stream count it as nothing")
def stream_missing(context):
    def talk(link, udp):
        serve_until("parameters", link, udp)
        for _ in range(2):
            udp.sendto(control.REPLY, udp.recvfrom(1500)[1])
        finish(link)  # with the results of one stream

    against(context, talk, codes=(0,), flags=("-P", 2))


@row(f"{CLIENT}: an error of a server from 3.21 on, after IPERF_DONE")
def late_error(context):
    """Its error number is sticky."""

    def talk(link, udp):
        serve_until("parameters", link, udp)
        udp.sendto(control.REPLY, udp.recvfrom(1500)[1])
        finish(link)
        link.send(control.server_error(110))
        link.end()

    against(context, talk, codes=(0,))


@row(f"{CLIENT}: a server before 3.19 refuses a password, without an errno", ours_only=True)
def short_error(context):
    """iperf3 adds the text of an errno that it has not read."""

    def talk(link, udp):
        serve_until("cookie", link, udp)
        link.read_message()
        link.send(control.server_error(142)[:5])

    against(context, talk, "error - test authorization failed\n")


@row(f"{CLIENT}: a server before 3.21 closes where a later one says why", stage="cookie")
def silent_close(context, stage):
    def talk(link, udp):
        serve_until(stage, link, udp)
        link.read_message()

    started = time.monotonic()
    against(context, talk, "control socket has closed unexpectedly")
    between(time.monotonic() - started, 0, 3, "seconds")
