"""scripts/bind on real PCI devices: what it takes, it gives back as it was."""

from context import BIND, GUEST, KERNEL_DRIVER, PAGES, STATE, card_of, each_model, interface, row
from framework import equal, require
from machine import CARDS
from netlab.lab import wait_for

STOCK = ["iperf3"]


@row("bind status shows all cards")
def status(context):
    lines = [line.split() for line in context.bind("status").out.splitlines()[1:]]
    wanted = [[card.pci, interface(card), KERNEL_DRIVER[card.model]] for card in CARDS]
    equal([line[:3] for line in lines], wanted, "cards")
    equal({line[-1] for line in lines}, {"kernel"}, "states")


@each_model("taken and given back, the kernel uses it as before")
def take_and_give_back(context, card):
    context.configure(card)
    context.pings(card)
    before = context.settings(card)
    context.bind("take", interface(card))
    equal(context.driver(card), "vfio-pci", "driver")
    equal(context.read(PAGES), "256", "hugepages")
    saved = context.saved(card)
    wanted = {"pci": card.pci, "interface": interface(card), "mac": card.mac, "mtu": 1400,
              "addresses": [f"{card.guest}/24", f"{card.guest6}/64"], "phase": "taken"}  # fmt: skip
    equal({key: saved[key] for key in wanted}, wanted, "state file")
    require(any(route.get("gateway") == card.host for route in saved["routes"]), str(saved["routes"]))
    group = context.run("readlink", f"/sys/bus/pci/devices/{card.pci}/iommu_group").out.strip()
    context.run("test", "-c", f"/dev/vfio/{group.rsplit('/', 1)[-1]}")
    require("already taken" in context.bind("take", card.pci).out, "the second take says so")
    require("taken" in context.bind("status").out.split(card.pci)[1].splitlines()[0], "status")

    context.bind("give-back", interface(card))
    context.equal_settings(card, before)
    context.pings(card)
    for mode in ("normal", "-R"):
        context.udp(card, "client", STOCK, mode, seconds=1)
    context.udp(card, "server", STOCK, seconds=1)


@each_model("the default route's card is refused")
def default_route(context, card):
    context.configure(card)
    context.ip("route", "add", "default", "via", card.host, "dev", interface(card))
    before = context.settings(card)
    done = context.bind("take", interface(card), code=1)
    for word in (interface(card), card.host, "--force"):
        require(word in done.err, f"'{word}' is not named\n{done}")
    equal(context.driver(card), KERNEL_DRIVER[card.model], "driver")
    equal(context.states(), [], "state files")
    context.bind("take", interface(card), "--force", "--hugepages", 16)
    context.bind("give-back", "--all")
    context.equal_settings(card, before)


# Where a kill finds `take`: the file and the text in it that show how far it is.
KILLED_AT = {
    "the state is written": (f"{STATE}/{{pci}}.json", '"taking"'),
    "pages are reserved": (PAGES, "16"),
    "the driver is chosen": ("/sys/bus/pci/devices/{pci}/driver_override", "vfio-pci"),
    "the card is bound": ("/sys/bus/pci/devices/{pci}/uevent", "DRIVER=vfio-pci"),
}


@each_model("kill -9 in the middle of take, at four places")
def kill_take(context, card):
    context.configure(card)
    before = context.settings(card)
    for moment, (path, text) in KILLED_AT.items():
        command = (BIND, "take", interface(card), "--hugepages", 16)
        done = context.run(
            "python3", f"{GUEST}/kill_when.py", path.format(pci=card.pci), text, *command, check=False
        )
        equal(done.code, 0, f"killed when {moment}\n{done}\n")
        context.bind("give-back", interface(card) if context.states() else "--all")
        equal((context.states(), context.read(PAGES)), ([], "0"), f"left when {moment}")
        context.equal_settings(card, before)


@row("kill -9 in the middle of give-back")
def kill_give_back(context):
    card = card_of("e1000e")
    context.configure(card)
    before = context.settings(card)
    for text in ("vfio-pci", "e1000e"):
        context.bind("take", interface(card), "--hugepages", 16)
        path = f"/sys/bus/pci/devices/{card.pci}/uevent"
        if text == "vfio-pci":  # at the first step, before the driver goes
            path, text = f"{STATE}/{card.pci}.json", "giving-back"
        done = context.run(
            "python3", f"{GUEST}/kill_when.py", path, text, BIND, "give-back", "--all", check=False
        )
        equal(done.code, 0, f"killed\n{done}\n")
        context.bind("give-back", "--all")
        context.equal_settings(card, before)


@row("a reboot while two cards are taken, then give-back")
def reboot(context):
    cards = [card_of("virtio"), card_of("e1000e", 2)]
    for card in cards:
        context.configure(card)
    before = [context.settings(card) for card in cards]
    context.bind("take", *map(interface, cards), "--hugepages", 16)
    context.vm.reboot()
    for card in cards:
        equal(context.driver(card), KERNEL_DRIVER[card.model], "driver after the reboot")
    require("half taken" in context.bind("status").out, "status says that they are to be given back")
    context.bind("give-back", "--all")
    for card, settings in zip(cards, before):
        context.equal_settings(card, settings)
        context.pings(card)


