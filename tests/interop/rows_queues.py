"""An interface with more queues than the memory of a small machine was made for."""

from framework import CLIENT, row
from netlab.lab import Lab
from netlab.programs import client, server


@row(f"{CLIENT}: ten queues and no huge pages")
def many_queues(context):
    with Lab(f"{context.lab.name}-queues", queues=10) as lab, server(lab, "b", "iperf3", "-1"):
        with client(lab, "a", context.our, "-u", "-b", "1M", "-k", 20) as running:
            running.succeed()
