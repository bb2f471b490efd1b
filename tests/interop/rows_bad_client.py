"""Clients that do not behave, played by hand: our server drops them and serves the next one."""

import contextlib
import struct
import time

from framework import SERVER, between, equal, require, row
from netlab import control
from netlab.control import OTHER_SIZES, OTHER_SIZES_FOUND, STAGES, act_until, datagram, framed

QUICK = ("-t", 1, "-b", "100K", "-l", 100)


def meet(context, talk, seconds=12):
    """A client that does `talk(connection, udp, server)`, then a good one."""
    lab = context.lab
    with context.server(SERVER) as serving:
        with control.connect(lab, "a", seconds=seconds) as link, control.udp_port(lab, "a", 0) as udp:
            talk(link, udp, (lab.address("b"), control.PORT))
        context.serves()
        require(serving.running, f"the server ended\n{serving}")


def client_closes(context, stage):
    meet(context, lambda link, udp, server: act_until(stage, link, udp, server))


for _stage in STAGES:
    row(f"{SERVER}: the client closes, {_stage}", stage=_stage)(client_closes)


def refused_by_server(stage, data):
    """Says something wrong; the server closes, with or without an error."""

    def talk(link, udp, server):
        act_until(stage, link, udp, server)
        link.send(data)
        got = link.end()
        require(len(got) <= 9, f"{len(got)} bytes instead of an error or a close")

    return talk


PARAMETERS = {
    "a length of 4 GiB": struct.pack("!L", 0xFFFFFFFF),
    "no JSON": framed(b"nonsense"),
    "empty": framed(b""),
    "nested deep": framed(b"[" * 8000),
    "-P 500": framed({**control.PARAMETERS, "parallel": 500}),
    "-P -1": framed({**control.PARAMETERS, "parallel": -1}),
    "-l 1000000000": framed({**control.PARAMETERS, "len": 10**9}),
    "-l 0": framed({**control.PARAMETERS, "len": 0}),
    "-t -1": framed({**control.PARAMETERS, "time": -1}),
    "-O 601": framed({**control.PARAMETERS, "omit": 601}),
    "9 KB": framed({**control.PARAMETERS, "title": "x" * 9000}),
    "an array": framed([]),
    "a broken escape": framed(b'{"udp":true,"len":100,"title":"\\ud800\\u12"}'),
    "an SCTP test": framed({"sctp": True}),
    "wrong types": framed({**control.PARAMETERS, "len": "x", "parallel": {}, "time": []}),
}


def bad_parameters(context, data):
    meet(context, refused_by_server("cookie", data))


for _name, _data in PARAMETERS.items():
    # 3.12 accepts or crashes where newer ones refuse.
    _fine = _name in ("a length of 4 GiB", "no JSON", "empty", "nested deep", "a broken escape")
    row(f"{SERVER}: parameters, {_name}", ours_only=not _fine, data=_data)(bad_parameters)


@row(f"{SERVER}: parameters, a title that is a number", ours_only=True)
def title_number(context):
    """iperf3 before 3.17.1 crashed (CVE-2024-53580). To refuse and to ignore are both right."""
    wrong = {**control.PARAMETERS, "title": 5, "extra_data": 5, "congestion": 5, "unknown": {}}

    def talk(link, udp, server):
        act_until("cookie", link, udp, server)
        link.message(wrong)
        answer = link.read(1)[0]
        require(answer in (control.CREATE_STREAMS, control.SERVER_ERROR), f"answered {answer}")

    meet(context, talk)


@row(f"{SERVER}: a state in place of the cookie", ours_only=True, stage="connected", data=b"\x04" * 37)
@row(f"{SERVER}: TEST_END in place of the parameters", ours_only=True, stage="cookie", data=b"\x04")
@row(f"{SERVER}: an unknown state during the run", ours_only=False, stage="running", data=b"\x4d")
@row(f"{SERVER}: results of 4 GiB", ours_only=False, stage="ended", data=struct.pack("!L", 0xFFFFFFFF))
@row(f"{SERVER}: results of 2 MiB", ours_only=True, stage="ended", data=framed(b" " * (2 << 20)))
@row(f"{SERVER}: results, no JSON", ours_only=False, stage="ended", data=framed(b"}{"))
@row(f"{SERVER}: IPERF_DONE in place of the hello", ours_only=False, stage="parameters", data=b"\x10")
@row(f"{SERVER}: CLIENT_TERMINATE during the run", ours_only=False, stage="running", data=b"\x0c")
def server_out_of_turn(context, stage, data):
    def talk(link, udp, server):
        act_until(stage, link, udp, server)
        link.send(data)
        if stage == "cookie":  # half a length; only the end of the connection makes it an error
            return
        link.end()

    if stage == "connected":
        # Any 37 bytes are a cookie.
        meet(context, lambda link, udp, server: (link.send(data), link.expect(control.PARAM_EXCHANGE)))
    else:
        meet(context, talk)


