"""-4 and -6 where they leave no address."""

from framework import equal, require, row
from netlab.programs import Process
from netlab.wires import VETH


@row("-6 with an address of IPv4, and the other way round", ours_only=True, wire=VETH)
def wrong_family(context):
    lab = context.lab
    for words in (["-6", "-c", lab.address("b")], ["-4", "-c", lab.address("b", True)], ["-6", "-s", "-B", lab.address("a")]):
        for more in (["--dry-run"], []):
            with Process(lab, "a", [context.our, *words, *more]) as running:
                equal(running.wait(5), 1, f"exit code of {running.arguments}")
                require("family" in running.err, str(running))
