"""Catalogue J 66, 68 and 69: standard streams that end, fill, stutter, or hold no text."""

import io
import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from tests.attacks.guest import CREAT, WRITE
from tests.runtimes.guests import command
from tests.world.fakes import fill
from wasi_host import run
from wasi_spec import Errno, Fdflags

NONBLOCK = int(Fdflags.NONBLOCK)
#: Seconds between two tries of another thread to disturb a wait.
MOMENT = 0.002


@pytest.fixture
def pipe():
    """The reading and the writing end of a pipe; a test that closes one sets it to None."""
    ends = list(os.pipe())
    yield ends
    for fd in ends:
        if fd is not None:
            os.close(fd)


def closed(pipe, number):
    os.close(pipe[number])
    pipe[number] = None


def drain(fd):
    """Read all that is in a pipe now."""
    os.set_blocking(fd, False)
    data = b""
    try:
        while part := os.read(fd, 65536):
            data += part
    except BlockingIOError:
        pass
    return data


# 66


@pytest.mark.parametrize("kind", ["a descriptor", "a file object"])
def test_j66_stdout_closed_by_its_reader_is_pipe_each_time_and_the_guest_goes_on(
    memory_only, start, pipe, kind
):
    memory_only.write("file", b"words")
    output = pipe[1] if kind == "a descriptor" else os.fdopen(os.dup(pipe[1]), "wb")
    guest = start(memory_only, stdout=output)
    closed(pipe, 0)
    for _ in range(3):
        assert guest.call("fd_write", 1, guest.vector(b"into nothing")) is Errno.PIPE
    assert guest.content("file") == b"words"
    guest.close()
    if kind != "a descriptor":
        output.close()


def test_j66_a_reader_that_leaves_a_waiting_guest_is_pipe(memory_only, start, pipe):
    fill(pipe[1])
    guest = start(memory_only, stdout=pipe[1])
    leaving = threading.Timer(MOMENT, closed, (pipe, 0))
    leaving.start()
    assert guest.call("fd_write", 1, guest.vector(b"words")) is Errno.PIPE
    leaving.join()


@pytest.fixture
def full_disk():
    if not os.path.exists("/dev/full"):
        pytest.skip("only Linux has /dev/full")
    return "/dev/full"


@pytest.mark.parametrize("kind", ["a path", "a descriptor"])
@pytest.mark.parametrize("size", [1, 5000], ids="{} bytes".format)
def test_j66_a_full_disk_is_nospc_each_time_and_the_guest_goes_on(
    memory_only, start, full_disk, kind, size
):
    with open(full_disk, "wb") as file:
        guest = start(memory_only, stdout=file.fileno() if kind == "a descriptor" else full_disk)
        for _ in range(2):
            assert guest.call("fd_write", 1, guest.vector(size)) is Errno.NOSPC
        assert guest.call("fd_fdstat_get", 1) is Errno.SUCCESS
        guest.close()


@pytest.fixture
def disturbed():
    """Sends the main thread, where tests run, a signal again and again; counts those handled."""
    count, over = [0], threading.Event()

    def disturb():
        while not over.wait(MOMENT):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    thread = threading.Thread(target=disturb)

    def begin(at_the_third):
        def handle(*_):
            count[0] += 1
            if count[0] == 3:
                at_the_third()

        signal.signal(signal.SIGUSR1, handle)
        thread.start()
        return count

    before = signal.getsignal(signal.SIGUSR1)
    yield begin
    over.set()
    thread.join()
    signal.signal(signal.SIGUSR1, before)


def test_j66_a_read_that_signals_interrupt_is_retried(memory_only, start, pipe, disturbed):
    guest = start(memory_only, stdin=pipe[0])
    count = disturbed(lambda: os.write(pipe[1], b"late"))
    assert guest.read(0) == b"late"
    assert count[0] >= 3


def test_j66_a_write_that_signals_interrupt_is_retried(memory_only, start, pipe, disturbed):
    full = fill(pipe[1])
    guest = start(memory_only, stdout=pipe[1])
    drained = []
    disturbed(lambda: drained.append(drain(pipe[0])))
    assert guest.write(1, b"late") == 4
    assert len(drained[0]) == full
    assert drain(pipe[0]) == b"late"


