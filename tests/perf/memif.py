"""Comparisons over memif: two of ours against two testpmd, at the rate of the receiver."""

import contextlib
import json
import re
import signal
import statistics
import subprocess
import tempfile
import time

from comparisons import Comparison, Metric, hugepages
from netlab import faults
from netlab.lab import Failed
from netlab.programs import client, server
from netlab.wires import Wire

HEADERS = 42  # Ethernet, IPv4, UDP


def device(role, folder, jumbo):
    more = ",zero-copy=yes" if role == "client" else ""
    large = ",bsize=9600" if jumbo else ""
    return f"net_memif0,role={role},id=0,socket={folder}/memif,socket-abstract=no,rsize=8{more}{large}"


def verify_receiver(setup):
    """The same program finds what is wrong, where it is told not to trust the memory."""
    with Wire("memif").lab(f"{setup.lab.name}-faults", setup.our) as lab:
        with server(lab, "b", setup.our, "-1", "-J", "--rx-csum", "full") as serving:
            lab.bridge("a")
            faults.send_with_faults(lab, "a")
            serving.succeed()
            faults.check_found(serving.json)


def our_turn(setup, frame):
    verify_receiver(setup)
    wire = Wire("memif", mtu=9000 if frame > 1518 else 1500)
    flags = ("-u", "-b", 0, "-l", frame - HEADERS, "-t", setup.seconds, "-P", 1, "-J")
    with hugepages(), wire.lab(f"{setup.lab.name}-memif", setup.our) as lab:
        with server(lab, "b", setup.our, "-1", "-J") as serving:
            with client(lab, "a", setup.our, *flags) as running:
                running.succeed(setup.seconds + 20)
                serving.succeed()
                received = serving.json["end"]["sum_received"]
    pps = received["bytes"] / (frame - HEADERS) / received["seconds"]
    return {"received": pps / 1e6, "frames": pps * frame * 8 / 1e9}


def testpmd(role, folder, frame):
    """--mbuf-size before --txpkts, which is measured against it and else falls back to 64 bytes."""
    cpu = 0 if role == "server" else 1
    mode = ["--forward-mode=rxonly"] if role == "server" else ["--forward-mode=txonly", f"--txpkts={frame}"]
    large = ["--mbuf-size=9728"] if frame > 1518 else []
    return [
        "dpdk-testpmd", f"--lcores=0@(0,1),1@{cpu}", "--in-memory", "--single-file-segments",
        "--no-pci", "--no-telemetry", f"--file-prefix=bench-{role}",
        f"--vdev={device(role, folder, frame > 1518)}", "--",
        *large, *mode, "--burst=64", "--txd=1024", "--rxd=1024", "--total-num-mbufs=8192",
        "--stats-period=1",
    ]  # fmt: skip


def their_turn(setup, frame):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with hugepages(), tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        running = []
        for role in ("server", "client"):
            started = subprocess.Popen(testpmd(role, folder, frame), **pipes)
            running.append(stack.enter_context(started))
            time.sleep(1)
        time.sleep(setup.seconds + 3)
        outputs = []
        for one in reversed(running):
            one.send_signal(signal.SIGINT)
            outputs.append(one.communicate(timeout=20)[0])
    found = re.findall(r"Rx-pps:\s+(\d+)\s+Rx-bps:\s+(\d+)", outputs[-1])
    # The first second that is not empty is warming up.
    rates = [(int(pps), int(bps)) for pps, bps in found if int(pps) > 0][1:]
    if not rates:
        raise Failed(f"no rate from testpmd:\n{outputs[0][-1500:]}\n{outputs[1][-1500:]}")
    for pps, bps in rates:
        if abs(bps / pps / 8 - frame) > 1:
            raise Failed(f"testpmd's frames have {bps / pps / 8:.0f} bytes, not {frame}")
    pps = statistics.median(pps for pps, _ in rates)
    return {"received": pps / 1e6, "frames": pps * frame * 8 / 1e9}


def bare(role, folder, frame, seconds):
    """The loops of tests/perf/bench_udp.cpp over the same driver, with the plan that ours has too."""
    what, cpu = ("receive", 0) if role == "server" else ("send", 1)
    return [
        device(role, folder, frame > 1518), str(frame), str(seconds), what, "--", "-l", str(cpu),
        "--in-memory", "--single-file-segments", "--no-pci",
    ]  # fmt: skip


def bare_turn(setup, frame):
    program = setup.build_folder() / "tests" / "perf" / "bench_udp"
    with hugepages(), tempfile.TemporaryDirectory() as folder:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        receive = [program, *bare("server", folder, frame, setup.seconds)]
        send = [program, *bare("client", folder, frame, setup.seconds + 4)]
        with contextlib.ExitStack() as stack:
            receiver = stack.enter_context(subprocess.Popen(receive, **pipes))
            time.sleep(1)
            sender = stack.enter_context(subprocess.Popen(send, **pipes))
            output, errors = receiver.communicate(timeout=setup.seconds + 30)
            sender.communicate(timeout=setup.seconds + 30)
    if receiver.returncode != 0:
        raise Failed(f"bench_udp: {errors}")
    pps = json.loads(output.strip().split("\n")[-1])["mpps"] * 1e6
    return {"received": pps / 1e6, "frames": pps * frame * 8 / 1e9}


def against_bare(name, frame):
    return Comparison(
        id=f"memif-{name}-bare",
        title=f"The same with {frame} bytes against the driver alone: loops that write a number and read nothing",
        ours=our_command(frame),
        theirs=f"bench_udp {' '.join(bare('client', 'DIR', frame, 'T'))}, receive on the other side",
        metrics=(Metric("received", "Mpps", 0.9), Metric("frames", "Gb/s")),
        our_turn=lambda setup: our_turn(setup, frame),
        their_turn=lambda setup: bare_turn(setup, frame),
    )


def our_command(frame):
    return (
        f"dpdkperf -l 1 --vdev={device('client', 'DIR', frame > 1518)} -- -c HOST -u -b 0"
        f" -l {frame - HEADERS} -t T -P 1"
    )


def memif(name, frame, goal, least=None):
    return Comparison(
        id=f"memif-{name}",
        title=f"Frames of {frame} bytes (without FCS) over memif, zero-copy sender, checked sequence",
        ours=our_command(frame),
        theirs=" ".join(testpmd("client", "DIR", frame)) + ", rxonly on the other side",
        metrics=(Metric("received", "Mpps", goal), Metric("frames", "Gb/s", least, limit="at least")),
        our_turn=lambda setup: our_turn(setup, frame),
        their_turn=lambda setup: their_turn(setup, frame),
    )


# Ethernet's 64, 1518 and 9018 bytes count the FCS, which no frame here carries.
ALL = (
    *(memif("64", 60, 1.2), memif("1518", 1514, 1.0), memif("9018", 9014, 1.0, least=100)),
    *(against_bare("64", 60), against_bare("1518", 1514), against_bare("9018", 9014)),
)
