"""tests/stages.py, interrupted, ends what it has started."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TESTS = pathlib.Path(__file__).parents[1]

# Stages that take long, in the process itself and beside it.
PROGRAM = f"""
import os, pathlib, sys, time
sys.path.insert(0, {str(TESTS)!r})
import stages
if len(sys.argv) > 1:
    mark = pathlib.Path(__file__).with_name("beside")
    mark.with_suffix(".new").write_text(str(os.getpid()))
    mark.with_suffix(".new").rename(mark)
    time.sleep(60)
    sys.exit()  # nobody has ended it, and the real stages are not its to run
stages.__file__ = __file__  # what it starts beside itself
stages.stages = lambda *_: ({{"long": lambda _: time.sleep(60)}}, {{}})
stages.main()
"""


def alive(pid):
    """A zombie is not."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return text.rsplit(")", 1)[1].split()[0] != "Z"


def hears_interrupts():
    """What a shell starts in the background ignores SIGINT, and so would Python."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Interrupted(unittest.TestCase):
    def wait_for(self, condition, what):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)

    def test_what_runs_beside_ends_too(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.subTest(number), tempfile.TemporaryDirectory() as folder:
                script, mark = pathlib.Path(folder) / "stages", pathlib.Path(folder) / "beside"
                script.write_text(PROGRAM, encoding="utf-8")
                running = subprocess.Popen(
                    [sys.executable, script], cwd=folder, preexec_fn=hears_interrupts,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                self.addCleanup(running.wait)
                self.addCleanup(running.kill)
                self.wait_for(mark.exists, "a process beside")
                beside = int(mark.read_text(encoding="utf-8"))
                self.assertTrue(alive(beside))
                running.send_signal(number)
                self.assertNotEqual(running.wait(20), 0)
                try:
                    self.wait_for(lambda: not alive(beside), "its end")
                finally:
                    if alive(beside):
                        os.kill(beside, signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
