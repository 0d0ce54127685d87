"""The sandbox against really hostile code, and what it says where it cannot be had."""

import os
import socket
import tempfile
import time
from pathlib import Path

import pytest

from confesslens.evals import sandbox
from confesslens.evals.sandbox import OUTPUT_BYTES, Call, Finished, run_python, sandbox_available, why_no_sandbox

INSIDE = pytest.mark.skipif(not sandbox_available(), reason=why_no_sandbox() or "there is a sandbox")


def run(body: str, *inputs, before: str = "", **limits) -> Finished:
    """Run `def f(*a): body` with each of the inputs, or once without arguments."""
    source = f"{before}\ndef f(*a):\n" + "\n".join(f"    {line}" for line in body.split("\n"))
    return run_python(source, function="f", inputs=inputs or [[]], **limits)


def value(body: str, **limits):
    """The one value that `f` returns; whatever else became of the run fails the test."""
    finished = run(body, **limits)
    assert finished.ended == "finished" and not finished.calls[0].error, finished
    return finished.calls[0].value


@pytest.fixture
def no_bwrap(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)


def test_without_bubblewrap_nothing_runs_and_the_reason_is_told(no_bwrap, monkeypatch):
    monkeypatch.setattr(sandbox.subprocess, "Popen", lambda *a, **k: pytest.fail("something was started"))
    assert not sandbox_available() and why_no_sandbox() == "bubblewrap (bwrap) is not installed"
    assert run("return 1") == Finished("no_sandbox", why="bubblewrap (bwrap) is not installed")


def test_a_bubblewrap_that_does_not_work_is_no_sandbox_and_its_own_words_are_told(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: str(broken))
    assert run("return 1").ended == "no_sandbox"
    assert "No permissions to create new namespace" in why_no_sandbox()


def test_a_bubblewrap_that_cannot_be_started_is_no_sandbox(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: str(tmp_path / "none"))
    assert "does not start" in why_no_sandbox()


def test_another_machine_has_no_filter_and_so_no_sandbox(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: "/opt/another/bwrap")
    monkeypatch.setattr(sandbox.platform, "machine", lambda: "pdp11")
    assert why_no_sandbox() == "no filter of system calls for pdp11"


@INSIDE
def test_values_come_back_in_order_and_exceptions_by_name():
    finished = run("return a[0] / a[1]", [1, 2], [1, 0], [["x"], 1])
    assert finished.ended == "finished"
    assert finished.calls == (Call(0.5), Call(None, "ZeroDivisionError"), Call(None, "TypeError"))


@INSIDE
@pytest.mark.parametrize("given", [None, True, 7, -(10**30), 2.5, "é\ud800\0", [1, [2, []]], {"k": [1, None]}])
def test_json_values_cross_unchanged(given):
    found = run("return a[0]", [given]).calls[0].value
    assert found == given and type(found) is type(given)


@INSIDE
@pytest.mark.parametrize(
    "body",
    [
        "return (1, 2)",
        "return {1: 2}",
        "return object()",
        "class Same(int):\n    __eq__ = lambda self, other: True\nreturn Same(3)",
        "deep = []\nfor _ in range(10**4): deep = [deep]\nreturn deep",
        "return 10 ** 10000",
    ],
)
def test_what_is_no_json_is_an_error_and_no_value(body):
    finished = run(body)
    assert finished.calls == (Call(None, "NotJson"),), finished


@INSIDE
@pytest.mark.parametrize(
    "before, error",
    [
        ("def f(:", "SyntaxError"),
        ("raise SystemExit", "SystemExit"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("f = None; del f; raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import numpy", "ModuleNotFoundError"),
    ],
)
def test_a_module_that_does_not_load_is_an_error_of_every_call(before, error):
    assert run("return 1", [], [], before=before).calls == (Call(None, error),) * 2


@INSIDE
def test_a_function_that_is_not_there_is_an_error():
    assert run_python("x = 1", function="f", inputs=[[]]).calls == (Call(None, "KeyError"),)


@INSIDE
@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import time\ntime.sleep(60)",
        "import os\nfor n in range(32):\n    try: os.close(n)\n    except OSError: pass\nimport time\ntime.sleep(60)",
        "return (9 ** 9 ** 9) % 2",
    ],
    ids=["loop", "loop that ignores the signal", "loop that catches", "sleep", "sleep with closed pipes", "big power"],
)
def test_endless_code_is_stopped_and_this_is_told_apart_from_a_wrong_value(body):
    began = time.monotonic()
    finished = run(body, seconds=1)
    assert (finished.ended, finished.calls) == ("limit", ()) and "limit of 1 s" in finished.why
    assert time.monotonic() - began < 20