@pytest.mark.parametrize("size", [16, 100_000], ids="{} bytes".format)
def test_j66_a_host_that_says_eagain_is_waited_for(memory_only, start, pipe, size):
    os.set_blocking(pipe[0], False)
    guest = start(memory_only, stdin=pipe[0])
    writing = threading.Timer(MOMENT, os.write, (pipe[1], b"late"))
    writing.start()
    assert guest.read(0, size) == b"late"
    writing.join()


def test_j66_a_full_host_that_says_eagain_is_waited_for(memory_only, start, pipe):
    full = fill(pipe[1])
    os.set_blocking(pipe[1], False)
    guest = start(memory_only, stdout=pipe[1])
    drained = []
    draining = threading.Timer(MOMENT, lambda: drained.append(os.read(pipe[0], full)))
    draining.start()
    assert guest.write(1, b"late") == 4
    draining.join()
    assert drain(pipe[0]) == b"late"


def test_j66_a_guest_that_set_nonblock_is_told_again(memory_only, start, pipe):
    with_input = start(memory_only, stdin=pipe[0])
    with_input.must("fd_fdstat_set_flags", 0, NONBLOCK)
    assert with_input.call("fd_read", 0, with_input.vector(16)) is Errno.AGAIN
    with_input.must("fd_fdstat_set_flags", 0, 0)
    os.write(pipe[1], b"words")
    assert with_input.read(0) == b"words"
    fill(pipe[1])
    with_output = start(memory_only, stdout=pipe[1])
    with_output.must("fd_fdstat_set_flags", 1, NONBLOCK)
    assert with_output.call("fd_write", 1, with_output.vector(16)) is Errno.AGAIN
    assert os.get_blocking(pipe[0])
    assert os.get_blocking(pipe[1])


def test_j66_a_short_write_is_reported_as_such(memory_only, start, pipe):
    guest = start(memory_only, stdout=pipe[1])
    guest.must("fd_fdstat_set_flags", 1, NONBLOCK)
    data = bytes(range(256)) * 600
    written = guest.write(1, data)
    assert 0 < written < len(data)
    assert drain(pipe[0]) == data[:written]


