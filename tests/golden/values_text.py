"""Takes the numbers out of the text that iperf3 3.12 printed with --debug=1.

The result has the shape of include/dpdkperf/stats/reports.hpp: seconds as whole microseconds
(iperf3 has no finer ones), counters as integers, jitter in seconds.
"""

import calendar
import json
import re
import time

MICROSECONDS = 1_000_000


def micro(seconds):
    return round(seconds * MICROSECONDS)


BLOCKS = ("send_parameters:", "get_parameters:", "send_results", "get_results")
DEBUG = re.compile(
    r"(SNDBUF|RCVBUF) is |Setting application pacing|Sending Connect message|Connect received|"
    r"interval_len |interval forces keep|ignoring short interval|Late receive|"
    r"Congestion algorithm is |tcpi_snd_cwnd |read \d+ bytes from file|possible eof|(already )?done$"
)


def without_debug(err):
    return re.sub(r"OUT OF ORDER - .*? on stream \d+", "", err)


def split_debug(out):
    """The output without what --debug=1 added, and that as a list of (line number, entry): a pair
    (length, bytes) of an interval, or a pair (name, object)."""
    kept, debug, block = [], [], None
    for line in out.split("\n"):
        if block is not None:
            block[1].append(line)
            if line == "}":
                debug.append((len(kept), (block[0], json.loads("\n".join(block[1])))))
                block = None
        elif line in BLOCKS:
            block = (line.rstrip(":"), [])
        elif DEBUG.match(line):
            found = re.match(r"interval_len (\S+) bytes_transferred (\d+)", line)
            if found:
                debug.append((len(kept), (float(found[1]), int(found[2]))))
            elif line.startswith("ignoring"):  # was no interval
                debug = [d for d in debug if d[0] != len(kept) or isinstance(d[1][0], str)]
        else:
            kept.append(line)
    return "\n".join(kept), debug


ROW_START = (
    r"\[ *(?P<id>\d+|SUM)\](?P<role>\[..-.\])? +(?P<start>[\d.]+)-(?P<end>[\d.]+) +sec +"
    r"[\d.]+ \w+ +[\d.]+ \w+/sec +"
)
ROW_END = r"(?P<tag>\(omitted\)|sender|receiver|)$"
UDP_ROW = re.compile(
    ROW_START
    + r"(?:(?P<jitter>[\d.]+) ms +(?P<lost>-?\d+)/)?(?P<packets>-?\d+)(?: \(.*%\))?  "
    + ROW_END
)
TCP_ROW = re.compile(
    ROW_START + r"(?:(?P<retransmits>\d+) +)?(?:(?P<cwnd>[\d.]+ \w+) +)?" + ROW_END
)
BETWEEN_ROWS = re.compile(r"\[SUM\]|CPU| +Sent |(snd|rcv)_tcp_congestion|.*not avail")


def is_sender(row):
    row = row.groupdict()
    return row["retransmits"] is not None if "retransmits" in row else row["jitter"] is None


def udp_figures(row):
    return {"packets": int(row["packets"]), "lost": int(row["lost"] or 0), "jitter_s": 0}


UNITS = {"Bytes": 1, "KBytes": 1 << 10, "MBytes": 1 << 20, "GBytes": 1 << 30}


def cwnd_bytes(printed):
    """A number of bytes that prints as this."""
    value, unit = printed.split()
    return round(float(value) * UNITS[unit])


def tcp_figures(row):
    """Windows and times of the path are not in a text."""
    figures = {"packets": 0, "lost": 0, "jitter_s": 0}
    if row["retransmits"] is not None:
        figures["tcp"] = [int(row["retransmits"]), cwnd_bytes(row["cwnd"]), 0, 0, 0, 0]
    return figures


def blocks_of_rows(lines, pattern):
    """Runs of table rows, as lists of (line number, match)."""
    run = []
    for number, line in enumerate(lines):
        found = pattern.match(line)
        if found:
            run.append((number, found))
        elif not BETWEEN_ROWS.match(line):
            if run:
                yield run
            run = []
    if run:
        yield run


def shift(values, printed_mean, streams):
    """Values within half of the last printed digit whose mean prints as printed."""
    if not values or printed_mean is None:
        return values
    by = printed_mean - sum(values) / streams
    by = max(-0.00049, min(0.00049, by))
    return [max(0.0, value + by) for value in values]


