"""What speaks against taking a device; nothing here changes anything."""

import ipaddress
import os

from . import pci, routes
from .problem import Problem

ESTABLISHED = "01"  # TCP_ESTABLISHED, linux/net/tcp_states.h
SSH = 22


def check_kind(device):
    if device.base_class != pci.NETWORK:
        raise Problem(
            f"{device.address}: is no network device (PCI class {device.base_class:02x})",
            "scripts/bind status",
        )


def check_interface(device):
    """The device's one interface, or "" if no driver has the device."""
    interfaces = device.interfaces
    if len(interfaces) > 1:
        raise Problem(
            f"{device.address}: has {len(interfaces)} interfaces ({', '.join(interfaces)}), "
            "which one device cannot lend separately: use them without binding",
            "scripts/bind status",
        )
    if not interfaces and device.driver:
        raise Problem(
            f"{device.address}: driver {device.driver} has it, but it has no interface here: it may be "
            "in another network namespace, and its settings could not be saved",
            "ip -all netns exec ip -br link",
        )
    return interfaces[0] if interfaces else ""


def check_connections(machine, interface, again):
    """What would be cut off: the default route and ssh sessions. `again` is the forced command."""
    ours = [interface, *(name for name, _ in machine.upper_interfaces(interface))]
    found = routes.default_routes(machine, ours)
    if found:
        through = f" through {found[0]['gateway']}" if "gateway" in found[0] else ""
        raise Problem(
            f"{interface}: carries the default route{through}; without it this machine may be out of reach",
            f"if you have another way in: {again}",
        )
    own = {ipaddress.ip_address(entry["local"]) for name in ours for entry in addresses(machine, name)}
    for local, peer in ssh_sessions(machine):
        if local in own or routes.way_to(machine, str(peer)) in ours:
            raise Problem(
                f"{interface}: carries the ssh session from {peer} to {local}",
                f"if you have another way in: {again}",
            )


def addresses(machine, interface):
    shown = routes.ip_json(machine, "address", "show", "dev", interface)
    return [entry for link in shown for entry in link.get("addr_info", ())]


def check_use(machine, device, interface):
    """Others that build on the interface."""
    link = routes.ip_json(machine, "-d", "link", "show", "dev", interface)[0]
    if link.get("master"):
        raise Problem(
            f"{interface}: is a port of {link['master']}", f"ip link set dev {interface} nomaster"
        )
    for name, kind in machine.upper_interfaces(interface):
        if kind != "vlan":
            raise Problem(f"{interface}: {name} ({kind}) is built on it", f"ip link del dev {name}")
    program = (link.get("xdp") or {}).get("prog")
    if program:
        what = program.get("name") or f"id {program.get('id')}"
        raise Problem(
            f"{interface}: in use: the XDP program {what} is on it",
            f"end the program that put it there, or: ip link set dev {interface} xdp off",
        )
    if device.virtual_functions:
        raise Problem(
            f"{interface}: {device.virtual_functions} virtual functions of it exist and would go",
            f"echo 0 > {device.path}/sriov_numvfs",
        )


def check_users(device):
    users = device.users()
    if users:
        pid, name = users[0]
        raise Problem(f"{device.address}: in use by process {pid} ({name})", f"kill {pid}")


def check_group(device, together):
    """vfio lends a group as a whole: no other device of it may have a kernel driver."""
    for other in device.group_members():
        bridge = other.base_class == pci.BRIDGE
        if other.address in together or bridge or other.driver in ("", "vfio-pci", "pci-stub"):
            continue
        both = f"scripts/bind take {device.address} {other.address}"
        raise Problem(
            f"{device.address}: IOMMU group {device.group} also holds {other.address}, which driver "
            f"{other.driver} has; vfio lends a group only as a whole",
            both if other.base_class == pci.NETWORK else f"echo {other.address} > "
            f"{other.path}/driver/unbind",
        )
    busy = device.machine.holders({f"/dev/vfio/{device.group}"}) if device.group else []
    if busy:
        pid, name = busy[0]
        raise Problem(
            f"{device.address}: IOMMU group {device.group} is in use by process {pid} ({name})",
            f"kill {pid}",
        )


def check_iommu(machine, device, wanted, name):
    """Whether the driver that is asked for can work; True if it will be without protection."""
    if wanted.driver != "vfio-pci":
        kind = machine.read(f"{pci.GROUPS}/{device.group}/type") or "" if device.group else ""
        if kind.startswith("DMA"):
            raise Problem(
                f"{device.address}: the IOMMU is on and {wanted.driver} cannot program it",
                f"scripts/bind take {name}",
            )
        return True
    if device.group:
        return False
    if not wanted.no_iommu:
        raise Problem(
            f"{device.address}: no IOMMU protects memory from this device. Turn the IOMMU on in the "
            "firmware and on the kernel's command line (intel_iommu=on); or do without, for tests only",
            f"scripts/bind take {name} --no-iommu",
        )
    return True


def ssh_sessions(machine):
    """Established connections to port 22 of this machine, and the session we run in."""
    found = []
    for table in ("tcp", "tcp6"):
        for line in (machine.read(f"/proc/net/{table}") or "").splitlines()[1:]:
            fields = line.split()
            local, peer = (_address(field) for field in fields[1:3])
            if fields[3] == ESTABLISHED and local[1] == SSH:
                found.append((local[0], peer[0]))
    words = os.environ.get("SSH_CONNECTION", "").split()
    if len(words) == 4:
        found.append((_plain(ipaddress.ip_address(words[2])), _plain(ipaddress.ip_address(words[0]))))
    return found


def _address(field):
    """ADDRESS:PORT of /proc/net/tcp: words of four bytes in the machine's order."""
    text, port = field.split(":")
    words = [bytes.fromhex(text[n : n + 8])[::-1] for n in range(0, len(text), 8)]
    return _plain(ipaddress.ip_address(b"".join(words))), int(port, 16)


def _plain(address):
    """An IPv4 address where IPv6 only wraps one."""
    return getattr(address, "ipv4_mapped", None) or address