@INSIDE
def test_no_process_and_no_thread_can_be_started():
    body = """import os, subprocess, threading
held = []
for start in (os.fork, lambda: subprocess.run(["/bin/true"]), threading.Thread(target=print).start,
              lambda: os.posix_spawn("/bin/true", ["true"], {})):
    try:
        start()
    except (OSError, RuntimeError):
        held.append(True)
return len(held)"""
    assert value(body) == 4


@INSIDE
def test_a_fork_bomb_does_nothing():
    finished = run("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", seconds=1)
    assert finished.ended == "limit"


@INSIDE
def test_a_file_outside_survives_and_is_not_even_seen(tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("keep me")
    precious.chmod(0o666)
    body = f"""import os, shutil
seen = os.path.exists({str(precious)!r})
for top in ("/usr/bin", "/tmp", {str(tmp_path)!r}, {str(Path.home())!r}):
    shutil.rmtree(top, ignore_errors=True)
try:
    os.remove({str(precious)!r})
except OSError:
    pass
return [seen, os.path.exists("/usr/bin")]"""
    assert value(body) == [False, True]
    assert precious.read_text() == "keep me" and Path(os.__file__).exists()


@INSIDE
def test_the_system_can_only_be_read():
    python = str(Path(os.__file__).parent)
    body = f"""held = []
for folder in ("/", "/usr", "/usr/bin", "/etc", "/dev", {python!r}):
    try:
        open(folder + "/mine", "w")
    except OSError:
        held.append(folder)
return len(held)"""
    assert value(body) == 6


@INSIDE
def test_its_own_tmp_is_private_and_small():
    with tempfile.NamedTemporaryFile(dir="/tmp") as outside:
        body = """import os
before = os.listdir("/tmp")
written = 0
try:
    for n in range(1000):
        with open(f"/tmp/{n}", "wb") as file:
            for _ in range(64):
                written += file.write(bytes(16384))
                file.flush()
except OSError:
    pass
return [before, written]"""
        before, written = value(body)
        assert before == [] and 0 < written <= sandbox.TMP_BYTES
        assert Path(outside.name).exists()


@INSIDE
def test_a_huge_file_is_refused():
    body = 'import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nopen("/tmp/big", "wb").write(bytes(10**7))'
    assert run(body).calls == (Call(None, "OSError"),)


@INSIDE
def test_memory_is_limited():
    assert run("return len(bytearray(10**9))").calls == (Call(None, "MemoryError"),)
    assert run("return len(bytearray(10**8))").calls == (Call(10**8),)
    assert run("kept = []\nwhile True: kept.append(bytearray(10**6))", megabytes=128).calls[0].error == "MemoryError"


@INSIDE
def test_limits_cannot_be_raised():
    body = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40))"
    assert run(body).calls[0].error in ("ValueError", "PermissionError", "OSError")


@INSIDE
def test_nothing_of_our_machine_can_be_read(monkeypatch):
    monkeypatch.setenv("SECRET_OF_OURS", "hunter2")
    body = f"""import os
seen = []
for path in ("/etc/shadow", "/etc/passwd", "/proc/self/environ", "/proc/1/environ", {__file__!r}):
    try:
        seen.append(open(path).read())
    except OSError:
        pass
return [seen, sorted(os.environ), os.listdir(os.path.expanduser("~")), os.uname().nodename, os.getuid()]"""
    seen, environment, home, name, user = value(body)
    assert (seen, home, name, user) == ([], [], "sandbox", 65534)
    assert set(environment) <= {"HOME", "PWD", "PYTHONHASHSEED", "LC_CTYPE"}


