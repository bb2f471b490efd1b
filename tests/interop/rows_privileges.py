"""What the process may do, by phase (docs/privileges.md), and what happens where it may do less."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess

from framework import BOTH, CLIENT, SERVER, Skipped, equal, require, row
from netlab.lab import PORT, wait_for
from netlab.programs import Process
from netlab.wires import Wire
from rows_life import number_in, scratch

NUMBERS = {"dac_override": 1, "fowner": 3, "net_bind_service": 10, "net_admin": 12, "net_raw": 13, "ipc_lock": 14, "bpf": 39}
ATTACHING = ("net_admin", "net_raw", "bpf")
UNLIMITED = ["prlimit", "--memlock=unlimited"]
# Who may not raise the limit of locked memory keeps the right to pass it.
CAN_RAISE = subprocess.run([*UNLIMITED, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
ATTACHING_HERE = ATTACHING if CAN_RAISE else (*ATTACHING, "ipc_lock")
UNDOING = ("net_admin", "dac_override", "fowner")
TWIN = ("net_admin",)
MEMIF = Wire("memif")
TWO_POLLERS = Wire("memif", pollers=2)
NOBODY = pwd.getpwnam("nobody")
AS_NOBODY = ["--user", "nobody"]
TEST = ["-t", 2, "-b", "5M", "-l", 500]
UNDER_WAY = r"0\.\d+-\d\.\d+ +sec"


def mask(names):
    return sum(1 << NUMBERS[name] for name in names)


def status_of(path):
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines)


class Threads:
    """What the kernel says of every thread of a process."""

    def __init__(self, process):
        self.all = {}
        for path in pathlib.Path(f"/proc/{process}/task").iterdir():
            try:
                self.all[int(path.name)] = status_of(path / "status")
            except OSError:  # it has just ended
                continue
        self.main = self.all[process]

    def masks(self, field="CapEff"):
        return {int(thread[field], 16) for thread in self.all.values()}

    def check_confined(self):
        for thread in self.all.values():
            name = thread["Name"].strip()
            equal(thread["CapEff"], thread["CapPrm"], f"effective and permitted of '{name}'")
            equal(int(thread["CapBnd"], 16) | int(thread["CapAmb"], 16) | int(thread["CapInh"], 16), 0, f"bounds of '{name}'")
            equal(thread["NoNewPrivs"].strip(), "1", f"no_new_privs of '{name}'")

    def check_user(self, entry):
        for thread in self.all.values():
            name = thread["Name"].strip()
            equal(set(thread["Uid"].split()), {str(entry.pw_uid)}, f"users of '{name}'")
            equal(set(thread["Gid"].split()), {str(entry.pw_gid)}, f"groups of '{name}'")
            equal(thread["Groups"].split(), [], f"supplementary groups of '{name}'")


def check_server(process, user=None):
    """Over AF_XDP: who answers clients may nothing, who attaches may attach."""
    threads = Threads(process)
    threads.check_confined()
    equal(int(threads.main["CapEff"], 16), 0, "capabilities of the main thread")
    equal(threads.masks() - {0}, {mask(ATTACHING_HERE)}, "capabilities of the others")
    threads.check_user(user or pwd.getpwuid(0))
    return threads


def check_nothing_left(process, user=None):
    threads = Threads(process)
    threads.check_confined()
    equal(threads.masks(), {0}, "capabilities of all threads")
    threads.check_user(user or pwd.getpwuid(0))
    return threads


def check_keeper(process):
    """It is the only child."""
    children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    equal(len(children), 1, "children")
    threads = Threads(int(children[0]))
    equal(threads.main["Name"].strip(), "dpdkperf-keeper", "name of the child")
    equal(threads.masks(), {mask(UNDOING)}, "capabilities of the keeper")
    threads.check_confined()


for _user in ([], AS_NOBODY):
    for _tcp in (False, True):
        row(
            " ".join([f"{SERVER}: privileges", *_user, *(["TCP"] if _tcp else [])]), ours_only=True, slow=_tcp == bool(_user), user=_user, tcp=_tcp
        )(lambda context, **settings: server_keeps(context, **settings))  # fmt: skip
        row(
            " ".join([f"{CLIENT}: privileges", *_user, *(["TCP"] if _tcp else [])]), ours_only=True, slow=_tcp != bool(_user), user=_user, tcp=_tcp
        )(lambda context, **settings: client_keeps(context, **settings))  # fmt: skip


def server_keeps(context, user, tcp):
    """Before, during and after a test."""
    entry = NOBODY if user else None
    with context.server(SERVER, *user) as serving:
        check_server(serving.pid, entry)
        with context.client(SERVER, *TEST, "-i", "0.2", "--forceflush", tcp=tcp) as running:
            running.wait_for_line(UNDER_WAY)
            few = len(check_server(serving.pid, entry).all)
            check_keeper(serving.pid)
            running.succeed()
        require(few > 3, f"only {few} threads: DPDK's are missing")
        check_server(serving.pid, entry)
        context.serves()
        equal(serving.terminate(), 0, f"exit code after SIGTERM\n{serving}")


def client_keeps(context, user, tcp):
    with context.server(CLIENT):
        with context.client(CLIENT, *TEST, "-i", "0.2", *user, tcp=tcp) as running:
            running.wait_for_line(UNDER_WAY)
            threads = check_nothing_left(running.pid, NOBODY if user else None)
            check_keeper(running.pid)
            require(len(threads.all) > 3, "DPDK's threads are missing")
            running.succeed()
            equal(running.err, "", "what it complains about")


@row(f"{SERVER}: --user attaches again when it has been idle", ours_only=True, slow=True)
def attaches_again(context):
    with context.server(SERVER, *AS_NOBODY) as serving:
        for _ in range(2):
            context.serves()
            wait_for(lambda: context.lab.xdp_program("b") is None, 15, "the interface is let go of")
        check_server(serving.pid, NOBODY)


@row(f"{BOTH}: --user over memif", wire=MEMIF)
@row(f"{BOTH}: --user over memif, two pollers", slow=True, wire=TWO_POLLERS)
def over_memif(context):
    """The end that connects must be able to reach the other's socket; it does so before."""
    with context.server(BOTH, *AS_NOBODY) as serving:
        check_nothing_left(serving.pid, NOBODY)
        with context.client(BOTH, *TEST, "-i", "0.2", *AS_NOBODY, "--gateway", "10.99.0.2") as running:
            running.wait_for_line(UNDER_WAY)
            for process in (running.pid, serving.pid):
                check_nothing_left(process, NOBODY)
                check_keeper(process)
            running.succeed()
        serving.terminate()


