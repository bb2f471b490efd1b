"""scripts/lab with veth pairs in place of cards, in a network namespace and mounts of its own."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]

# A cable between two interfaces of "this machine", configured as somebody may have done it.
CARDS = """
ip link add c1 type veth peer name c2
ip link set dev c1 up mtu 1400
ip link set dev c2 up
"""
CONFIGURED = """
ip address add 10.4.0.1/24 dev c1
ip address add 10.4.0.2/24 dev c2
ip address add fd04::2/64 dev c2 nodad
ip route add 10.5.0.0/16 via 10.4.0.9 dev c2
"""
LOOK = "ip -br address show dev c1; ip -br address show dev c2; ip route; ip link show c1 | grep -o 'mtu [0-9]*'"
A, B = "ip netns exec labtest-a", "ip netns exec labtest-b"


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Lab(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = pathlib.Path(folder.name)

    def shell(self, text):
        """Runs lines in fresh namespaces of network and mounts; (exit code, output, errors)."""
        script = f"set -e; mount -t tmpfs none /run; mkdir /run/netns; lab={ROOT}/scripts/lab\n{text}"
        environment = {**os.environ, "LAB_NAME": "labtest", "DPDKPERF_STATE": str(self.state)}
        done = subprocess.run(
            ["unshare", "-n", "-m", "bash", "-c", script],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def succeeds(self, text):
        code, out, err = self.shell(text)
        self.assertEqual((code, err), (0, ""), out)
        return out

    def test_interfaces_go_into_the_lab_and_home_again(self):
        out = self.succeeds(
            f"{CARDS}{CONFIGURED}({LOOK}) | sed s/fe80[^' ']*//\necho ---\n"
            f"$lab ports c1 c2\n{A} ping -c 1 -W 3 10.4.0.2 >/dev/null\n{B} ip route show 10.5.0.0/16\n"
            f"! ip link show dev c1 2>/dev/null\necho ---\n$lab down\n({LOOK}) | sed s/fe80[^' ']*//\nip netns"
        )
        before, there, after = out.split("---\n")
        self.assertIn("lab: c1 is in labtest-a: 10.4.0.1/24", there)
        self.assertIn("10.5.0.0/16 via 10.4.0.9 dev c2", there)
        lines = [line for line in after.splitlines() if not line.startswith("lab: ")]
        self.assertEqual(lines, before.splitlines())
        self.assertEqual(list(self.state.glob("labs/*")), [])

    def test_interfaces_without_addresses_get_those_of_the_lab(self):
        out = self.succeeds(
            f"{CARDS}$lab ports c1 c2\n{A} ping -c 1 -W 3 10.99.0.2 >/dev/null\n"
            f"{A} ping -c 1 -W 3 fd99::2 >/dev/null\n$lab down\nip -4 -br address show dev c1"
        )
        self.assertIn("c2 is in labtest-b: 10.99.0.2/24, fd99::2/64", out)
        self.assertNotIn("10.99", out.splitlines()[-1])

    def test_what_runs_there_ends_before_the_interfaces_go_home(self):
        code, out, _ = self.shell(
            f"{CARDS}$lab ports c1 c2\n{A} sleep 600 & child=$!; sleep 1\n$lab down\n"
            "ip link show dev c1 >/dev/null\nwait $child || echo ended with $?"
        )
        self.assertEqual(code, 0)
        self.assertIn("ended with 137", out)

    def test_refusals_move_nothing(self):
        cases = [
            ("c1 c9", "c9: there is no such interface"),
            ("c1 c1", "c1: is both ends"),
            ("c1", "usage: scripts/lab ports"),
            ("0000:99:00.0 c1", "0000:99:00.0: there is no such PCI device"),
        ]
        for words, message in cases:
            with self.subTest(words=words):
                code, out, err = self.shell(
                    f"{CARDS}{CONFIGURED}$lab ports {words} || echo refused\n"
                    "ip link show dev c1; ip link show dev c2"
                )
                self.assertEqual(code, 0, err)
                self.assertIn("refused", out)
                self.assertIn(message, err)
        route = "ip route add default via 10.4.0.9 dev c2\n"
        code, out, err = self.shell(
            f"{CARDS}{CONFIGURED}{route}$lab ports c1 c2 || ip link show dev c1\n"
            "$lab ports c1 c2 --force; $lab down"
        )
        self.assertEqual(code, 0, err)
        self.assertIn("c2: carries the default route through 10.4.0.9", err)
        self.assertIn("ports c1 c2 --force", err)
        self.assertIn("c2 is in labtest-b", out)

    def test_a_second_time_is_refused(self):
        code, _, err = self.shell(f"{CARDS}$lab ports c1 c2; $lab ports c1 c2 || true; $lab down")
        self.assertEqual(code, 0)
        self.assertIn("already has an interface", err)

    def test_taken_cards_get_commands_in_place_of_a_move(self):
        for address, name, addresses in (
            ("0000:00:04.0", "eth1", ["10.0.0.1/24"]),
            ("0000:00:05.0", "eth2", []),
        ):
            state = {
                "version": 1, "pci": address, "model": "8086:10d3", "interface": name, "driver": "e1000e",
                "phase": "taken", "addresses": addresses, "routes": [],
            }  # fmt: skip
            (self.state / f"{address}.json").write_text(json.dumps(state), encoding="utf-8")
        out = self.succeeds("$lab ports eth1 0000:00:05.0; $lab down")
        self.assertIn("exec a build/dpdkperf -l 0-1 -a 0000:00:04.0 -- -c 10.99.0.2 -u -b 0\n", out)
        self.assertIn("exec b build/dpdkperf -l 2-3 -a 0000:00:05.0 -- -s --ip 10.99.0.2/24\n", out)

    def test_memif_needs_no_cable(self):
        out = self.succeeds(
            f"$lab up\n$lab up memif\n! {A} ip link show dev veth-a 2>/dev/null\n{A} ip -br link show up\n"
            f"$lab up\n{A} ping -c 1 -W 3 10.99.0.2 >/dev/null\n$lab down\nip netns"
        )
        for words in ("role=server", "role=client,zero-copy=yes", "--ip 10.99.0.1/24", "socket-abstract=no"):
            self.assertIn(words, out)
        self.assertNotIn("labtest-a (", out)


if __name__ == "__main__":
    unittest.main()
