"""What we print is what iperf3 prints: the same lines, the same JSON keys in the same order."""

import json
import pathlib
import re
import tempfile

from framework import CLIENT, SERVER, equal, require, row
from netlab.programs import STOCK, client, server

SETTINGS = ("-t", 1, "-b", "1M", "-l", 500)
MODES = {"normal": [], "-R": ["-R"], "--bidir": ["--bidir"]}


def outputs(context, role, client_flags, server_flags, tcp=False):
    """What the program under test and a stock one in its place print: (ours, stock's)."""
    found = []
    for our in (context.our, STOCK):
        first = our if role == CLIENT else STOCK
        second = our if role == SERVER else STOCK
        with server(context.lab, "b", second, "-1", *server_flags) as serving:
            arguments = (*(["-C", "cubic"] if tcp else ["-u"]), *SETTINGS, *client_flags)
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


# Keys that iperf3 has had since 3.12.
NEWER = re.compile(r"\.(timemillisecs|fq_rate|bidir|fqrate|interval|gso|gro|reorder)\b")


def json_shape(text):
    document = json.loads(text, object_pairs_hook=Pairs)
    return [line for line in shape(document) if not (line.startswith(".dpdkperf") or NEWER.search(line))]


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


def text_lines(context, role, flags, server_flags=(), tcp=False):
    ours, stock = outputs(context, role, flags, server_flags, tcp)
    same(line_shape(ours), line_shape(stock))


for _role in (CLIENT, SERVER):
    for _mode, _flags in MODES.items():
        row(f"{_role}: JSON has iperf3's keys, {_mode}, -P 2", slow=_mode != "--bidir" or _role == SERVER, role=_role, flags=[*_flags, "-P", 2])(
            json_keys
        )
        row(f"{_role}: text has iperf3's lines, {_mode}", slow=True, role=_role, flags=_flags)(text_lines)
        row(f"{_role}: text has iperf3's lines, {_mode}, -P 2", slow=_mode != "--bidir", role=_role, flags=[*_flags, "-P", 2])(
            text_lines
        )
row(f"{CLIENT}: text has iperf3's lines, -V", role=CLIENT, flags=["-V"])(text_lines)
row(f"{CLIENT}: text has iperf3's lines, -V -R", slow=True, role=CLIENT, flags=["-V", "-R"])(text_lines)
row(f"{SERVER}: text has iperf3's lines, -V", slow=True, role=SERVER, flags=[], server_flags=["-V"])(text_lines)
row(f"{CLIENT}: text has iperf3's lines, -O 1", role=CLIENT, flags=["-O", 1])(text_lines)
row(f"{CLIENT}: text has iperf3's lines, --no-fq-socket-pacing", slow=True, role=CLIENT, flags=["--no-fq-socket-pacing"])(text_lines)
for _name, _shape in {
    "-f K": ["-f", "K"],
    "-T": ["-T", "a title"],
    "--timestamps": ["--timestamps"],
    "-T and a format of time stamps": ["-T", "x", "--timestamps=%j at %H_%M_%S "],
}.items():
    row(f"{CLIENT}: text has iperf3's lines, {_name}, TCP", slow=not _name.startswith("-T and"), role=CLIENT, flags=[*_shape, "-P", 2], tcp=True)(
        text_lines
    )
    row(f"{CLIENT}: text has iperf3's lines, {_name}", slow=True, role=CLIENT, flags=_shape)(text_lines)
row(f"{SERVER}: text has iperf3's lines, -f and --timestamps",
    role=SERVER, flags=["-P", 2], server_flags=["-f", "g", "--timestamps"])(text_lines)  # fmt: skip


@row(f"{CLIENT}: title and extra data are in the JSON of both", role=CLIENT)
@row(f"{SERVER}: title and extra data are in the JSON of both", slow=True, role=SERVER)
def labels(context, role):
    for document in context.test(role, *SETTINGS, "-T", 'a "title"', "--extra-data", "more, data"):
        equal(document["title"], 'a "title"', "title")
        equal(document["extra_data"], "more, data", "extra_data")


def relayed(context, role, client_flags, server_flags, tcp):
    """Client and server of a test with --get-server-output, ended: what each has printed."""
    with context.server(role, "-1", *server_flags) as serving:
        congestion = ["-C", "cubic"] if tcp else []
        arguments = (*SETTINGS, *congestion, "--get-server-output", *client_flags)
        with context.client(role, *arguments, tcp=tcp) as running:
            require(running.wait() == 0, f"exit code {running.code}\n{running}\n{serving}")
            serving.succeed()
            return running.out, serving.out


