"""Ctrl-C while a guest runs on the main thread; each in a child process, told by what it writes."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.runtimes.children import child
from tests.runtimes.guests import command, writes
from wasi_host import interrupts
from wasi_host.interrupts import Interruptible

READY, DATA = writes("ready")
SLEEP = """(i32.store8 (i32.const 208) (i32.const 0)) (i32.store (i32.const 216) (i32.const 1))
  (i64.store (i32.const 224) (i64.const 3600000000000))
  (drop (call $poll_oneoff (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 400)))"""
READ = """(i32.store (i32.const 200) (i32.const 500)) (i32.store (i32.const 204) (i32.const 9))
  (drop (call $fd_read (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 208)))"""
YIELD = "(drop (call $sched_yield))"
WASI = ["fd_write", "fd_read", "poll_oneoff", "sched_yield", "proc_exit"]
BLOCKED = {
    "sleeping in poll_oneoff": SLEEP,
    "blocked in a read": READ,
    "spinning in host calls": f"(loop {YIELD} (br 0))",
}

CHILD = """
import signal, sys, wasi_host
class Custom(Exception): pass
def custom(number, frame): raise Custom
def quiet(number, frame): print("noted", file=sys.stderr)
handlers = {"default": signal.default_int_handler, "custom": custom, "quiet": quiet}
handler = handlers[sys.argv[1]]
signal.signal(signal.SIGINT, handler)
timeout = 600 if "timeout" in sys.argv else None
source = sys.stdin.buffer.read(int(sys.argv[2]))
try:
    result = wasi_host.run([source], timeout=timeout)
    print("returned", result.returncode, result.stopped, file=sys.stderr)
except BaseException as error:
    print("raised", type(error).__name__, file=sys.stderr)
assert signal.getsignal(signal.SIGINT) is handler
for _ in range(100): pass  # a second one would come here
after = b'''(module (memory (export "memory") 1) (func (export "_start")))'''
print("then", wasi_host.run([after]).returncode, file=sys.stderr)
"""


def interrupted(body, *words):
    """Run a guest in a child, interrupt it once it wrote that it is ready; return its words."""
    source = command(READY + body, DATA, wasi=WASI)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, words[0], str(len(source)), *words[1:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        text=False,
    )
    try:
        child.stdin.write(source)
        assert child.stdout.read(5) == b"ready", child.stderr.read()
        child.send_signal(signal.SIGINT)
        # Standard input stays open: the guest's read has no other end.
        child.wait(60)
        return child.stderr.read().decode().splitlines()
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("timeout", [[], ["timeout"]], ids=["", "with a timeout"])
@pytest.mark.parametrize("body", BLOCKED.values(), ids=BLOCKED)
def test_ctrl_c_is_one_keyboard_interrupt_and_the_handler_is_back(body, timeout):
    assert interrupted(body, "default", *timeout) == ["raised KeyboardInterrupt", "then 0"]


@pytest.mark.parametrize("body", BLOCKED.values(), ids=BLOCKED)
def test_the_exception_of_a_handler_of_ones_own_comes_out(body):
    assert interrupted(body, "custom") == ["raised Custom", "then 0"]


def test_a_handler_that_does_not_raise_still_ends_the_guest():
    assert interrupted(SLEEP, "quiet") == ["noted", "returned -9 interrupt", "then 0"]


# ---- the stand-in itself ----------------------------------------------------------------------


def test_outside_of_a_run_the_handler_is_untouched():
    before = signal.getsignal(signal.SIGINT)
    with Interruptible(lambda reason: None):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_the_handler_is_back_after_an_exception():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="inside"), Interruptible(lambda reason: None):
        raise ValueError("inside")
    assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruptible(lambda reason: pytest.fail("stopped")):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_nested_run_stops_the_outer_one_too():
    stopped = []

    def outer():
        with Interruptible(lambda reason: stopped.append("outer")):
            with Interruptible(lambda reason: stopped.append("inner")):
                signal.raise_signal(signal.SIGINT)
            stopped.append("the outer goes on to its end")

    with pytest.raises(KeyboardInterrupt):
        outer()
    # Each may be told twice: by the watching thread, and by the stand-in.
    assert list(dict.fromkeys(stopped)) == ["inner", "outer", "the outer goes on to its end"]


def test_another_thread_changes_nothing():
    seen = []

    def work():
        with Interruptible(lambda reason: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


def test_a_signal_that_was_handled_does_not_stop_the_next_run():
    """The watching thread may read of it late: here it is made to."""
    stopped = []
    with pytest.raises(KeyboardInterrupt), Interruptible(stopped.append):
        signal.raise_signal(signal.SIGINT)
    interrupts._watcher.behind = True
    os.write(interrupts._watcher.descriptor(), bytes((signal.SIGINT,)))
    stopped.clear()
    with Interruptible(stopped.append):
        threading.Event().wait(0.05)
    assert stopped == []


def test_a_handler_that_raises_while_earlier_signals_are_read_leaves_none_for_the_next_run(
    monkeypatch,
):
    watcher = interrupts._Watcher()
    pipe = os.pipe()
    monkeypatch.setattr(watcher, "_process", os.getpid())
    monkeypatch.setattr(watcher, "_pipe", pipe)

    class Waits:
        """Where the watcher's thread is waited for; each wait reads one byte for it."""

        times = 0

        def clear(self):
            """Nothing is noted here."""

        def wait(self, timeout):
            self.times += 1
            if self.times == 1:
                raise KeyboardInterrupt
            (watcher._seen,) = os.read(pipe[0], 1)

    waits = Waits()
    monkeypatch.setattr(watcher, "_caught_up", waits)
    try:
        watcher.behind = True
        with pytest.raises(KeyboardInterrupt):
            watcher.catch_up()
        assert watcher.behind
        # The mark of the call that was ended is in the pipe, before the one that counts.
        watcher.catch_up()
        assert not watcher.behind
        assert waits.times == 3
    finally:
        for fd in pipe:
            os.close(fd)


def test_a_stop_that_takes_its_time_has_ended_when_the_run_has():
    # Else it would stop the next run, which gets the same binding.
    said = child("""
import os, time
from wasi_host.interrupts import Interruptible
started, ended = threading.Event(), []
def stop(reason):
    if threading.current_thread() is not threading.main_thread():
        started.set()
        time.sleep(0.2)
        ended.append(reason)
try:
    with Interruptible(stop):
        os.kill(os.getpid(), signal.SIGINT)
        assert started.wait(60)
except KeyboardInterrupt:
    print(ended)
""")
    assert said == ["['interrupt']"]
