"""Takes devices from the kernel: all that are named, or none."""

from . import guard, hugepages, pci, state as states
from .give_back import UNSAFE, check_fits, give_back
from .problem import Problem



def take(machine, devices, wanted, say):
    """Either all of the devices are taken afterwards, or it is as before and Problem is raised."""
    together = {device.address for device in devices}
    todo = [device for device in devices if _needs_work(machine, device, wanted, say)]
    for device in todo:
        _check(machine, device, wanted, together)
    done = []
    try:
        for device in todo:
            done.append(device)
            _take(machine, device, wanted, say)
    except BaseException as problem:
        for device in reversed(done):
            _roll_back(machine, device, problem, say)
        raise


def _needs_work(machine, device, wanted, say):
    """Whether the device is to be bound; what an earlier run left half done is undone first."""
    if not device.present:
        raise Problem(f"{device.address}: there is no such PCI device now", "scripts/bind status")
    guard.check_kind(device)
    name = " ".join([device.address, *device.interfaces])
    if device.driver in pci.BIFURCATED:
        say(f"{name}: needs no binding: {device.driver} keeps it, and AF_XDP uses its interface; nothing changed")
        return False
    known = states.load(machine, device.address)
    if known:
        check_fits(machine, device, known)
        name = f"{known['interface']} ({device.address})"
        if known["phase"] == states.TAKEN and device.driver == known["taken_driver"]:
            _renew(machine, known, wanted)
            say(f"{name}: is already taken (driver {device.driver})")
            return False
        say(f"{name}: an earlier run or a reboot left it half taken; giving it back first")
        give_back(machine, device, known)
    elif device.driver in pci.USERSPACE:
        say(f"{name}: already has driver {device.driver}, not from this program; nothing changed")
        return False
    return True


def _renew(machine, known, wanted):
    """A reboot takes hugepages away even where something has bound the device again."""
    if known["boot"] != machine.boot():
        known["boot"] = machine.boot()
        known["hugepages"] = known["mounted"] = None
        _pages(machine, known, wanted)
        states.save(machine, known)


def _check(machine, device, wanted, together):
    interface = guard.check_interface(device)
    if interface:
        if not wanted.force:
            guard.check_connections(machine, interface, f"scripts/bind take {interface} --force")
        guard.check_use(machine, device, interface)
    guard.check_users(device)
    unsafe = guard.check_iommu(machine, device, wanted, interface or device.address)
    if wanted.driver == "vfio-pci" and not unsafe:
        guard.check_group(device, together)


def _take(machine, device, wanted, say):
    interface = guard.check_interface(device)
    state = {
        "version": states.VERSION,
        "phase": states.TAKING,
        "boot": machine.boot(),
        "pci": device.address,
        "model": device.model,
        "driver": device.driver,
        "driver_override": device.override,
        "taken_driver": wanted.driver,
        "numa_node": device.node,
        "interface": "", "mac": "", "mtu": None, "addresses": [], "routes": [],
        "hugepages": None, "mounted": None, "no_iommu": None,
    }  # fmt: skip
    if interface:
        state.update(machine.save_settings(interface))
    states.save(machine, state)

    machine.load_module(wanted.driver)
    if wanted.driver == "vfio-pci" and not device.group:
        _allow_no_iommu(machine, state)
    if wanted.driver != "vfio-pci" or not device.group:
        say(
            f"WARNING: {device.address}: no IOMMU stands between this device and memory: a faulty "
            "program or device can overwrite anything, the kernel included"
        )
    _pages(machine, state, wanted)
    device.bind(wanted.driver, wanted.driver)
    state["phase"] = states.TAKEN
    states.save(machine, state)
    say(f"{interface or device.address}: taken: {device.address} now has driver {wanted.driver}")


def _pages(machine, state, wanted):
    if wanted.hugepages == 0:
        return
    others = [other for name, other in states.load_all(machine).items() if name != state["pci"]]
    hugepages.settle(machine, others, lambda changed: states.save(machine, changed))
    state["hugepages"] = hugepages.plan(machine, state["numa_node"], wanted.hugepages, others)
    states.save(machine, state)
    try:
        hugepages.reserve(machine, state["hugepages"], wanted.hugepages)
    finally:
        states.save(machine, state)
    hugepages.mount(machine, state, lambda changed: states.save(machine, changed))


def _allow_no_iommu(machine, state):
    machine.load_vfio()
    before = machine.read(UNSAFE)
    if before is None:
        raise Problem(
            f"{state['pci']}: this kernel's vfio has no mode without IOMMU (VFIO_NOIOMMU, which "
            "Debian leaves out)",
            f"scripts/bind take {state['interface'] or state['pci']} --driver uio_pci_generic",
        )
    if before not in ("Y", "1"):
        state["no_iommu"] = {"before": before, "boot": machine.boot()}
        states.save(machine, state)
        machine.write(UNSAFE, "1\n")


def _roll_back(machine, device, problem, say):
    """Undoes what was done before `problem`; the state file stays if that fails too."""
    known = states.load(machine, device.address)
    if not known:
        return
    try:
        give_back(machine, device, known)
        say(f"{device.address}: put back as it was")
    except (Problem, OSError) as second:
        say(f"{device.address}: could not be put back: {second}; after: {problem}")
