import errno
import io
import os
import socket
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

import pytest

from tests.world.fakes import FakeScheduler, errno_of, is_open
from wasi_host.world import stdio as module
from wasi_host.world.stdio import (
    CallableInput,
    CallableOutput,
    FileObjectInput,
    FileObjectOutput,
    open_stream,
)
from wasi_host.world.streams import BytesInput, Capture, Closed, HostStream, Null


@pytest.fixture
def failures():
    return []


@pytest.fixture
def opened(failures):
    scheduler = FakeScheduler()
    made = []

    def open_(source, number, **kw):
        made.append(open_stream(source, number, scheduler=scheduler, failures=failures, **kw))
        return made[-1]

    yield open_
    for stream in made:
        stream.close()
    scheduler.close()


# ---- functions


def test_a_function_gives_input_until_it_gives_nothing(failures):
    parts = iter([b"ab", b"c", b""])
    stream = CallableInput(lambda size: next(parts), failures)
    assert [stream.read(10) for _ in range(3)] == [b"ab", b"c", b""]


def test_a_function_is_told_how_much_is_wanted_and_what_is_over_is_kept(failures):
    asked = []

    def read(size):
        asked.append(size)
        return b"abcdefg" if len(asked) == 1 else b""

    stream = CallableInput(read, failures)
    assert stream.read(3) == b"abc"
    assert stream.readable() == (4, False)
    assert [stream.read(3), stream.read(3), stream.read(5)] == [b"def", b"g", b""]
    assert asked == [3, 5]


def test_a_function_is_not_asked_for_nothing(failures):
    stream = CallableInput(lambda size: pytest.fail("asked"), failures)
    assert stream.read(0) == b""


@pytest.mark.parametrize("answer", [bytearray(b"ab"), memoryview(b"ab")], ids=["array", "view"])
def test_a_function_may_give_anything_like_bytes(failures, answer):
    data = CallableInput(lambda size: answer, failures).read(5)
    assert (type(data), data) == (bytes, b"ab")


@pytest.mark.parametrize("answer", ["text", None, 3, [b"x"]], ids=repr)
def test_a_function_that_gives_no_bytes_is_an_io_error_and_told_to_the_embedder(failures, answer):
    stream = CallableInput(lambda size: answer, failures)
    assert errno_of(stream.read, 5) == errno.EIO
    assert [type(failure) for failure in failures] == [TypeError]
    assert "bytes" in str(failures[0])


@pytest.mark.parametrize("direction", ["input", "output"])
def test_what_a_function_raises_is_an_io_error_and_kept_for_the_embedder(failures, direction):
    raised = ZeroDivisionError()

    def failing(_):
        raise raised

    if direction == "input":
        call = lambda: CallableInput(failing, failures).read(1)  # noqa: E731
    else:
        call = lambda: CallableOutput(failing, failures).write(b"x")  # noqa: E731
    assert errno_of(call) == errno.EIO
    assert failures == [raised]


def test_an_os_error_of_a_function_is_what_the_guest_sees(failures):
    def failing(_):
        raise BrokenPipeError(errno.EPIPE, "gone")

    assert errno_of(CallableOutput(failing, failures).write, b"x") == errno.EPIPE
    assert failures == []


def test_a_keyboard_interrupt_in_a_function_ends_the_run(failures):
    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CallableOutput(interrupted, failures).write(b"x")


def test_a_function_gets_copies_whose_life_does_not_matter(failures):
    kept = []
    memory = bytearray(b"before")
    view = memoryview(memory)
    assert CallableOutput(kept.append, failures).write(view) == 6
    memory[:] = b"after!"
    view.release()
    memory.append(0)
    assert kept == [b"before"]
    assert type(kept[0]) is bytes


# ---- file objects without a descriptor


def test_a_binary_file_object_is_read(failures):
    stream = FileObjectInput(io.BytesIO(b"hello"), failures, "utf-8", "strict")
    assert [stream.read(3), stream.read(3), stream.read(3)] == [b"hel", b"lo", b""]


