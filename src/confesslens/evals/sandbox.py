"""Run untrusted Python in a sandbox made with bubblewrap, and bring back what its functions return.

The code sees no network, no home, no environment, no /proc, a system that it can only read, and a small /tmp of its
own; it lives in fresh user, pid, ipc, uts, network and cgroup namespaces as nobody, cannot start processes or threads
(a seccomp filter), and dies with us. CPU time, wall time, memory, file size and open files are limited, and of its
output only the first OUTPUT_BYTES are kept; the rest is read and thrown away, so that no pipe ever fills up.

What a function should return never enters the sandbox: the values it does return come back as JSON in a frame that
starts and ends with a random nonce, on a pipe of its own, and are compared outside. Code that finds the nonce and
forges a frame can only claim other values, so it gains nothing over returning them.

Only JSON values cross: None, bool, int, float, str, and lists and dicts of them. Nothing but the standard library can
be imported. A limit that strikes is told apart from a wrong value (`Finished.ended`): what depends on the speed of the
machine must not decide a grade.
"""

import json
import math
import os
import platform
import secrets
import selectors
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

OUTPUT_BYTES = 16_384
RESULT_BYTES = 262_144
FILE_BYTES = 1_048_576
TMP_BYTES = 8_388_608

ENDED = ("finished", "limit", "crashed", "no_sandbox")


@dataclass(frozen=True)
class Call:
    """What one call brought: a JSON value, or the name of the exception that it ended with ("" when it returned)."""

    value: Any
    error: str = ""


@dataclass(frozen=True)
class Finished:
    """What became of a run.

    `ended` is one of ENDED: "finished" (there is one Call for each input), "limit" (of CPU or wall time), "crashed"
    (it ended without a result that can be read) or "no_sandbox" (nothing was run). `why` explains all but the first.
    `output` is the start of what the code printed to stdout and stderr.
    """

    ended: str
    calls: tuple[Call, ...] = ()
    output: str = ""
    why: str = ""


def sandbox_available() -> bool:
    """Whether untrusted code can be run here; `why_no_sandbox` says why not."""
    return not why_no_sandbox()


def why_no_sandbox() -> str:
    """Why untrusted code cannot be run here, in one line; "" when it can. Tried out once, by a run of `1 + 2`."""
    bwrap = find_bwrap()
    return _try_out(bwrap) if bwrap else "bubblewrap (bwrap) is not installed"


def find_bwrap() -> str:
    """The path of bubblewrap, or "" where it is not installed."""
    return shutil.which("bwrap") or ""


@lru_cache
def _try_out(bwrap: str) -> str:
    if platform.machine() not in _ARCHITECTURES:
        return f"no filter of system calls for {platform.machine()}"
    if _shares_too_much():
        return f"Python is installed in {sys.base_prefix}, which cannot be shown to untrusted code"
    try:
        tried = _run(bwrap, "def add(a, b):\n    return a + b\n", "add", [[1, 2]], 10, 256)
    except OSError as error:
        return f"bubblewrap does not start: {error}"
    if tried.calls == (Call(3),):
        return ""
    return f"bubblewrap does not work here: {' '.join((tried.output or tried.why).split())[:200]}"


def run_python(
    source: str, *, function: str, inputs: Sequence[Sequence[Any]], seconds: float = 2, megabytes: int = 256
) -> Finished:
    """Run `source` in the sandbox, and call the function that it defines once for each list of arguments.

    Args:
        source: the text of a module.
        function: the name of the function.
        inputs: the arguments of each call, JSON-able.
        seconds: of CPU time for all calls together, counted in whole seconds, rounded up; wall time may be three times
            that, so that a busy machine is no reason to stop.
        megabytes: of address space.
    """
    why = why_no_sandbox()
    if why:
        return Finished("no_sandbox", why=why)
    return _run(find_bwrap(), source, function, inputs, seconds, megabytes)


