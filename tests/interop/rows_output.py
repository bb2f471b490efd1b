"""What we print is what iperf3 prints: the same lines, the same JSON keys in the same order."""

import json
import re

from framework import CLIENT, SERVER, equal, require, row
from netlab.programs import STOCK, client, server

SETTINGS = ("-t", 1, "-b", "1M", "-l", 500)
MODES = {"normal": [], "-R": ["-R"], "--bidir": ["--bidir"]}


def outputs(context, role, client_flags, server_flags):
    """What the program under test and a stock one in its place print: (ours, stock's)."""
    found = []
    for our in (context.our, STOCK):
        first = our if role == CLIENT else STOCK
        second = our if role == SERVER else STOCK
        with server(context.lab, "b", second, "-1", *server_flags) as serving:
            arguments = ("-u", *SETTINGS, *client_flags)
            with client(context.lab, "a", first, *arguments) as running:
                running.succeed()
                serving.succeed()
                found.append(running.out if role == CLIENT else serving.out)
    return found


def shape(value, path=""):
    """Paths of all keys in order; of a list only the first element."""
    if isinstance(value, Pairs):
        for key, inner in value:
            yield f"{path}.{key}"
            yield from shape(inner, f"{path}.{key}")
    elif isinstance(value, list) and value:
        yield from shape(value[0], path + "[]")
    elif not isinstance(value, list):
        kind = "number" if isinstance(value, (int, float)) else type(value).__name__
        yield f"{path} is a {'bool' if isinstance(value, bool) else kind}"


class Pairs(list):
    """A JSON object with its order and its repeated keys."""


def json_shape(text):
    document = json.loads(text, object_pairs_hook=Pairs)
    return [line for line in shape(document) if not line.startswith(".dpdkperf")]


def line_shape(text):
    """The kinds of lines in order of appearance; numbers and their units do not matter."""
    kinds = []
    for line in text.splitlines():
        line = re.sub(r"[a-z2-7]{36}", "COOKIE", line)
        line = re.sub(r"\d[\d.e+]*", "#", line)
        line = re.sub(r"# [KMGT]?(Bytes|bits)", r"# \1", line)
        line = re.sub(r"(Time:).*", r"\1", line)
        line = re.sub(r" +", " ", line)
        if line not in kinds and not re.match(r"iperf #|dpdkperf|Linux ", line):
            kinds.append(line)
    return kinds


def first_difference(ours, stock):
    for index, (one, other) in enumerate(zip(ours, stock)):
        if one != other:
            return f"number {index + 1} is '{one}', iperf3's '{other}'"
    return f"{len(ours)} entries, iperf3 has {len(stock)}"


def same(ours, stock):
    require(ours == stock, f"{first_difference(ours, stock)}\nours: {ours}\nstock: {stock}")


def json_keys(context, role, flags):
    ours, stock = outputs(context, role, [*flags, "-J"], ["-J"])
    same(json_shape(ours), json_shape(stock))


def text_lines(context, role, flags, server_flags=()):
    ours, stock = outputs(context, role, flags, server_flags)
    same(line_shape(ours), line_shape(stock))


for _role in (CLIENT, SERVER):
    for _mode, _flags in MODES.items():
        row(f"{_role}: JSON has iperf3's keys, {_mode}, -P 2", role=_role, flags=[*_flags, "-P", 2])(
            json_keys
        )
        row(f"{_role}: text has iperf3's lines, {_mode}", role=_role, flags=_flags)(text_lines)
        row(f"{_role}: text has iperf3's lines, {_mode}, -P 2", role=_role, flags=[*_flags, "-P", 2])(
            text_lines
        )
row(f"{CLIENT}: text has iperf3's lines, -V", role=CLIENT, flags=["-V"])(text_lines)
row(f"{CLIENT}: text has iperf3's lines, -V -R", role=CLIENT, flags=["-V", "-R"])(text_lines)
row(f"{SERVER}: text has iperf3's lines, -V", role=SERVER, flags=[], server_flags=["-V"])(text_lines)
row(f"{CLIENT}: text has iperf3's lines, -O 1", role=CLIENT, flags=["-O", 1])(text_lines)


@row(f"{CLIENT}: --forceflush, an interval is printed when it ends", role=CLIENT)
@row(f"{SERVER}: --forceflush, an interval is printed when it ends", role=SERVER)
def force_flush(context, role):
    flags = ("-i", "0.3", "--forceflush")
    with context.server(role, "-1", *flags) as serving:
        arguments = (*SETTINGS[2:], "-t", 2, *flags)
        with context.client(role, *arguments) as running:
            ours = running if role == CLIENT else serving
            ours.wait_for_line(r"0\.00-0\.3\d +sec")
            require(running.running, "the interval came only at the end")
            running.succeed()
            serving.succeed()


@row(f"{CLIENT}: settings in the JSON are what was asked for")
def settings(context):
    flags = ("-P", 2, "-S", "0x20", "-O", 1)
    running, _ = context.test(CLIENT, *SETTINGS, *flags)
    start = running["start"]["test_start"]
    want = {
        "protocol": "UDP", "num_streams": 2, "blksize": 500, "omit": 1, "duration": 1, "bytes": 0,
        "blocks": 0, "reverse": 0, "tos": 0x20, "target_bitrate": 1_000_000,
    }  # fmt: skip
    equal({key: start.get(key) for key in want}, want, "test_start")
    equal(running["start"]["connecting_to"], {"host": "10.99.0.2", "port": 5201}, "connecting_to")
