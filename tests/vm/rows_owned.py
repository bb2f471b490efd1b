"""dpdkperf on a card that scripts/bind has taken, the other end of the wire a stock iperf3.

The program owns the card; ARP, ping and the control connection go through its TAP.
"""

import signal
import time

from context import LENGTH, OUR, RATE, STATE, Skipped, card_of, each_model, interface, row, spread_test
from framework import between, equal, require
from netlab.lab import PORT, Failed, wait_for
from netlab.programs import Process, server
from netlab.wires import TWO_POLLERS

MODES = ("normal", "-R", "--bidir")
CORES = "0-1"  # main on the first, the poller on the second


def need_owned_ports(context):
    if "--ip" not in context.our_options:
        raise Skipped("dpdkperf --help does not mention --ip: it has no owned ports yet")


def ours(card, *more):
    """The program on a card: EAL's options, then those that give the TAP its address."""
    return [OUR, "-l", CORES, "-a", card.pci, "--", "--ip", f"{card.guest}/24", *more]


def from_state(card):
    """The same with the address that scripts/bind saved; it reads the state file itself."""
    return [OUR, "-l", CORES, "-a", card.pci, "--"]


def taken(context, card):
    """Configured, taken; returns the settings from before."""
    need_owned_ports(context)
    context.configure(card)
    before = context.settings(card)
    context.bind("take", interface(card), "--hugepages", 128)
    return before


def given_back(context, card, before):
    context.bind("give-back", interface(card))
    context.equal_settings(card, before)
    context.pings(card)
    context.udp(card, "client", ["iperf3"], seconds=1)


@each_model("our client on the card, all directions")
def client(context, card):
    before = taken(context, card)
    for mode in MODES:
        context.udp(card, "client", ours(card), mode)
        context.tcp(card, "client", ours(card), mode)
    given_back(context, card, before)


@each_model("our server on the card, all directions")
def serve(context, card):
    before = taken(context, card)
    for mode in MODES:
        context.udp(card, "server", ours(card), mode)
        context.tcp(card, "server", ours(card), mode)
    given_back(context, card, before)


@each_model("the address comes from the state of scripts/bind")
def address_of_state(context, card):
    before = taken(context, card)
    context.udp(card, "client", from_state(card))
    context.udp(card, "server", from_state(card))
    given_back(context, card, before)


@row("virtio: two queues, each stream to the poller that its packets come to")
def spread(context):
    card = card_of("virtio", 2)
    before = taken(context, card)
    program = (OUR, TWO_POLLERS, "-a", card.pci, "--")
    for flags in (("-u", "-b", "500K", "-l", LENGTH), ("-C", "cubic", "-b", "2M")):
        spread_test(context, card, program, *flags)
    given_back(context, card, before)


@row("a gateway is used for what is behind it")
def gateway(context):
    card = card_of("virtio")
    before = taken(context, card)
    behind = "192.168.77.1"
    context.wires.ip("address", "add", f"{behind}/32", "dev", "lo")
    try:
        program = ours(card, "--gateway", card.host)
        # Bound: the kernel would answer a datagram from the address that is nearest to the client.
        with server(context.wires, "host", "iperf3", "-1", "-J", "-B", behind) as serving:
            options = ("-c", behind, "-u", "-b", RATE, "-l", LENGTH, "-t", 2, "-J")
            with context.vm.start(*program, *options) as running:
                running.succeed(60)
                serving.succeed()
                equal(running.json["end"]["sum"]["lost_packets"], 0, "lost")
    finally:
        context.wires.ip("address", "del", f"{behind}/32", "dev", "lo")
    given_back(context, card, before)


@each_model("ping of our server while it idles and while it works")
def ping(context, card):
    before = taken(context, card)
    with context.vm.start(*ours(card), "-s") as serving:
        context.wait_for_listener(serving)
        ping_from_host(context, card)
        arguments = ["iperf3", "-c", card.guest, "-u", "-b", RATE, "-l", LENGTH, "-t", 4]
        with Process(context.wires, "host", arguments) as running:
            time.sleep(1)
            ping_from_host(context, card)
            running.succeed(60)
        serving.signal(signal.SIGTERM)
        serving.wait()
    given_back(context, card, before)


