"""What the user can get wrong: a message that names the thing, exit code 1, nothing left."""

import time

from framework import CLIENT, SERVER, equal, require, row
from netlab.lab import PORT
from netlab.programs import Process, client, server

QUICK = ("-u", "-t", 1, "-b", "1M")


LONG = {
    "-t": "--time", "-l": "--length", "-P": "--parallel", "-b": "--bitrate", "-i": "--interval",
    "-O": "--omit", "-p": "--port", "-S": "--tos", "-w": "--window", "-n": "--bytes",
    "-R": "--reverse", "-u": "--udp", "-1": "--one-off", "-c": "--client", "-s": "--server",
    "-Z": "--zerocopy", "-F": "--file", "-C": "--congestion", "-M": "--set-mss", "-N": "--no-delay",
    "-A": "--affinity", "-T": "--title", "-L": "--flowlabel", "-I": "--pidfile", "-X": "--xbind",
    "-m": "--mptcp",
}  # fmt: skip


def refused(process, *words, seconds=5):
    """Ends by itself with exit code 1 and names each of the words, options also by the long name."""
    with process:
        equal(process.wait(seconds), 1, f"exit code\n{process}")
        said = (process.err + process.out).lower()
        for word in words:
            names = (word.lower(), LONG.get(word, word))
            require(any(name in said for name in names), f"'{word}' is not named\n{process}")


def ours(context, *arguments, wrapper=()):
    return Process(context.lab, "a", [context.our, *arguments], wrapper)


# Options of a client with what must be named. iperf3 exits with 1 too, with other words.
BAD = {
    "-t ten": ["-t", "ten"],
    "-t 86401": ["-t", "86401"],
    "-t -1": ["-t", "-1"],
    "-l 15": ["-l", "15"],
    "-l 65508": ["-l", "65508"],
    "-P 0": ["-P", "0"],
    "-P 129": ["-P", "129"],
    "-b 10x": ["-b", "10x"],
    "-b 1M/1001": ["-b", "1M/1001"],
    "-i 0.05": ["-i", "0.05"],
    "-i 61": ["-i", "61"],
    "-O 601": ["-O", "601"],
    "-p 65536": ["-p", "65536"],
    "--cport 65536": ["--cport", "65536"],
    "-S 256": ["-S", "256"],
    "--dscp 64": ["--dscp", "64"],
    "--dscp nonsense": ["--dscp", "nonsense"],
    "-w 1T": ["-w", "1T"],
    "-n -1": ["-n", "-1"],
    "-M 9217": ["-M", "9217"],
    "-C nonsense": ["-C", "nonsense"],
    "--no-such-option": ["--no-such-option"],
}


def bad_value(context, arguments):
    started = time.monotonic()
    refused(ours(context, "-c", "10.99.0.2", "-u", *arguments), *arguments)
    require(time.monotonic() - started < 1, "a wrong option took more than a second")


for _name, _arguments in BAD.items():
    row(f"{CLIENT}: {_name}", ours_only=True, arguments=_arguments)(bad_value)


@row(f"{CLIENT}: -t and -n together", arguments=["-t", 1, "-n", "1M"])
@row(f"{CLIENT}: -R and --bidir together", arguments=["-R", "--bidir"])
@row(f"{CLIENT}: --rcv-timeout without a receiver", arguments=["--rcv-timeout", 500])
def contradictions(context, arguments):
    flags = [one for one in arguments if str(one).startswith("-")]
    named = [] if context.stock else flags[:1]
    refused(ours(context, "-c", "10.99.0.2", "-u", *arguments), *named)


@row(f"{SERVER}: -t is a client's option", arguments=["-s", "-t", "5"], named="-t")
@row(f"{SERVER}: -R is a client's option", arguments=["-s", "-R"], named="-R")
@row(f"{SERVER}: -u is a client's option", arguments=["-s", "-u"], named="-u")
@row(f"{CLIENT}: -1 is a server's option", arguments=["-c", "10.99.0.2", "-1"], named="-1")
@row(f"{CLIENT}: neither -c nor -s", arguments=["-u"], named="-c")
@row(f"{CLIENT}: -c and -s together", arguments=["-c", "10.99.0.2", "-s"], named="-s")
def other_role(context, arguments, named):
    refused(ours(context, *arguments), *([] if context.stock else [named]))


@row(f"{CLIENT}: options that need the kernel's sockets are refused with the reason", ours_only=True)
def never(context):
    for option, reason in (("--sctp", "SCTP"), ("-X", "SCTP"), ("--nstreams", "SCTP"), ("-m", "MPTCP")):
        named = (option, "not supported: " + reason)
        refused(ours(context, "-c", "10.99.0.2", *QUICK, option, "1"), *named)


@row(f"{CLIENT}: unknown host")
def unknown_host(context):
    named = [] if context.stock else ["no-such-host.invalid"]
    refused(client(context.lab, "a", context.our, *QUICK, host="no-such-host.invalid"), *named)


