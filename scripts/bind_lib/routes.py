"""Addresses and routes of an interface, by ip(8)."""

import json

from .problem import Problem

# What the kernel makes by itself: when an address or a router's advertisement arrives.
BY_ITSELF = ("kernel_ll", "kernel_ra")
FOREVER = 4294967295
ADDRESS_KEYS = (
    "family", "local", "address", "prefixlen", "broadcast", "scope", "label",
    "noprefixroute", "nodad", "home", "valid_life_time", "preferred_life_time",
)  # fmt: skip
# Names of ip's JSON that are words of ip's command line, followed by their value.
ROUTE_WORDS = {"protocol": "proto", "scope": "scope", "prefsrc": "src", "metric": "metric",
               "table": "table", "tos": "tos", "pref": "pref"}  # fmt: skip


def ip_json(machine, *arguments):
    return json.loads(machine.run("ip", "-j", *arguments) or "[]")


def details(machine, interface):
    """Addresses as `ip -j address` has them, without those that come by themselves."""
    shown = ip_json(machine, "address", "show", "dev", interface)
    found = []
    for entry in (entry for link in shown for entry in link.get("addr_info", ())):
        if entry.get("temporary") or entry.get("mngtmpaddr") or entry.get("protocol") in BY_ITSELF:
            continue
        found.append({key: entry[key] for key in ADDRESS_KEYS if key in entry})
    return found


def plain(found):
    """ADDR/LEN of all addresses but those of the link."""
    return [f"{one['local']}/{one['prefixlen']}" for one in found if one.get("scope") != "link"]


def _identity(entry):
    return entry["local"], entry["prefixlen"], entry.get("address")


def add_addresses(machine, interface, saved):
    """Adds what is missing; yields what could not be added."""
    there = {_identity(entry) for entry in details(machine, interface)}
    # The kernel lists IPv6 addresses newest first, and the order counts when it chooses one.
    ordered = [one for one in saved if one["family"] != "inet6"]
    ordered += [one for one in reversed(saved) if one["family"] == "inet6"]
    for entry in ordered:
        if _identity(entry) in there:
            continue
        words = ["address", "replace"]
        if "address" in entry:
            words += [entry["local"], "peer", f"{entry['address']}/{entry['prefixlen']}"]
        else:
            words += [f"{entry['local']}/{entry['prefixlen']}"]
        for key in ("broadcast", "scope", "label"):
            if key in entry:
                words += [key, entry[key]]
        if entry.get("valid_life_time", FOREVER) != FOREVER:
            words += ["valid_lft", entry["valid_life_time"]]
            words += ["preferred_lft", entry["preferred_life_time"]]
        words += [key for key in ("noprefixroute", "nodad", "home") if entry.get(key)]
        yield from attempt(machine, "ip", *words, "dev", interface)


def attempt(machine, *command):
    """Runs a command; yields what it complained of."""
    try:
        machine.run(*map(str, command))
    except Problem as problem:
        yield problem.text


def _all_of(machine, interface):
    """Routes that name the interface, as ip's JSON has them, with their family."""
    for family in (4, 6):
        for route in ip_json(machine, f"-{family}", "route", "show", "table", "all"):
            uses = {route.get("dev"), *(hop.get("dev") for hop in route.get("nexthops", ()))}
            if interface in uses:
                yield {**route, "family": family}


def routes_of(machine, interface):
    """Those to restore: not what the kernel makes by itself."""
    found = []
    for route in _all_of(machine, interface):
        if route.get("protocol") in ("kernel", "ra") or route.get("table") == "local":
            continue
        entry = {"destination": route.pop("dst"), **route}
        # What is known of the moment is not a setting.
        entry["flags"] = [flag for flag in entry.get("flags", ()) if flag == "onlink"]
        for hop in entry.get("nexthops", ()):
            hop["flags"] = [flag for flag in hop.get("flags", ()) if flag == "onlink"]
        found.append(entry)
    # A gateway is reached through a route without one, which must be there first.
    return sorted(found, key=lambda route: "gateway" in route or "via" in route or "nexthops" in route)


def default_routes(machine, interfaces):
    """The default routes that leave through one of the interfaces, whoever made them."""
    found = (route for interface in interfaces for route in _all_of(machine, interface))
    return [route for route in found if route["dst"] == "default"]


def _hop(entry):
    words = []
    if "gateway" in entry:
        words += ["via", entry["gateway"]]
    if "via" in entry:  # a gateway of the other family
        words += ["via", entry["via"]["family"], entry["via"]["host"]]
    if "dev" in entry:
        words += ["dev", entry["dev"]]
    if "weight" in entry:
        words += ["weight", entry["weight"]]
    if "onlink" in entry.get("flags", ()):
        words.append("onlink")
    return words


def command_of(route):
    """The words that add a route again."""
    words = ["ip", f"-{route['family']}", "route", "add"]
    words += [route["type"]] if "type" in route else []
    words += [route["destination"]]
    words += ["from", route["from"]] if "from" in route else []
    words += _hop(route)
    for key, word in ROUTE_WORDS.items():
        if key in route:
            words += [word, route[key]]
    for metrics in route.get("metrics", ()):
        for key, value in metrics.items():
            words += [key, value]
    for hop in route.get("nexthops", ()):
        words += ["nexthop", *_hop(hop)]
    return [str(word) for word in words]


def add_routes(machine, interface, saved):
    """Adds what is missing; yields what could not be added."""
    there = routes_of(machine, interface)
    for route in saved:
        if route not in there:
            yield from attempt(machine, *command_of(route))


def way_to(machine, address):
    """The interface through which the kernel reaches an address, or None."""
    try:
        found = ip_json(machine, "route", "get", address)
    except Problem:
        return None
    return found[0].get("dev") if found else None
