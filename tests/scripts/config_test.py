"""The ready-made files of config/ are what systemd and sysctl understand."""

import configparser
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
UNIT = ROOT / "config" / "dpdkperf.service"
SYSCTL = ROOT / "config" / "90-dpdkperf.conf"
PROGRAM = "/usr/local/bin/dpdkperf"


class Service(unittest.TestCase):
    def verified(self, text):
        """What systemd has to say about a unit; it wants its program to exist."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / UNIT.name
            path.write_text(text.replace(PROGRAM, shutil.which("true")), encoding="utf-8")
            command = ["systemd-analyze", "verify", "--man=no", path]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            return done.returncode, [line for line in done.stderr.splitlines() if UNIT.name in line]

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_systemd_has_nothing_to_complain_about(self):
        text = UNIT.read_text(encoding="utf-8")
        self.assertEqual(self.verified(text), (0, []))
        self.assertTrue(self.verified(text.replace("KillMode=", "KillMood="))[1])

    def test_it_starts_what_is_installed_and_leaves_the_keeper_alone(self):
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str
        unit.read(UNIT)
        self.assertEqual(unit["Service"]["ExecStart"], f"{PROGRAM} -s $OPTIONS")
        self.assertEqual(unit["Service"]["KillMode"], "process")
        self.assertNotIn("Type", unit["Service"])  # it stays in the foreground


class Sysctl(unittest.TestCase):
    def settings(self):
        lines = SYSCTL.read_text(encoding="utf-8").splitlines()
        return dict(re.split(r"\s*=\s*", line) for line in lines if line and not line.startswith("#"))

    def test_the_kernel_knows_every_key(self):
        for key, value in self.settings().items():
            with self.subTest(key):
                # A network namespace of its own does not show all of net.core.
                path = pathlib.Path("/proc/sys") / key.replace(".", "/")
                self.assertTrue(path.exists() or key.startswith("net."), path)
                self.assertGreater(int(value), 0)

    @unittest.skipUnless(shutil.which("sysctl"), "no sysctl")
    def test_sysctl_takes_it(self):
        command = ["sysctl", "--dry-run", "--load", SYSCTL]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for key, value in self.settings().items():
            self.assertIn(f"{key} = {value}", done.stdout)

    def test_there_are_as_many_pages_as_a_test_wants(self):
        source = (ROOT / "src" / "app" / "eal_choice.cpp").read_text(encoding="utf-8")
        wanted = int(re.search(r"kHugeMemoryMb = (\d+);", source)[1])
        self.assertGreaterEqual(int(self.settings()["vm.nr_hugepages"]) * 2, 2 * wanted)


class Documents(unittest.TestCase):
    def test_every_file_is_in_the_readme(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        for path in (ROOT / "config").iterdir():
            self.assertIn(f"(config/{path.name})", text)


if __name__ == "__main__":
    unittest.main()
