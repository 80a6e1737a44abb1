"""Standard streams of the command that are closed, full, or lead nowhere."""

import os
import socket
import subprocess
import sys

import pytest

from tests.runtimes.guests import command
from tests.sandbox.programs import BOTH, NUMBERS, READ_ERRNO, WRITE_ERRNO
from wasi_spec import Errno

COMMAND = [sys.executable, "-m", "wasi_host", "run"]
FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")


@pytest.fixture
def wat(tmp_path):
    """Writes a program to a file; returns its path."""

    def write(source):
        path = tmp_path / "tool.wat"
        path.write_bytes(source)
        return str(path)

    return write


def without(closed, *words):
    """Run the command with standard streams closed; return its status and what it said."""
    program = "import os, sys\n"
    program += "".join(f"os.close({number})\n" for number in closed)
    program += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    done = subprocess.run(
        [sys.executable, "-c", program, *COMMAND[1:], *words],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


#: What the command opens itself, and what must not take a stream's number.
OPENED = {
    "nothing": [],
    "a directory": ["--dir", "."],
    "a listener": ["--listen", "127.0.0.1:4"],
    "both": ["--ro-dir", ".", "--listen", "127.0.0.1:4"],
}


@pytest.fixture(params=OPENED.values(), ids=OPENED)
def opened(request):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return [word.replace(":4", f":{port}") for word in request.param]


@pytest.mark.parametrize("closed", [[1], [0, 1], [0, 1, 2]], ids=str)
def test_a_closed_standard_output_is_badf(wat, opened, closed):
    status, _, said = without(closed, *opened, wat(WRITE_ERRNO))
    assert (status, said) == (Errno.BADF, b"")


@pytest.mark.parametrize("closed", [[0], [0, 1], [0, 1, 2]], ids=str)
def test_a_closed_standard_input_is_badf(wat, opened, closed):
    status, _, said = without(closed, *opened, wat(READ_ERRNO))
    assert (status, said) == (Errno.BADF, b"")


def test_a_result_that_nobody_wants_is_dropped(wat):
    assert without([1], "--invoke", "add", wat(NUMBERS), "1", "2") == (0, b"", b"")


def test_a_program_runs_without_a_standard_error(wat):
    assert without([2], wat(BOTH)) == (0, b"out\n", b"")


def test_a_trap_without_a_standard_error_has_its_status_all_the_same(wat):
    assert without([2], wat(command("unreachable"))) == (134, b"", b"")


def test_a_mistake_without_a_standard_error_has_its_status_all_the_same(wat):
    assert without([2], "missing.wasm")[0] == 127


@FULL
def test_a_full_disk_is_nospc_to_the_program(wat):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, wat(WRITE_ERRNO)], stdout=full, check=False)
    assert done.returncode == Errno.NOSPC


@FULL
def test_a_result_that_does_not_fit_is_a_host_error_with_a_word(wat):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "--invoke", "add", wat(NUMBERS), "1", "2"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 125
    assert done.stderr == b"wasi-host: cannot write the result: No space left on device\n"


@pytest.mark.parametrize("kind", ["the program's", "the result"])
def test_output_into_a_closed_pipe(wat, kind):
    reader, writer = os.pipe()
    os.close(reader)
    invoked = kind == "the result"
    words = ["--invoke", "add", wat(NUMBERS), "1", "2"] if invoked else [wat(WRITE_ERRNO)]
    done = subprocess.run([*COMMAND, *words], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    if invoked:
        assert done.returncode == 125
        assert done.stderr == b"wasi-host: cannot write the result: Broken pipe\n"
    else:
        assert (done.returncode, done.stderr) == (Errno.PIPE, b"")


def test_output_that_is_no_text_passes_unchanged(wat):
    body = """(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 5))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))"""
    source = command(body, r'(data (i32.const 64) "\ff\00\0d\0a\80")', wasi=["fd_write"])
    done = subprocess.run([*COMMAND, wat(source)], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\xff\0\r\n\x80", b"\xff\0\r\n\x80")


def test_a_result_is_printed_though_the_program_closed_its_output(wat):
    source = command(
        "",
        '(func (export "close") (result i32) (call $fd_close (i32.const 1)))',
        wasi=["fd_close"],
    )
    done = subprocess.run(
        [*COMMAND, "--invoke", "close", wat(source)], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0\n", b"")
