"""Takes the numbers out of the JSON that iperf3 3.12 printed.

The result has the shape of include/dpdkperf/stats/reports.hpp: seconds as whole microseconds
(iperf3 has no finer ones), counters as integers, jitter in seconds.
"""

import itertools
import json
import math
import re
import sys

MICROSECONDS = 1_000_000


def micro(seconds):
    return round(seconds * MICROSECONDS)


def shown(value):
    """The value as cJSON prints it: 15 digits where they are enough."""
    short = "%1.15g" % value
    enough = abs(float(short) - value) <= abs(value) * sys.float_info.epsilon
    return short if enough else "%1.17g" % value


def neighbours(value, count):
    """The `count` floats on either side of a value, nearest first."""
    below = above = value
    yield value
    for _ in range(count):
        below, above = math.nextafter(below, -1), math.nextafter(above, 2 * above)
        yield below
        yield above


def jitters(printed_ms, printed_mean_ms, streams):
    """Jitters in seconds that print as these, and so does their mean: the last bit of what was
    printed is not that of what was measured."""
    choices = [
        [x for x in neighbours(value / 1000, 4) if shown(x * 1000.0) == shown(value)] or [0.0]
        for value in printed_ms
    ]
    for chosen in itertools.product(*choices):
        if printed_mean_ms is None or shown(sum(chosen) / streams * 1000.0) == shown(printed_mean_ms):
            return list(chosen)
    return [options[0] for options in choices]


INTERVAL_KEYS = ("retransmits", "snd_cwnd", "snd_wnd", "rtt", "rttvar", "pmtu")
TOTAL_KEYS = ("retransmits", "max_snd_cwnd", "max_snd_wnd", "max_rtt", "min_rtt", "mean_rtt")


def tcp_figures(row, keys):
    """What only a TCP sender has; UDP's values do not mention it."""
    return {"tcp": [row[key] for key in keys]} if "retransmits" in row else {}


def interval_from_json(interval, streams):
    rows = []
    omitted = False
    starts_before_0 = False
    for row in interval["streams"]:
        start, end = micro(row["start"]), micro(row["end"])
        # The first interval after omit begins before 0, which iperf3 prints without its sign.
        starts_before_0 = abs(row["seconds"] - (end + start) / MICROSECONDS) < 1e-6 and start > 0
        rows.append(
            {
                "socket": row["socket"],
                "sender": row["sender"],
                "start_us": -start if starts_before_0 else start,
                "end_us": end,
                "bytes": row["bytes"],
                "packets": row.get("packets", 0),
                "lost": row.get("lost_packets", 0),
                "jitter_s": 0,
                **tcp_figures(row, INTERVAL_KEYS),
            }
        )
        omitted = row["omitted"]
    receiving = [i for i, row in enumerate(interval["streams"]) if "jitter_ms" in row]
    sums = [interval[key] for key in ("sum", "sum_bidir_reverse") if key in interval]
    mean = next((s["jitter_ms"] for s in sums if "jitter_ms" in s), None)
    found = jitters([interval["streams"][i]["jitter_ms"] for i in receiving], mean, streams)
    for i, jitter in zip(receiving, found):
        rows[i]["jitter_s"] = jitter
    return {"omitted": omitted, "streams": rows}


def tcp_streams(end, server):
    result = []
    for entry in end["streams"]:
        sender = entry["sender"]["sender"]
        halves = {
            half: {"bytes": row["bytes"], "time_us": micro(row["end"]), "packets": 0}
            for half, row in (("sent", entry["sender"]), ("received", entry["receiver"]))
        }
        if server:
            halves["received" if sender else "sent"] = None
        result.append(
            {
                "socket": entry["sender"]["socket"],
                "sender": sender,
                **halves,
                "lost": 0,
                "out_of_order": 0,
                "jitter_s": 0,
                **tcp_figures(entry["sender"], TOTAL_KEYS),
            }
        )
    return result


def congestion(end):
    """[ours, the peer's], in the view of the direction that was printed last."""
    names = [end.get("sender_tcp_congestion"), end.get("receiver_tcp_congestion")]
    return names if end["streams"][-1]["sender"]["sender"] else names[::-1]