@row(f"{BOTH}: kill -9 after --user", ours_only=True)
@row(f"memif, {BOTH}: kill -9 after --user", wire=MEMIF)
def killed(context):
    """What is left behind fails the row."""
    with context.server(BOTH, *AS_NOBODY) as serving:
        with context.client(BOTH, *TEST, "-i", "0.2", *AS_NOBODY) as running:
            running.wait_for_line(UNDER_WAY)
            for process in (serving, running):
                process.signal(signal.SIGKILL)
                process.wait()


@row(f"{SERVER}: --user with files that it may not touch later", ours_only=True)
def files(context):
    for end in (signal.SIGTERM, signal.SIGKILL):
        with scratch() as folder:
            folder.chmod(0o700)
            log, pid = folder / "log", folder / "pid"
            with context.server(SERVER, *AS_NOBODY, "--logfile", log, "--pidfile", pid) as serving:
                equal(number_in(pid), serving.pid, "PID file")
                context.serves()
                serving.signal(end)
                serving.wait()
                wait_for(lambda: not pid.exists(), 3, "no PID file")
            require("Accepted connection" in log.read_text(encoding="utf-8"), "the log file is not written")


def set_of(names):
    return ",".join(["-all", *(f"+{name}" for name in names)])


def limited(memory):
    """How much memory may be locked, in bytes; without a number as much as this machine allows."""
    if memory:
        return ["prlimit", f"--memlock={memory}"]
    return UNLIMITED if CAN_RAISE else []


def in_a_container(names, memory=None):
    """Root with a few capabilities, as docker starts it with --cap-drop ALL --cap-add ..."""
    return [*limited(memory), "setpriv", f"--bounding-set={set_of(names)}", f"--inh-caps={set_of(())}"]


