"""Catalogue D 35: fifos, sockets, devices and the links of /proc in a host directory."""

import os
import socket
from pathlib import Path

import pytest

from tests.attacks.guest import CREAT, READ, WRITE
from tests.attacks.places import HostPlace
from wasi_spec import Errno, Fdflags, Filetype

UNKNOWN = int(Filetype.UNKNOWN)
CHARACTER_DEVICE = int(Filetype.CHARACTER_DEVICE)


@pytest.fixture
def fifo(host_only, start):
    os.mkfifo(host_only.root / "fifo")
    return start(host_only)


@pytest.fixture
def bound(host_only, start, monkeypatch):
    # By a relative path: the name of a socket must be short.
    monkeypatch.chdir(host_only.root)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        yield start(host_only)


def below(host_only, start, directory):
    """Return a guest over another directory of the host, by the same resolver."""
    if not Path(directory).is_dir():
        pytest.skip(f"no {directory} here")
    return start(HostPlace(Path(directory)))


def test_d35_a_fifo_opens_for_reading_at_once_without_a_writer(fifo):
    fd = fifo.open("fifo", rights=READ)
    assert fifo.must("fd_fdstat_get", fd).fs_filetype == UNKNOWN


@pytest.mark.parametrize("oflags", [0, CREAT], ids=["there", "creating"])
def test_d35_a_fifo_without_a_reader_is_nxio_for_writing(fifo, oflags):
    assert fifo.try_open("fifo", rights=WRITE, oflags=oflags) is Errno.NXIO


def test_d35_a_fifo_without_a_reader_is_nxio_for_writing_with_nonblock_too(fifo):
    errno = fifo.try_open("fifo", rights=WRITE, fdflags=int(Fdflags.NONBLOCK))
    assert errno is Errno.NXIO


def test_d35_what_a_guest_writes_into_a_fifo_comes_out(fifo, host_only):
    reader = os.open(host_only.root / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        fd = fifo.open("fifo", rights=WRITE)
        fifo.write(fd, b"words")
        assert os.read(reader, 16) == b"words"
    finally:
        os.close(reader)


def test_d35_what_the_host_writes_into_a_fifo_is_read_by_the_guest(fifo, host_only):
    fd = fifo.open("fifo", rights=READ)
    writer = os.open(host_only.root / "fifo", os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(writer, b"words")
        assert fifo.read(fd) == b"words"
    finally:
        os.close(writer)


def test_d35_a_fifo_is_of_unknown_type_to_stat(fifo):
    assert fifo.stat("fifo").filetype == UNKNOWN


def test_d35_a_fifo_is_no_directory(fifo):
    assert fifo.call("path_filestat_get", 3, 0, "fifo/x") is Errno.NOTDIR


@pytest.mark.parametrize("rights", [READ, WRITE, READ | WRITE], ids=["read", "write", "both"])
def test_d35_opening_a_unix_socket_is_nxio(bound, rights):
    assert bound.try_open("socket", rights=rights) is Errno.NXIO


def test_d35_a_unix_socket_is_of_unknown_type_to_stat(bound):
    assert bound.stat("socket").filetype == UNKNOWN


def test_d35_a_device_node_opens(host_only, start):
    guest = below(host_only, start, "/dev")
    fd = guest.open("null", rights=READ | WRITE)
    assert guest.must("fd_fdstat_get", fd).fs_filetype == CHARACTER_DEVICE
    assert guest.write(fd, b"words") == 5
    assert guest.read(fd) == b""


def test_d35_a_device_node_gives_what_the_host_reads_from_it(host_only, start):
    guest = below(host_only, start, "/dev")
    assert guest.read(guest.open("zero", rights=READ), 16) == bytes(16)


@pytest.mark.parametrize("path", ["cwd", "root", "exe"])
def test_d35_a_link_of_proc_that_jumps_is_loop_when_followed(host_only, start, path):
    guest = below(host_only, start, "/proc/self")
    assert guest.try_open(path, follow=True) is Errno.LOOP


@pytest.mark.parametrize("path", ["cwd/x", "root/etc", "cwd/.", "root/"])
def test_d35_a_link_of_proc_that_jumps_is_loop_on_the_way(host_only, start, path):
    guest = below(host_only, start, "/proc/self")
    assert guest.try_open(path) is Errno.LOOP


def test_d35_a_link_of_proc_to_an_open_descriptor_is_loop(host_only, start, tmp_path):
    guest = below(host_only, start, "/proc/self")
    with open(tmp_path / "secret", "w") as secret:
        errno = guest.try_open(f"fd/{secret.fileno()}", follow=True)
    assert errno is Errno.LOOP


def test_d35_a_file_of_proc_that_is_no_link_is_read(host_only, start):
    guest = below(host_only, start, "/proc/self")
    assert guest.content("comm")


@pytest.mark.parametrize("path", ["dev/null", "proc/self/comm", "dev/../proc/self/comm"])
def test_d35_a_directory_on_which_something_is_mounted_is_entered(host_only, start, path):
    guest = below(host_only, start, "/")
    if not os.path.ismount("/proc"):
        pytest.skip("/proc is not mounted")
    # /proc/self is a link that does not jump: its text is a number.
    assert guest.try_open(path) is Errno.SUCCESS
