"""scripts/lab with veth pairs in place of cards, in a network namespace and mounts of its own."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from bind_lib import lab  # noqa: E402
from bind_lib.problem import Problem  # noqa: E402

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

    def test_a_second_time_changes_nothing(self):
        look = f"{A} ip address; {B} ip route; echo ---"
        code, out, err = self.shell(
            f"{CARDS}{CONFIGURED}ip link add c3 type veth\n$lab ports c1 c2 >/dev/null\n{look}\n"
            f"$lab ports c1 c2\necho ---\n$lab ports c1 c3 || $lab up || $lab up memif || {look}\n$lab down"
        )
        lent = "lab: labtest-a: has an interface of this machine; next: scripts/lab down\n"
        refusal = "lab: labtest-b: already has c2\n     next: scripts/lab down\n"
        self.assertEqual((code, err), (0, refusal + lent + lent))
        before, said, after, _ = out.split("---\n")
        self.assertEqual(before, after)
        self.assertEqual(said, "lab: c1 is in labtest-a already\nlab: c2 is in labtest-b already\n")

    def test_a_call_that_was_cut_short_can_be_repeated(self):
        # One end was moved, and of the other only the settings were written down.
        out = self.succeeds(
            f"{CARDS}{CONFIGURED}$lab ports c1 c2 >/dev/null\nip -n labtest-b link set dev c2 netns $$\n"
            f"$lab ports c1 c2\n{B} ip route show 10.5.0.0/16\n{A} ping -c 1 -W 3 10.4.0.2 >/dev/null\n$lab down"
        )
        self.assertIn("c1 is in labtest-a already", out)
        self.assertIn("10.5.0.0/16 via 10.4.0.9 dev c2", out)

    def test_a_refusal_leaves_the_lab_that_is_there(self):
        code, out, err = self.shell(
            f"$lab up\n{CARDS}! $lab ports c1 c9\n{A} ping -c 1 -W 3 10.99.0.2 >/dev/null\n$lab down\n"
            "! $lab ports c1 c9\nip netns list; ls /run/netns"
        )
        self.assertEqual((code, out), (0, ""), err)
        self.assertEqual(err.count("c9: there is no such interface"), 2)

    def test_a_failure_brings_home_what_has_moved(self):
        # An interface of this name is there already, so the second one cannot move.
        code, out, err = self.shell(
            f"{CARDS}ip netns add labtest-b\nip -n labtest-b link add c2 type veth\n! $lab ports c1 c2\n"
            "ip -br link show dev c1; ip -br link show dev c2; ls /run/netns"
        )
        self.assertEqual(code, 0, err)
        self.assertIn("same name exists", err)
        last = [line.split()[0] for line in out.splitlines()[-3:]]
        self.assertEqual(last, ["c1@c2", "c2@c1", "labtest-b"])
        self.assertEqual(list(self.state.glob("labs/*")), [])

    def test_down_after_a_reboot_restores_what_was_lent(self):
        out = self.succeeds(
            f"{CARDS}{CONFIGURED}$lab ports c1 c2\n"
            "ip -n labtest-a link set dev c1 netns $$; ip -n labtest-b link set dev c2 netns $$\n"
            f"ip netns del labtest-a; ip netns del labtest-b\n$lab down\n{LOOK}"
        )
        self.assertIn("10.4.0.1/24", out)
        self.assertIn("10.5.0.0/16 via 10.4.0.9 dev c2", out)
        self.assertEqual(list(self.state.glob("labs/*")), [])

    def test_one_that_cannot_come_home_does_not_keep_the_other(self):
        code, _, err = self.shell(
            f"{CARDS}$lab ports c1 c2\nsed -i s/c1/c9/ $DPDKPERF_STATE/labs/labtest-a.json\n! $lab down\n"
            "ip link show dev c2; ip -n labtest-a link show dev c1"
        )
        self.assertEqual(code, 0, err)
        self.assertIn("c9: is neither here nor in labtest-a\n     next: rm ", err)

    def test_settings_that_cannot_come_back_are_told(self):
        code, out, err = self.shell(
            f"{CARDS}{CONFIGURED}$lab ports c1 c2 >/dev/null\nfile=$DPDKPERF_STATE/labs/labtest-b.json\n"
            "sed -i s/10.4.0.9/10.77.0.9/ $file; $lab down || rm $file\n$lab down; ip -br address show dev c2"
        )
        self.assertEqual(code, 0, err)
        self.assertIn("c2: not all is as it was:\n  ip -4 route add 10.5.0.0/16 via 10.77.0.9", err)
        self.assertIn("next: mend it, then scripts/lab down again, or: rm ", err)
        self.assertIn("10.4.0.2/24", out)

    def test_a_namespace_that_is_none(self):
        code, _, err = self.shell(
            f"{CARDS}$lab ports c1 c2\n{A} true; umount /run/netns/labtest-a\n! $lab ports c1 c2"
        )
        self.assertEqual((code, err), (0, "lab: [Errno 22] Invalid argument: 'namespace labtest-a'\n"))

    def test_names_that_contain_those_of_the_lab(self):
        out = self.succeeds(
            "ip netns add labtest-a-2; ip netns add x-labtest-b\n$lab up\n"
            f"{A} ping -c 1 -W 3 10.99.0.2 >/dev/null\n$lab down\nls /run/netns"
        )
        self.assertEqual(out.split(), ["labtest-a-2", "x-labtest-b"])

    def test_a_small_mtu_can_be_set_twice_and_taken_back(self):
        out = self.succeeds(
            f"$lab up --mtu 1000; $lab up --mtu 1000; {A} ping -c 1 -W 3 10.99.0.2 >/dev/null\n"
            f"$lab up; {A} ping -c 1 -W 3 fd99::2 >/dev/null\n{A} ip link show dev veth-a\n$lab down"
        )
        self.assertIn(" mtu 1500 ", out)

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


class RollBack(unittest.TestCase):
    def test_the_second_end_comes_home_and_the_first_error_is_told(self):
        ends = [lab.End("c1", "labtest-a", None, False), lab.End("c2", "labtest-b", None, False)]
        tried = []

        def move(_, name, *__):
            if name == "c2":
                raise Problem("the first error")

        def back(_, namespace):
            tried.append(namespace)
            if tried == ["labtest-a", "labtest-b", "labtest-a"]:  # before the moves, and after
                raise OSError("the second error")

        patches = mock.patch.multiple(lab, move=move, back=back)
        errors = io.StringIO()
        with patches, contextlib.redirect_stderr(errors), self.assertRaisesRegex(Problem, "the first error"):
            lab.up(None, ends)
        self.assertEqual(tried, ["labtest-a", "labtest-b"] * 2)
        self.assertIn("lab: the second error", errors.getvalue())


if __name__ == "__main__":
    unittest.main()
