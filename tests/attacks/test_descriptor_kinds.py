"""Catalogue B 17 and 18: what is asked of a thing of the wrong kind, or not opened for it."""

import os

import pytest

from tests.attacks.guest import CREAT, READ, WRITE
from tests.attacks.recipes import keep
from wasi_spec import Errno, Rights
from wasi_spec.rights import ALL_RIGHTS

OK, BADF, SPIPE, NOTSOCK = Errno.SUCCESS, Errno.BADF, Errno.SPIPE, Errno.NOTSOCK
NOTDIR = Errno.NOTDIR

CALLS = {
    "fd_read": lambda g, fd: g.call("fd_read", fd, g.vector(4)),
    "fd_write": lambda g, fd: g.call("fd_write", fd, g.vector(b"word")),
    "fd_pread": lambda g, fd: g.call("fd_pread", fd, g.vector(4), 0),
    "fd_pwrite": lambda g, fd: g.call("fd_pwrite", fd, g.vector(b"word"), 0),
    "fd_seek": lambda g, fd: g.call("fd_seek", fd, 0, 0),
    "fd_seek nowhere": lambda g, fd: g.call("fd_seek", fd, 0, 1),
    "fd_tell": lambda g, fd: g.call("fd_tell", fd),
    "fd_advise": lambda g, fd: g.call("fd_advise", fd, 0, 4, 0),
    "fd_allocate": lambda g, fd: g.call("fd_allocate", fd, 0, 4),
    "fd_sync": lambda g, fd: g.call("fd_sync", fd),
    "fd_datasync": lambda g, fd: g.call("fd_datasync", fd),
    "fd_filestat_set_size": lambda g, fd: g.call("fd_filestat_set_size", fd, 4),
    "fd_filestat_set_times": lambda g, fd: g.call("fd_filestat_set_times", fd, 0, 0, 1),
    "fd_fdstat_set_flags": lambda g, fd: g.call("fd_fdstat_set_flags", fd, 1),
    "fd_readdir": lambda g, fd: g.call("fd_readdir", fd, g.alloc(64), 64, 0),
    "path_open": lambda g, fd: g.try_open("name", fd=fd),
    "path_open of nothing": lambda g, fd: g.try_open("", fd=fd),
    "path_open creating": lambda g, fd: g.try_open("made", fd=fd, oflags=CREAT),
    "path_create_directory": lambda g, fd: g.call("path_create_directory", fd, "made"),
    "path_filestat_get": lambda g, fd: g.call("path_filestat_get", fd, 0, "name"),
    "path_filestat_set_times": lambda g, fd: g.call(
        "path_filestat_set_times", fd, 0, "name", 0, 0, 1
    ),
    "path_link from": lambda g, fd: g.call("path_link", fd, 0, "name", 3, "made"),
    "path_link to": lambda g, fd: g.call("path_link", 3, 0, "name", fd, "made"),
    "path_readlink": lambda g, fd: g.call("path_readlink", fd, "link", g.alloc(64), 64),
    "path_remove_directory": lambda g, fd: g.call("path_remove_directory", fd, "empty"),
    "path_rename from": lambda g, fd: g.call("path_rename", fd, "name", 3, "made"),
    "path_rename to": lambda g, fd: g.call("path_rename", 3, "name", fd, "made"),
    "path_symlink": lambda g, fd: g.call("path_symlink", "target", fd, "made"),
    "path_unlink_file": lambda g, fd: g.call("path_unlink_file", fd, "name"),
    "sock_accept": lambda g, fd: g.call("sock_accept", fd, 0),
    "sock_recv": lambda g, fd: g.call("sock_recv", fd, g.vector(4), 0),
    "sock_send": lambda g, fd: g.call("sock_send", fd, g.vector(b"word"), 0),
    "sock_shutdown": lambda g, fd: g.call("sock_shutdown", fd, 1),
}

#: By call: the answers of an input stream, an output stream, a directory, a file.
TABLE = {
    "fd_read": (OK, BADF, BADF, OK),
    "fd_write": (BADF, OK, BADF, OK),
    "fd_pread": (SPIPE, BADF, BADF, OK),
    "fd_pwrite": (BADF, SPIPE, BADF, OK),
    "fd_seek": (SPIPE, SPIPE, BADF, OK),
    "fd_seek nowhere": (SPIPE, SPIPE, BADF, OK),
    "fd_tell": (SPIPE, SPIPE, BADF, OK),
    "fd_advise": (BADF, BADF, BADF, OK),
    "fd_allocate": (BADF, BADF, BADF, OK),
    "fd_sync": (BADF, BADF, BADF, OK),
    "fd_datasync": (BADF, BADF, BADF, OK),
    "fd_filestat_set_size": (BADF, BADF, BADF, OK),
    "fd_filestat_set_times": (BADF, BADF, OK, OK),
    "fd_fdstat_set_flags": (OK, OK, BADF, OK),
    "fd_readdir": (BADF, BADF, OK, BADF),
    "path_open": (BADF, BADF, OK, NOTDIR),
    "path_open of nothing": (BADF, BADF, Errno.NOENT, NOTDIR),
    "path_open creating": (BADF, BADF, OK, NOTDIR),
    **{name: (BADF, BADF, OK, BADF) for name in CALLS if name.startswith("path_")
       and not name.startswith("path_open")},
    **{name: (NOTSOCK,) * 4 for name in CALLS if name.startswith("sock_")},
}  # fmt: skip

