"""Packets that nftables drops at one end of the lab."""

import contextlib


@contextlib.contextmanager
def dropping(lab, end, match, leaving=False):
    """What comes in at `end`, or what leaves it, is lost if it matches (nft(8))."""
    hook = f"{'egress' if leaving else 'ingress'} device {lab.interface(end)}"
    for rule in (
        "add table netdev lossy",
        f"add chain netdev lossy some {{ type filter hook {hook} priority 0; }}",
        f"add rule netdev lossy some {match} drop",
    ):
        lab.run(end, "nft", rule)
    try:
        yield
    finally:
        lab.run(end, "nft", "flush", "ruleset")