for _role in (CLIENT, SERVER):
    for _protocol, _tcp in {"TCP": True, "UDP": False}.items():

        @row(f"{_role}: --get-server-output, {_protocol}", slow=_tcp, role=_role, tcp=_tcp)
        def server_text(context, role, tcp):
            mine, its = relayed(context, role, ["-P", 16, "-R"], ["-V", "-i", "0.1"], tcp)
            shown = mine.partition("\nServer output:\n")[2].rpartition("\n\niperf Done.")[0]
            require(shown and shown in its, f"the client shows\n{shown}\nthe server printed\n{its}")
            require(shown.startswith("Time: ") and shown.count("[SUM]") > 8, shown)

        @row(f"{_role}: --get-server-output, {_protocol}, JSON", slow=not _tcp, role=_role, tcp=_tcp)
        def server_json(context, role, tcp):
            mine, its = (json.loads(text) for text in relayed(context, role, ["-J", "-R"], ["-J"], tcp))
            for key in ("start", "intervals", "end"):
                equal(mine["server_output_json"][key], its[key], key)
            require("server_output_text" not in mine, "text, too")

    @row(f"{_role}: --get-server-output, text from JSON", role=_role)
    def server_json_in_text(context, role):
        mine, its = relayed(context, role, [], ["-J"], False)
        shown, _ = json.JSONDecoder().raw_decode(mine.partition("\nServer JSON output:\n")[2])
        equal(shown["end"], json.loads(its)["end"], "end")

    @row(f"{_role}: --get-server-output, JSON with text in it", role=_role)
    def server_text_in_json(context, role):
        mine, its = relayed(context, role, ["-J"], [], False)
        shown = json.loads(mine)["server_output_text"]
        require(shown.startswith("Accepted connection from ") and shown in its, shown)


@row(f"{CLIENT}: no server output that was not asked for")
def no_server_output(context):
    with context.server(CLIENT) as serving:
        for asked in (True, False):  # a stock server from 3.12 remembers the wish
            with context.client(CLIENT, *SETTINGS, *(["--get-server-output"] if asked else [])) as running:
                running.succeed()
                equal("Server output" in running.out, asked, "server output shown")
        require(serving.running, "the server ended")


def complaints_about(text):
    try:
        from output_schema import complaints_about as judge
    except ImportError:  # no python3-jsonschema
        return []
    return judge(text)


@row(f"{CLIENT}: JSON fits the schema, TCP", role=CLIENT, flags=["--bidir", "-P", 2], tcp=True)
@row(f"{SERVER}: JSON fits the schema, TCP", slow=True, role=SERVER, flags=["--bidir", "-P", 2], tcp=True)
@row(f"{CLIENT}: JSON fits the schema, UDP", slow=True, role=CLIENT, flags=["-R"], tcp=False)
@row(f"{SERVER}: JSON fits the schema, UDP", role=SERVER, flags=["-R"], tcp=False)
def schema(context, role, flags, tcp):
    for text in outputs(context, role, [*flags, "-J"], ["-J"], tcp):
        equal(complaints_about(text), [], "what does not fit")


@row(f"{CLIENT}: --json-stream, TCP", ours_only=True, role=CLIENT, tcp=True)
@row(f"{SERVER}: --json-stream, TCP", slow=True, ours_only=True, role=SERVER, tcp=True)
@row(f"{CLIENT}: --json-stream, UDP", slow=True, ours_only=True, role=CLIENT, tcp=False)
@row(f"{SERVER}: --json-stream, UDP", ours_only=True, role=SERVER, tcp=False)
def json_stream(context, role, tcp):
    stream = ["--json-stream", "-i", "0.5"]
    with context.server(role, "-1", *(stream if role == SERVER else [])) as serving:
        asked = [*SETTINGS, *(["-C", "cubic"] if tcp else []), *(stream if role == CLIENT else [])]
        with context.client(role, *asked, tcp=tcp) as running:
            ours = running if role == CLIENT else serving
            ours.wait_for_line('"event":"interval"')
            require(running.running, "the interval came only at the end")
            running.succeed()
            serving.succeed()
            text = ours.out
    events = [json.loads(line) for line in text.splitlines()]
    names = [event["event"] for event in events]
    equal(names[:3] + names[-2:], ["start", "interval", "interval", "dpdkperf", "end"], "events")
    equal(complaints_about(text), [], "what does not fit")
    counted = sum(e["data"]["sum"]["bytes"] for e in events if e["event"] == "interval")
    total = events[-1]["data"]["sum_sent" if role == CLIENT else "sum_received"]["bytes"]
    equal(counted, total, "bytes of the intervals")


