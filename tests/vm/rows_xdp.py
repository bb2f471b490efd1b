"""dpdkperf on the kernel's own interface, by AF_XDP: of these drivers only virtio_net can."""

import re

from context import LENGTH, OUR, card_of, interface, row, spread_test
from framework import require
from netlab.wires import TWO_POLLERS

OUR_PAIR = (OUR, TWO_POLLERS, "--")


@row("virtio: by AF_XDP on the kernel's interface, our client")
def client(context):
    card = card_of("virtio", 2)
    context.configure(card)
    context.udp(card, "client", [OUR])


@row("virtio: by AF_XDP on the kernel's interface, our server")
def serve(context):
    card = card_of("virtio", 2)
    context.configure(card)
    context.udp(card, "server", [OUR])


@row("virtio: by AF_XDP on two queues, each stream to the poller that its packets come to")
def spread(context):
    card = card_of("virtio", 2)
    context.configure(card)
    # virtio_net tells its device of the key at the first change only (Linux 6.1).
    context.run("ethtool", "-X", interface(card), "equal", 2)
    shown = context.run(*OUR_PAIR, "--dry-run", "-c", card.host).out
    require("spreading: Toeplitz" in shown and "UDP over IPv4" in shown, f"no spreading\n{shown}")
    for flags in (("-u", "-b", "500K", "-l", LENGTH), ("-C", "cubic", "-b", "2M")):
        before = queue_counts(context, card)
        port = spread_test(context, card, OUR_PAIR, *flags)
        came = [after - then for after, then in zip(queue_counts(context, card), before)]
        require(min(came) * 4 > max(came), f"packets of the queues: {came}, {port}")


def queue_counts(context, card):
    counts = context.run("ethtool", "-S", interface(card)).out
    return [int(count) for count in re.findall(r"rx_queue_\d_packets: (\d+)", counts)]