@row(f"{CLIENT}: an address of our own", ours_only=True, host="10.99.0.1")
@row(f"{CLIENT}: an address of our own, IPv6", ours_only=True, host="fd99::1")
@row(f"{CLIENT}: the loopback address", ours_only=True, host="127.0.0.1")
def own_address(context, host):
    """The kernel would route it locally, past every interface."""
    with server(context.lab, "a", "iperf3"):
        refused(client(context.lab, "a", context.our, *QUICK, host=host), host, "local")


@row(f"{CLIENT}: no route")
def no_route(context):
    named = [] if context.stock else ["192.0.2.1", "route"]
    refused(client(context.lab, "a", context.our, *QUICK, host="192.0.2.1"), *named)


@row(f"{CLIENT}: --bind-dev names no interface", ours_only=True)
def no_interface(context):
    arguments = (*QUICK, "--bind-dev", "nosuch0")
    refused(client(context.lab, "a", context.our, *arguments), "nosuch0")


@row(f"{CLIENT}: -B is no address of this machine", ours_only=True)
def foreign_bind(context):
    arguments = (*QUICK, "-B", "10.99.0.55")
    refused(client(context.lab, "a", context.our, *arguments), "10.99.0.55")


@row(f"{CLIENT}: the interface is down", ours_only=True)
def interface_down(context):
    context.lab.ip("a", "link", "set", "dev", "veth-a", "down")
    try:
        arguments = (*QUICK, "--bind-dev", "veth-a")
        refused(client(context.lab, "a", context.our, *arguments), "veth-a", "down")
    finally:
        context.lab.up()


@row(f"{CLIENT}: the cable is unplugged", ours_only=True)
def no_carrier(context):
    context.lab.ip("b", "link", "set", "dev", "veth-b", "down")
    try:
        refused(client(context.lab, "a", context.our, *QUICK), "veth-a", "carrier")
    finally:
        context.lab.up()


@row(f"{CLIENT}: -l is too large for the MTU", length=1473, ipv6=False, limit="1472")
@row(f"{CLIENT}: -l is too large for the MTU, IPv6", length=1453, ipv6=True, limit="1452")
def too_large(context, length, ipv6, limit):
    """Stock sends fragments; we neither send nor reassemble them."""
    with server(context.lab, "b", "iperf3", "-1") as serving:
        arguments = (*QUICK, "-l", length)
        process = client(context.lab, "a", context.our, *arguments, ipv6=ipv6)
        if context.stock:
            with process:
                process.succeed()
            return
        refused(process, str(length), limit)
        # It may not have come as far as the server.
        require(serving.running or serving.code == 0, str(serving))


@row(f"{SERVER}: the client's -l is too large for the MTU", ours_only=True)
def too_large_for_server(context):
    with context.server(SERVER) as serving:
        with client(context.lab, "a", "iperf3", *QUICK, "-R", "-l", 1473) as running:
            equal(running.wait(5), 1, "exit code of the client")
        serving.wait_for_line("1473", 3)
        context.serves()


@row(f"{CLIENT}: the MTU is too small for the datagrams", ours_only=True)
def small_mtu(context):
    for end in "ab":
        context.lab.ip(end, "link", "set", "dev", f"veth-{end}", "mtu", "1300")
    try:
        with server(context.lab, "b", "iperf3"):
            refused(client(context.lab, "a", context.our, *QUICK, "-l", 1400), "1400", "1272")
    finally:
        context.lab.up()


@row(f"{CLIENT}: an MTU that AF_XDP cannot do", ours_only=True)
def large_mtu(context):
    for end in "ab":
        context.lab.ip(end, "link", "set", "dev", f"veth-{end}", "mtu", "9000")
    try:
        with server(context.lab, "b", "iperf3"):
            refused(client(context.lab, "a", context.our, *QUICK), "veth-a", "9000")
    finally:
        context.lab.up()


NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all")


@row(f"{CLIENT}: no permission", ours_only=True)
def no_permission(context):
    with server(context.lab, "b", "iperf3"):
        process = client(context.lab, "a", context.our, *QUICK, wrapper=NOBODY)
        refused(process, "lacks CAP_NET_ADMIN", "root")


@row(f"{SERVER}: the port is taken")
def port_taken(context):
    with context.server(SERVER):
        second = Process(context.lab, "b", [context.our, "-s", "-p", PORT])
        refused(second, "address already in use", *([] if context.stock else [str(PORT)]))
        context.serves()


@row(f"{SERVER}: -B is no address of this machine", arguments=["-B", "10.99.0.55"], named="10.99.0.55")
@row(f"{SERVER}: --bind-dev names no interface", arguments=["--bind-dev", "nosuch0"], named="nosuch0")
def server_bind(context, arguments, named):
    process = Process(context.lab, "b", [context.our, "-s", *arguments])
    refused(process, *([] if context.stock else [named]))