@row("a reboot, then take keeps the settings that were saved")
def take_after_reboot(context):
    card = card_of("vmxnet3")
    context.configure(card)
    before = context.settings(card)
    context.bind("take", interface(card), "--hugepages", 16)
    context.vm.reboot()
    context.bind("take", interface(card), "--hugepages", 16)
    equal(context.saved(card)["addresses"], [f"{card.guest}/24", f"{card.guest6}/64"], "saved addresses")
    context.bind("give-back", interface(card))
    context.equal_settings(card, before)


@row("a VLAN comes back with its address and its route")
def vlan_comes_back(context):
    card = card_of("e1000e")
    context.configure(card)
    name = interface(card)
    vlan = f"{name}.5"
    context.script([
        f"ip link add link {name} name {vlan} type vlan id 5",
        f"ip link set dev {vlan} up mtu 1300",
        f"ip address add 10.55.0.1/24 dev {vlan}",
        f"ip route add 10.56.0.0/16 via 10.55.0.9 dev {vlan}",
    ])  # fmt: skip
    look = [f"ip -d link show dev {vlan} | tail -n +2", f"ip -4 address show dev {vlan} | grep inet",
            f"ip route show dev {vlan}", f"cat /sys/class/net/{vlan}/mtu"]  # fmt: skip
    shown = context.script(look)
    context.bind("take", name, "--hugepages", 16)
    context.bind("give-back", name)
    context.wait_for_link(card)
    equal(context.script(look), shown, "the VLAN")
    context.ip("link", "del", "dev", vlan)


def holder(context, card, pages=0):
    """A program that has the card's group open, and so many pages."""
    group = context.run("readlink", f"/sys/bus/pci/devices/{card.pci}/iommu_group").out.strip()
    lines = [f"f = open('/dev/vfio/{group.rsplit('/', 1)[-1]}', 'rb+', 0)", "import mmap, time"]
    if pages:  # MAP_HUGETLB, MAP_POPULATE (linux/mman.h)
        lines += [f"m = mmap.mmap(-1, {pages} << 21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x48000)"]
    return context.vm.start("python3", "-c", "; ".join([*lines, "time.sleep(600)"]))


@each_model("in use: not given back before its user has ended")
def in_use(context, card):
    context.bind("take", interface(card), "--hugepages", 16)
    with holder(context, card) as running:
        running.look()
        wait_for(lambda: "in use: python3" in context.bind("status").out, 30, "in use")
        done = context.bind("give-back", interface(card), code=1)
        require(f"in use by process {running.pid}" in done.err, str(done))
        equal(context.driver(card), "vfio-pci", "driver")
    context.bind("give-back", interface(card))


@row("pages that a program has are not reserved again for another card")
def pages_in_use(context):
    cards = [card_of("virtio"), card_of("e1000e")]
    context.bind("take", interface(cards[0]), "--hugepages", 16)
    with holder(context, cards[0], pages=16):
        free = PAGES.replace("nr_", "free_")
        wait_for(lambda: context.read(free) == "0", 30, "pages in use")
        context.bind("take", interface(cards[1]), "--hugepages", 16)
        equal((context.read(PAGES), context.read(free)), ("32", "16"), "pages, and free ones")
    context.bind("give-back", "--all")


@each_model("taken while it is down")
def down(context, card):
    """Of a card that has been up: its driver may have set up then what it does not begin with."""
    context.configure(card)
    context.ip("link", "set", "dev", interface(card), "down")
    context.bind("take", interface(card), "--hugepages", 16)
    context.bind("give-back", interface(card))
    require("state DOWN" in context.run("ip", "link", "show", "dev", interface(card)).out, "it is up")


@row("more hugepages than there are: nothing is left half bound")
def no_pages(context):
    card = card_of("virtio")
    context.configure(card)
    before = context.settings(card)
    done = context.bind("take", interface(card), "--hugepages", 100000, code=1)
    for word in ("node 0", "100000", "--hugepages"):
        require(word in done.err, f"'{word}' is not named\n{done}")
    equal((context.states(), context.read(PAGES)), ([], "0"), "left")
    context.equal_settings(card, before)


@row("names that are wrong")
def wrong_names(context):
    for name, word in (("0000:00:1e.7", "no such PCI device"), ("0000:00:1f.2", "no network device"),
                       ("eth77", "did you mean"), ("lo", "no PCI device")):  # fmt: skip
        done = context.bind("take", name, code=1)
        require(word in done.err and name in done.err and "next:" in done.err, str(done))
    require("was not taken" in context.bind("give-back", "eth1").out, "give-back of what was not taken")
