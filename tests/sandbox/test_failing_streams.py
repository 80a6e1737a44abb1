"""Standard streams of the embedder's own that fail, are slow, or go away: ``run`` and the rest."""

import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from subprocess import DEVNULL, PIPE

import pytest

import wasi_host
from tests.runtimes.guests import command, module, run, writes
from tests.sandbox.programs import BOTH, CAT, READ_ERRNO, WRITE_ERRNO, exits, says
from wasi_spec import Errno


class Broken(Exception):
    pass


class Sink:
    """A file object that raises what it is told to."""

    def __init__(self, writing=None, flushing=None):
        self.failures = {"write": writing, "flush": flushing}
        self.taken = b""

    def write(self, data):
        if self.failures["write"] is not None:
            raise self.failures["write"]
        self.taken += data

    def flush(self):
        if self.failures["flush"] is not None:
            raise self.failures["flush"]


#: Ends with the errno of closing standard output.
CLOSE_ERRNO = command(
    "(call $proc_exit (call $fd_close (i32.const 1)))", wasi=["fd_close", "proc_exit"]
)


def test_what_flushing_raises_comes_out_after_the_run():
    for source, end in ((says("x"), {}), (exits(3), {"check": True}), (says("x"), {"timeout": 60})):
        with pytest.raises(Broken, match="flushing") as raised:
            wasi_host.run([source], stdout=Sink(flushing=Broken("flushing")), **end)
        assert raised.traceback[-1].name == "flush"


def test_of_several_failures_the_first_comes_out():
    sink = Sink(writing=Broken("writing"), flushing=Broken("flushing"))
    with pytest.raises(Broken, match="writing"):
        wasi_host.run([says("x")], stdout=sink)


def test_a_guest_that_closes_what_cannot_be_flushed_is_told_io():
    seen = []

    def stopping(sink):
        try:
            wasi_host.run([CLOSE_ERRNO], stdout=sink, check=True)
        except Broken as error:
            seen.append(error)

    stopping(Sink(flushing=Broken("flushing")))
    assert len(seen) == 1
    full = Sink(flushing=OSError(28, "no space left"))
    body = """(call $report (call $fd_close (i32.const 1)))"""
    report = """(func $report (param i32)
      (i32.store8 (i32.const 64) (i32.add (local.get 0) (i32.const 32)))
      (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1))
      (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))))"""
    source = command(body, report, wasi=["fd_close", "fd_write"])
    told = []
    with pytest.raises(OSError, match="no space left"):
        wasi_host.run([source], stdout=full, stderr=told.append)
    assert told == [bytes([Errno.NOSPC + 32])]


def test_an_instance_raises_at_its_closing_what_flushing_raised():
    instance = wasi_host.Sandbox(module("")).instantiate(
        stdout=Sink(flushing=Broken("flushing")), stderr=DEVNULL
    )
    with pytest.raises(Broken):
        instance.close()
    instance.close()


def test_a_provider_raises_at_its_closing_what_flushing_raised():
    wasi = wasi_host.Wasi(stdout=Sink(flushing=Broken("flushing")))
    with pytest.raises(Broken):
        wasi.close()
    wasi.close()


def test_a_failing_stream_does_not_keep_the_other_from_being_closed(tmp_path):
    path = tmp_path / "errors"
    run(BOTH)  # what the engine keeps of a module is there from now on
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(Broken):
        wasi_host.run([BOTH], stdout=Sink(flushing=Broken("flushing")), stderr=path)
    assert path.read_bytes() == b"err\n"
    assert len(os.listdir("/dev/fd")) == before


def test_a_file_object_that_is_closed_already_is_an_error_of_the_embedders():
    file = io.BytesIO()
    file.close()
    with pytest.raises(ValueError, match="closed"):
        wasi_host.run([says("x")], stdout=file)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit], ids=lambda kind: kind.__name__)
def test_an_exception_that_is_no_error_ends_the_guest_and_comes_out(raised):
    body, data = writes("x")
    source = command(f"{body} unreachable", data, wasi=["fd_write"])
    with pytest.raises(raised):
        wasi_host.run([source], stdout=Sink(writing=raised()))


