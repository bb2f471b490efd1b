#!/usr/bin/env python3
"""Records what Debian's iperf3 3.12 prints on loopback, for the tests of the reports.

    record.py [--out DIR] [--jobs N] [CASE...]   record (all) cases into DIR, default: beside this
    record.py --check                            record all into a temporary folder; fail if keys
                                                 or kinds of lines differ from what is committed

A case is a folder: client.out, client.err, server.out, server.err as printed, without the lines
of --debug and with another name for the system; values.json: how they were made and the numbers in them (see values_json.py, values_text.py).
Text runs use --debug=1 because a text says nothing of a number's last digits, and 3.12 cannot
print text and JSON of one run.
"""

import argparse
import concurrent.futures
import contextlib
import datetime
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import relay
import values_json
import values_text

HERE = pathlib.Path(__file__).resolve().parent
# Each case has two ports. Below the ephemeral ones, and apart from another recorder's.
FIRST_PORT = 20000 + os.getpid() % 100 * 100
SYSTEM = " ".join(os.uname())  # does not matter, and would tell about the machine
UDP = "-u -b 2M -l 1000 -t 1 -i 0.5"
# Not the system's default congestion control, which differs between machines.
TCP = "-b 20M -l 8K -t 1 -i 0.5 -C cubic"
FILE_SIZE = 1_000_003  # no multiple of anything
# A loopback through which TCP has to repeat segments.
NARROW = """ip link set lo mtu 1500 up
tc qdisc add dev lo root tbf rate 20mbit burst 3000 limit 9000
"""


class Case:
    def __init__(
        self,
        name,
        client,
        server="-i 0.5",
        lossy=False,
        narrow=False,
        kind="test",
        host="127.0.0.1",
        files=False,
    ):
        self.name = name
        self.client = shlex.split(client)
        self.server = shlex.split(server)
        self.lossy = lossy
        self.narrow = narrow  # in a network namespace of its own; needs root
        self.kind = kind  # test; refused: no server; interrupted: SIGINT to the client
        self.host = host
        self.files = files  # in.bin lies in the current folder

    @property
    def json(self):
        return "-J" in self.client

    def file(self, side):
        """The name behind -F."""
        words = self.client if side == "client" else self.server
        return dict(zip(words, words[1:])).get("-F")

    def options(self, side):
        """Those that shape the text."""
        words = self.client if side == "client" else self.server
        after = dict(zip(words, words[1:]))
        formats = [w.partition("=")[2] or "%c " for w in words if w.startswith("--timestamps")]
        return {
            "verbose": "-V" in words,
            "unit": after.get("-f", "a"),
            "title": after.get("-T", ""),
            "timestamps": formats[0] if formats else None,
        }

    @property
    def debug(self):
        return [] if self.json or self.kind != "test" else ["--debug=1"]


