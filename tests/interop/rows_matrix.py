"""One table of rows against every iperf3 there is: this machine's, those of later Debian suites, or
those that IPERF3_BINARIES names."""

import re

import rows_auth
import rows_machine
import rows_modes
import rows_output
import rows_session
import rows_tcp
import rows_tcp_faults
from framework import CLIENT, INSTALLED, SERVER, equal, require, row
from netlab import releases

MODES = ("normal", "-R", "--bidir")
# With every change, one release that has threads is met in what is marked so; the others with --all.
FAST_PEERS = ("3.18",)


def text(context, role, flags, tcp):
    """The client prints the sums of both sides, the server its own."""
    with context.server(role, "-1") as serving:
        with context.client(role, "-t", 1, "-b", "1M", "-l", 500, *flags, tcp=tcp) as running:
            running.succeed()
            serving.succeed()
            for end in ("sender", "receiver"):
                equal(len(re.findall(rf"\[SUM\].*/sec.* {end}\n", running.out)), 1, f"{end} sums\n{running}")
            require("iperf Done." in running.out, f"not done\n{running}")
            its = "sender" if "-R" in flags else "receiver"
            require(re.search(rf"\[SUM\].*/sec.* {its}\n", serving.out), f"no sum\n{serving}")


def modes(protocol, count, fast=()):
    run = {"UDP": rows_modes.run_mode, "TCP": rows_tcp.run_mode}[protocol]
    more = {} if protocol == "UDP" else {"flags": ()}
    for mode in MODES:
        settings = {"mode": mode, "count": count, "ipv6": False, **more}
        yield f"{protocol} {mode}, -P {count}", mode in fast, run, settings


# Name, whether with every change, function and its arguments.
TABLE = [
    *modes("UDP", 1, fast=("normal", "-R")),
    *modes("UDP", 4, fast=("--bidir",)),
    *modes("TCP", 1, fast=("normal", "-R")),
    *modes("TCP", 4, fast=("--bidir",)),
    ("UDP -O 1", False, rows_modes.omit, {"flags": []}),
    ("UDP -O 1 -R", False, rows_modes.omit, {"flags": ["-R"]}),
    ("UDP -n 100K", False, rows_modes.limits, {"flags": ["-n", "100K"], "expected": 103}),
    ("UDP -k 100", True, rows_modes.limits, {"flags": ["-k", 100], "expected": 100}),
    ("UDP -R -k 100", False, rows_modes.limits, {"flags": ["-R", "-k", 100], "expected": 100}),
    ("TCP -n 20M", False, rows_tcp.limits, {"flags": ["-n", "20M"], "expected": 20 << 20}),
    ("TCP -k 100", False, rows_tcp.limits, {"flags": ["-k", 100], "expected": 100 * 128 * 1024}),
    ("UDP, text", False, text, {"flags": ["-P", 2], "tcp": False}),
    ("TCP -R, text", False, text, {"flags": ["-P", 2, "-R"], "tcp": True}),
    ("UDP --get-server-output", False, rows_output.server_text, {"tcp": False}),
    ("TCP --get-server-output, JSON", False, rows_output.server_json, {"tcp": True}),
    ("authentication", True, rows_auth.accepted, {}),
    ("authentication, another password", False, rows_auth.wrong, {"settings": {"password": "verdi"}}),
    ("UDP, busy", False, rows_session.busy, {}),
    ("TCP, busy", False, rows_tcp_faults.busy, {}),
    ("SIGTERM of the server", True, rows_session.server_terminated, {}),
    ("UDP, kill -9 of the client", True, rows_machine.kill_client, {}),
    ("UDP, kill -9 of the server", False, rows_machine.kill_server, {}),
    ("TCP, kill -9 of the client", False, rows_tcp_faults.client_killed, {"flags": []}),
    ("TCP -R, kill -9 of the server", True, rows_tcp_faults.server_killed, {"flags": ["-R"]}),
]

for _peer in releases.known(INSTALLED):
    for _role in (CLIENT, SERVER):
        for _name, _fast, _run, _settings in TABLE:
            row(
                f"matrix {_peer.name}: {_role}: {_name}",
                slow=not (_fast and _peer.name in FAST_PEERS), peer=_peer, role=_role, **_settings,
            )(_run)  # fmt: skip
