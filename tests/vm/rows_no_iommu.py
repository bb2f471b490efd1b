"""scripts/bind in a machine without an IOMMU."""

from context import KERNEL_DRIVER, card_of, each_model, interface, row
from framework import equal, require


@row("no IOMMU: vfio-pci is refused with the next command", iommu=False)
def refused(context):
    card = card_of("virtio")
    done = context.bind("take", interface(card), code=1)
    for word in (card.pci, "no IOMMU", f"take {interface(card)} --no-iommu"):
        require(word in done.err, f"'{word}' is not named\n{done}")
    # Debian's kernel has no mode without IOMMU; there the message must lead on.
    done = context.bind("take", interface(card), "--no-iommu", code=1)
    for word in ("VFIO_NOIOMMU", f"take {interface(card)} --driver uio_pci_generic"):
        require(word in done.err, f"'{word}' is not named\n{done}")
    equal(context.driver(card), KERNEL_DRIVER[card.model], "driver")
    equal(context.states(), [], "state files")


@each_model("no IOMMU, by uio_pci_generic and back", iommu=False)
def by_uio(context, card):
    context.configure(card)
    before = context.settings(card)
    done = context.bind("take", interface(card), "--driver", "uio_pci_generic", "--hugepages", 16)
    require("WARNING" in done.out, f"no warning\n{done}")
    equal(context.driver(card), "uio_pci_generic", "driver")
    context.bind("give-back", interface(card))
    context.equal_settings(card, before)
    context.pings(card)