def test_a_text_file_object_is_read_as_its_encoding_and_never_over_the_size(failures):
    stream = FileObjectInput(io.StringIO("äöü"), failures, "utf-8", "strict")
    assert [stream.read(3) for _ in range(4)] == [b"\xc3\xa4\xc3", b"\xb6\xc3\xbc", b"", b""]


def test_text_that_cannot_be_encoded_is_an_io_error_and_kept(failures):
    stream = FileObjectInput(io.StringIO("\udc80"), failures, "utf-8", "strict")
    assert errno_of(stream.read, 5) == errno.EIO
    assert isinstance(failures[0], UnicodeEncodeError)


def test_a_raw_file_object_with_nothing_there_yet_is_again(failures):
    class Raw:
        def read(self, size):
            return None

    stream = FileObjectInput(Raw(), failures, "utf-8", "strict")
    assert errno_of(stream.read, 5) == errno.EAGAIN


def test_a_buffered_file_object_gives_what_is_there_instead_of_waiting_for_all(failures):
    class Raw(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            buffer[:1] = b"x"
            return 1

    stream = FileObjectInput(io.BufferedReader(Raw()), failures, "utf-8", "strict")
    assert stream.read(5) == b"x"


def test_a_binary_file_object_is_written(failures):
    file = io.BytesIO()
    stream = FileObjectOutput(file, failures, "utf-8")
    assert stream.write(memoryview(b"hello")) == 5
    stream.close()
    assert file.getvalue() == b"hello"


def test_a_text_file_object_gets_characters_cut_between_two_writes(failures):
    file = io.StringIO()
    stream = FileObjectOutput(file, failures, "utf-8")
    for byte in "aä€".encode():
        assert stream.write(bytes([byte])) == 1
    assert file.getvalue() == "aä€"


def test_a_text_file_object_gets_replacements_for_what_is_no_text(failures):
    file = io.StringIO()
    stream = FileObjectOutput(file, failures, "utf-8")
    stream.write(b"a\xffb\xe2\x82")
    stream.close()
    stream.close()
    assert file.getvalue() == "a\ufffdb\ufffd"


def test_a_raw_file_object_that_takes_little_gets_all(failures):
    class Raw:
        taken = b""

        def write(self, data):
            self.taken += data[:2]
            return len(data[:2])

    raw = Raw()
    assert FileObjectOutput(raw, failures, "utf-8").write(b"hello") == 5
    assert raw.taken == b"hello"


def test_close_flushes_and_leaves_the_users_object_open(failures):
    class File(io.BytesIO):
        flushed = 0

        def flush(self):
            self.flushed += 1

    file = File()
    FileObjectOutput(file, failures, "utf-8").close()
    assert file.flushed == 1
    assert not file.closed


def test_a_closed_file_object_is_an_io_error_and_kept(failures):
    file = io.BytesIO()
    stream = FileObjectOutput(file, failures, "utf-8")
    file.close()
    assert errno_of(stream.write, b"x") == errno.EIO
    assert isinstance(failures[0], ValueError)


# ---- what may be given


def test_a_pipe_as_output_is_captured_up_to_the_limit(opened):
    stream = opened(PIPE, 1, limit=3)
    stream.write(b"hello")
    assert isinstance(stream, Capture)
    assert stream.getvalue() == b"hel"


def test_a_pipe_as_input_is_empty(opened):
    assert opened(PIPE, 0).read(10) == b""


@pytest.mark.parametrize("number", [0, 1, 2])
def test_devnull_is_nothing(opened, number):
    assert isinstance(opened(DEVNULL, number), Null)


def test_stderr_into_a_captured_stdout_keeps_the_order(opened):
    stdout = opened(PIPE, 1)
    stderr = opened(STDOUT, 2, stdout=stdout)
    stdout.write(b"1")
    stderr.write(b"2")
    stdout.close()
    stderr.write(b"3")
    assert stdout.getvalue() == b"123"


def test_stderr_into_stdout_outlives_its_closing(opened, tmp_path):
    stdout = opened(tmp_path / "out", 1)
    stderr = opened(STDOUT, 2, stdout=stdout)
    stdout.write(b"1")
    stderr.write(b"2")
    stdout.close()
    stderr.write(b"3")
    assert (tmp_path / "out").read_bytes() == b"123"


@pytest.mark.parametrize("number", [0, 1])
def test_only_stderr_can_be_stdout(opened, number):
    with pytest.raises(ValueError, match="STDOUT can only be used for stderr"):
        opened(STDOUT, number)


def test_the_numbers_zero_to_two_are_inherited(opened, capfd):
    opened(None, 1).write(b"to stdout")
    opened(None, 2).write(b"to stderr")
    assert capfd.readouterr() == ("to stdout", "to stderr")


def test_a_number_the_process_does_not_have_is_closed(opened, monkeypatch):
    def gone(*_, **__):
        raise OSError(errno.EBADF, "gone")

    monkeypatch.setattr(module, "HostStream", gone)
    assert isinstance(opened(None, 1), Closed)


def test_a_descriptor_that_is_not_open_is_refused(opened, pipe):
    os.close(pipe[0])
    assert errno_of(opened, pipe[0], 0) == errno.EBADF
    assert errno_of(opened, -7, 0) == errno.EBADF


def test_a_descriptor_is_used_and_not_closed(opened, pipe):
    stream = opened(pipe[1], 1)
    stream.write(b"x")
    stream.close()
    assert os.read(pipe[0], 9) == b"x"
    assert is_open(pipe[1])


def test_bytes_and_text_are_the_input_itself(opened):
    assert isinstance(opened(b"ab", 0), BytesInput)
    assert opened(bytearray(b"ab"), 0).read(9) == b"ab"
    assert opened("ä", 0).read(9) == b"\xc3\xa4"
    assert opened("ä", 0, encoding="latin-1").read(9) == b"\xe4"


def test_bytes_are_no_output(opened):
    with pytest.raises(TypeError, match="stdout cannot be bytes"):
        opened(b"x", 1)


@pytest.mark.parametrize("kind", [str, Path], ids=["str", "Path"])
def test_a_path_is_opened_for_output_cut_and_closed_by_us(opened, tmp_path, kind):
    path = tmp_path / "out"
    path.write_bytes(b"something longer")
    stream = opened(kind(path), 1)
    fd = stream.fileno()
    assert not os.get_inheritable(fd)
    stream.write(b"x")
    stream.close()
    assert path.read_bytes() == b"x"
    assert not is_open(fd)


def test_a_path_is_opened_for_input(opened, tmp_path):
    (tmp_path / "in").write_bytes(b"hello")
    assert opened(tmp_path / "in", 0).read(9) == b"hello"


def test_a_path_that_cannot_be_opened_says_so_to_the_embedder(opened, tmp_path):
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "missing", 0)


