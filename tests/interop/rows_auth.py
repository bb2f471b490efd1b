"""Authentication against a live iperf3; before 3.17 it encrypts with PKCS#1 v1.5 only."""

import base64
import contextlib
import hashlib
import os
import pathlib
import subprocess
import tempfile
import time

from framework import BOTH, CLIENT, SERVER, between, equal, require, row
from netlab import control

USER, PASSWORD = "mario", "rossi"
DENIED = "test authorization failed"
QUICK = ("-t", 1, "-b", "1M", "-l", 500)


def hashed(user, password):
    return hashlib.sha256(f"{{{user}}}{password}".encode()).hexdigest()


@contextlib.contextmanager
def key_folder():
    """Two pairs of RSA keys as iperf3(1) makes them, and a file of one user."""
    with tempfile.TemporaryDirectory(prefix="dpdkperf-keys-") as name:
        folder = pathlib.Path(name)
        for pair in ("", "other-"):
            private, public = folder / f"{pair}private.pem", folder / f"{pair}public.pem"
            for command in (
                ["openssl", "genrsa", "-out", private, "2048"],
                ["openssl", "rsa", "-in", private, "-pubout", "-out", public],
            ):
                subprocess.run(command, check=True, capture_output=True)
        (folder / "users").write_text(f"# who\n{USER},{hashed(USER, PASSWORD)}\n", encoding="ascii")
        yield folder


def padding(context, program):
    """Ours is asked to encrypt as iperf3 before 3.17 does; both ends of ours have their own way."""
    old = context.peer.release < (3, 17)
    return ["--use-pkcs1-padding"] if program == context.our and not context.stock and old else []


def guarded(context, role, folder, *arguments, pkcs1=True):
    program = context.programs(role)[1]
    extra = padding(context, program) if pkcs1 and role != BOTH else []
    keys = ("--rsa-private-key-path", folder / "private.pem", "--authorized-users-path", folder / "users")
    return context.server(role, *keys, *extra, *arguments)


@contextlib.contextmanager
def asking(context, role, folder, *arguments, user=USER, password=PASSWORD, key="public.pem", pkcs1=True):
    program = context.programs(role)[0]
    extra = padding(context, program) if pkcs1 and role != BOTH else []
    os.environ["IPERF3_PASSWORD"] = password
    try:
        who = ("--username", user, "--rsa-public-key-path", folder / key)
        with context.client(role, *who, *extra, *arguments, *QUICK) as running:
            yield running
    finally:
        del os.environ["IPERF3_PASSWORD"]


def refused(client, why=DENIED):
    equal(client.wait(5), 1, f"exit code\n{client}")
    require(why in client.err, f"not told\n{client}")


@row(f"{BOTH}: authentication, OAEP", role=BOTH)
@row(f"{SERVER}: authentication with PKCS#1 padding", role=SERVER)
@row(f"{CLIENT}: authentication with PKCS#1 padding", role=CLIENT)
def accepted(context, role):
    with key_folder() as folder, guarded(context, role, folder) as serving:
        with asking(context, role, folder, "-J") as running:
            require(running.wait(8) == 0, f"exit code {running.code}\n{running}\n{serving}")
            between(running.json["end"]["sum"]["packets"], 200, 300, "datagrams")


WRONG = {
    "another password": {"password": "verdi"},
    "an unknown user": {"user": "luigi"},
    "another key": {"key": "other-public.pem"},
}


def wrong(context, role, settings):
    silent = role == CLIENT and context.peer.release >= (3, 21)  # such a server just closes
    with key_folder() as folder, guarded(context, role, folder) as serving:
        with asking(context, role, folder, **settings) as running:
            refused(running, "control socket has closed unexpectedly" if silent else DENIED)
        with asking(context, role, folder) as running:
            require(running.wait(8) == 0, f"the next client\n{running}\n{serving}")


for _name, _settings in WRONG.items():
    for _role in (BOTH, SERVER, CLIENT):
        row(f"{_role}: authentication, {_name}", slow=_name != "another password", role=_role, settings=_settings)(wrong)