def cases():
    pairs = [
        ("normal", UDP, {}),
        ("parallel", UDP + " -P 2", {}),
        ("reverse", UDP + " -R", {}),
        ("bidir", UDP + " --bidir", {}),
        ("bidir-parallel", UDP + " --bidir -P 2", {}),
        ("omit", "-u -b 2M -l 1000 -t 2 -i 1 -O 1 -P 2", {"server": "-i 1"}),
        ("lossy", UDP, {"lossy": True}),
        ("lossy-reverse-parallel", UDP + " -R -P 2", {"lossy": True}),
        ("lossy-bidir", UDP + " --bidir", {"lossy": True}),
        ("refused", UDP, {"kind": "refused"}),
        ("tcp-normal", TCP, {}),
        ("tcp-parallel", TCP + " -P 2", {}),
        ("tcp-reverse", TCP + " -R", {}),
        ("tcp-reverse-parallel", TCP + " -R -P 2", {}),
        ("tcp-bidir", TCP + " --bidir", {}),
        ("tcp-bidir-parallel", TCP + " --bidir -P 2", {}),
        ("tcp-omit", "-b 20M -l 8K -t 2 -i 1 -O 1 -P 2 -C cubic", {"server": "-i 1"}),
        ("tcp-file", TCP + " -F in.bin", {"server": "-i 0.5 -F out.bin", "files": True}),
        ("tcp-file-reverse", TCP + " -R -F out.bin", {"server": "-i 0.5 -F in.bin", "files": True}),
        ("tcp-interval-0", "-b 20M -l 8K -t 1 -i 0 -C cubic", {"server": "-i 0"}),
        ("tcp-narrow-parallel", "-l 8K -t 1 -i 0.5 -P 2 -C cubic", {"narrow": True}),
        ("tcp-narrow-reverse", "-l 8K -t 1 -i 0.5 -R -C cubic", {"narrow": True}),
        ("tcp-narrow-bidir", "-l 8K -t 1 -i 0.5 --bidir -C cubic", {"narrow": True}),
    ]
    result = []
    for name, client, more in pairs:
        server = more.pop("server", "-i 0.5")
        result.append(Case(name + "-text", client, server, **more))
        result.append(Case(name + "-json", client + " -J", server + " -J", **more))
    verbose = "-i 0.5 -V"
    return result + [
        Case("interval-0-text", "-u -b 2M -l 1000 -t 1 -i 0", "-i 0"),
        Case("ipv6-text", UDP, host="::1"),
        Case("fast-text", "-u -b 3G -l 60000 -t 1 -i 0.5"),
        Case("slow-text", "-u -b 800 -l 16 -t 1 -i 0.5"),
        Case("unlimited-json", "-u -b 0 -l 1000 -n 20M -S 8 -J", "-i 1 -J"),
        Case("verbose-text", "-u -t 1 -i 0.5 -V", verbose),
        Case("verbose-reverse-parallel-text", UDP + " -R -P 2 -S 8 -V", verbose),
        Case("verbose-bidir-parallel-text", UDP + " --bidir -P 2 -V", verbose),
        Case("verbose-bytes-text", "-u -b 4M -l 1000 -n 200K -V", verbose),
        Case("verbose-blocks-text", "-u -b 4M -l 1000 -k 200 -V -R", verbose),
        Case("units-text", UDP + " -P 2 -R -f K", "-i 0.5 -f g"),
        Case("timestamps-text", UDP + " --timestamps", "-i 0.5 --timestamps"),
        Case("title-text", UDP + " -V -P 2 -T 'a title' --timestamps='%F %T '", verbose + " -f t"),
        Case("title-json", UDP + " -J -T 'a \"title\"' --extra-data 'more data'", "-i 0.5 -J"),
        Case("title-refused-text", UDP + " -V -T title --timestamps=%s_", kind="refused"),
        Case("title-refused-json", UDP + " -J -T title --extra-data data", kind="refused"),
        Case("tcp-units-text", TCP + " -f k", "-i 0.5 -f M"),
        Case("tcp-title-text", TCP + " --bidir -f G -T title --timestamps=%s_", "-i 0.5 -f m --timestamps=%T-"),
        Case("tcp-title-json", TCP + " -J -R -T title --extra-data data", "-i 0.5 -J"),
        Case("relay-text", UDP + " --get-server-output -P 2", "-i 0.5 --timestamps=%T-"),
        Case("relay-bidir-text", UDP + " --get-server-output --bidir", "-i 0.5 -f m"),
        Case("relay-json", UDP + " --get-server-output -J -T title --bidir", "-i 0.5 -J"),
        Case("tcp-relay-text", TCP + " --get-server-output -R -V -T title", verbose + " -f K"),
        Case("tcp-relay-json", TCP + " --get-server-output -J -P 2", "-i 0.5 -J"),
        Case("tcp-window-json", "-n 200M -w 256K -M 1400 -C cubic -J", "-i 1 -J"),
        Case("tcp-verbose-text", TCP + " -V", verbose),
        Case("tcp-verbose-mss-text", TCP + " -M 1400 -V -P 2", verbose),
        Case("tcp-verbose-reverse-parallel-text", TCP + " -R -P 2 -V", verbose),
        Case("tcp-verbose-bidir-parallel-text", TCP + " --bidir -P 2 -V", verbose),
        Case("interrupted-json", "-u -b 2M -l 1000 -t 60 -J", kind="interrupted"),
    ]


def wait_until(condition, what):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise TimeoutError(what)


def listening(port, process):
    """Whether something listens on TCP `port` (state 0A) in the network of that process."""
    pattern = re.compile(r":%04X [0-9A-F]+:0000 0A " % port)
    net = pathlib.Path("/proc", str(process.process.pid), "net")
    return any(pattern.search((net / name).read_text()) for name in ("tcp", "tcp6"))


def received_udp(port):
    """Whether a UDP socket on `port` has a peer: the streams of the test are open."""
    pattern = re.compile(r":%04X [0-9A-F]+:(?!0000)" % port)
    return any(
        pattern.search(pathlib.Path("/proc/net", name).read_text()) for name in ("udp", "udp6")
    )


class Process:
    def __init__(self, arguments, within=(), folder=None):
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*within, "iperf3", *arguments], env={**os.environ, "TZ": "UTC"}, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err,
        )  # fmt: skip

    def finish(self):
        self.process.wait(timeout=30)
        self.out.seek(0)
        self.err.seek(0)
        return self.out.read(), self.err.read()