def test_what_a_file_object_holds_back_comes_before_what_the_guest_writes(opened, tmp_path):
    with open(tmp_path / "out", "w") as file:
        file.write("first ")
        stream = opened(file, 1)
        assert isinstance(stream, HostStream)
        stream.write(b"second")
        stream.close()
        file.write(" third")
    assert (tmp_path / "out").read_text() == "first second third"


def test_a_socket_is_used_by_its_descriptor(opened):
    a, b = socket.socketpair()
    with a, b:
        opened(a, 1).write(b"x")
        assert b.recv(9) == b"x"


@pytest.mark.parametrize(
    ("source", "number", "kind"),
    [
        (io.BytesIO(), 0, FileObjectInput),
        (io.StringIO(), 0, FileObjectInput),
        (io.BytesIO(), 1, FileObjectOutput),
        (io.StringIO(), 2, FileObjectOutput),
        (lambda size: b"", 0, CallableInput),
        ([].append, 1, CallableOutput),
    ],
    ids=["bytes in", "text in", "bytes out", "text out", "function in", "function out"],
)
def test_python_objects_become_streams(opened, source, number, kind):
    assert type(opened(source, number)) is kind


@pytest.mark.parametrize("source", [1.5, object(), {}], ids=["float", "object", "dict"])
def test_what_can_be_no_stream_is_refused_by_name(opened, source):
    with pytest.raises(TypeError, match="stderr cannot be"):
        opened(source, 2)