INPUT, OUTPUT, DIRECTORY, FILE = range(4)
every_call = pytest.mark.parametrize("name", TABLE)


def furnished(place):
    place.write("file", b"0123456789")
    place.write("name", b"name")
    place.mkdir("empty")
    place.symlink("name", "link")
    return place


@pytest.fixture
def guest(place, start):
    return start(furnished(place), stdin=b"words")


def test_b17_every_call_has_a_row():
    assert CALLS.keys() == TABLE.keys()


@every_call
@pytest.mark.parametrize(("fd", "kind"), [(0, INPUT), (1, OUTPUT)], ids=["stdin", "stdout"])
def test_b17_of_a_stream(memory_only, start, name, fd, kind):
    before = furnished(memory_only).snapshot()
    guest = start(memory_only, stdin=b"words")
    assert CALLS[name](guest, fd) is TABLE[name][kind]
    assert memory_only.snapshot() == before


@every_call
def test_b17_of_a_preopened_directory(memory_only, start, name):
    guest = start(furnished(memory_only))
    assert CALLS[name](guest, 3) is TABLE[name][DIRECTORY]


@every_call
def test_b17_of_an_opened_directory(guest, name):
    assert CALLS[name](guest, guest.open_dir(".")) is TABLE[name][DIRECTORY]


@every_call
def test_b17_of_a_file(guest, name):
    assert CALLS[name](guest, guest.open("file")) is TABLE[name][FILE]


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for fd in ends:
        os.close(fd)


@every_call
def test_b17_of_a_hosts_pipe_to_read(memory_only, start, pipe, name):
    os.write(pipe[1], b"words")
    guest = start(furnished(memory_only), stdin=pipe[0])
    assert CALLS[name](guest, 0) is TABLE[name][INPUT]


@every_call
def test_b17_of_a_hosts_pipe_to_write(memory_only, start, pipe, name):
    guest = start(furnished(memory_only), stdout=pipe[1])
    assert CALLS[name](guest, 1) is TABLE[name][OUTPUT]


# Named pipes have attributes of their own, unlike what the embedder gives as a stream.
FIFO = sorted(TABLE.keys() - {"fd_filestat_set_times"})


@pytest.mark.parametrize("name", FIFO)
def test_b17_of_a_fifo_opened_to_read(host_only, start, name):
    os.mkfifo(furnished(host_only).root / "fifo")
    guest = start(host_only)
    fd = guest.open("fifo", rights=READ)
    assert CALLS[name](guest, fd) is TABLE[name][INPUT]


# 18

TRANSFERS = {
    "fd_read": (READ, lambda g, fd, vector: g.call("fd_read", fd, vector)),
    "fd_pread": (READ, lambda g, fd, vector: g.call("fd_pread", fd, vector, 0)),
    "fd_write": (WRITE, lambda g, fd, vector: g.call("fd_write", fd, vector)),
    "fd_pwrite": (WRITE, lambda g, fd, vector: g.call("fd_pwrite", fd, vector, 0)),
}
#: Four bytes, two buffers, much (which goes another way through the host), nothing, no buffer.
VECTORS = [(4,), (2, 2), (20_000,), (0,), ()]
transfers = pytest.mark.parametrize(("needed", "call"), TRANSFERS.values(), ids=TRANSFERS)


@transfers
def test_b18_a_transfer_that_a_file_was_not_opened_for_is_badf(guest, place, needed, call):
    fd = guest.open("file", rights=WRITE if needed == READ else READ)
    found = {parts: call(guest, fd, guest.vector(*parts)) for parts in VECTORS}
    assert found == dict.fromkeys(VECTORS, BADF)
    assert place.read("file") == b"0123456789"


@transfers
def test_b18_a_transfer_whose_right_was_dropped_is_notcapable(guest, place, needed, call):
    fd = guest.open("file", rights=READ | WRITE)
    keep(guest, fd, ALL_RIGHTS & ~needed)
    found = {parts: call(guest, fd, guest.vector(*parts)) for parts in VECTORS}
    assert found == dict.fromkeys(VECTORS, Errno.NOTCAPABLE)
    assert place.read("file") == b"0123456789"


@transfers
def test_b18_a_right_dropped_from_what_was_not_opened_for_it_is_badf_still(guest, needed, call):
    fd = guest.open("file", rights=WRITE if needed == READ else READ)
    keep(guest, fd, int(Rights.FD_SEEK))
    assert call(guest, fd, guest.vector(4)) is BADF


@pytest.mark.parametrize(("fd", "name"), [(0, "fd_write"), (1, "fd_read")])
def test_b18_streams_know_their_direction_for_no_bytes_too(memory_only, start, fd, name):
    guest = start(memory_only)
    found = {parts: guest.call(name, fd, guest.vector(*parts)) for parts in VECTORS}
    assert found == dict.fromkeys(VECTORS, BADF)