def test_the_output_before_a_failure_is_the_embedders():
    sink, errors = Sink(flushing=Broken("flushing")), []
    with pytest.raises(Broken):
        wasi_host.run([BOTH], stdout=sink, stderr=errors.append)
    assert (sink.taken, errors) == (b"out\n", [b"err\n"])


# Slow ones.


def test_a_slow_output_is_waited_for():
    begun, go_on, heard = threading.Event(), threading.Event(), []

    def slow(data):
        begun.set()
        go_on.wait(20)
        heard.append(data)

    def release():
        begun.wait(20)
        go_on.set()

    thread = threading.Thread(target=release)
    thread.start()
    assert wasi_host.run([says("x")], stdout=slow).returncode == 0
    thread.join()
    assert heard == [b"x"]


def test_a_slow_stream_is_left_after_the_call_in_which_the_deadline_was_reached():
    """Nothing can interrupt a user's function; but the guest makes no further call."""
    released = threading.Event()
    calls = []

    def slow(size):
        calls.append(size)
        released.wait(0.2)
        return b"x"

    with pytest.raises(wasi_host.TimeoutExpired):
        run(CAT, stdin=slow, timeout=0.05)
    assert len(calls) <= 5


# Descriptors that go away or are full.


@pytest.mark.parametrize("kind", ["a descriptor", "a file object"])
def test_a_pipe_without_a_reader_is_pipe(kind):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as file:
        output = writer if kind == "a descriptor" else file
        assert wasi_host.run([WRITE_ERRNO], stdout=output).returncode == Errno.PIPE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
def test_a_full_disk_is_nospc():
    assert wasi_host.run([WRITE_ERRNO], stdout=Path("/dev/full")).returncode == Errno.NOSPC


def test_a_descriptor_that_is_not_open_is_refused_before_the_run():
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    with pytest.raises(OSError, match="descriptor"):
        wasi_host.run([WRITE_ERRNO], stdout=writer)


def test_a_descriptor_closed_while_the_guest_runs_is_badf():
    """The embedder's own mistake: told to the guest, and no crash."""
    reader, writer = os.pipe()

    def closes(size):
        os.close(writer)
        return b""

    body = """(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 5))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $proc_exit
      (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"""
    source = command(body, wasi=["fd_read", "fd_write", "proc_exit"])
    assert wasi_host.run([source], stdin=closes, stdout=writer).returncode == Errno.BADF
    os.close(reader)


def test_an_input_that_is_no_input_is_badf(tmp_path):
    with open(tmp_path / "file", "wb") as file:
        assert wasi_host.run([READ_ERRNO], stdin=file, stdout=PIPE).returncode == Errno.BADF


def test_a_directory_as_input_is_isdir(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert wasi_host.run([READ_ERRNO], stdin=fd).returncode == Errno.ISDIR
    finally:
        os.close(fd)


def test_the_streams_of_subprocess_can_be_given():
    """A pipe to another process, at either end."""
    with subprocess.Popen(["cat"], stdin=PIPE, stdout=PIPE) as cat:
        assert wasi_host.run([says("through")], stdout=cat.stdin).returncode == 0
        cat.stdin.close()
        assert run(CAT, stdin=cat.stdout).stdout == b"through"


WRITES_TWO = command(
    """(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1))
    (i32.store8 (i32.const 64) (i32.const 2))
    (call $proc_exit
      (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))""",
    wasi=["fd_write", "proc_exit"],
)
CLOSED = f"""
import os, sys
os.close(0), os.close(1)
import wasi_host
for _ in range(2):
    done = wasi_host.run([{WRITES_TWO!r}], stderr=wasi_host.PIPE, timeout=60)
    sys.stderr.write(f"{{done.returncode}} {{done.stopped}};")
"""


def test_what_we_open_does_not_become_the_standard_output_a_process_does_not_have():
    """Signals are told through a pipe of ours: a guest must not write its own into it."""
    done = subprocess.run([sys.executable, "-c", CLOSED], capture_output=True, check=False)
    assert done.stderr.decode() == f"{int(Errno.BADF)} None;" * 2
