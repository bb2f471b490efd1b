"""A machine in a temporary folder, with a kernel that does what bind asks of it."""

import copy
import errno
import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))
from bind_lib.machine import Machine  # noqa: E402
from bind_lib.problem import Problem  # noqa: E402

NODE = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB"
UNSAFE = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"


class Killed(BaseException):
    """kill -9: nothing of bind runs any more."""


class FakeMachine(Machine):
    """`effects` counts what was changed; `die_at` kills before that change, `fail_at` refuses it."""

    def __init__(self, folder):
        super().__init__(folder, pathlib.Path(folder) / "state")
        self.interfaces = {}  # name: settings as the kernel has them
        self.natural = {}  # address: (driver, interface, default settings)
        self.free_pages = 10_000
        self.effects, self.die_at, self.fail_at = 0, None, None
        self.no_modules = set()
        self.put("/proc/sys/kernel/random/boot_id", "boot 1")
        self.put("/proc/mounts", "proc /proc proc rw 0 0")
        self.put(f"{NODE}/nr_hugepages", "0")
        self.put(f"{NODE}/free_hugepages", "0")
        self.put("/sys/bus/pci/drivers_probe", "")
        for folder in ("/sys/class/net", "/sys/bus/pci/drivers", "/sys/bus/pci/devices"):
            self.path(folder).mkdir(parents=True)

    def put(self, path, text):
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_text(text + "\n", encoding="utf-8")

    def add_nic(self, address, interface, driver="e1000e", group="7", kind="0x020000", mac=1):
        device = f"/sys/bus/pci/devices/{address}"
        for name, text in (
            ("class", kind), ("vendor", "0x8086"), ("device", "0x10d3"), ("numa_node", "-1"),
            ("driver_override", "(null)"),
        ):  # fmt: skip
            self.put(f"{device}/{name}", text)
        self.path(f"/sys/bus/pci/drivers/{driver}").mkdir(exist_ok=True)
        if group:
            members = self.path(f"/sys/kernel/iommu_groups/{group}/devices")
            members.mkdir(parents=True, exist_ok=True)
            (members / address).symlink_to(device)
            self.path(f"{device}/iommu_group").symlink_to(f"/sys/kernel/iommu_groups/{group}")
        defaults = {
            "interface": interface, "mac": f"02:00:00:00:00:{mac:02x}", "mtu": 1500, "up": False,
            "permanent_mac": f"02:00:00:00:00:{mac:02x}", "addresses": [], "routes": [],
        }  # fmt: skip
        self.natural[address] = (driver, interface, defaults)
        self._attach(address, driver)

    def hold(self, file, pid=77, pages=0):
        """A process with the file of a device open, and with so many 2 MB pages."""
        self.put(f"/proc/{pid}/comm", "testpmd")
        self.put(f"/proc/{pid}/status", f"Name:\ttestpmd\nHugetlbPages:\t{pages * 2048:8} kB\nThreads:\t1")
        self.path(f"/proc/{pid}/fd").mkdir()
        self.path(f"/proc/{pid}/fd/5").symlink_to(file)
        self.put(f"{NODE}/free_hugepages", str(int(self.read(f"{NODE}/free_hugepages")) - pages))

    def comes_as(self, address, interface):
        """From now on the kernel gives the device's interface this name."""
        driver, _, defaults = self.natural[address]
        self.natural[address] = (driver, interface, {**defaults, "interface": interface})
        if self.link_name(f"/sys/bus/pci/devices/{address}/driver") == driver:
            self._detach(address)
            self._attach(address, driver)

    def configure(self, interface, **settings):
        self.interfaces[interface].update(settings)

    def reboot(self):
        """Drivers and settings are what the machine comes up with."""
        self.put("/proc/sys/kernel/random/boot_id", self.boot() + "1")
        self.put("/proc/mounts", "proc /proc proc rw 0 0")
        self.put(f"{NODE}/nr_hugepages", "0")
        self.put(f"{NODE}/free_hugepages", "0")
        for address, (driver, _, _) in self.natural.items():
            self._detach(address)
            self.put(f"/sys/bus/pci/devices/{address}/driver_override", "(null)")
            self._attach(address, driver)

    def world(self):
        """All that bind could leave changed, but loaded modules and its own state."""
        found = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = pathlib.Path(folder, name)
                place = str(path.relative_to(self.root))
                if path.is_symlink():
                    found[place] = os.readlink(path)
                elif not place.startswith("state/"):
                    found[place] = path.read_text(encoding="utf-8")
        found["interfaces"] = copy.deepcopy(self.interfaces)
        for address in self.natural:
            found[address] = self.link_name(f"/sys/bus/pci/devices/{address}/driver")
        return found

    def _effect(self):
        self.effects += 1
        if self.die_at and self.effects >= self.die_at:  # the dead do not clean up
            raise Killed
        if self.effects == self.fail_at:
            raise OSError(errno.EIO, "refused by the test")

    def _detach(self, address):
        device = self.path(f"/sys/bus/pci/devices/{address}")
        (device / "driver").unlink(missing_ok=True)
        for name in self.names(f"/sys/bus/pci/devices/{address}/net"):
            shutil.rmtree(device / "net")
            self.path(f"/sys/class/net/{name}").unlink()
            self.interfaces.pop(name, None)

    def _attach(self, address, driver):
        device = self.path(f"/sys/bus/pci/devices/{address}")
        (device / "driver").symlink_to(f"/sys/bus/pci/drivers/{driver}")
        natural, interface, defaults = self.natural[address]
        if driver == natural and interface:
            (device / "net" / interface).mkdir(parents=True)
            link = self.path(f"/sys/class/net/{interface}")
            link.symlink_to(device / "net" / interface)
            (device / "net" / interface / "device").symlink_to(device)
            self.interfaces[interface] = copy.deepcopy(defaults)

    # What bind does to the machine.

    def write(self, absolute, text):
        self._effect()
        text = text.strip()
        parts = absolute.split("/")
        if parts[-1] == "unbind":
            self._detach(parts[-3])
        elif absolute == "/sys/bus/pci/drivers_probe":
            override = self.read(f"/sys/bus/pci/devices/{text}/driver_override")
            driver = self.natural[text][0] if override == "(null)" else override
            if self.exists(f"/sys/bus/pci/drivers/{driver}"):
                self._attach(text, driver)
        elif parts[-1] == "nr_hugepages":
            number = min(int(text), self.free_pages)
            free = absolute.replace("nr_", "free_")
            in_use = int(self.read(absolute)) - int(self.read(free))
            self.put(absolute, str(number))
            self.put(free, str(max(0, number - in_use)))
        else:
            self.put(absolute, text or "(null)")

    def replace(self, path, text):
        self._effect()
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def remove(self, path):
        self._effect()
        super().remove(path)

    def mount_hugetlbfs(self, where):
        self._effect()
        self.put("/proc/mounts", self.read("/proc/mounts") + f"\nnodev {where} hugetlbfs rw,pagesize=2M 0 0")

    def unmount(self, where):
        self._effect()
        lines = self.read("/proc/mounts").splitlines()
        self.put("/proc/mounts", "\n".join(line for line in lines if f" {where} " not in line))

    def save_settings(self, interface):
        return copy.deepcopy(self.interfaces[interface])

    def restore_settings(self, interface, saved):
        self._effect()
        have = self.interfaces[interface]
        have.update({key: copy.deepcopy(saved[key]) for key in have})
        return []

    def permanent_mac(self, interface):
        return self.interfaces[interface]["permanent_mac"]

    def settle(self):
        pass

    def sleep(self, seconds):
        pass

    def run(self, *command):
        if command[0] == "modprobe":
            if command[1] in self.no_modules:
                raise Problem(f"modprobe {command[1]}: FATAL: Module not found")
            self.path(f"/sys/bus/pci/drivers/{command[1]}").mkdir(exist_ok=True)
            return ""
        assert command[:2] == ("ip", "-j"), command
        return json.dumps(self._ip(command[2:]))

    def _ip(self, words):
        """Answers of `ip -j`, from the settings; a route has ip's own names."""
        name = words[words.index("dev") + 1] if "dev" in words else None
        if "route" in words and "get" in words:
            ways = (one["interface"] for one in self.interfaces.values() if words[-1] in one.get("ways", ()))
            return [{"dev": way} for way in ways]
        if "route" in words:
            of_family = "-6" not in words
            found = (route for one in self.interfaces.values() for route in one["routes"])
            routes = [
                {"dst": route["destination"], **{k: v for k, v in route.items() if k != "destination"}}
                for route in found
            ]
            return routes if of_family else []
        if "address" in words:
            entries = [text.split("/") for text in self.interfaces[name]["addresses"]]
            info = [{"local": ip, "prefixlen": int(bits), "scope": "global"} for ip, bits in entries]
            return [{"ifname": name, "addr_info": info}]
        extra = [link for one in self.interfaces.values() for link in one.get("upper", ())]
        every = [{"ifname": one, **self.interfaces[one].get("link", {})} for one in self.interfaces]
        return [link for link in every + extra if name in (None, link["ifname"])]
