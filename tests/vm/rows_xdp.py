"""dpdkperf on the kernel's own interface, by AF_XDP: of these drivers only virtio_net can."""

from context import OUR, card_of, row


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