class Intervals:
    """Puts the rows of the text and the exact lengths of --debug together."""

    def __init__(self, debug, streams, udp):
        self._udp = udp
        self._exact = [d[1] for d in debug if not isinstance(d[1][0], str)]
        self._streams = streams
        self._ends = {}
        self._omitting = None

    def add(self, rows):
        """One interval from its rows; the rows of bigger tests hold several."""
        omitted = rows[0]["tag"] == "(omitted)"
        ended_omit = self._omitting and not omitted
        self._omitting = omitted
        result = []
        for row in (r for r in rows if r["id"] != "SUM"):
            length, count = self._exact.pop(0)
            start = self._ends.get(row["id"], 0)
            if ended_omit:
                start = -micro(float(row["start"]))
            self._ends[row["id"]] = start + micro(length)
            result.append(
                {
                    "socket": int(row["id"]),
                    "sender": is_sender(row),
                    "start_us": start,
                    "end_us": start + micro(length),
                    "bytes": count,
                    **(udp_figures(row) if self._udp else tcp_figures(row)),
                }
            )
        if self._udp:
            self._add_jitter(result, rows)
        return {"omitted": omitted, "streams": result}

    def _add_jitter(self, result, rows):
        receivers = [r for r in rows if r["id"] != "SUM" and r["jitter"]]
        mean = next((float(r["jitter"]) for r in rows if r["id"] == "SUM" and r["jitter"]), None)
        moved = shift([float(r["jitter"]) for r in receivers], mean, self._streams)
        by_socket = {int(r["id"]): value / 1000 for r, value in zip(receivers, moved)}
        for row in result:
            row["jitter_s"] = by_socket.get(row["socket"], 0)


def split_intervals(rows):
    """A new interval begins where the first stream comes again."""
    current = []
    for row in rows:
        if current and row["id"] == current[0]["id"]:
            yield current
            current = []
        current.append(row)
    if current:
        yield current


def halves(own, peer, sender):
    """(sent, received); the peer's is None if it is not known."""
    here = {"bytes": own["bytes"], "time_us": micro(own["end_time"])}
    there = peer and {"bytes": peer["bytes"], "time_us": micro(peer["end_time"])}
    return (here, there) if sender else (there, here)


def tcp_summary(rows, sockets, server, results):
    """As udp_summary."""
    own, peer = results
    printed = {(r["id"], r["tag"]): r for r in rows}
    streams = []
    for socket, sender, i in sockets:
        sent, received = halves(own[i], None if server else peer[i], sender)
        for half in (sent, received):
            if half is not None:
                half["packets"] = 0
        row = {"socket": socket, "sender": sender, "sent": sent, "received": received}
        row |= {"lost": 0, "out_of_order": 0, "jitter_s": 0}
        sender_row = printed.get((str(socket), "sender"))
        if sender_row and sender_row["retransmits"] is not None:
            row["tcp"] = [int(sender_row["retransmits"]), 0, 0, 0, 0, 0]
        streams.append(row)
    return streams


def udp_summary(lines, rows, sockets, server, results):
    """`results`: what was exchanged, own and peer's; the peer's is not known to a server."""
    own, peer = results
    printed = {(r["id"], r["tag"]): r for r in rows}
    streams = []
    for socket, sender, i in sockets:
        sent, received = halves(own[i], None if server else peer[i], sender)
        for half, tag in ((sent, "sender"), (received, "receiver")):
            if half is not None:
                half["packets"] = int(printed[(str(socket), tag)]["packets"])
        receiver_row = printed.get((str(socket), "receiver"))
        streams.append(
            {
                "socket": socket,
                "sender": sender,
                "sent": sent,
                "received": received,
                "lost": int(receiver_row["lost"]) if receiver_row else 0,
                "out_of_order": out_of_order(lines, socket),
                "jitter_s": (own if not sender else peer)[i]["jitter"]
                if not (server and sender)
                else 0,
            }
        )
    return streams


def out_of_order(lines, socket):
    """The line stands before the stream's last one and does not name it."""
    count = 0
    for line in lines:
        found = re.search(r"(\d+) datagrams received out-of-order", line)
        if found:
            count = int(found[1])
        elif re.match(rf"\[ *{socket}\].*receiver$", line):
            return count
        elif line.startswith("["):
            count = 0
    return 0


def cpu(results):
    return [results["cpu_util_total"], results["cpu_util_user"], results["cpu_util_system"]]


def congestion(results):
    return results.get("congestion_used")


def without_prefixes(out, options):
    """The text without titles and time stamps, and these as seconds since the epoch, in order."""
    stamps, lines = [], []
    stamp = pattern_of(options["timestamps"]) if options["timestamps"] is not None else ""
    prefix = re.compile(f"({stamp})" + (re.escape(options["title"]) + ":  " if options["title"] else ""))
    for line in out.split("\n"):
        while prefix.pattern != "()" and (found := prefix.match(line)):
            if stamp:
                stamps.append(seconds_of(found[1], options["timestamps"]))
            line = line[found.end() :]
        lines.append(line)
    return "\n".join(lines), stamps


# What strftime(3) makes of these in the C locale.
CONVERSIONS = {
    "%c": r"[A-Z]\w\w [A-Z]\w\w [ \d]\d \d\d:\d\d:\d\d \d{4}",
    "%F": r"\d{4}-\d\d-\d\d",
    "%T": r"\d\d:\d\d:\d\d",
    "%s": r"\d{10}",
}


def pattern_of(format):
    return "".join(CONVERSIONS.get(part, re.escape(part)) for part in re.split("(%.)", format))


