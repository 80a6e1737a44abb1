"""Catalogue Q 92: what a guest is told when it asks whether a stream is a terminal."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import wasi_host
from tests.attacks.guest import READ
from tests.runtimes.guests import command
from wasi_spec import Errno, Filetype, Rights

CHARACTER_DEVICE, UNKNOWN = Filetype.CHARACTER_DEVICE, Filetype.UNKNOWN
POSITIONS = Rights.FD_SEEK | Rights.FD_TELL
STDIO = pytest.mark.parametrize("fd", [0, 1, 2], ids=["stdin", "stdout", "stderr"])
CLAIMS = pytest.mark.parametrize("tty", [True, False], ids=["a terminal", "no terminal"])

#: Ends with the answers for 0, 1 and 2 as bits, as wasi-libc's isatty finds them.
ASKS = command(
    """(local $fd i32) (local $bits i32)
    (loop $next
      (drop (call $fd_fdstat_get (local.get $fd) (i32.const 64)))
      (if (i32.and
            (i32.eq (i32.load8_u (i32.const 64)) (i32.const 2))
            (i64.eqz (i64.and (i64.load (i32.const 72)) (i64.const 0x24))))
        (then (local.set $bits
          (i32.or (local.get $bits) (i32.shl (i32.const 1) (local.get $fd))))))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $fd) (i32.const 3))))
    (call $proc_exit (local.get $bits))""",
    wasi=["fd_fdstat_get", "proc_exit"],
)


def isatty(guest, fd):
    """Answer as wasi-libc does."""
    stat = guest.must("fd_fdstat_get", fd)
    return stat.fs_filetype == CHARACTER_DEVICE and not stat.fs_rights_base & POSITIONS


@pytest.fixture
def terminal():
    controller, terminal = os.openpty()
    yield terminal
    os.close(controller)
    os.close(terminal)


def given(fd, source):
    return {("stdin", "stdout", "stderr")[fd]: source}


def test_the_bits_of_this_file_are_those_of_the_specification():
    assert (int(CHARACTER_DEVICE), int(POSITIONS)) == (2, 0x24)


@STDIO
def test_q92_a_terminal_is_one_to_the_guest(memory_only, start, terminal, fd):
    guest = start(memory_only, **given(fd, terminal))
    assert [isatty(guest, number) for number in range(3)] == [number == fd for number in range(3)]


@STDIO
def test_q92_what_is_no_terminal_is_none_to_the_guest(memory_only, start, tmp_path, fd):
    reader, writer = os.pipe()
    file = tmp_path / "file"
    file.touch()
    for source in (
        writer if fd else reader,
        file,
        io.BytesIO(),
        Path(os.devnull),
        subprocess.DEVNULL,
    ):
        guest = start(memory_only, **given(fd, source))
        assert not isatty(guest, fd)
        guest.close()
    os.close(reader)
    os.close(writer)


@STDIO
@CLAIMS
def test_q92_the_embedder_chooses_what_the_guest_is_told(memory_only, start, terminal, fd, tty):
    for source in (terminal, io.BytesIO(), subprocess.DEVNULL, subprocess.PIPE):
        guest = start(memory_only, tty=tty, **given(fd, source))
        assert isatty(guest, fd) is tty
        kind = CHARACTER_DEVICE if tty else UNKNOWN
        stat = guest.must("fd_filestat_get", fd)
        assert stat.filetype == kind
        assert stat._replace(filetype=0) == (0,) * 8
        guest.close()


def test_q92_what_claims_to_be_a_terminal_is_still_what_it_is(memory_only, start):
    output = io.BytesIO()
    guest = start(memory_only, stdin=b"words", stdout=output, tty=True)
    assert guest.read(0) == b"words"
    assert guest.write(1, b"heard") == 5
    assert output.getvalue() == b"heard"
    assert guest.call("fd_seek", 0, 0, 0) is Errno.SPIPE


def test_q92_a_claim_moves_with_the_descriptor(memory_only, start):
    memory_only.write("file", b"")
    guest = start(memory_only, tty=True)
    fd = guest.open("file", rights=READ)
    guest.must("fd_renumber", 1, fd)
    assert isatty(guest, fd)
    assert not isatty(guest, guest.open("file", rights=READ))


def test_q92_a_claim_is_about_standard_streams_alone(memory_only, start):
    memory_only.write("file", b"")
    guest = start(memory_only, tty=True)
    assert not isatty(guest, guest.open("file", rights=READ))
    assert not isatty(guest, 3)


# Devices in a directory.


@pytest.mark.parametrize("name", ["null", "zero", "urandom"])
def test_q92_a_device_that_is_no_terminal_is_none_to_the_guest(host_only, start, name):
    guest = start(host_only, dirs={"/": "/dev"})
    fd = guest.open(name, rights=READ)
    assert guest.must("fd_fdstat_get", fd).fs_filetype == CHARACTER_DEVICE
    assert not isatty(guest, fd)
    assert guest.call("fd_seek", fd, 0, 0) is Errno.SPIPE
    assert guest.call("fd_tell", fd) is Errno.SPIPE


def test_q92_a_terminal_in_a_directory_is_one_to_the_guest(host_only, start, terminal):
    directory, name = os.path.split(os.ttyname(terminal))
    guest = start(host_only, dirs={"/": directory})
    assert isatty(guest, guest.open(name, rights=READ))


# The ways to say it.


@pytest.mark.parametrize(("tty", "bits"), [(None, 0), (False, 0), (True, 7)])
def test_q92_run_says_it(tty, bits):
    assert wasi_host.run([ASKS], capture_output=True, stdin=b"", tty=tty).returncode == bits
    sandbox = wasi_host.Sandbox(ASKS)
    assert sandbox.run(capture_output=True, stdin=b"", tty=tty).returncode == bits


def test_q92_a_terminal_can_be_hidden_from_a_run(terminal):
    streams = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
    assert wasi_host.run([ASKS], **streams).returncode == 7
    assert wasi_host.run([ASKS], **streams, tty=False).returncode == 0


@pytest.mark.parametrize(("tty", "kind"), [(None, UNKNOWN), (True, CHARACTER_DEVICE)])
def test_q92_the_import_provider_says_it(tty, kind):
    memory = bytearray(65536)
    with wasi_host.Wasi(stdout=subprocess.PIPE, tty=tty) as wasi:
        functions = wasi.functions(lambda: memory_of(memory))
        assert functions["fd_fdstat_get"](1, 64) == 0
        assert memory[64] == kind


class memory_of:
    """Memory as ``Wasi.functions`` takes it."""

    def __init__(self, data):
        self.view = lambda: memoryview(data)


@pytest.mark.parametrize(
    ("words", "bits"), [([], 1), (["--tty"], 7), (["--no-tty"], 0)], ids=["unsaid", "yes", "no"]
)
def test_q92_the_command_says_it(tmp_path, terminal, words, bits):
    (tmp_path / "asks.wat").write_bytes(ASKS)
    done = subprocess.run(
        [sys.executable, "-m", "wasi_host", "run", *words, tmp_path / "asks.wat"],
        stdin=terminal,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (bits, b"", b"")