@row(f"{SERVER}: authentication, a client that says nothing", role=SERVER)
@row(f"{CLIENT}: authentication, saying nothing", role=CLIENT)
def nothing_said(context, role):
    with key_folder() as folder, guarded(context, role, folder):
        with context.client(role, *QUICK) as running:
            refused(running)


@row(f"{SERVER}: authentication, OAEP is asked for and PKCS#1 comes", ours_only=True, role=SERVER)
@row(f"{CLIENT}: authentication, PKCS#1 is asked for and OAEP comes", ours_only=True, role=CLIENT)
def other_padding(context, role):
    with key_folder() as folder, guarded(context, role, folder, pkcs1=False):
        with asking(context, role, folder, pkcs1=False) as running:
            refused(running)


@row(f"{SERVER}: authentication, every refusal takes its time", ours_only=True)
def same_time(context):
    """Half a second, whatever is wrong; and a file of users that changes is read anew."""
    with key_folder() as folder, guarded(context, SERVER, folder, "--forceflush"):
        (folder / "users").write_text(f"luigi,{hashed('luigi', 'verdi')}\n", encoding="ascii")
        for settings in ({}, *WRONG.values()):
            started = time.monotonic()
            with asking(context, SERVER, folder, **settings) as running:
                refused(running)
            between(time.monotonic() - started, 0.5, 1.2, f"seconds with {settings}")
        with asking(context, SERVER, folder, user="luigi", password="verdi") as running:
            running.succeed()


def token(folder, seconds_ago, padding="oaep"):
    """What a client from 3.17 on sends, as openssl(1) makes it; before, padding was pkcs1."""
    text = f"user: {USER}\npwd:  {PASSWORD}\nts:   {int(time.time()) - seconds_ago}"
    command = ["openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", folder / "public.pem"]
    mode = ["-pkeyopt", f"rsa_padding_mode:{padding}"]
    done = subprocess.run([*command, *mode], input=text.encode(), capture_output=True, check=True)
    return base64.b64encode(done.stdout).decode()


TOKENS = {
    "is empty": "",
    "is no base64": "!" * 344,
    "has a length that base64 has not": "A" * 343,  # CVE-2025-54350
    "is as long as the key and means nothing": base64.b64encode(b"\x5a" * 256).decode(),  # CVE-2025-54349
    "is longer than the key": base64.b64encode(bytes(4096)).decode(),
    "is a number": 5,
}


@row(f"{SERVER}: tokens that are none", ours_only=True, pkcs1=False)
@row(f"{SERVER}: tokens that are none, PKCS#1", ours_only=True, slow=True, pkcs1=True)
def no_token(context, pkcs1):
    with key_folder() as folder, guarded(context, SERVER, folder, pkcs1=pkcs1):
        for what, text in TOKENS.items():
            with control.connect(context.lab, "a") as link:
                link.send(control.COOKIE)
                link.expect(control.PARAM_EXCHANGE)
                link.message({**control.PARAMETERS, "authtoken": text})
                answer = link.end()
                require(answer in (control.server_error(142), control.server_error(114)), f"{what}: {answer}")
        with control.connect(context.lab, "a") as link:
            link.send(control.COOKIE)
            link.expect(control.PARAM_EXCHANGE)
            link.message({**control.PARAMETERS, "authtoken": token(folder, 0, "pkcs1" if pkcs1 else "oaep")})
            link.expect(control.CREATE_STREAMS)


@row(f"{SERVER}: --time-skew-threshold", ours_only=True, threshold=30, served=True)
@row(f"{SERVER}: a token that is too old", ours_only=True, threshold=10, served=False)
def token_of_openssl(context, threshold, served):
    with key_folder() as folder:
        with guarded(context, SERVER, folder, "--time-skew-threshold", threshold, pkcs1=False):
            for age in (0, 20):
                with control.connect(context.lab, "a") as link:
                    link.send(control.COOKIE)
                    link.expect(control.PARAM_EXCHANGE)
                    link.message({**control.PARAMETERS, "authtoken": token(folder, age)})
                    if age == 0 or served:
                        link.expect(control.CREATE_STREAMS)
                        link.state(control.IPERF_DONE)
                    else:
                        equal(link.end(), control.server_error(142), "answer")