def as_a_service(names, memory=None):
    """Another user with a few capabilities, as systemd starts it with User= and AmbientCapabilities=."""
    few = set_of(names)
    who = [f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"]
    return [*limited(memory), "setpriv", *who, f"--bounding-set={few}", f"--inh-caps={few}", f"--ambient-caps={few}"]


def check_set(context, wrapper, names, memory=None):
    """A test passes with exactly this set; without any of it, the error names what lacks."""
    with context.server(BOTH, "-1") as serving:
        with context.client(BOTH, *TEST, wrapper=wrapper(names, memory)) as running:
            running.succeed()
        serving.wait()
    with context.server(BOTH, "-1", wrapper=wrapper(names, memory)) as serving:
        with context.client(BOTH, *TEST) as running:
            running.succeed()
        serving.succeed()
    for lacking in names:
        few = [name for name in names if name != lacking]
        with context.client(BOTH, *TEST, wrapper=wrapper(few, memory)) as running:
            equal(running.wait(5), 1, f"exit code without {lacking}")
            require(f"lacks CAP_{lacking.upper()} (" in running.err, str(running))
            equal(len(running.err.splitlines()), 1, f"lines of its error\n{running}")


for _start in (in_a_container, as_a_service):
    _who = _start.__name__.replace("_", " ")
    row(f"{BOTH}: {_who}, exactly these capabilities", ours_only=True, wrapper=_start, names=ATTACHING_HERE)(check_set)
    row(
        f"{BOTH}: {_who}, CAP_IPC_LOCK where little memory may be locked", ours_only=True, slow=True,
        wrapper=_start, names=(*ATTACHING, "ipc_lock"), memory="65536",
    )(check_set)  # fmt: skip
row(f"memif, {BOTH}: in a container, exactly these capabilities", wire=MEMIF, wrapper=in_a_container, names=TWIN)(check_set)


@row(f"{CLIENT}: capabilities of the file", ours_only=True)
def of_the_file(context):
    """A user without any, and a program that has them."""
    with scratch() as folder:
        folder.chmod(0o755)
        program = folder / "dpdkperf"
        shutil.copy(context.our, program)
        names = ",".join(f"cap_{name}" for name in ATTACHING_HERE)
        subprocess.run(["setcap", f"{names}=ep", program], check=True)
        user = [*limited(None), "setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"]
        with context.server(CLIENT):
            words = [program, "-c", context.lab.address("b"), "-p", PORT, "-u", *TEST, "-i", "0.2"]
            with Process(context.lab, "a", words, wrapper=user) as running:
                running.wait_for_line(UNDER_WAY)
                threads = Threads(running.pid)
                equal(threads.masks(), {0}, "capabilities")
                threads.check_user(NOBODY)
                running.succeed()


@row(f"{CLIENT}: a user without privileges", ours_only=True)
def without(context):
    with context.client(CLIENT, *TEST, wrapper=as_a_service(())) as running:
        equal(running.wait(5), 1, "exit code")
        require("needs CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF; this process lacks CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF" in running.err, str(running))


@row(f"{CLIENT}: a user namespace", ours_only=True)
def user_namespace(context):
    tried = subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:  # as in a chroot, user_namespaces(7)
        raise Skipped(tried.stderr.strip())
    with context.client(CLIENT, *TEST, wrapper=["unshare", "--user", "--map-root-user"]) as running:
        equal(running.wait(5), 1, "exit code")
        require("a user namespace gives no right to" in running.err, str(running))


@row(f"{CLIENT}: --user that is wrong", ours_only=True)
def wrong_user(context):
    for words, said in (
        (["--user", "no-such-user"], "--user: there is no user 'no-such-user'"),
        (AS_NOBODY, "--user needs CAP_SETGID, CAP_SETUID; this process lacks CAP_SETGID, CAP_SETUID"),
    ):
        with context.client(CLIENT, *words, *TEST, wrapper=in_a_container(ATTACHING_HERE)) as running:
            equal(running.wait(5), 1, "exit code")
            require(said in running.err, str(running))
