"""PCI network devices in sysfs, and which driver has them."""

import difflib
import os
import re

from .problem import Problem

DEVICES = "/sys/bus/pci/devices"
DRIVERS = "/sys/bus/pci/drivers"
GROUPS = "/sys/kernel/iommu_groups"
ADDRESS = re.compile(r"^([0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")
NETWORK = 0x02  # base class (PCI Code and ID Assignment Specification)
BRIDGE = 0x06

USERSPACE = ("vfio-pci", "uio_pci_generic", "igb_uio")
# DPDK's drivers for these work beside the kernel's.
BIFURCATED = ("mlx5_core", "mlx4_core")


class Device:
    """One PCI function."""

    def __init__(self, machine, address):
        self.machine = machine
        self.address = address
        self.path = f"{DEVICES}/{address}"

    def _read(self, name):
        return self.machine.read(f"{self.path}/{name}") or ""

    @property
    def present(self):
        return self.machine.exists(self.path)

    @property
    def base_class(self):
        return int(self._read("class") or "0", 16) >> 16

    @property
    def model(self):
        """vendor:device."""
        return f"{self._read('vendor')[2:]}:{self._read('device')[2:]}"

    @property
    def driver(self):
        return self.machine.link_name(f"{self.path}/driver") or ""

    @property
    def override(self):
        """The only driver that may have the device; empty for any."""
        return self._read("driver_override").replace("(null)", "")

    @property
    def node(self):
        """The NUMA node; the first where the machine does not say."""
        return max(0, int(self._read("numa_node") or "-1"))

    @property
    def group(self):
        """The IOMMU group's number, or "" without an IOMMU."""
        group = self.machine.link_name(f"{self.path}/iommu_group") or ""
        # vfio makes a group of this name for a device that no IOMMU protects.
        unsafe = self.machine.read(f"{GROUPS}/{group}/name") == "vfio-noiommu"
        return "" if unsafe else group

    @property
    def interfaces(self):
        """Kernel interfaces in this network namespace; those of virtio hang one level lower."""
        folders = [self.path]
        folders += [f"{self.path}/{n}" for n in self.machine.names(self.path) if n.startswith("virtio")]
        return [name for folder in folders for name in self.machine.names(f"{folder}/net")]

    @property
    def virtual_functions(self):
        return int(self._read("sriov_numvfs") or "0")

    def files(self):
        """The files in /dev by which a process uses the device."""
        found = [f"/dev/{name}" for name in self.machine.names(f"{self.path}/uio")]
        found += [f"/dev/vfio/devices/{name}" for name in self.machine.names(f"{self.path}/vfio-dev")]
        group = self.machine.link_name(f"{self.path}/iommu_group")
        if group and self.driver == "vfio-pci":
            found += [f"/dev/vfio/{group}", f"/dev/vfio/noiommu-{group}"]
        return found

    def users(self):
        """Processes that use the device: [(pid, name)]."""
        return self.machine.holders(set(self.files()))

    def group_members(self):
        """The other devices behind the same IOMMU group."""
        names = self.machine.names(f"{GROUPS}/{self.group}/devices") if self.group else []
        return [Device(self.machine, name) for name in names if name != self.address]

    def bind(self, driver, override):
        """Gives the device to a driver, and leaves `override` for the next time."""
        self._write("driver_override", driver)
        if self.driver and self.driver != driver:
            self._write("driver/unbind", self.address)
        why = ""
        if not self.driver:
            try:
                self.machine.write("/sys/bus/pci/drivers_probe", self.address)
            except OSError as error:  # whether it worked all the same is looked up below
                why = f" ({error.strerror})"
        if self.driver != driver:
            has = f"it has {self.driver}" if self.driver else f"it has none now{why}"
            raise Problem(
                f"{self.address}: driver {driver} did not take the device; {has}", "dmesg | tail"
            )
        if override != driver:
            self._write("driver_override", override)

    def unbind(self):
        """Leaves the device without a driver."""
        if self.driver:
            self._write("driver/unbind", self.address)

    def set_override(self, override):
        if self.override != override:
            self._write("driver_override", override)

    def _write(self, name, text):
        try:
            self.machine.write(f"{self.path}/{name}", text + "\n")
        except OSError as error:
            raise Problem(f"{self.address}: {name} = '{text}': {error.strerror}", "dmesg | tail") from None


def network_devices(machine):
    devices = (Device(machine, address) for address in machine.names(DEVICES))
    return [device for device in devices if device.base_class == NETWORK]


def as_address(text):
    """A PCI address in full, or None if the text is none."""
    text = text.lower()
    if not ADDRESS.match(text):
        return None
    return text if text.count(":") == 2 else f"0000:{text}"


def taken_as(text, taken):
    """The address of the taken device that an argument names, or None. A device that comes after
    one that was taken may have got its name, and been taken too."""
    found = [address for address, name in taken.items() if text == name or as_address(text) == address]
    if len(found) > 1:
        raise Problem(
            f"{text}: {len(found)} taken devices had this name: {', '.join(found)}",
            "scripts/bind status",
        )
    return found[0] if found else None


def find(machine, text, taken):
    """The device that an argument names; `taken` has those not the kernel's: {address: name}."""
    address = as_address(text)
    if address:
        device = Device(machine, address)
        if not device.present and address not in taken:
            raise Problem(f"{address}: there is no such PCI device", "scripts/bind status")
        return device
    if machine.exists(f"/sys/class/net/{text}"):
        return _of_interface(machine, text)
    if taken_as(text, taken):
        return Device(machine, taken_as(text, taken))
    known = [*machine.names("/sys/class/net"), *taken.values()]
    close = difflib.get_close_matches(text, known, 3, 0.5)
    meant = f"; did you mean {' or '.join(close)}?" if close else ""
    raise Problem(f"{text}: there is no such interface{meant}", "scripts/bind status")


def _of_interface(machine, name):
    """The PCI device above an interface in sysfs."""
    real = os.path.realpath(machine.path(f"/sys/class/net/{name}/device"))
    for part in reversed(real.split("/")):
        if ADDRESS.match(part) and machine.exists(f"{DEVICES}/{part}"):
            return Device(machine, part)
    raise Problem(
        f"{name}: is no PCI device; dpdkperf uses such an interface as it is, without binding",
        "scripts/bind status",
    )
