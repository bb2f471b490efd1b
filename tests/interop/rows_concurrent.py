"""Our server with --concurrent: clients at the same time, whose results do not mix."""

import contextlib
import json
import signal
import time

import agreement
import tcp_agreement
from framework import SERVER, between, equal, require, row
from netlab import control
from netlab.control import act_until
from netlab.lab import wait_for
from netlab.programs import STOCK, client

BUSY = "the server is busy running a test. try again later"
LENGTH = 500
UDP = ("-u", "-b", "2M", "-l", LENGTH)
TCP = ("-b", "20M")
# Of each client: its protocol's options and its mode.
KINDS = [(TCP, "normal"), (UDP, "-R"), (TCP, "--bidir"), (UDP, "normal"), (UDP, "--bidir"), (TCP, "-R")]


def address(number):
    return f"10.99.0.{100 + number}"


@contextlib.contextmanager
def addresses(context, count):
    """More hosts at end a."""
    lab = context.lab
    try:
        for number in range(count):
            lab.ip("a", "addr", "add", f"{address(number)}/24", "dev", lab.interface("a"))
        yield [address(number) for number in range(count)]
    finally:
        for number in range(count):
            lab.run("a", "ip", "addr", "del", f"{address(number)}/24", "dev", lab.interface("a"), check=False)


def serve(context, tests, *arguments):
    return context.server(SERVER, "--concurrent", tests, "--json-stream", *arguments)


def start(context, kind, *arguments, seconds=2, host=None):
    options, mode = kind
    words = [*options, *([] if mode == "normal" else [mode]), "-t", seconds, "-J", *arguments]
    bind = ["-B", host] if host else []
    return client(context.lab, "a", STOCK, *words, *bind)


def documents(serving):
    """What the server has told of each test so far, by its number: as -J would have told it."""
    tests = {}
    for line in serving.out.splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        event = json.loads(line)
        test = tests.setdefault(event["test"], {"intervals": []})
        if event["event"] == "interval":
            test["intervals"].append(event["data"])
        else:
            require(event["event"] not in test, f"test {event['test']} has two of '{event['event']}'")
            test[event["event"]] = event["data"]
        if event["event"] == "dpdkperf":
            equal(event["data"]["test"], event["test"], "number of the test")
    return tests


def runs(serving, tests):
    """So many tests have begun."""

    def begun():
        require(serving.running, f"the server ended\n{serving}")
        return sum("start" in test for test in documents(serving).values()) == tests

    wait_for(begun, 10, f"{tests} tests")


def of_client(tests, document):
    """The server's view of a client's test."""
    cookie = document["start"]["cookie"]
    found = [test for test in tests.values() if test.get("start", {}).get("cookie") == cookie]
    equal(len(found), 1, f"tests with the cookie {cookie}")
    return found[0]


def agree(context, kind, document, tests):
    options, mode = kind
    view = of_client(tests, document)
    if options is UDP:
        agreement.check(context, document, view, mode, LENGTH)
        tcp_agreement.healthy(view)
    else:
        tcp_agreement.check(document, view, mode, 1)
    # The intervals add up to the whole, so none of another test is among them.
    for stream, total in enumerate(view["end"]["streams"]):
        if options is UDP:  # of what it receives, iperf3 shows the bytes that were sent: it can't know
            whole = total["udp"]["packets"] * LENGTH
        else:
            whole = total["sender" if total["sender"]["sender"] else "receiver"]["bytes"]
        parts = sum(interval["streams"][stream]["bytes"] for interval in view["intervals"])
        equal(parts, whole, f"bytes of stream {stream + 1} over all intervals")


def finish(context, serving, clients):
    """Clients, as (kind, process), end well, and both sides of each tell the same story."""
    for _, running in clients:
        running.succeed(20)
    cookies = {running.json["start"]["cookie"] for _, running in clients}

    def reported():
        tests = documents(serving).values()
        return cookies <= {test["start"]["cookie"] for test in tests if "start" in test and "end" in test}

    wait_for(reported, 5, "the server's reports")
    for kind, running in clients:
        agree(context, kind, running.json, documents(serving))


@row(f"{SERVER}: 2 clients at the same time", ours_only=True, count=2)
@row(f"{SERVER}: 4 clients at the same time", ours_only=True, count=4)
@row(f"{SERVER}: 6 clients at the same time, twice", slow=True, ours_only=True, count=6, rounds=2)
def together(context, count, rounds=1):
    with addresses(context, count) as hosts, serve(context, count) as serving, contextlib.ExitStack() as stack:
        for _ in range(rounds):
            clients = [
                (kind, stack.enter_context(start(context, kind, host=host)))
                for kind, host in zip(KINDS, hosts)
            ]
            finish(context, serving, clients)
        equal(serving.terminate(), 0, "exit code of the server")


@row(f"{SERVER}: 4 clients of one address at the same time", ours_only=True)
def one_address(context):
    with serve(context, 4) as serving, contextlib.ExitStack() as stack:
        clients = []
        for number, kind in enumerate(KINDS[:4], 1):
            clients.append((kind, stack.enter_context(start(context, kind, seconds=4))))
            runs(serving, number)
        finish(context, serving, clients)


