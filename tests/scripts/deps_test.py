"""scripts/deps on a machine that has none of the packages, and where nothing can be installed."""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
NOBODY = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []


class Deps(unittest.TestCase):
    def deps(self, *arguments):
        """(exit code, output, errors) of a user who is not root."""
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            for name in ("dpkg-query", "apt-get"):
                path = pathlib.Path(folder) / name
                path.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
                path.chmod(0o755)
            # By its text: another user may not be allowed into the folders above the script.
            script = (ROOT / "scripts" / "deps").read_text(encoding="utf-8")
            done = subprocess.run(
                [*NOBODY, "bash", "-c", script, "scripts/deps", *arguments],
                cwd="/", env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            return done.returncode, done.stdout, done.stderr

    def test_the_command_for_root_installs_the_same_groups(self):
        code, out, err = self.deps("install", "lab", "vm")
        self.assertEqual(code, 1)
        self.assertIn("installing busybox-static ethtool iperf3", out)
        self.assertEqual(err, "deps: only root can install packages: sudo scripts/deps install lab vm\n")

    def test_the_default_is_what_the_help_says(self):
        _, every, _ = self.deps("list", "build", "dpdk", "lab", "test", "bench", "vm", "lint")
        _, default, _ = self.deps("list")
        self.assertIn("qemu-system-x86\n", every)
        missing = set(every.split()) - set(default.split())
        self.assertEqual(missing, {"busybox-static", "kmod", "qemu-system-x86"})

    def test_a_group_that_is_none(self):
        code, out, err = self.deps("install", "lab", "labs")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("no group 'labs'; groups: build dpdk", err)


if __name__ == "__main__":
    unittest.main()
