"""What a guest sees of a host whose own calls fail: the errno, and nothing is lost or left behind.

Each call of the operating system that a host directory makes is made to fail while one call of
the guest runs. The guest is told, no descriptor leaks, what was acknowledged stays, and the next
call works.
"""

import contextlib
import errno
import gc
import os

import pytest

from tests.attacks import sides
from tests.attacks.backends import ValuesBackend
from tests.attacks.guest import CREAT, READ, WRITE, Guest
from tests.fs.backends import open_descriptors
from wasi_host.descriptors import file
from wasi_host.fs import host_nodes
from wasi_spec import Errno

pytestmark = pytest.mark.usefixtures("python_only")

FAULTS = {
    errno.EIO: Errno.IO,
    errno.ENOSPC: Errno.NOSPC,
    errno.ENFILE: Errno.NFILE,
    errno.EINTR: Errno.INTR,
}
KEPT = b"what was acknowledged"

#: What of the host is called, and where it is looked up.
HOST = {
    name: (os, name)
    for name in (
        "open", "fstat", "stat", "mkdir", "rmdir", "unlink", "rename", "link", "symlink",
        "readlink", "utime", "ftruncate", "posix_fallocate", "fsync", "fdatasync", "scandir",
        "pwritev",
    )
    if hasattr(os, name)
} | {
    "preadv": (host_nodes, "preadv"), "pread": (file, "pread"), "pwrite": (file, "pwrite"),
}  # fmt: skip


def calls(guest, held, appending):
    """Return the guest's calls by name; ``held`` is a file open for both."""
    at = guest.alloc(512)
    found = {
        name: lambda side=side, name=name: side(
            guest, 3, "ordinary" if name in sides.USING else "made"
        )
        for name, side in sides.SIDES.items()
    }
    found |= {
        f"{name} below": lambda side=side, name=name: side(
            guest, 3, "a/ordinary" if name in sides.USING else "a/made"
        )
        for name, side in sides.SIDES.items()
    }
    found |= {
        "read": lambda: guest.call("fd_pread", held, guest.vector(30), 0),
        "read much": lambda: guest.call("fd_pread", held, guest.vector(9000), 0),
        "write": lambda: guest.call("fd_pwrite", held, guest.vector(b"lost"), 100),
        "append": lambda: guest.call("fd_write", appending, guest.vector(b"lost")),
        "truncate": lambda: guest.call("fd_filestat_set_size", held, 1000),
        "allocate": lambda: guest.call("fd_allocate", held, 0, 2000),
        "sync": lambda: guest.call("fd_sync", held),
        "sync data": lambda: guest.call("fd_datasync", held),
        "stat": lambda: guest.call("fd_filestat_get", held),
        "set times": lambda: guest.call("fd_filestat_set_times", held, 1, 1, 5),
        "list": lambda: guest.call("fd_readdir", 3, at, 512, 0),
    }
    return found


@contextlib.contextmanager
def failing(where, number, met):
    """Make a call of the host fail, and count how often it was asked."""
    owner, name = where
    real = getattr(owner, name)

    def fails(*arguments, **keywords):
        met.append(name)
        raise OSError(number, os.strerror(number))

    setattr(owner, name, fails)
    try:
        yield
    finally:
        setattr(owner, name, real)


@pytest.mark.parametrize("number", FAULTS, ids=lambda number: errno.errorcode[number])
@pytest.mark.parametrize("name", HOST)
def test_n80_a_call_of_the_host_that_fails_is_told_and_leaves_nothing(host_only, name, number):
    sides.furnish(host_only)
    guest = Guest(ValuesBackend({"/": host_only.source}))
    held = guest.open("kept", oflags=CREAT, rights=READ | WRITE)
    guest.write(held, KEPT)
    appending = guest.open("log", oflags=CREAT, rights=READ | WRITE, fdflags=1)
    gc.collect()
    first, met = guest.next, []
    # As many open files in all are, to an open, as many as the guest may have: catalogue 16.
    opening = {Errno.MFILE} if number == errno.ENFILE else set()
    for what, call in calls(guest, held, appending).items():
        guest.next = first + 4096
        before = open_descriptors()
        asked = len(met)
        with failing(HOST[name], number, met):
            answer = call()
        if len(met) > asked:
            # Told, or not needed after all; never an exception, never another word for it.
            assert answer in {FAULTS[number], Errno.SUCCESS} | opening, (what, answer)
        if answer is Errno.SUCCESS and what.startswith("open"):
            guest.must("fd_close", guest.result)
        assert open_descriptors() == before, what
    # Of what the guest was told is written, nothing is missing.
    assert guest.content("kept")[: len(KEPT)] == KEPT
    assert host_only.read("kept")[: len(KEPT)] == KEPT
    guest.close()
    assert met, "no call of the guest came to this one"


def test_n80_a_write_that_the_host_cuts_short_is_reported_as_short(host_only, monkeypatch):
    guest = Guest(ValuesBackend({"/": host_only.source}))
    fd = guest.open("file", oflags=CREAT, rights=READ | WRITE)
    real = file.pwrite
    monkeypatch.setattr(file, "pwrite", lambda fd, data, offset: real(fd, bytes(data)[:3], offset))
    assert guest.write(fd, b"0123456789") == 3
    assert guest.tell(fd) == 3
    assert host_only.read("file") == b"012"
    guest.close()
