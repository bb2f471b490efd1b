"""The kernel's route to the peer changes during a test."""

import contextlib
import time

from framework import CLIENT, SERVER, equal, require, row, stock_end
from netlab.lab import wait_for

PEER = "10.88.0.1"  # of the stock end, behind a gateway
NEW_GATEWAY, NEW_MAC = "10.99.0.7", "02:00:00:00:00:07"
WATCHED = ("-t", 2, "-i", "0.2")


@contextlib.contextmanager
def behind_a_gateway(lab, stock):
    """The stock end is PEER, too; its other end has the route. What is done to both is undone."""
    ours, interface = lab.other(stock), lab.interface(stock)
    mac = lab.link(stock)["address"]
    lab.ip(stock, "address", "add", PEER, "dev", "lo")
    lab.ip(stock, "address", "add", f"{NEW_GATEWAY}/24", "dev", interface)
    lab.ip(ours, "route", "add", PEER, "via", lab.address(stock))
    # What is sent to the old gateway from now on arrives only where the old MAC is.
    lab.ip(ours, "neighbour", "replace", lab.address(stock), "lladdr", mac, "dev", lab.interface(ours), "nud", "permanent")
    try:
        yield
    finally:
        lab.ip(stock, "link", "set", "dev", interface, "address", mac)
        lab.ip(stock, "address", "delete", f"{NEW_GATEWAY}/24", "dev", interface)
        lab.ip(stock, "address", "delete", PEER, "dev", "lo")
        lab.run(ours, "ip", "route", "delete", PEER, check=False)
        for gateway in (lab.address(stock), NEW_GATEWAY):
            lab.run(ours, "ip", "neighbour", "delete", gateway, "dev", lab.interface(ours), check=False)


@contextlib.contextmanager
def under_way(context, role, *flags, tcp, json=()):
    """(client, server) in a test between our end and PEER."""
    paced = ("-b", "20M", "-C", "cubic") if tcp else ("-b", "2M", "-l", 500)
    peer = ("-B", PEER)
    to = {"host": PEER} if role == CLIENT else {}
    with context.server(role, "-1", "-i", "0.2", *(peer if role == CLIENT else ()), *json) as serving:
        arguments = (*WATCHED, *paced, *(peer if role == SERVER else ()), *json, *flags)
        with context.client(role, *arguments, tcp=tcp, **to) as running:
            time.sleep(0.5)
            yield running, serving


def goes_on(bytes_of_intervals):
    last = bytes_of_intervals[-4:-1]
    require(len(last) == 3 and all(last), f"bytes received at last: {bytes_of_intervals}")


@row(f"{CLIENT}: another gateway during a test, UDP", role=CLIENT, tcp=False)
@row(f"{CLIENT}: another gateway during a test, TCP", role=CLIENT, tcp=True)
@row(f"{SERVER}: another gateway during a test, TCP -R", slow=True, role=SERVER, flags=["-R"], tcp=True)
def another_gateway(context, role, tcp, flags=()):
    lab, stock = context.lab, stock_end(role)
    ours = lab.other(stock)
    with behind_a_gateway(lab, stock), under_way(context, role, *flags, tcp=tcp, json=("-J",)) as (running, serving):
        lab.ip(stock, "link", "set", "dev", lab.interface(stock), "address", NEW_MAC)
        lab.ip(ours, "route", "replace", PEER, "via", NEW_GATEWAY)
        running.succeed()
        serving.succeed()
        receiving = serving.json if role == CLIENT else running.json
        goes_on([one["sum"]["bytes"] for one in receiving["intervals"]])


@row(f"{CLIENT}: the route leaves the interface, and there is none, during a test")
def elsewhere(context):
    lab, aside = context.lab, "veth-aside"
    with behind_a_gateway(lab, "b"), under_way(context, CLIENT, tcp=False) as (running, serving):
        lab.ip("a", "link", "add", aside, "type", "veth", "peer", "name", f"{aside}-2")
        try:
            for name in (aside, f"{aside}-2"):
                lab.ip("a", "link", "set", "dev", name, "up")
            lab.ip("a", "route", "replace", PEER, "dev", aside)
            wait_for(lambda: said(running, f"the route to {PEER} leads through {aside} now"), 1, "told of the other interface")
            lab.ip("a", "route", "delete", PEER)
            wait_for(lambda: said(running, f"no route to {PEER}"), 1, "told that there is no route")
            lab.ip("a", "route", "add", PEER, "via", lab.address("b"))
        finally:
            lab.ip("a", "link", "delete", aside)
        running.succeed()
        serving.succeed()
        equal((running.out + running.err).count("the test stays on"), 2, "warnings")


def said(running, words):
    return f"{words}; the test stays on veth-a" in running.out + running.err
