"""Several pollers with a queue each, over every wire, and vhost with one."""

import agreement
from framework import BOTH, CLIENT, SERVER, equal, row
from netlab.wires import Wire
from rows_modes import LENGTH, MODES, RATE


def run(context, role, mode, streams):
    """Without -P: ours takes a stream for each poller, stock one."""
    arguments = ("-t", 1, "-b", RATE, "-l", LENGTH, *MODES[mode])
    client, server = context.test(role, *arguments)
    equal(client["start"]["test_start"]["num_streams"], streams, "streams")
    agreement.check(context, client, server, mode, LENGTH, streams)


def pollers(kind, count, roles):
    for role in roles:
        for mode in MODES:
            streams = 1 if role == SERVER else count
            row(
                f"{kind}, {count} poller{'s'[: count - 1]}, {role}: {mode}",
                slow=mode != "--bidir", wire=Wire(kind, pollers=count), role=role, mode=mode, streams=streams,
            )(run)  # fmt: skip


pollers("memif", 2, [BOTH])
pollers("vhost", 1, [BOTH])
pollers("vhost", 2, [BOTH])
pollers("veth", 2, [CLIENT, SERVER])