@INSIDE
def test_no_network():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()  # it can be reached from outside
        assert (
            run(f"import socket\nsocket.create_connection(('127.0.0.1', {port}))").calls[0].error == "PermissionError"
        )
    assert run("import socket\nsocket.socket(40, socket.SOCK_STREAM)").calls[0].error == "PermissionError"  # vsock


@INSIDE
def test_the_parent_survives_being_killed():
    body = """import os, signal
for pid in (os.getppid(), 1, -1, 0):
    if pid:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
return os.getppid()"""
    assert value(body) == 1
    assert run(f"import os, signal\nos.kill({os.getpid()}, signal.SIGKILL)").ended in ("finished", "crashed")
    assert run("return 1").calls == (Call(1),)


@INSIDE
@pytest.mark.parametrize(
    "body",
    [
        "import os\nos._exit(0)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
        "import os\nos.abort()",
        "import ctypes\nctypes.string_at(0)",
    ],
)
def test_a_crash_is_told_and_brings_no_value(body):
    finished = run(body)
    assert (finished.ended, finished.calls) == ("crashed", ()) and "exit status" in finished.why


@INSIDE
def test_deep_recursion_ends_by_itself_or_at_a_limit():
    assert run("return f(*a)").calls == (Call(None, "RecursionError"),)
    wild = run("import sys\nsys.setrecursionlimit(10**9)\nreturn f(*a)")
    assert wild.ended != "finished" or wild.calls[0].error in ("MemoryError", "RecursionError")


@INSIDE
@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_a_flood_of_output_is_cut_and_stops_nothing(where):
    finished = run(f"import sys\nfor _ in range(4000): print('x' * 4000, file=sys.{where})\nreturn 7", seconds=10)
    assert finished.calls == (Call(7),)
    assert finished.output[:9] == "x" * 9 and len(finished.output) == OUTPUT_BYTES


@INSIDE
def test_an_endless_flood_ends_at_the_limit():
    finished = run("import os\nwhile True: os.write(1, bytes(65536))", seconds=1)
    assert finished.ended == "limit" and len(finished.output) == OUTPUT_BYTES


@INSIDE
def test_a_flood_of_results_is_no_result():
    assert run("return 'x' * 10**6").ended == "crashed"


@INSIDE
def test_printed_results_are_output_and_no_results():
    finished = run('print(\'[["42", ""]]\')\nreturn 7')
    assert finished.calls == (Call(7),) and "42" in finished.output


@INSIDE
def test_results_written_to_every_open_file_spoil_the_run_and_forge_nothing():
    body = """import os
for n in range(32):
    try:
        os.write(n, b'[["42", ""]]')
    except OSError:
        pass
return 7"""
    assert run(body).ended == "crashed"


@INSIDE
def test_a_forger_who_finds_the_nonce_can_claim_values_but_not_know_the_expected_ones():
    body = """import os, sys
frame = sys._getframe()
while frame:
    if "job" in frame.f_locals and "frame" in frame.f_locals:
        nonce, out = frame.f_locals["job"]["nonce"], frame.f_locals["frame"]
    if "job" in frame.f_locals:
        told = sorted(frame.f_locals["job"])
    frame = frame.f_back
os.write(out, (nonce + '[["42", ""]]' + nonce).encode())
os._exit(0)"""
    assert run(body).calls == (Call(42),)
    assert run("import sys\nreturn sorted(sys._getframe(1).f_locals['job'])").calls == (
        Call(["function", "inputs", "limits", "nonce", "source"]),
    )


@INSIDE
def test_code_that_replaces_what_the_frame_is_made_with_gets_no_other_result():
    before = 'import json, os\njson.dumps = lambda *a: \'[["42", ""]]\'\nos.write = lambda n, data: len(data)'
    assert run("return 7", before=before).calls == (Call(7),)


@INSIDE
def test_runs_do_not_see_each_other_and_do_not_differ():
    body = "import os\nopen('/tmp/left', 'x')\nreturn [os.listdir('/tmp'), list({'a', 'b', 'c', 'd'})]"
    assert run(body) == run(body) and run(body).ended == "finished"
