"""Peers of other releases than Debian's, played by hand: what they say otherwise, and leave out."""

import json
import struct
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


def as_printed_by_311(document, **values):
    """JSON with these values of a stream as cJSON printed from 3.2 to 3.11: with an exponent."""
    text = json.dumps(document)
    for key, value in values.items():
        was = f'"{key}": {document["streams"][0][key]}'
        assert text.count(was) == 1
        text = text.replace(was, f'"{key}": {value}')
    return text.encode()


RESULTS = {
    "3.0": results(-1),
    "3.1, six decimals": results(-1, jitter=0.000123),
    "3.11, a large number": as_printed_by_311(results(-1), bytes="1.500000e+15"),
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
@row(f"{SERVER}: a client of 3.11, a large number in its results", said=RESULTS["3.11, a large number"])
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


# A client of 3.21 waits for the end of the connection, for 10 s; so does a server, below.
AT_ONCE = 1


@row(f"{SERVER}: closes at once after the goodbye of a client since 3.21")
def closes_for_client(context):
    def talk(link, udp, server):
        act_until("results", link, udp, server)
        link.state(control.IPERF_DONE)
        link.link.shutdown(control.socket.SHUT_WR)
        started = time.monotonic()
        link.end()
        between(time.monotonic() - started, 0, AT_ONCE + context.late_seconds, "seconds until it closes")

    meet(context, talk)


@row(f"{SERVER}: a TCP client before 3.2, whose cookie is a text")
def cookie_of_text(context):
    cookie = b"client.example.org.1448012345.654321"[:36] + bytes(1)
    parameters = {
        "tcp": True, "omit": 0, "time": 1, "num": 0, "blockcount": 0, "parallel": 1, "len": 131072,
        "client_version": "3.1.3",
    }  # fmt: skip

    def talk(link, udp, server):
        link.send(cookie)
        link.expect(control.PARAM_EXCHANGE)
        link.message(parameters)
        link.expect(control.CREATE_STREAMS)
        with control.connect(context.lab, "a") as data:
            data.send(cookie)
            link.expect(control.TEST_START)
            link.expect(control.TEST_RUNNING)
            data.send(bytes(100_000))
            time.sleep(context.late_seconds)  # what is under way when the test ends does not count
            link.state(control.TEST_END)
            link.expect(control.EXCHANGE_RESULTS)
        link.message(RESULTS["3.0"])
        equal(link.read_message()["streams"][0]["bytes"], 100_000, "bytes without the cookie")
        link.expect(control.DISPLAY_RESULTS)
        link.state(control.IPERF_DONE)

    meet(context, talk)


@row(f"{SERVER}: a client of 3.1.4 with keys that are no more")
def forgotten_keys(context):
    parameters = {**OLD_PARAMETERS, "no_fq_socket_pacing": 1, "congestion_used": "cubic", "client_version": "3.1.4"}
    meet(context, lambda link, udp, server: act_until("results", link, udp, server, parameters))


@row(f"{SERVER}: keys that are false or 0 ask for what they name")
def presence(context):
    """So iperf3 reads them: a client leaves out what it does not want."""
    wishes = {"reverse": False, "udp_counters_64bit": 0, "repeating_payload": 0, "get_server_output": 0}

    def talk(link, udp, server):
        act_until("running", link, udp, server, {**OLD_PARAMETERS, **wishes})
        data = udp.recv(1500)
        equal(struct.unpack_from("!Q", data, 8)[0], 1, "first sequence number, 64 bits")
        equal(data[16:], bytes(ord("0") + at % 10 for at in range(16, 100)), "payload")
        link.state(control.TEST_END)
        link.expect(control.EXCHANGE_RESULTS)
        link.message(control.results())
        require("server_output_text" in link.read_message(), "no output of the server")

    meet(context, talk)


@row(f"{SERVER}: a busy client before 3.10 says goodbye to a refusal")
def goodbye_when_busy(context):
    def talk(link, udp, server):
        act_until("running", link, udp, server)
        with control.connect(context.lab, "a") as second:
            equal(second.read(1), bytes([control.ACCESS_DENIED]), "what the second is told")
            try:
                second.state(control.IPERF_DONE)
            except ConnectionError:  # it is closed already
                pass
        link.state(control.TEST_END)
        link.expect(control.EXCHANGE_RESULTS)

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


@row(f"{CLIENT}: closes at once after its goodbye to a server since 3.21")
def closes_for_server(context):
    took = []

    def talk(link, udp):
        serve_until("parameters", link, udp)
        udp.sendto(control.REPLY, udp.recvfrom(1500)[1])
        finish(link)
        link.link.shutdown(control.socket.SHUT_WR)
        started = time.monotonic()
        link.end()
        took.append(time.monotonic() - started)

    against(context, talk, codes=(0,))
    between(took[0], 0, AT_ONCE + context.late_seconds, "seconds until it closes")


@row(f"{CLIENT}: a server before 3.0.7 reads the cookie before it says that it is busy")
def late_busy(context):
    def talk(link, udp):
        link.read(len(control.COOKIE))
        link.state(control.ACCESS_DENIED)

    against(context, talk, "busy running a test")


@row(f"{CLIENT}: a server before 3.7 is asked for --bidir and opens one direction", ours_only=True, slow=True)
def no_bidir(context):
    """It starts the test without the other streams. iperf3 waits as long, too, for their hello."""

    def talk(link, udp):
        serve_until("running", link, udp)
        link.end()

    against(context, talk, "unable to read from stream socket", seconds=45, flags=("--bidir",))


@row(f"{CLIENT}: -R, data before the reply to the hello")
def early_data(context):
    """iperf3 from 3.12 on reads over it."""

    def talk(link, udp):
        serve_until("parameters", link, udp)
        client = udp.recvfrom(1500)[1]
        for sequence in range(1, 6):
            udp.sendto(control.datagram(sequence, 100), client)
        udp.sendto(control.REPLY, client)
        finish(link)

    against(context, talk, codes=(0,), flags=("-R",))


# iperf 3.21, src/iperf_error.c
@row(f"{CLIENT}: a server since 3.21 says why it ends the test, data came too late", slow=True, number=144, word="idle timeout")
@row(f"{CLIENT}: a server since 3.21 says why it ends the test, too fast", number=27, word="larger than server limit")
@row(f"{CLIENT}: a server since 3.21 says why it ends the test, too long", slow=True, number=160, word="error")
def reason(context, number, word):
    def talk(link, udp):
        serve_until("running", link, udp)
        link.send(control.server_error(number))
        link.end()

    against(context, talk, word)


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
