"""Files that are sent and written (-F): what arrives is what they hold."""

import contextlib
import hashlib
import pathlib
import random
import subprocess
import tempfile

from framework import BOTH, CLIENT, SERVER, between, equal, require, row
from netlab.wires import Wire

SIZE = 1_000_003  # no multiple of a block, a segment or two bytes
# A stock sender's last bytes leave before it says that the test is over, a stock receiver reads them in time.
PACED = ("-b", "60M")
# iperf3 3.12 reads over what a full socket has left of a block (src/iperf_api.c, diskfile_send): what a stock client
# sends whole has to fit its socket.
FITS = 300_007
STOCK_SENDS = ("-w", "400K", *PACED)


class Files:
    """A folder with a file of random bytes, and a place for what arrives."""

    def __init__(self, size=SIZE):
        self.size = size

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self.bytes = random.Random(1).randbytes(self.size)
        self.sent, self.got = self.folder / "sent", self.folder / "got"
        self.sent.write_bytes(self.bytes)
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def arrived(self, size=None):
        """All that was sent, or so much of it, has arrived."""
        content = self.bytes[:size]
        got = self.got.read_bytes()
        equal(len(got), len(content), "bytes in the file")
        equal(hashlib.sha256(got).hexdigest(), hashlib.sha256(content).hexdigest(), "SHA-256")


def diskfile(document, **want):
    equal(document["end"]["streams"][0]["diskfile"], want, "diskfile")


def one_test(context, role, files, server=(), client=(), **settings):
    """A test with the files; (client's, server's) documents."""
    with context.server(role, "-1", "-J", *server) as serving:
        with context.client(role, "-C", "cubic", "-J", *client, tcp=True, **settings) as running:
            running.succeed(20)
            serving.succeed()
            return running.json, serving.json


