"""Signals while a guest computes, and what else the wakeup descriptor has to do."""

import contextlib
import os
import select
import signal
import subprocess
import sys

import pytest

from tests.runtimes.guests import command, writes

READY, DATA = writes("ready")
SPIN = "(loop (br 0))"

CHILD = """
import signal, sys, wasi_host
class Custom(Exception): pass
def custom(number, frame): raise Custom
if sys.argv[2] != "SIGINT":
    signal.signal(getattr(signal, sys.argv[2]), custom)
source = sys.stdin.buffer.read(int(sys.argv[1]))
try:
    wasi_host.run([source], timeout=600 if "timeout" in sys.argv else None)
except BaseException as error:
    print("raised", type(error).__name__, file=sys.stderr)
"""


def start(*words, code=CHILD):
    source = command(READY + SPIN, DATA, wasi=["fd_write"])
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, str(len(source)), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    child.stdin.write(source)
    assert child.stdout.read(5) == b"ready", child.stderr.read()
    return child


def end(child):
    try:
        return child.wait(60), child.stderr.read().decode().strip()
    finally:
        # The group: a forked grandchild would keep the pipes open for ever.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


@pytest.mark.parametrize(
    ("name", "raised"),
    [("SIGINT", "KeyboardInterrupt"), ("SIGTERM", "Custom"), ("SIGALRM", "Custom")],
)
def test_a_guest_that_computes_is_stopped_where_it_has_epoch_checks(name, raised):
    child = start(name, "timeout")
    child.send_signal(getattr(signal, name))
    assert end(child) == (0, f"raised {raised}")


def test_without_epoch_checks_the_second_signal_ends_the_process():
    child = start("SIGINT")
    child.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.5)
    child.send_signal(signal.SIGINT)
    assert end(child) == (130, "")


def test_a_signal_left_to_the_system_ends_the_process_as_ever():
    child = start("SIGINT")
    child.send_signal(signal.SIGTERM)
    assert end(child)[0] == -signal.SIGTERM


def test_the_command_ends_at_the_first_one(tmp_path):
    module = tmp_path / "spin.wasm"
    module.write_bytes(command(READY + SPIN, DATA, wasi=["fd_write"]))
    child = subprocess.Popen(
        [sys.executable, "-m", "wasi_host", "run", str(module)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    assert child.stdout.read(5) == b"ready"
    child.send_signal(signal.SIGINT)
    assert end(child)[0] == 130


WAKEUP = """
import os, signal, sys, wasi_host
reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
source = sys.stdin.buffer.read(int(sys.argv[1]))
try:
    wasi_host.run([source], timeout=600)
except KeyboardInterrupt:
    print(list(os.read(reader, 10)), signal.set_wakeup_fd(-1) == writer, file=sys.stderr)
"""


def test_a_wakeup_descriptor_of_the_embedders_is_told_and_put_back():
    child = start(code=WAKEUP)
    child.send_signal(signal.SIGINT)
    assert end(child) == (0, f"[{int(signal.SIGINT)}] True")


FORK = """
import os, sys, wasi_host
source = sys.stdin.buffer.read(int(sys.argv[1]))
wasi_host.run([b'(module (memory (export "memory") 1) (func (export "_start")))'])
child = os.fork()
if child:
    print(child, file=sys.stderr, flush=True)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
try:
    wasi_host.run([source], timeout=600)
except KeyboardInterrupt:
    os._exit(7)
"""


def test_a_forked_child_has_a_watcher_of_its_own():
    child = start(code=FORK)
    assert select.select([child.stderr], [], [], 60)[0]
    os.kill(int(child.stderr.readline()), signal.SIGINT)
    assert end(child)[0] == 7