def run_pair(case, port):
    """The outputs (client, server), where the server's is None if there is none; and the lengths of
    the files by their names."""
    with contextlib.ExitStack() as running:
        folder = running.enter_context(tempfile.TemporaryDirectory()) if case.files else None
        if folder:
            pathlib.Path(folder, "in.bin").write_bytes(random.Random(1).randbytes(FILE_SIZE))
        server = None
        client_port = port + 1 if case.lossy else port
        if case.kind != "refused":
            within = ["unshare", "-n", "sh", "-c", NARROW + 'exec "$@"', "sh"] if case.narrow else []
            server = Process(["-s", "-1", "-p", str(port), *case.server, *case.debug], within, folder)
            running.callback(server.process.kill)
            wait_until(lambda: listening(port, server), f"{case.name}: server on {port}")
        if case.lossy:
            passer = relay.Relay(client_port, port)
            passer.start()
            running.callback(passer.stop)
        within = ["nsenter", "-n", "-t", str(server.process.pid)] if case.narrow else []
        client = Process(
            ["-c", case.host, "-p", str(client_port), *case.client, *case.debug], within, folder
        )
        running.callback(client.process.kill)
        if case.kind == "interrupted":
            wait_until(lambda: received_udp(port), f"{case.name}: test on {port}")
            time.sleep(1.5)  # something to report
            client.process.send_signal(signal.SIGINT)
        outputs = client.finish(), server.finish() if server else None
        return outputs, {p.name: p.stat().st_size for p in pathlib.Path(folder).iterdir()} if folder else {}


def record(case, port, folder):
    (client, server), lengths = run_pair(case, port)
    target = folder / case.name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    made = {
        "client": shlex.join(["iperf3", "-c", case.host, *case.client]),
        "server": shlex.join(["iperf3", "-s", "-1", *case.server]) if server else None,
        "relay": "loses each 20th datagram, swaps each 33rd with the next" if case.lossy else None,
        "kind": case.kind,
        "by": subprocess.run(["iperf3", "-v"], capture_output=True, text=True).stdout.split("\n")[0],
        "date": datetime.date.today().isoformat(),
    }
    if case.narrow:
        made["network"] = NARROW.splitlines()
    found = {"made": made}
    for side, output in (("client", client), ("server", server)):
        if output is None or (side == "server" and case.kind != "test"):
            continue
        out, err = output
        out = out.replace(SYSTEM, "Linux recorder 6.1.0 #1 SMP x86_64")
        if case.json:
            found[side] = values_json.from_json(out)
        else:
            out, debug = values_text.split_debug(out)
            err = values_text.without_debug(err)
            found[side] = values_text.from_text(out, debug, err, case.options(side))
        for stream in found[side]["summary"]["streams"] if case.files else ():
            stream["file"] = [case.file(side), lengths[case.file(side)]]
        (target / f"{side}.out").write_text(out)
        if side == "server" and "server_output" in found["client"]:
            found[side]["relayed"] = found["client"]["server_output"]
        if err:
            (target / f"{side}.err").write_text(err)
    (target / "values.json").write_text(json.dumps(found, indent=1) + "\n")


def key_paths(node, path=""):
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{path}.{key}"
            yield from key_paths(value, f"{path}.{key}")
    elif isinstance(node, list):
        for value in node:
            yield from key_paths(value, f"{path}[]")


def shapes(path):
    """What must not change between recordings: JSON's keys, a text's kinds of lines."""
    text = path.read_text()
    if text.startswith("{"):
        return set(key_paths(json.loads(text)))
    text = re.sub(r"Cookie: \w+", "Cookie: C", text)
    text = re.sub(r"(Time|Linux)\b.*", r"\1", text)
    text = re.sub(r"^[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ [\d:]{8} \d{4} ", "T ", text, flags=re.M)
    text = re.sub(r"[KMG]?(bits|Bytes)", "U", text)
    text = re.sub(r"\d+(\.\d+)?(e[+-]\d+)?", "N", text)
    return {re.sub(r" +", " ", line) for line in text.split("\n")}


def differences(recorded):
    for path in sorted(recorded.glob("*/*.*")):
        committed = HERE / path.relative_to(recorded)
        if path.name == "values.json":
            continue
        if not committed.exists():
            yield f"{path.parent.name}/{path.name}: not committed"
        elif shapes(path) != shapes(committed):
            changed = shapes(path) ^ shapes(committed)
            yield f"{path.parent.name}/{path.name}: {sorted(changed)}"


def record_all(chosen, folder, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        work = [
            pool.submit(record, case, FIRST_PORT + 2 * i, folder) for i, case in enumerate(chosen)
        ]
        for done in work:
            done.result()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    if shutil.which("iperf3") is None:
        print("no iperf3: skipped")
        return 77
    root = os.geteuid() == 0
    chosen = [
        c
        for c in cases()
        if (not arguments.cases or c.name in arguments.cases) and (root or not c.narrow)
    ]
    if not arguments.check:
        record_all(chosen, arguments.out, arguments.jobs)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        record_all(chosen, pathlib.Path(folder), max(arguments.jobs, 6))
        found = list(differences(pathlib.Path(folder)))
    print("\n".join(found) if found else "as committed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
