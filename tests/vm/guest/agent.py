"""Runs commands for the host: a line of JSON asks, a line of JSON answers, on a serial port.

{"do": "start", "command": [...]}            -> {"id": N}
{"do": "look", "id": N, "wait": SECONDS}     -> {"code": null or N, "out": TEXT, "err": TEXT}
{"do": "signal", "id": N, "number": N}       -> {}
"""

import json
import os
import subprocess
import sys
import tempfile
import tty


class Running:
    """A command, and the files that it writes to."""

    def __init__(self, command):
        self.files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
        self.last = None
        out, err = self.files
        self.child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )

    def look(self, seconds):
        if self.last:
            return self.last
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        code = self.child.poll()
        out, err = (os.pread(file.fileno(), 1 << 22, 0).decode(errors="replace") for file in self.files)
        found = {"code": code, "pid": self.child.pid, "out": out, "err": err}
        if code is not None:
            self.last = found
            for file in self.files:
                file.close()
        return found


def answer(request, running):
    if request["do"] == "start":
        number = len(running)
        running[number] = Running(request["command"])
        return {"id": number}
    chosen = running[request["id"]]
    if request["do"] == "look":
        return chosen.look(request["wait"])
    os.kill(chosen.child.pid, request["number"])
    return {}


def main():
    descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    running = {}
    with open(descriptor, "rb", closefd=False) as requests, open(descriptor, "wb", closefd=False) as out:
        out.write(b"\nREADY\n")
        out.flush()
        for line in requests:
            try:
                reply = answer(json.loads(line), running)
            except Exception as error:  # the host decides what that means
                reply = {"error": repr(error)}
            out.write(json.dumps(reply).encode() + b"\n")
            out.flush()


main()