# Runs inside. It keeps its own references to what it uses later: the code may replace whatever it can reach.
_INSIDE = r"""
import json, os, resource, sys
job = json.load(sys.stdin)
for name, value in job["limits"]:
    resource.setrlimit(getattr(resource, name), (value, value + (name == "RLIMIT_CPU")))
frame = os.dup(1)
os.dup2(2, 1)
null = os.open("/dev/null", os.O_RDONLY)
os.dup2(null, 0)
os.close(null)

def plain(value, deep=0):
    if value is None or type(value) in (bool, int, float, str):
        return value
    if deep < 50 and type(value) is list:
        return [plain(part, deep + 1) for part in value]
    if deep < 50 and type(value) is dict and all(type(key) is str for key in value):
        return {key: plain(part, deep + 1) for key, part in value.items()}
    raise TypeError

def work(job, loads=json.loads, dumps=json.dumps, plain=plain, name_of=lambda e: type(e).__name__):
    module = {"__name__": "solution"}
    try:
        exec(compile(job["source"], "solution.py", "exec"), module)
        called = module[job["function"]]
    except BaseException as error:
        return dumps([["", name_of(error)]] * len(job["inputs"]))
    results = []
    for arguments in job["inputs"]:
        try:
            value = called(*loads(arguments))
        except BaseException as error:
            results.append(["", name_of(error)])
            continue
        try:
            results.append([dumps(plain(value)), ""])
        except BaseException:
            results.append(["", "NotJson"])
    return dumps(results)

def main(job, frame, write=os.write, leave=os._exit, work=work):
    data = (job["nonce"] + work(job) + job["nonce"]).encode()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        pass
    while data:
        data = data[write(frame, data):]
    leave(0)

main(job, frame)
"""


def _run(
    bwrap: str, source: str, function: str, inputs: Sequence[Sequence[Any]], seconds: float, megabytes: int
) -> Finished:
    nonce = secrets.token_hex(16)
    job = {
        "nonce": nonce,
        "source": source,
        "function": function,
        "inputs": [json.dumps(list(arguments)) for arguments in inputs],
        "limits": [
            ("RLIMIT_CPU", math.ceil(seconds)),
            ("RLIMIT_AS", megabytes * 2**20),
            ("RLIMIT_FSIZE", FILE_BYTES),
            ("RLIMIT_NOFILE", 32),
            ("RLIMIT_NPROC", 1),
            ("RLIMIT_CORE", 0),
        ],
    }
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as rules:
        told.write(json.dumps(job).encode())
        rules.write(_seccomp_filter(platform.machine()))
        for file in (told, rules):
            file.seek(0)
        process = subprocess.Popen(
            [bwrap, *_options(rules.fileno()), "--", _python(), "-S", "-s", "-P", "-B", "-X", "utf8", "-c", _INSIDE],
            stdin=told,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[rules.fileno()],
            env={},
            cwd="/",
        )
        with process:
            assert process.stdout and process.stderr
            deadline = time.monotonic() + 3 * seconds
            in_time = False
            try:
                result, output = _drain([(process.stdout, RESULT_BYTES), (process.stderr, OUTPUT_BYTES)], deadline)
                process.wait(max(0.0, deadline - time.monotonic()))  # it may have closed its pipes and run on
                in_time = True
            except subprocess.TimeoutExpired:
                pass
            finally:
                process.kill()  # everything inside dies with it
    text = output[:OUTPUT_BYTES].decode(errors="replace")
    calls = _read_frame(result, nonce, len(inputs))
    if calls is not None:
        return Finished("finished", calls, text)
    if not in_time or process.returncode in (128 + 24, 128 + 9):  # SIGXCPU, and SIGKILL when that is ignored
        return Finished("limit", (), text, f"stopped at a limit of {seconds:g} s")
    return Finished("crashed", (), text, f"ended without a readable result (exit status {process.returncode})")


