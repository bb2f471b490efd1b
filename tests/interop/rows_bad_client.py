"""Clients that do not behave, played by hand: our server drops them and serves the next one."""

import struct
import time

from framework import SERVER, between, equal, require, row
from netlab import control
from netlab.control import OTHER_SIZES, STAGES, act_until, datagram, framed

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
    "an SCTP test": framed({"sctp": True}),
    "wrong types": framed({**control.PARAMETERS, "len": "x", "parallel": {}, "time": []}),
}


def bad_parameters(context, data):
    meet(context, refused_by_server("cookie", data))


for _name, _data in PARAMETERS.items():
    # 3.12 accepts or crashes where newer ones refuse.
    _fine = _name in ("a length of 4 GiB", "no JSON", "empty", "nested deep")
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


@row(f"{SERVER}: a silent client is dropped within 10 s", ours_only=True, data=b"")
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


@row(f"{SERVER}: a silent client does not block others for ever", ours_only=True)
def silent_and_other(context):
    """The second client is served, or told at once that the server is busy."""
    with context.server(SERVER):
        with control.connect(context.lab, "a"):
            with context.client(SERVER, *QUICK) as second:
                code = second.wait(5)
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


@row(f"{SERVER}: datagrams of other sizes")
def sizes_to_server(context):
    def talk(link, udp, server):
        act_until("running", link, udp, server)
        for sequence in range(1, 200):
            udp.sendto(datagram(sequence, OTHER_SIZES[sequence % 8]), server)
        link.state(control.TEST_END)
        link.expect(control.EXCHANGE_RESULTS)
        link.message(control.results())
        link.read_message()

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