def test_j66_a_file_that_may_not_grow_takes_a_short_write_first(memory_only, start):
    resource = pytest.importorskip("resource", reason="POSIX's limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with tempfile.TemporaryFile() as file:
        guest = start(memory_only, stdout=file.fileno())
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            assert guest.write(1, bytes(1500)) == 1000
            assert guest.call("fd_write", 1, guest.vector(b"more")) is Errno.FBIG
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        guest.close()


# 68

#: Writes an a, half of a character, and a b.
BROKEN_TEXT = command(
    """(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 4))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))""",
    r'(data (i32.const 64) "a\e2\82b")',
    wasi=["fd_write"],
)
READINGS = {
    "replace": "a�b",
    "ignore": "ab",
    "backslashreplace": r"a\xe2\x82b",
    "surrogateescape": "a\udce2\udc82b",
}
readings = pytest.mark.parametrize(("errors", "text"), READINGS.items(), ids=READINGS)


@readings
def test_j68_invalid_utf8_in_text_mode_is_read_as_errors_says(errors, text):
    assert run([BROKEN_TEXT], capture_output=True, errors=errors).stdout == text


@readings
def test_j68_a_text_file_object_gets_invalid_utf8_as_errors_says(errors, text):
    file = io.StringIO()
    assert run([BROKEN_TEXT], stdout=file, errors=errors).returncode == 0
    assert file.getvalue() == text


@pytest.mark.parametrize("keywords", [{"text": True}, {"errors": "strict"}], ids=repr)
def test_j68_invalid_utf8_where_nothing_is_said_is_an_error_of_the_embedders(keywords):
    with pytest.raises(UnicodeDecodeError):
        run([BROKEN_TEXT], capture_output=True, **keywords)


def test_j68_invalid_utf8_is_io_to_the_guest_where_a_text_file_object_is_to_be_strict():
    file = io.StringIO()
    with pytest.raises(UnicodeDecodeError):
        run([BROKEN_TEXT], stdout=file, errors="strict")
    assert file.getvalue() == ""


def test_j68_a_text_file_object_of_which_nothing_is_said_gets_replacements(memory_only, start):
    file = io.StringIO()
    guest = start(memory_only, stdout=file)
    assert guest.write(1, b"a\xe2\x82b") == 4
    assert file.getvalue() == "a�b"


@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_j68_text_given_as_input_is_encoded_as_errors_says(errors):
    source = command("")
    if errors == "strict":
        with pytest.raises(UnicodeEncodeError):
            run([source], input="a\udcff", errors=errors)
    else:
        assert run([source], input="a\udcff", errors=errors).returncode == 0


NO_INPUT = {
    "nothing": lambda directory: b"",
    "no text": lambda directory: "",
    "DEVNULL": lambda directory: subprocess.DEVNULL,
    "PIPE": lambda directory: subprocess.PIPE,
    "an empty file object": lambda directory: io.BytesIO(),
    "an empty text file object": lambda directory: io.StringIO(),
    "an empty file": lambda directory: _file(directory),
    "a function with nothing to give": lambda directory: lambda size: b"",
}


def _file(directory):
    path = directory / "empty"
    path.touch()
    return Path(path)


@pytest.mark.parametrize("source", NO_INPUT.values(), ids=NO_INPUT)
def test_j68_no_input_is_0_bytes_each_time(memory_only, start, tmp_path, source):
    guest = start(memory_only, stdin=source(tmp_path))
    assert [guest.read(0) for _ in range(3)] == [b""] * 3


@pytest.mark.parametrize("kind", ["bytes", "a file object", "a pipe", "a function"])
def test_j68_input_at_its_end_is_0_bytes_each_time(memory_only, start, pipe, kind):
    parts = [b"words"]
    os.write(pipe[1], b"words")
    closed(pipe, 1)
    source = {
        "bytes": b"words",
        "a file object": io.BytesIO(b"words"),
        "a pipe": pipe[0],
        "a function": lambda size: parts.pop() if parts else b"",
    }[kind]
    guest = start(memory_only, stdin=source)
    assert [guest.read(0) for _ in range(3)] == [b"words", b"", b""]


# 69


@pytest.mark.parametrize("fd", [0, 1], ids=["stdin", "stdout"])
@pytest.mark.parametrize("kind", ["a descriptor", "a file object"])
def test_j69_a_guest_that_closes_its_stream_does_not_close_the_embedders(
    memory_only, start, tmp_path, fd, kind
):
    path = tmp_path / "stream"
    path.write_bytes(b"from the embedder")
    with open(path, "r+b", buffering=0) as file:
        given = file.fileno() if kind == "a descriptor" else file
        guest = start(memory_only, **{"stdout" if fd else "stdin": given})
        guest.must("fd_close", fd)
        assert guest.call("fd_close", fd) is Errno.BADF
        assert guest.call("fd_write", fd, guest.vector(b"x")) is Errno.BADF
        # The guest's next file has the number, and still nothing to do with the embedder's.
        assert guest.open("own", oflags=CREAT, rights=WRITE) == fd
        guest.write(fd, b"of the guest")
        guest.close()
        assert file.read() == b"from the embedder"
    assert memory_only.read("own") == b"of the guest"


@pytest.mark.parametrize("make", [io.BytesIO, io.StringIO])
def test_j69_a_file_object_stays_open_and_has_what_was_written_before(memory_only, start, make):
    file = make()
    guest = start(memory_only, stdout=file)
    guest.write(1, b"words")
    guest.must("fd_close", 1)
    guest.close()
    assert not file.closed
    assert file.getvalue() in (b"words", "words")


#: Closes standard output, then ends with the errno of writing to it.
CLOSES = command(
    """(drop (call $fd_close (i32.const 1)))
    (call $proc_exit (call $fd_write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 8)))""",
    wasi=["fd_close", "fd_write", "proc_exit"],
)


def test_j69_an_inherited_stream_stays_open(capfd):
    assert run([CLOSES]).returncode == Errno.BADF
    os.write(1, b"still there")
    assert capfd.readouterr().out == "still there"


def test_j69_stderr_that_joins_stdout_outlives_it():
    writes = """(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 3))
    (drop (call $fd_close (i32.const 1)))
    (call $proc_exit (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))"""
    source = command(
        writes, '(data (i32.const 64) "err")', wasi=["fd_close", "fd_write", "proc_exit"]
    )
    result = run([source], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (result.returncode, result.stdout) == (0, b"err")
