"""Where pollers run (-A), and addresses that are valid on one device only (%dev)."""

import json
import os
import pathlib
import re
import subprocess

import agreement
import tcp_agreement
from framework import BOTH, CLIENT, SERVER, equal, require, row, stock_end
from netlab.capture import Capture
from netlab.lab import wait_for
from netlab.programs import client

PACED = ("-b", "20M", "-l", 1000)
IMPOSSIBLE = 1000


def busiest_thread(pid):
    """The CPUs that the thread may run on which has used most time."""

    def used(task):
        fields = (task / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    task = max(pathlib.Path(f"/proc/{pid}/task").iterdir(), key=used)
    return cpus_of(task)


def cpus_of(folder):
    status = (folder / "status").read_text(encoding="utf-8")
    return re.search(r"Cpus_allowed_list:\s*(\S+)", status)[1]


def in_a_test(context, role, *arguments):
    """A client, once data flows."""
    running = context.client(role, "-t", 2, *PACED, "-J", *arguments)
    with Capture(context.lab, stock_end(role)) as capture:
        capture.wait_for_data(10)
    return running


def stay_where(context, running, cpu):
    """The poller is on the CPU and no other thread is, where there is a second one."""
    if context.stock:
        return equal(cpus_of(pathlib.Path(f"/proc/{running.pid}")), str(cpu), "CPUs of the process")
    wait_for(lambda: busiest_thread(running.pid) == str(cpu), 2, f"the busiest thread is on CPU {cpu}")
    tasks = [cpus_of(task) for task in pathlib.Path(f"/proc/{running.pid}/task").iterdir()]
    if os.cpu_count() > 1:
        equal(tasks.count(str(cpu)), 1, f"threads on CPU {cpu} alone")
    return None


@row(f"{CLIENT}: -A 0", slow=True, cpu=0)
@row(f"{CLIENT}: -A 1", cpu=1)
def affinity(context, cpu):
    with context.server(CLIENT, "-1"), in_a_test(context, CLIENT, "-A", cpu) as running:
        stay_where(context, running, cpu)
        running.succeed()
        if not context.stock:
            equal(running.json["dpdkperf"]["pollers"][0]["cpu"], cpu, "CPU of the poller")


@row(f"{SERVER}: -A 0")
def server_affinity(context):
    with context.server(SERVER, "-1", "-A", 0) as serving, in_a_test(context, SERVER) as running:
        stay_where(context, serving, 0)
        running.succeed()


@row(f"{CLIENT}: -A 0,1 places the server")
def passed_on(context):
    with context.server(CLIENT, "-1") as serving, in_a_test(context, CLIENT, "-A", "0,1") as running:
        equal(cpus_of(pathlib.Path(f"/proc/{serving.pid}")), "1", "CPUs of the server")
        running.succeed()


@row(f"{SERVER}: goes where its client wishes, and back", ours_only=True)
def placed(context):
    with context.server(SERVER, "-A", 1) as serving:
        for wish, cpu in ((["-A", "0,0"], 0), ([], 1), (["-A", "0,1"], 1)):
            with in_a_test(context, SERVER, *wish) as running:
                stay_where(context, serving, cpu)
                running.succeed()


@row(f"{CLIENT}: -A names a CPU that is not there")
def no_such_cpu(context):
    with client(context.lab, "a", context.our, "-u", "-A", IMPOSSIBLE) as running:
        equal(running.wait(5), 1, "exit code")
        require("unable to set CPU affinity: Invalid argument" in running.err, str(running))
        require(context.stock or f"CPU {IMPOSSIBLE}" in running.err, str(running))


@row(f"{SERVER}: told to go to a CPU that is not there", ours_only=True)
def no_such_server_cpu(context):
    with context.server(SERVER) as serving:
        with context.client(SERVER, "-A", f"0,{IMPOSSIBLE}") as running:
            equal(running.wait(5), 1, "exit code")
            require("unable to set CPU affinity: Invalid argument" in running.err, str(running))
        serving.wait_for_line(f"unable to set CPU affinity: Invalid argument: CPU {IMPOSSIBLE}", 2)
        context.serves()


@row(f"{CLIENT}: -A and EAL's -l contradict each other", ours_only=True)
def two_places(context):
    arguments = ["ip", "netns", "exec", context.lab.namespace("a"), context.our]
    done = subprocess.run(
        [*arguments, "-l", "0-1", "--", "-c", "10.99.0.2", "-A", "1"], capture_output=True, text=True, check=False
    )
    equal(done.returncode, 1, "exit code")
    require("--affinity '1': the pollers' CPUs are named before '--'" in done.stderr, done.stderr)


def link_local(context, end):
    """The address of an end that the kernel has made itself."""

    def found():
        device = context.lab.interface(end)
        shown = json.loads(context.lab.ip(end, "-6", "-j", "address", "show", "dev", device, "scope", "link"))
        addresses = [one for entry in shown for one in entry.get("addr_info", [])]
        usable = [one["local"] for one in addresses if one.get("scope") == "link" and not one.get("tentative")]
        return usable[0] if usable else None

    return wait_for(found, 5, f"a link-local address at {end}")


def scoped(context, end, device_of):
    return f"{link_local(context, end)}%{context.lab.interface(device_of)}"


@row(f"{CLIENT}: a link-local address, UDP, --bidir", slow=True, role=CLIENT, tcp=False, ours=[])
@row(f"{CLIENT}: a link-local address, TCP, --bidir", role=CLIENT, tcp=True, ours=[])
@row(f"{CLIENT}: a link-local address and -B", role=CLIENT, tcp=False, ours=["-B"])
@row(f"{SERVER}: a link-local address, UDP, --bidir", role=SERVER, tcp=False, ours=[])
@row(f"{SERVER}: a link-local address, TCP, --bidir", slow=True, role=SERVER, tcp=True, ours=[])
@row(f"{SERVER}: a link-local address and -B", slow=True, role=SERVER, tcp=False, ours=["-B"])
@row(f"{BOTH}: a link-local address, TCP, --bidir", role=BOTH, tcp=True, ours=[])
def scope(context, role, tcp, ours):
    host = scoped(context, "b", "a")
    here, there = ([*ours, scoped(context, end, end)] if ours else [] for end in "ab")
    server_flags, client_flags = (there, []) if role == SERVER else ([], here)
    protocol = ["-C", "cubic"] if tcp else ["-u", "-l", 1000]
    with context.server(role, "-1", "-J", *server_flags) as serving:
        arguments = ("-t", 1, "-b", "10M", "--bidir", "-J", *protocol, *client_flags)
        with client(context.lab, "a", context.programs(role)[0], *arguments, host=host) as running:
            running.succeed(15)
            serving.succeed()
            if tcp:
                tcp_agreement.check(running.json, serving.json, "--bidir", 1)
            else:
                agreement.check(context, running.json, serving.json, "--bidir", 1000)
            equal(running.json["start"]["connecting_to"]["host"], host, "host")
            connected = running.json["start"]["connected"][0]
            equal(connected["remote_host"], host.partition("%")[0], "remote address")