@row(f"{SERVER}: a silent client is dropped within 10 s", ours_only=True, slow=True, data=b"")
@row(f"{SERVER}: a client that stops in its cookie", ours_only=True, slow=True, data=b"12345")
def silent(context, data):
    lab = context.lab
    with context.server(SERVER) as serving:
        with control.connect(lab, "a", seconds=12) as link:
            link.send(data)
            started = time.monotonic()
            link.end()
            between(time.monotonic() - started, 1, 11, "seconds until dropped")
        context.serves()
        require(serving.running, str(serving))


@row(f"{SERVER}: a client that falls silent after its cookie", ours_only=True, slow=True)
def silent_after_cookie(context):
    def talk(link, udp, server):
        act_until("cookie", link, udp, server)
        started = time.monotonic()
        equal(link.end(), control.server_error(114), "what the server says")
        between(time.monotonic() - started, 5, 11, "seconds until dropped")

    meet(context, talk, seconds=15)


@row(f"{SERVER}: parameters that stop in the middle", ours_only=True, slow=True, stage="cookie", error=114)
@row(f"{SERVER}: results that stop in the middle", ours_only=True, slow=True, stage="ended", error=117)
def stops_in_the_middle(context, stage, error):
    """A client that sends less than it has announced blocks iperf3 before 3.15 (CVE-2023-7250)."""

    def talk(link, udp, server):
        act_until(stage, link, udp, server)
        link.send(struct.pack("!L", 500) + b'{"udp":true')
        started = time.monotonic()
        equal(link.end(), control.server_error(error), "what the server says")
        between(time.monotonic() - started, 5, 11, "seconds until dropped")

    meet(context, talk, seconds=15)


@row(f"{SERVER}: a port scan does not fill the log", ours_only=True)
def port_scan(context):
    with context.server(SERVER, "--forceflush") as serving:
        for _ in range(200):
            control.connect(context.lab, "a").__exit__()
        context.serves()
        complaints = len(serving.err.splitlines())
        between(complaints, 1, 4 + 4 * context.late_seconds, f"lines in the log\n{serving}")


@row(f"{SERVER}: many silent connections keep nobody out", ours_only=True)
def crowd(context):
    with contextlib.ExitStack() as crowd, context.server(SERVER) as serving:
        for _ in range(200):
            crowd.enter_context(control.connect(context.lab, "a"))
        context.serves()
        between(serving.descriptors(), 1, 100, "descriptors")


TCP_PARAMETERS = {"tcp": True, "time": 1, "parallel": 1}


@row(f"{SERVER}: a data connection that says nothing", ours_only=True, said=b"")
@row(f"{SERVER}: a data connection that says half its cookie", ours_only=True, slow=True, said=control.COOKIE[:18])
def half_a_cookie(context, said):
    """It may hold up its own test, which ends with the client."""

    def talk(link, udp, server):
        act_until("cookie", link, udp, server)
        link.message(TCP_PARAMETERS)
        link.expect(control.CREATE_STREAMS)
        with control.connect(context.lab, "a") as data:
            data.send(said)
            link.state(control.IPERF_DONE)
            link.end()
            data.end()

    meet(context, talk)


@row(f"{SERVER}: a data connection closes, and another one comes")
def data_connection_closes(context):
    def talk(link, udp, server):
        act_until("cookie", link, udp, server)
        link.message(TCP_PARAMETERS)
        link.expect(control.CREATE_STREAMS)
        control.connect(context.lab, "a").__exit__()
        with control.connect(context.lab, "a") as data:
            data.send(control.COOKIE)
            link.expect(control.TEST_START)

    meet(context, talk)


