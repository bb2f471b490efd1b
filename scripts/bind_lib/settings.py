"""What an interface is set to: read into a dictionary, and restored from it.

Restoring changes only what differs, so that it can be repeated after it was cut short.
"""

from . import ethtool, routes
from .routes import attempt, ip_json

FAMILIES = {"/proc/sys/net/ipv4/conf/": "ipv4", "/proc/sys/net/ipv6/conf/": "ipv6"}
NOT_A_SETTING = ("mc_forwarding", "mtu", "stable_secret")


def _link(machine, interface):
    return ip_json(machine, "-d", "link", "show", "dev", interface)[0]


def upper_interfaces(machine, interface):
    """Interfaces built on this one, directly or not, lower ones first: [(name, kind)]."""
    links = ip_json(machine, "-d", "link", "show")
    # The other end of a veth pair is not built on this one.
    links = [link for link in links if link.get("linkinfo", {}).get("info_kind") != "veth"]
    found = []
    below = {interface}
    while True:
        new = [link for link in links if link.get("link") in below and link["ifname"] not in below]
        if not new:
            return found
        for link in new:
            found.append((link["ifname"], link.get("linkinfo", {}).get("info_kind", "?")))
            below.add(link["ifname"])


def _common(machine, interface):
    """What every interface has, a VLAN as well."""
    link = _link(machine, interface)
    details = routes.details(machine, interface)
    return {
        "interface": interface,
        "mac": link["address"],
        "mtu": link["mtu"],
        "up": "UP" in link["flags"],
        "txqlen": link.get("txqlen"),
        "addresses": routes.plain(details),
        "address_details": details,
        "routes": routes.routes_of(machine, interface),
        "sysctl": _sysctl(machine, interface),
    }


def _sysctl(machine, interface):
    found = {}
    for folder, family in FAMILIES.items():
        values = {}
        for name in machine.names(folder + interface):
            value = machine.read(f"{folder}{interface}/{name}")
            if value is not None and name not in NOT_A_SETTING:
                values[name] = value
        found[family] = values
    return found


def save(machine, interface):
    found = _common(machine, interface)
    found["permanent_mac"] = ethtool.permanent_mac(interface) or found["mac"]
    found["channels"] = ethtool.channels(interface)
    found["ring"] = ethtool.ring(interface)
    found["rss"] = ethtool.rss(interface)
    found["offloads"] = ethtool.offloads(interface)
    found["vlans"] = []
    for name, kind in upper_interfaces(machine, interface):
        if kind == "vlan":
            link = _link(machine, name)
            data = link["linkinfo"]["info_data"]
            vlan = {"link": link["link"], "id": data["id"], "protocol": data["protocol"]}
            found["vlans"].append({**vlan, **_common(machine, name)})
    return found


def restore(machine, interface, saved):
    """Returns what could not be restored, a line each."""
    left = []
    if interface != saved["interface"]:
        left += attempt(machine, "ip", "link", "set", "dev", interface, "down")
        left += attempt(machine, "ip", "link", "set", "dev", interface, "name", saved["interface"])
        if left:
            return left
        interface = saved["interface"]
    left += _restore_hardware(machine, interface, saved)
    left += _restore_link(machine, interface, saved)
    left += _restore_rss(interface, saved)
    left += routes.add_addresses(machine, interface, saved["address_details"])
    for vlan in saved["vlans"]:
        left += _restore_vlan(machine, vlan)
    _wait_for_addresses(machine, [saved, *saved["vlans"]])
    for one in (saved, *saved["vlans"]):
        left += routes.add_routes(machine, one["interface"], one["routes"])
    return left


def _different(name, get, put, interface, saved):
    """Yields a line if the driver refuses what differs."""
    wanted, now = saved.get(name), get(interface)
    if not wanted or wanted == now:
        return
    try:
        put(interface, wanted)
        now = get(interface)
        if now != wanted:
            yield f"{interface}: {name}: the driver made {now} of {wanted}"
    except OSError as error:
        yield f"{interface}: {name}: {error.strerror}"


def _restore_rss(interface, saved):
    """When it is up. A driver that has no table before makes a new one then (vmxnet3): there is
    nothing to restore while it is down."""
    if saved["up"] or ethtool.rss(interface).get("indirection"):
        yield from _different("rss", ethtool.rss, ethtool.set_rss, interface, saved)


def _set_changed_offloads(interface, wanted):
    now = ethtool.offloads(interface)
    ethtool.set_offloads(interface, {name: on for name, on in wanted.items() if now.get(name) != on})


def _restore_hardware(machine, interface, saved):
    """What drivers want set while the interface is down."""
    if interface_mac(machine, interface) != saved["mac"]:
        yield from attempt(machine, "ip", "link", "set", "dev", interface, "address", saved["mac"])
    yield from _different("channels", ethtool.channels, ethtool.set_channels, interface, saved)
    yield from _different("ring", ethtool.ring, ethtool.set_ring, interface, saved)
    yield from _different("offloads", ethtool.offloads, _set_changed_offloads, interface, saved)


def interface_mac(machine, interface):
    return _link(machine, interface)["address"]


def _restore_link(machine, interface, saved):
    """MTU, sysctl and up or down."""
    link = _link(machine, interface)
    for key in ("mtu", "txqlen"):
        if saved[key] is not None and link.get(key) != saved[key]:
            yield from attempt(machine, "ip", "link", "set", "dev", interface, key, saved[key])
    _restore_sysctl(machine, interface, saved["sysctl"])
    if ("UP" in link["flags"]) != saved["up"]:
        state = "up" if saved["up"] else "down"
        yield from attempt(machine, "ip", "link", "set", "dev", interface, state)


def _restore_sysctl(machine, interface, saved):
    """Values that the kernel refuses were not settings: it makes them itself."""
    for folder, family in FAMILIES.items():
        for name, value in saved[family].items():
            path = f"{folder}{interface}/{name}"
            if machine.read(path) not in (value, None):
                try:
                    machine.write(path, value + "\n")
                except OSError:
                    pass


def _restore_vlan(machine, vlan):
    name = vlan["interface"]
    if name not in [upper for upper, _ in upper_interfaces(machine, vlan["link"])]:
        words = ("link", vlan["link"], "name", name, "type", "vlan")
        words += ("protocol", vlan["protocol"], "id", vlan["id"])
        problems = list(attempt(machine, "ip", "link", "add", *words))
        if problems:
            yield from problems
            return
    if interface_mac(machine, name) != vlan["mac"]:
        yield from attempt(machine, "ip", "link", "set", "dev", name, "address", vlan["mac"])
    yield from _restore_link(machine, name, vlan)
    yield from routes.add_addresses(machine, name, vlan["address_details"])


def _wait_for_addresses(machine, interfaces):
    """A route cannot name a source address whose duplicate detection is still going on."""
    named = [one["interface"] for one in interfaces if any("prefsrc" in r for r in one["routes"])]
    for _ in range(30):
        shown = [ip_json(machine, "address", "show", "dev", name, "tentative") for name in named]
        if not any(link.get("addr_info") for links in shown for link in links):
            return
        machine.sleep(0.1)