def ping_from_host(context, card):
    arguments = ["ping", "-c", 3, "-W", 3, card.guest]
    with Process(context.wires, "host", arguments) as running:
        running.wait(30)
        require(" 0% packet loss" in running.out, str(running))


@each_model("the link goes down and up during a test")
def link(context, card):
    """Datagrams of the gap are lost and counted; the test goes on and ends in order."""
    before = taken(context, card)
    with server(context.wires, "host", "iperf3", "-1", "-J") as serving:
        options = ("-c", card.host, "-u", "-b", RATE, "-l", LENGTH, "-t", 8, "-J")
        with context.vm.start(*ours(card), *options) as running:
            wait_for(lambda: started(context, running), 60, "the test runs")
            time.sleep(2)
            context.vm.link(card, False)
            try:
                time.sleep(1)
            finally:
                context.vm.link(card, True)
            running.succeed(90)
            serving.succeed(60)
            end = running.json["end"]["sum_received"]
            lost = end["lost_packets"]
            # One second of eight, and as long again for the card to notice.
            between(lost, 1, 0.5 * end["packets"], "lost datagrams")
            context.note(f"{lost} of {end['packets']} lost")
    given_back(context, card, before)


def started(context, running):
    """Whether the control connection stands, seen from the host."""
    if running.look() is not None:
        raise Failed(f"ended at once\n{running}")
    shown = ["ss", "-Htn", "state", "established", f"sport = :{PORT}"]
    with Process(context.wires, "host", shown) as looking:
        looking.wait()
        return looking.out.strip()


@each_model("SIGKILL in the middle of a test, then give-back")
def kill(context, card):
    before = taken(context, card)
    with server(context.wires, "host", "iperf3", "-1", "-J"):
        options = ("-c", card.host, "-u", "-b", RATE, "-l", LENGTH, "-t", 30)
        with context.vm.start(*ours(card), *options) as running:
            wait_for(lambda: started(context, running), 60, "the test runs")
            time.sleep(1)
            running.signal(signal.SIGKILL)
            running.wait()
    wait_for(lambda: not no_traces(context), 15, "nothing of the program is left")
    context.udp(card, "client", ours(card), seconds=1)  # the card can be used again at once
    given_back(context, card, before)


def no_traces(context):
    """What a killed program left: processes, interfaces that are no cards."""
    shown = context.run("ps", "-o", "args").out
    left = [line for line in shown.splitlines() if line.startswith(OUR)]
    names = context.run("ls", "/sys/class/net").out.split()
    return left + [name for name in names if not name.startswith(("eth", "lo"))]


@row("a card that was not taken, and one that nobody has")
def not_taken(context):
    need_owned_ports(context)
    card = card_of("e1000e")
    host = ("-c", card.host, "-u", "-t", 1)
    for pci, word in ((card.pci, "bind take"), ("0000:00:1e.7", "0000:00:1e.7")):
        command = (OUR, "-l", CORES, "-a", pci, "--", "--ip", f"{card.guest}/24", *host)
        done = context.run(*command, check=False)
        equal(done.code, 1, f"exit code\n{done}\n")
        require(word in done.out + done.err, f"'{word}' is not named\n{done}")
    equal(context.driver(card), "e1000e", "driver")


@row("a state file that no longer fits is refused")
def wrong_state(context):
    card = card_of("vmxnet3")
    before = taken(context, card)
    path = f"{STATE}/{card.pci}.json"
    context.run("mv", path, f"{path}.kept")
    context.run("sh", "-c", f"echo '{{' > {path}")
    done = context.run(*from_state(card), "-c", card.host, "-u", "-t", 1, check=False)
    context.run("mv", f"{path}.kept", path)
    equal(done.code, 1, f"exit code\n{done}\n")
    require(f"{card.pci}.json" in done.out + done.err, f"the file is not named\n{done}")
    given_back(context, card, before)
