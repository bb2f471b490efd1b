"""Gives devices back to the kernel, as they were. Each step can be repeated."""

from . import hugepages, state as states
from .guard import check_users
from .problem import Problem

UNSAFE = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
PATIENCE = 10  # seconds until a driver has made its interface
MODULES = {"virtio-pci": "virtio_net"}  # where the interface needs more than the bus driver


def check_fits(machine, device, known):
    """The card in the slot must be the one that was taken."""
    path = states.path_of(machine, device.address)
    if device.model != known["model"]:
        raise Problem(
            f"{device.address}: {path} is of another card: {known['model']} then, {device.model} now",
            f"rm {path}",
        )


def give_back(machine, device, known):
    """Restores everything that the state names, and removes the state at the end."""

    def save(changed):
        states.save(machine, changed)

    path = states.path_of(machine, device.address)
    if not device.present:
        raise Problem(f"{device.address}: the device of {path} is gone", f"rm {path}")
    check_fits(machine, device, known)
    if device.driver != known["driver"]:
        check_users(device)
    if known["phase"] != states.GIVING_BACK:
        known["phase"] = states.GIVING_BACK
        save(known)

    _bind_back(machine, device, known)
    left = _restore(machine, device, known) if known["interface"] else []
    others = [other for name, other in states.load_all(machine).items() if name != device.address]
    _forbid_no_iommu(machine, known, others, save)
    hugepages.settle(machine, [known, *others], save)
    hugepages.release(machine, known, save)
    hugepages.unmount(machine, known, others, save)
    if left:
        raise Problem(
            f"{known['interface']}: is the kernel's again, but not all is as it was:\n  "
            + "\n  ".join(left),
            f"mend it, then scripts/bind give-back {known['interface']} again, or: rm {path}",
        )
    states.remove(machine, device.address)


def _bind_back(machine, device, known):
    driver = known["driver"]
    if not driver:
        device.unbind()
        device.set_override(known["driver_override"])
    elif device.driver != driver:
        machine.load_module(driver)
        device.bind(driver, known["driver_override"])
    else:
        device.set_override(known["driver_override"])


def _restore(machine, device, known):
    interface = _wait_for_interface(machine, device, known)
    permanent = machine.permanent_mac(interface)
    if permanent and permanent != known["permanent_mac"]:
        path = states.path_of(machine, device.address)
        raise Problem(
            f"{interface}: {path} is of another card: MAC {known['permanent_mac']} then, "
            f"{permanent} now; its settings were not restored",
            f"rm {path}",
        )
    return machine.restore_settings(interface, known)


def _wait_for_interface(machine, device, known):
    for _ in range(PATIENCE * 20):
        if device.interfaces:
            machine.settle()
            return device.interfaces[0]
        machine.sleep(0.05)
    module = MODULES.get(known["driver"], known["driver"])
    raise Problem(
        f"{device.address}: driver {known['driver']} made no interface within {PATIENCE} s",
        f"modprobe {module}; dmesg | tail",
    )


def _forbid_no_iommu(machine, known, others, save):
    """Back to the setting before the first device without IOMMU, after the last one."""
    changed = known.get("no_iommu")
    if not changed:
        return
    heirs = [other for other in others if other.get("taken_driver") == "vfio-pci"]
    if heirs:
        heirs[0]["no_iommu"] = heirs[0].get("no_iommu") or changed
        save(heirs[0])
    elif changed["boot"] == machine.boot() and machine.exists(UNSAFE):
        machine.write(UNSAFE, changed["before"] + "\n")
    known["no_iommu"] = None
    save(known)