@row(f"{CLIENT}: -F", flags=[], content=SIZE)
@row(f"{CLIENT}: -F, odd segments, IPv6", slow=True, flags=["-M", 999], ipv6=True, content=SIZE)
@row(f"{CLIENT}: -F, its end is the test's", slow=True, flags=["-t", 30], content=SIZE)
@row(f"{CLIENT}: -F, its end in the omitted part", slow=True, flags=["-t", 30, "-O", 20], content=SIZE)
@row(f"{CLIENT}: -F, -n is less", slow=True, flags=["-n", "384K"], content=384 * 1024)
@row(f"{CLIENT}: -F, -n is more", slow=True, flags=["-n", "100M"], content=SIZE)
def send(context, flags, content, ipv6=False):
    with Files() as files:
        client, _ = one_test(
            context, CLIENT, files, ("-F", files.got), ("-F", files.sent, *PACED, *flags), ipv6=ipv6
        )
        files.arrived(content)
        equal(client["end"]["sum_sent"]["bytes"], content, "bytes sent")
        part = 100 * content // SIZE
        told = client["end"]["streams"][0]["diskfile"]["received"]
        diskfile(client, sent=content, received=told, size=SIZE, percent_sent=part,
                 percent_received=100 * told // SIZE, filename=str(files.sent))  # fmt: skip


@row(f"{SERVER}: -F, written", flags=[])
@row(f"{SERVER}: -F, written, odd segments, IPv6", slow=True, flags=["-M", 999], ipv6=True)
def keep(context, flags, ipv6=False):
    with Files(FITS) as files:
        _, server = one_test(
            context, SERVER, files, ("-F", files.got), ("-F", files.sent, *STOCK_SENDS, *flags), ipv6=ipv6
        )
        files.arrived()
        diskfile(server, sent=0, received=FITS, size=FITS, percent_sent=0, percent_received=100,
                 filename=str(files.got))  # fmt: skip


@row(f"{CLIENT}: -F -R, written")
def fetch(context):
    with Files(FITS) as files:
        # Of stock iperf3, the server's end of file ends nothing.
        client, _ = one_test(context, CLIENT, files, ("-F", files.sent), ("-R", "-F", files.got, "-t", 1, *STOCK_SENDS))
        files.arrived()
        diskfile(client, sent=FITS, received=FITS, size=FITS, percent_sent=100, percent_received=100,
                 filename=str(files.got))  # fmt: skip


@row(f"{SERVER}: -F -R, sent", slow=True)
def serve(context):
    with Files() as files, context.server(SERVER, "-1", "-F", files.sent) as serving:
        with context.client(SERVER, "-C", "cubic", "-R", "-t", 1, "-F", files.got, tcp=True) as running:
            running.succeed(15)
            serving.succeed()
        files.arrived()
        require(f" (100%) of {files.sent}" in serving.out, str(serving))


@row(f"{CLIENT}: -F in text", slow=True, role=CLIENT)
@row(f"{SERVER}: -F in text", slow=True, role=SERVER)
def text(context, role):
    with Files(FITS) as files, context.server(role, "-1", "-F", files.got) as serving:
        with context.client(role, "-C", "cubic", "-F", files.sent, *STOCK_SENDS, tcp=True) as running:
            running.succeed(15)
            serving.succeed()
            line = "        Sent  293 KByte /  293 KByte (100%) of "
            require(f"{line}{files.sent}\n" in running.out, str(running))
            require(f"{line}{files.got}\n" in serving.out, str(serving))


@row(f"{BOTH}: -F, faster than the disk", slow=True, size=40_000_003, flags=[])
@row(f"{BOTH}: -F, on a bad link", slow=True, size=5_000_003, flags=["--impair", "loss=2%,reorder=2%/500us,dup=1%"])
@row(f"memif, {BOTH}: -F", slow=True, size=80_000_003, flags=[], wire=Wire("memif"))
@row(f"vhost, TSO, {BOTH}: -F", slow=True, size=40_000_003, flags=[], wire=Wire("vhost", tso=True))
def all_of_it(context, size, flags):
    """What a sender of ours knows to be acknowledged is in the file of a receiver of ours."""
    with Files(size) as files:
        client, server = one_test(context, BOTH, files, ("-F", files.got), ("-F", files.sent, *flags))
        files.arrived()
        equal(client["end"]["sum_sent"]["bytes"], size, "bytes sent")
        equal(server["end"]["sum_received"]["bytes"], size, "bytes received")
        diskfile(client, sent=size, received=size, size=size, percent_sent=100, percent_received=100,
                 filename=str(files.sent))  # fmt: skip


@row(f"{SERVER}: -F -P 2", slow=True)
def parallel(context):
    """Two streams share the length of the file, block by block, and each sends from its beginning and writes there."""
    with Files(FITS) as files:
        _, server = one_test(
            context, SERVER, files, ("-F", files.got), ("-F", files.sent, "-P", 2, *STOCK_SENDS)
        )
        got = files.got.read_bytes()
        equal(got == files.bytes[: len(got)], True, "the file is the beginning of what was sent")
        between(len(got), FITS * 0.4, FITS - 1, "bytes in the file")
        equal(len(server["end"]["streams"]), 2, "streams")


@contextlib.contextmanager
def small_disk(folder, kilobytes):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@row(f"{CLIENT}: -F -R, the disk is full", ours_only=True)
def full_client(context):
    with tempfile.TemporaryDirectory() as folder, small_disk(folder, 1024), context.server(CLIENT):
        with context.client(CLIENT, "-R", "-t", 20, "-b", "100M", "-F", f"{folder}/got", tcp=True) as running:
            equal(running.wait(10), 1, "exit code")
            require(f"No space left on device: writing {folder}/got" in running.err, str(running))


@row(f"{SERVER}: -F, the disk is full", slow=True, ours_only=True)
def full_server(context):
    with tempfile.TemporaryDirectory() as folder, small_disk(folder, 1024):
        with context.server(SERVER, "-F", f"{folder}/got") as serving:
            with context.client(SERVER, "-t", 20, "-b", "100M", tcp=True) as running:
                running.wait(10)
                require("No space left on device" in running.err, str(running))
                require(f"No space left on device: writing {folder}/got" in serving.err, str(serving))
                require(serving.running, "the server has ended")


NO_FILES = {
    "no file": ("/nonexistent", "No such file or directory"),
    "a folder": ("/tmp", "Is a directory"),
    "an empty file": ("/dev/null", "there is nothing in it"),
    "what never ends": ("/dev/zero", "has too many bytes"),
}


@row(f"{CLIENT}: -F names what can't be sent", slow=True, ours_only=True)
def no_file(context):
    for name, why in NO_FILES.values():
        with context.client(CLIENT, "-F", name, tcp=True) as running:
            equal(running.wait(60), 1, "exit code")
            require(f"unable to open -F file: {name}: {why}" in running.err, str(running))


@row(f"{CLIENT}: -F -R names what can't be written", slow=True, ours_only=True)
def no_place(context):
    with context.server(CLIENT), context.client(CLIENT, "-R", "-F", "/nonexistent/f", tcp=True) as running:
        equal(running.wait(10), 1, "exit code")
        require("unable to open -F file: /nonexistent/f: No such file or directory" in running.err, str(running))


@row(f"{BOTH}: -F and UDP or --bidir", slow=True, ours_only=True)
def refused(context):
    with Files() as files, context.server(BOTH, "-F", files.sent):
        for flags, why in ((["-u"], "using UDP"), (["--bidir"], "it would be overwritten while it is sent")):
            with context.client(BOTH, *flags, "-F", files.sent, tcp=True) as running:
                equal(running.wait(10), 1, "exit code")
                require(why in running.err, str(running))
        with context.client(BOTH, "-u", tcp=True) as running:
            equal(running.wait(10), 1, "exit code")
            require("cannot transfer file using UDP" in running.err, str(running))
        with context.client(BOTH, "--bidir", tcp=True) as running:
            equal(running.wait(10), 1, "exit code")
            require("unable to open -F file" in running.err, str(running))
        equal(files.sent.read_bytes() == files.bytes, True, "the file is as it was")