@row(f"{SERVER}: data of TCP in place of the cookie", ours_only=True)
def data_for_a_cookie(context):
    def talk(link, udp, server):
        link.send(b"\xff" * 100_000)
        link.end()

    meet(context, talk)


@row(f"{SERVER}: parameters that are empty ask for TCP, 10 s, one stream")
def all_defaults(context):
    def talk(link, udp, server):
        act_until("cookie", link, udp, server)
        link.message({})
        link.expect(control.CREATE_STREAMS)
        with control.connect(context.lab, "a") as data:
            data.send(control.COOKIE)
            link.expect(control.TEST_START)
            link.expect(control.TEST_RUNNING)

    meet(context, talk)


@row(f"{SERVER}: a data connection with another cookie is turned away, the test goes on", tos=0)
@row(f"{SERVER}: a data connection with another cookie is turned away, with a TOS", ours_only=True, tos=32)
def foreign_cookie(context, tos):
    """From 3.13 on iperf3 ends the whole test if there is a TOS."""

    def talk(link, udp, server):
        create_one_stream(link, **({"TOS": tos} if tos else {}))
        with control.connect(context.lab, "a") as stranger:
            stranger.send(bytes(reversed(control.COOKIE)))
            equal(stranger.end(), bytes([control.ACCESS_DENIED]), "what it is told")
        with control.connect(context.lab, "a") as data:
            data.send(control.COOKIE)
            link.expect(control.TEST_START)

    meet(context, talk)


def create_one_stream(link, **parameters):
    act_until("cookie", link, None, None)
    link.message({"tcp": True, "time": 1, "parallel": 1, **parameters})
    link.expect(control.CREATE_STREAMS)


@row(f"{SERVER}: a data connection that says nothing holds nobody up", ours_only=True, says=b"")
@row(f"{SERVER}: a data connection that stops in its cookie holds nobody up", ours_only=True, says=b"abc")
def silent_data_connection(context, says):
    """iperf3 waits for its cookie for ever, from 3.15 on for 10 s, and ends the test then."""

    def talk(link, udp, server):
        create_one_stream(link)
        with control.connect(context.lab, "a") as stranger:
            stranger.send(says)
            started = time.monotonic()
            with control.connect(context.lab, "a") as data:
                data.send(control.COOKIE)
                link.expect(control.TEST_START)
            between(time.monotonic() - started, 0, 4, "seconds until the client was served")
            equal(stranger.end(), b"", "what it is told")

    meet(context, talk)


@row(f"{SERVER}: a second client while the streams of the first open is told at once", ours_only=True)
def second_while_opening(context):
    """iperf3 lets it wait until the test starts."""

    def talk(link, udp, server):
        act_until("parameters", link, udp, server)
        started = time.monotonic()
        with control.connect(context.lab, "a") as second:
            equal(second.end(), bytes([control.ACCESS_DENIED]), "what the second is told")
        between(time.monotonic() - started, 0, 0.5, "seconds")
        udp.sendto(control.HELLO, server)
        equal(udp.recv(100), control.REPLY, "reply to the first")

    meet(context, talk)


@row(f"{SERVER}: datagrams of strangers during the test do not count")
def strangers(context):
    """From another port of the client, and from another address of its host."""
    lab = context.lab
    lab.ip("a", "address", "add", "10.99.0.12/24", "dev", "veth-a")

    def talk(link, udp, server):
        act_until("running", link, udp, server)
        with lab.inside("a"):
            others = [control.socket.socket(control.socket.AF_INET, control.socket.SOCK_DGRAM) for _ in "ab"]
        others[1].bind(("10.99.0.12", 0))
        for sequence in range(1, 101):
            udp.sendto(datagram(sequence, 100), server)
            for other in others:
                try:
                    other.sendto(datagram(5000 + sequence, 100), server)
                except ConnectionError:  # told that nobody listens there
                    pass
            time.sleep(0.001)
        for other in others:
            other.close()
        time.sleep(context.late_seconds)  # TEST_END must not overtake the last datagrams
        link.state(control.TEST_END)
        link.expect(control.EXCHANGE_RESULTS)
        link.message(control.results())
        stream = link.read_message()["streams"][0]
        equal((stream["packets"], stream["errors"]), (100, 0), "packets and losses")

    try:
        meet(context, talk)
    finally:
        lab.ip("a", "address", "del", "10.99.0.12/24", "dev", "veth-a")


