"""Runs a command and kills it (SIGKILL) at once when a file contains a text.

kill_when.py FILE TEXT COMMAND...      exit code 0 if it was killed, 1 if it ended before
"""

import subprocess
import sys


def contains(path, text):
    try:
        with open(path, encoding="utf-8") as file:
            return text in file.read()
    except OSError:
        return False


def main():
    path, text, *command = sys.argv[1:]
    child = subprocess.Popen(command)
    while child.poll() is None:
        if contains(path, text):
            child.kill()
            child.wait()
            return 0
    return 1


sys.exit(main())