def seconds_of(text, format):
    if "%s" in format:
        return int(re.search(r"\d{10}", text)[0])
    read = format.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S")
    return calendar.timegm(time.strptime(text.strip(), read.strip()))


def first(pattern, out, default=""):
    found = re.search(pattern, out, re.M)
    return found[1] if found else default


def timestamp(out):
    text = first(r"^Time: (.*)$", out)
    return calendar.timegm(time.strptime(text, "%a, %d %b %Y %H:%M:%S GMT")) if text else 0


def settings_from_text(out, parameters, server):
    peer = re.search(r"^Accepted connection from (\S+), port (\d+)$", out, re.M)
    host = re.search(r"^Connecting to host (\S+), port (\d+)$", out, re.M)
    end = peer if server else host
    return {
        "server": server,
        "host": end[1],
        "port": int(end[2]),
        "cookie": first(r"Cookie: (\w+)", out),
        "timesecs": timestamp(out),
        "streams": parameters["parallel"],
        "block_bytes": parameters["len"],
        "omit": parameters["omit"],
        "duration": parameters["time"],
        "bytes": parameters["num"],
        "blocks": parameters["blockcount"],
        "reverse": parameters.get("reverse", False),
        "bidirectional": parameters.get("bidirectional", False),
        "tos": parameters.get("TOS", 0),
        "rate": parameters.get("bandwidth", 0),
        "window": parameters.get("window", 0),
        "control_mss": int(first(r"^Control connection MSS (\d+)", out, "0")),
        "block_from_mss": "Setting UDP block size" in out,
        **({} if "udp" in parameters else {"udp": False, "mss": parameters.get("MSS", 0)}),
    }


def connections_from_text(out):
    rows = re.findall(r"^\[ *(\d+)\] local (\S+) port (\d+) connected to (\S+) port (\d+)$", out, re.M)
    return [
        {"socket": int(s), "local": [a, int(p)], "remote": [b, int(q)]} for s, a, p, b, q in rows
    ]


# Behind the blank line with which iperf3 begins it. In bidir the second direction follows.
RELAYED = r"^Server output:\n((?:.+\n)+)\n"


def from_text(out, debug, err, options):
    verbose = options["verbose"]
    relayed = first(RELAYED, out)
    out = re.sub(RELAYED, "", out, flags=re.M)
    out, stamps = without_prefixes(out, options)
    out = re.sub(r"^\n(?=.*\[RX-C\])", "", out, flags=re.M)
    err, more_stamps = without_prefixes(err, {"title": "", "timestamps": options["timestamps"] and "%c "})
    server = "Server listening" in out
    lines = out.split("\n")
    named = {entry[0]: entry[1] for _, entry in debug if isinstance(entry[0], str)}
    listening = re.search(r"^Server listening on (\d+) \(test #(\d+)\)$", out, re.M)
    result = {
        "json": False,
        "verbose": verbose,
        **({"unit": options["unit"]} if options["unit"] != "a" else {}),
        **({"title": options["title"]} if options["title"] else {}),
        **({"timestamps": options["timestamps"]} if options["timestamps"] else {}),
        **({"stamps": stamps + more_stamps} if stamps + more_stamps else {}),
        "version": lines[0] if verbose else "",
        "system_info": lines[1] if verbose else "",
        "listening": [int(listening[1]), int(listening[2])] if listening else None,
        "settings": None,
        "connections": connections_from_text(out),
        "intervals": [],
        "summary": None,
        "warnings": re.findall(r"^warning: (.*)$", err, re.M),
        "error": first(r"^iperf3: (?:error - )?(.*)$", err) or None,
        **({"server_output": relayed} if relayed else {}),
    }
    if not named:
        return result
    parameters = named["get_parameters" if server else "send_parameters"]
    settings = result["settings"] = settings_from_text(out, parameters, server)

    udp = settings.get("udp", True)
    runs = list(blocks_of_rows(lines, UDP_ROW if udp else TCP_ROW))
    summary_rows = [m for _, m in runs[-1]]
    intervals = Intervals(debug, settings["streams"], udp)
    for run in runs[:-1]:
        for rows in split_intervals([m for _, m in run]):
            result["intervals"].append(intervals.add(rows))

    own, peer = named["send_results"], named["get_results"]
    senders = {c["socket"]: sends(i, settings) for i, c in enumerate(result["connections"])}
    sockets = [(s, sender, i) for i, (s, sender) in enumerate(senders.items())]
    results = (own["streams"], peer["streams"])
    result["summary"] = {
        "streams": udp_summary(lines, summary_rows, sockets, server, results)
        if udp
        else tcp_summary(summary_rows, sockets, server, results),
        **({} if udp else {"congestion": [congestion(own), None if server else congestion(peer)]}),
        "local_cpu": cpu(own),
        "remote_cpu": None if server else cpu(peer),
    }
    return result


def sends(index, settings):
    """Whether this side sends on the stream of that number; a client's come first in bidir."""
    if settings["bidirectional"]:
        return (index < settings["streams"]) != settings["server"]
    return settings["server"] == settings["reverse"]
