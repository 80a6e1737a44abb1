"""Catalogue I 65: a stream of the embedder's that raises or is slow."""

import io
import subprocess
import threading

import pytest

import wasi_host
from tests.attacks.backends import ValuesBackend
from tests.attacks.guest import Guest
from tests.sandbox.programs import READ_ERRNO, WRITE_ERRNO
from wasi_spec import Errno


class Broken(Exception):
    pass


class BrokenFile:
    """A file object that fails whatever is done with it."""

    def read(self, size):
        raise Broken("read")

    def write(self, data):
        raise Broken("write")


def broken(argument):
    raise Broken("function")


SOURCES = pytest.mark.parametrize("source", [broken, BrokenFile()], ids=["function", "file"])
BOTH = pytest.mark.parametrize(
    ("name", "direction"), [("fd_read", "stdin"), ("fd_write", "stdout")], ids=["input", "output"]
)


@SOURCES
@BOTH
def test_i65_what_a_stream_raises_is_io_to_the_guest_each_time_and_kept_for_the_embedder(
    memory_only, source, name, direction
):
    backend = ValuesBackend({"/": memory_only.source}, **{direction: source})
    guest = Guest(backend)
    fd = int(direction == "stdout")
    for count in (1, 2, 3):
        assert guest.call(name, fd, guest.vector(8)) is Errno.IO
        assert [type(error) for error in backend.streams.failures] == [Broken] * count
    memory_only.write("file", b"goes on")
    assert guest.content("file") == b"goes on"
    guest.close()


@SOURCES
@BOTH
def test_i65_a_run_ends_and_then_raises_what_its_stream_raised(source, name, direction):
    program = {"fd_read": READ_ERRNO, "fd_write": WRITE_ERRNO}[name]
    streams = {"stdin": b"", "stdout": subprocess.DEVNULL, direction: source}
    with pytest.raises(Broken):
        wasi_host.run([program], **streams)


@pytest.mark.parametrize("answer", [None, 5, "text", [1]], ids=repr)
def test_i65_an_input_function_that_gives_no_bytes_is_io(memory_only, answer):
    backend = ValuesBackend({"/": memory_only.source}, stdin=lambda size: answer)
    guest = Guest(backend)
    assert guest.call("fd_read", 0, guest.vector(8)) is Errno.IO
    assert isinstance(backend.streams.failures[0], TypeError)
    guest.close()


@pytest.mark.parametrize("answer", [None, -1, 0, 10**9, "text"], ids=repr)
def test_i65_what_an_output_function_returns_does_not_matter(memory_only, start, answer):
    guest = start(memory_only, stdout=lambda data: answer)
    assert guest.write(1, b"words") == 5


def test_i65_an_input_that_gives_more_than_was_asked_for_is_read_in_pieces(memory_only, start):
    parts = [b"0123456789", b""]
    guest = start(memory_only, stdin=lambda size: parts.pop(0))
    assert [guest.read(0, 4) for _ in range(3)] == [b"0123", b"4567", b"89"]
    assert guest.read(0, 4) == b""


def test_i65_a_slow_stream_is_waited_for(memory_only, start):
    asked, answered = threading.Event(), threading.Event()

    def slow(size):
        asked.set()
        assert answered.wait(20)
        return b"late"

    def answer():
        asked.wait(20)
        answered.set()

    thread = threading.Thread(target=answer)
    thread.start()
    guest = start(memory_only, stdin=slow)
    assert guest.read(0) == b"late"
    thread.join()


def test_i65_a_closed_file_object_is_io_and_its_error_the_embedders(memory_only):
    file = io.BytesIO()
    file.close()
    backend = ValuesBackend({"/": memory_only.source}, stdout=file)
    guest = Guest(backend)
    assert guest.call("fd_write", 1, guest.vector(b"x")) is Errno.IO
    assert isinstance(backend.streams.failures[0], ValueError)
    with pytest.raises(OSError, match="foreign code failed"):
        guest.close()