@row(f"{CLIENT}: --json-stream-full-output", ours_only=True)
def json_stream_full(context):
    with context.server(CLIENT, "-1"):
        flags = ["--json-stream", "--json-stream-full-output"]
        with context.client(CLIENT, *SETTINGS, *flags) as running:
            running.succeed()
            stream, brace, document = running.out.partition("\n{\n")
            whole = json.loads(brace + document)
            last = json.loads(stream.splitlines()[-1])
            equal(last, {"event": "end", "data": whole["end"]}, "the last event")


@row(f"{CLIENT}: --json-stream, nobody there", ours_only=True)
def json_stream_error(context):
    with context.client(CLIENT, "--json-stream") as running:
        equal(running.wait(), 1, "exit code")
        events = [json.loads(line) for line in running.out.splitlines()]
        equal([event["event"] for event in events], ["error", "dpdkperf", "end"], "events")
        require("unable to connect" in events[0]["data"], events[0])


@row(f"{CLIENT}: --debug shows what is exchanged, as iperf3 does", slow=True, role=CLIENT)
@row(f"{SERVER}: --debug shows what is exchanged, as iperf3 does", role=SERVER)
def debug(context, role):
    wanted = ["get_parameters:", "get_results", "send_results", "send_parameters:"]
    shown = []
    for text in outputs(context, role, ["--debug=1"], ["--debug=1"]):
        found = {name: text.partition(f"\n{name}\n")[2] for name in wanted if f"\n{name}\n" in f"\n{text}"}
        shown.append(sorted(found))
        for name, rest in found.items():
            document, _ = json.JSONDecoder().raw_decode(rest or text.partition(f"{name}\n")[2])
            require("parallel" in document or "streams" in document, f"{name} shows {document}")
        require("State change" not in text, "messages are for level 3")
    same(*shown)


@row(f"{CLIENT}: -d shows every message", ours_only=True)
def debug_messages(context):
    ours, _ = outputs(context, CLIENT, ["-d"], [])
    states = re.findall(r"^State change: State set to (\d+)-[A-Z_]+$", ours, re.M)
    equal([int(state) for state in states], [9, 10, 1, 2, 4, 13, 14, 16], "messages")


@row(f"{CLIENT}: -d does not spoil JSON", ours_only=True)
def debug_json(context):
    require("error" not in context.test(CLIENT, *SETTINGS, "-d")[0], "an error")


@row(f"{CLIENT}: --logfile gets everything, test after test", role=CLIENT)
@row(f"{SERVER}: --logfile gets everything, test after test", slow=True, role=SERVER)
def log_file(context, role):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "log")
        log = ["--logfile", path]
        for _ in range(2):
            with context.server(role, "-1", *(log if role == SERVER else [])) as serving:
                with context.client(role, *SETTINGS, *(log if role == CLIENT else [])) as running:
                    running.succeed()
                    serving.succeed()
                    ours = running if role == CLIENT else serving
                    equal(ours.out + ours.err, "", "what was printed")
        equal(path.read_text().count("receiver\n"), 2, "summaries in the log")
        if role == CLIENT:
            with context.client(role, *log) as running:
                equal(running.wait(), 1, "exit code")
                equal(running.out + running.err, "", "what was printed")
            require("unable to connect" in path.read_text().splitlines()[-1], "the error is not in the log")


@row(f"{CLIENT}: a log file that cannot be opened")
def no_log_file(context):
    with context.client(CLIENT, "--logfile", "/no/such/folder/log") as running:
        equal(running.wait(), 1, "exit code")
        require("error - unable to open log file: No such file or directory" in running.err, running.err)


@row(f"{CLIENT}: --forceflush, an interval is printed when it ends", role=CLIENT)
@row(f"{SERVER}: --forceflush, an interval is printed when it ends", slow=True, role=SERVER)
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