@row(f"{SERVER}: one of 3 clients is killed, the others do not notice", ours_only=True)
def killed(context):
    with addresses(context, 3) as hosts, serve(context, 3) as serving, contextlib.ExitStack() as stack:
        kinds = [(UDP, "--bidir"), (TCP, "-R"), (UDP, "normal")]
        clients = [
            (kind, stack.enter_context(start(context, kind, host=host, seconds=4)))
            for kind, host in zip(kinds, hosts)
        ]
        runs(serving, 3)
        victim = clients.pop(1)[1]
        for kind, begun in (((TCP, "-R"), 4), ((UDP, "-R"), 5)):
            victim.signal(signal.SIGKILL)
            victim = stack.enter_context(start(context, kind, host=hosts[1], seconds=20))
            runs(serving, begun)
        finish(context, serving, clients)


@row(f"{SERVER}: one client too many is told at once", ours_only=True)
def too_many(context):
    with addresses(context, 3) as hosts, serve(context, 2) as serving, contextlib.ExitStack() as stack:
        kinds = [(TCP, "normal"), (UDP, "normal")]
        clients = [
            (kind, stack.enter_context(start(context, kind, host=host, seconds=3)))
            for kind, host in zip(kinds, hosts)
        ]
        runs(serving, 2)
        for kind in kinds:
            began = time.monotonic()
            with start(context, kind, host=hosts[2]) as refused:
                refused.wait(5)  # of iperf3 3.10 to 3.13 with -J the exit code is 0
                require(BUSY in refused.json.get("error", ""), f"not told that the server is busy\n{refused}")
            between(time.monotonic() - began, 0, 1, "seconds until told")
        finish(context, serving, clients)


@row(f"{SERVER}: a client that opens no stream keeps nobody out but those of its address", slow=True, ours_only=True)
def never_opens(context):
    lab = context.lab
    with addresses(context, 1) as hosts, serve(context, 4) as serving, contextlib.ExitStack() as stack:
        link = stack.enter_context(control.connect(lab, "a", seconds=20))
        udp = stack.enter_context(control.udp_port(lab, "a", 0))
        act_until("parameters", link, udp, (lab.address("b"), control.PORT))
        began = time.monotonic()
        second = stack.enter_context(start(context, (UDP, "normal")))
        other = ((UDP, "normal"), stack.enter_context(start(context, (UDP, "normal"), host=hosts[0])))
        finish(context, serving, [other])
        second.wait(12)
        require(BUSY in second.json.get("error", ""), f"not told to try again\n{second}")
        between(time.monotonic() - began, 9.5, 11.5, "seconds until told")
        third = ((TCP, "normal"), stack.enter_context(start(context, (TCP, "normal"))))
        time.sleep(0.5)
        require(third[1].running, f"did not wait\n{third[1]}")
        link.link.close()  # the one before it is gone
        finish(context, serving, [third])


@row(f"{SERVER}: SIGTERM ends all of its tests", ours_only=True)
def terminated(context):
    with addresses(context, 3) as hosts, serve(context, 3) as serving, contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(start(context, kind, host=host, seconds=20)) for kind, host in zip(KINDS, hosts)
        ]
        runs(serving, 3)
        equal(serving.terminate(), 0, "exit code of the server")
        for running in clients:
            running.wait(3)
            require("the server has terminated" in running.json.get("error", ""), f"not said\n{running}")
        for test in documents(serving).values():
            require("the server has terminated" in test["error"], f"not reported: {test.get('error')}")
            require(test["end"]["streams"], "no summary")


@row(f"{SERVER}: text of two tests at the same time", ours_only=True)
def text(context):
    with addresses(context, 2) as hosts, contextlib.ExitStack() as stack:
        serving = stack.enter_context(context.server(SERVER, "--concurrent", 2, "--forceflush"))
        for number, host in enumerate(hosts, 1):
            stack.enter_context(start(context, (UDP, "normal"), host=host))
            serving.wait_for_line(rf"(?m)^\[#{number}\] \[  5\] local .* connected to {host} port")
        for number in (1, 2):
            serving.wait_for_line(rf"(?m)^\[#{number}\] \[  5\] .* receiver$")
        lines = serving.out.splitlines()
        require(all(line.startswith("[#") for line in lines[3:-3]), f"whose line is it?\n{serving}")


@row(f"{SERVER}: -J, a document for each of two tests as it ends", ours_only=True)
def whole_documents(context):
    with addresses(context, 2) as hosts, contextlib.ExitStack() as stack:
        serving = stack.enter_context(context.server(SERVER, "--concurrent", 2, "-J"))
        first = stack.enter_context(start(context, (UDP, "normal"), host=hosts[0], seconds=4))
        second = stack.enter_context(start(context, (TCP, "normal"), host=hosts[1], seconds=1))
        found = []

        def complete(count):
            rest, found[:] = serving.out, []
            with contextlib.suppress(json.JSONDecodeError):
                while rest.strip():
                    document, end = json.JSONDecoder().raw_decode(rest.lstrip())
                    found.append(document)
                    rest = rest.lstrip()[end:]
            return len(found) == count

        second.succeed()
        wait_for(lambda: complete(1), 3, "the first document")
        first.succeed()
        wait_for(lambda: complete(2), 3, "the second document")
        for document, running in zip(found, (second, first)):
            equal(document["start"]["cookie"], running.json["start"]["cookie"], "cookie")
        equal(sorted(document["dpdkperf"]["test"] for document in found), [1, 2], "numbers of the tests")