@row(f"{SERVER}: a silent client does not block others for ever", ours_only=True)
def silent_and_other(context):
    """The second client is served, or told at once that the server is busy."""
    with context.server(SERVER):
        with control.connect(context.lab, "a"):
            with context.client(SERVER, *QUICK) as second:
                code = second.wait(4 + 10 * context.late_seconds)
                require(code == 0 or "busy" in second.err, f"exit code {code}\n{second}")


@row(f"{SERVER}: a hello from another address takes no stream", ours_only=True)
def stolen_hello(context):
    lab = context.lab
    lab.ip("a", "address", "add", "10.99.0.12/24", "dev", "veth-a")
    try:
        with lab.inside("a"):
            stranger = control.socket.socket(control.socket.AF_INET, control.socket.SOCK_DGRAM)
        with stranger:
            stranger.bind(("10.99.0.12", 0))
            stranger.settimeout(0.3)

            def talk(link, udp, server):
                act_until("parameters", link, udp, server)
                stranger.sendto(control.HELLO, server)
                try:
                    require(stranger.recv(100) is None, "the stranger was answered")
                except (TimeoutError, ConnectionError):
                    pass
                udp.sendto(control.HELLO, server)
                equal(udp.recv(100), control.REPLY, "reply to the client")
                link.expect(control.TEST_START)

            meet(context, talk)
    finally:
        lab.ip("a", "address", "del", "10.99.0.12/24", "dev", "veth-a")


@row(f"{SERVER}: a datagram takes no stream that is too long for a hello", ours_only=True)
def long_hello(context):
    """Late data of the test before would."""

    def talk(link, udp, server):
        act_until("parameters", link, udp, server)
        udp.sendto(bytes(17), server)
        udp.settimeout(0.3)
        try:
            require(udp.recv(100) is None, "it was answered")
        except TimeoutError:
            pass
        udp.settimeout(10)
        udp.sendto(control.HELLO, server)
        equal(udp.recv(100), control.REPLY, "reply to the hello")

    meet(context, talk)


@row(f"{SERVER}: a forged sequence number", ours_only=True, slow=True, counters={}, last=(1 << 32) - 1)
@row(f"{SERVER}: a forged sequence number, 64 bits", ours_only=True, counters={"udp_counters_64bit": 1}, last=(1 << 64) - 1)
def forged_sequence(context, counters, last):
    """Who can forge the addresses, too, can spoil the count of losses, but no more than that."""

    def talk(link, udp, server):
        act_until("running", link, udp, server, {**control.PARAMETERS, **counters})
        word = "!LLQ" if counters else "!LLL"
        for sequence in (*range(1, 51), last, *range(51, 101)):
            udp.sendto((struct.pack(word, 1, 0, sequence) + bytes(100))[:100], server)
        time.sleep(context.late_seconds)
        link.state(control.TEST_END)
        link.expect(control.EXCHANGE_RESULTS)
        link.message(control.results())
        stream = link.read_message()["streams"][0]
        equal(stream["bytes"], 101 * 100, "bytes")
        between(stream["errors"], 0, stream["packets"], "losses")
        # An impossible number is left out.
        between(stream["packets"], 100, 1 << 53, "packets")

    meet(context, talk)


@row(f"{SERVER}: datagrams of other sizes")
def sizes_to_server(context):
    def talk(link, udp, server):
        act_until("running", link, udp, server)
        for sequence in range(1, 201):
            udp.sendto(datagram(sequence, OTHER_SIZES[sequence % 8]), server)
        time.sleep(context.late_seconds)
        link.state(control.TEST_END)
        link.expect(control.EXCHANGE_RESULTS)
        link.message(control.results())
        stream = link.read_message()["streams"][0]
        if not context.stock:
            equal(stream["bytes"], OTHER_SIZES_FOUND[0], "bytes")

    meet(context, talk)


@row(f"{SERVER}: a test that the client never ends", ours_only=False, slow=True)
def never_ended(context):
    """iperf3 closes it after time, omit and 40 s (3.12, src/iperf_server_api.c)."""

    def talk(link, udp, server):
        act_until("running", link, udp, server)
        started = time.monotonic()
        link.end()
        between(time.monotonic() - started, 30, 45, "seconds until dropped")

    meet(context, talk, seconds=50)