def udp_streams(end, server, streams):
    rows = [entry["udp"] for entry in end["streams"]]
    result = []
    for sender in (True, False):
        mine = [row for row in rows if row["sender"] == sender]
        if not mine:
            continue
        # Client to server has the plain names.
        suffix = "_bidir_reverse" if "sum_bidir_reverse" in end and sender == server else ""
        total, received = end["sum" + suffix], end["sum_received" + suffix]
        sent = end["sum_sent" + suffix]
        jitter = jitters([row["jitter_ms"] for row in mine], total["jitter_ms"], streams)
        for i, row in enumerate(mine):
            # Received bytes and packets are told for the sum only: give all to the first.
            others = sum(r["packets"] for r in mine[1:])
            halves = {
                "sent": {
                    "bytes": row["bytes"],
                    "time_us": micro(row["end"]),
                    "packets": row["packets"] if sent["packets"] else 0,
                },
                "received": {
                    "bytes": received["bytes"] if i == 0 else 0,
                    "time_us": micro(total["end"]),
                    "packets": row["packets"] if i else received["packets"] - others,
                },
            }
            if server:
                halves["received" if sender else "sent"] = None
            result.append(
                {
                    "socket": row["socket"],
                    "sender": sender,
                    **halves,
                    "lost": row["lost_packets"],
                    "out_of_order": row["out_of_order"],
                    "jitter_s": jitter[i],
                }
            )
    return result


def summary_from_json(end, server, streams, udp):
    result = udp_streams(end, server, streams) if udp else tcp_streams(end, server)
    cpu = end["cpu_utilization_percent"]
    return {
        "streams": sorted(result, key=lambda row: row["socket"]),
        **({} if udp else {"congestion": congestion(end)}),
        "local_cpu": [cpu["host_total"], cpu["host_user"], cpu["host_system"]],
        "remote_cpu": [cpu["remote_total"], cpu["remote_user"], cpu["remote_system"]],
    }


def settings_from_json(start):
    test = start["test_start"]
    server = "accepted_connection" in start
    end = start["accepted_connection" if server else "connecting_to"]
    return {
        "server": server,
        "host": end["host"],
        "port": end["port"],
        "cookie": start["cookie"],
        "timesecs": start["timestamp"]["timesecs"],
        "streams": test["num_streams"],
        "block_bytes": test["blksize"],
        "omit": test["omit"],
        "duration": test["duration"],
        "bytes": test["bytes"],
        "blocks": test["blocks"],
        "reverse": bool(test["reverse"]),
        "bidirectional": len(start["connected"]) > test["num_streams"],
        "tos": test["tos"],
        "rate": test["target_bitrate"],
        "window": start["sock_bufsize"],
        "control_mss": start.get("tcp_mss_default", 0),
        "block_from_mss": False,
        **({} if test["protocol"] == "UDP" else {"udp": False, "mss": start.get("tcp_mss", 0)}),
    }


def relayed(out):
    """As it stands there, with the keys that come twice."""
    return re.search(r'"server_output_json":\t(\{.*\})\n\}\n$', out, re.S)[1]


def from_json(out):
    root = json.loads(out)
    start = root["start"]
    result = {
        "json": True,
        "verbose": False,
        "version": start["version"],
        "system_info": start["system_info"],
        "listening": None,
        "settings": None,
        "connections": [
            {
                "socket": c["socket"],
                "local": [c["local_host"], c["local_port"]],
                "remote": [c["remote_host"], c["remote_port"]],
            }
            for c in start["connected"]
        ],
        "intervals": [],
        "summary": None,
        "warnings": [],
        "error": root.get("error"),
        **({"title": root["title"]} if "title" in root else {}),
        **({"extra_data": root["extra_data"]} if "extra_data" in root else {}),
        **({"server_output": relayed(out)} if "server_output_json" in root else {}),
    }
    if "test_start" in start:
        result["settings"] = settings_from_json(start)
        streams = result["settings"]["streams"]
        server = result["settings"]["server"]
        result["intervals"] = [interval_from_json(i, streams) for i in root["intervals"]]
        udp = result["settings"].get("udp", True)
        result["summary"] = summary_from_json(root["end"], server, streams, udp)
    return result