def _drain(pipes: list[tuple[IO[bytes], int]], deadline: float) -> list[bytes]:
    """Read all pipes to their ends or until the deadline; keep the first bytes of each, one more than its cap."""
    kept = {pipe: bytearray() for pipe, _ in pipes}
    with selectors.DefaultSelector() as selector:
        for pipe, cap in pipes:
            selector.register(pipe, selectors.EVENT_READ, cap)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                break
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 65_536)
                if chunk:
                    room = key.data + 1 - len(kept[key.fileobj])  # type: ignore[index]
                    kept[key.fileobj] += chunk[: max(0, room)]  # type: ignore[index]
                else:
                    selector.unregister(key.fileobj)
    return [bytes(part) for part in kept.values()]


def _read_frame(data: bytes, nonce: str, number: int) -> tuple[Call, ...] | None:
    """The calls in a frame that is whole and alone; None for anything else."""
    mark = nonce.encode()
    body = data[len(mark) : -len(mark)]
    if len(data) > RESULT_BYTES or data != mark + body + mark or mark in body:
        return None
    try:
        pairs = json.loads(body)
        calls = tuple(Call(json.loads(value) if value else None, str(error)) for value, error in pairs)
    except (ValueError, TypeError, RecursionError):
        return None
    return calls if len(calls) == number else None


def _python() -> str:
    """The interpreter itself, not the link to it in a virtual environment."""
    return os.path.realpath(sys.executable)


def _shares_too_much() -> bool:
    """Whether the folder of the interpreter holds the home as well, or everything."""
    shown = Path(sys.base_prefix).resolve()
    return Path(os.path.expanduser("~")).resolve().is_relative_to(shown) or shown == Path("/")


def _options(rules: int) -> list[str]:
    options = ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    options += ["--die-with-parent", "--new-session", "--hostname", "sandbox"]
    options += ["--clearenv", "--setenv", "PYTHONHASHSEED", "0", "--setenv", "HOME", "/tmp"]
    options += ["--size", str(TMP_BYTES), "--tmpfs", "/tmp", "--ro-bind", "/usr", "/usr"]
    for name in ("/lib", "/lib32", "/lib64", "/bin"):
        if os.path.islink(name):
            options += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            options += ["--ro-bind", name, name]
    options += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--ro-bind-try", "/nix/store", "/nix/store"]
    for folder in dict.fromkeys([sys.base_prefix, os.path.realpath(sys.base_prefix), os.path.dirname(_python())]):
        if not Path(folder).is_relative_to("/usr"):
            options += ["--ro-bind", folder, folder]
    for device in ("/dev/null", "/dev/urandom"):
        options += ["--dev-bind", device, device]
    return [*options, "--remount-ro", "/", "--chdir", "/tmp", "--seccomp", str(rules)]


# System calls that fail inside, by machine: new processes and threads, sockets (a network namespace leaves vsock open),
# memory that RLIMIT_AS does not count, and doors to the kernel that a solution has no use for.
# Their numbers on x86_64, and on aarch64 (which has no fork beside clone).
_CALLS: dict[str, tuple[int, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435), "unshare": (272, 97),
    "setns": (308, 268), "ptrace": (101, 117), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "socket": (41, 198), "socketpair": (53, 199), "memfd_create": (319, 279),
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
}  # fmt: skip
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # AUDIT_ARCH, and the column above


def _seccomp_filter(machine: str) -> bytes:
    """A BPF program by which the denied system calls fail with EPERM, and those of another architecture kill."""
    architecture, column = _ARCHITECTURES[machine]
    denied = [number for numbers in _CALLS.values() if (number := numbers[column]) is not None]
    load, jump_if_equal, jump_if_at_least, give = 0x20, 0x15, 0x35, 0x06
    allow, kill, refuse = 0x7FFF0000, 0x80000000, 0x00050000 | 1

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("<HBBI", code, if_true, if_false, value)

    program = [step(load, 4), step(jump_if_equal, architecture, 1, 0), step(give, kill), step(load, 0)]
    checks = [(jump_if_at_least, 0x40000000), *((jump_if_equal, number) for number in denied)]  # x32 first
    for position, (code, value) in enumerate(checks):
        program.append(step(code, value, len(checks) - position, 0))
    return b"".join([*program, step(give, allow), step(give, refuse)])
