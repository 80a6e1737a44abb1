"""What a guest, and who applies its changes, is told where the host's disk is really full.

The disk is a filesystem in memory of a few pages and names, which only root can mount.
"""

import contextlib
import errno
import os
import subprocess
import sys

import pytest

from tests.attacks.conftest import HOSTS, host_place
from tests.attacks.guest import CREAT, READ, WRITE
from wasi_host import Overlay, Sandbox
from wasi_spec import Errno

PAGE = os.sysconf("SC_PAGE_SIZE")
PAGES, NAMES = 32, 24
#: Where the guest's memory is read from and written to, longer than what is left on the disk.
BLOCK = PAGE * 4


def mount(where):
    """Mount a small filesystem, or skip: who is not root, or not on Linux, cannot."""
    if not sys.platform.startswith("linux") or os.geteuid():
        pytest.skip("only root on Linux mounts a filesystem: mount(8)")
    options = f"size={PAGES * PAGE},nr_inodes={NAMES},mode=755"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", where], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"this machine mounts nothing: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path):
    """A directory on a disk of PAGES pages and fewer than NAMES names."""
    where = tmp_path / "disk"
    where.mkdir()
    mount(where)
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", where], check=True)


@pytest.fixture(params=HOSTS)
def small(request, disk):
    """A place on that disk."""
    yield from host_place(request.param, disk)


def fill(guest, fd):
    """Write until nothing more is taken; return what was acknowledged."""
    taken = []
    for number in range(PAGES):
        data = bytes([number]) * BLOCK
        guest.next = 4096
        answer = guest.call("fd_write", fd, guest.vector(data))
        if answer is not Errno.SUCCESS:
            assert answer is Errno.NOSPC
            break
        taken.append(data[: guest.result])
    else:
        pytest.fail("the disk took more than it has")
    return b"".join(taken)


def test_n80_a_full_disk_is_nospc_and_what_was_acknowledged_is_there(start, small):
    guest = start(small)
    fd = guest.open("file", oflags=CREAT, rights=READ | WRITE)
    expected = fill(guest, fd)
    assert expected
    assert small.read("file") == expected
    assert guest.call("fd_pwrite", fd, guest.vector(b"more"), len(expected)) is Errno.NOSPC
    # Overwriting takes no room, and neither does anything else that is there.
    guest.must("fd_pwrite", fd, guest.vector(b"over"), 0)
    assert small.read("file") == b"over" + expected[4:]
    guest.must("fd_close", fd)
    guest.must("path_rename", 3, "file", 3, "other")
    guest.must("path_unlink_file", 3, "other")
    assert fill(guest, guest.open("file", oflags=CREAT, rights=READ | WRITE))


def test_n80_room_that_is_not_there_is_not_allocated(start, small):
    guest = start(small)
    fd = guest.open("file", oflags=CREAT)
    guest.must("fd_write", fd, guest.vector(b"kept"))
    assert guest.call("fd_allocate", fd, 0, 2 * PAGES * PAGE) is Errno.NOSPC
    assert small.read("file")[:4] == b"kept"


@pytest.mark.parametrize("make", ["file", "directory", "link"])
def test_n80_a_disk_without_free_names_is_nospc_and_nothing_half_is_left(start, small, make):
    guest = start(small)

    def file(name):
        answer = guest.try_open(name, oflags=CREAT, rights=READ | WRITE)
        if answer is Errno.SUCCESS:  # open, it would hold its place after it is unlinked
            guest.must("fd_close", guest.result)
        return answer

    calls = {
        "file": file,
        "directory": lambda name: guest.call("path_create_directory", 3, name),
        "link": lambda name: guest.call("path_symlink", "t" * 200, 3, name),
    }
    made = []
    for number in range(NAMES + 1):
        guest.next = 4096
        answer = calls[make](f"n{number}")
        if answer is not Errno.SUCCESS:
            break
        made.append(f"n{number}")
    assert answer is Errno.NOSPC
    assert sorted(small.names()) == sorted(made)
    guest.must("path_remove_directory" if make == "directory" else "path_unlink_file", 3, made[0])
    assert calls[make]("again") is Errno.SUCCESS


def test_n80_changes_that_do_not_fit_leave_whole_files_and_can_be_applied_later(disk):
    lower = disk / "lower"
    lower.mkdir()
    (lower / "first").write_bytes(b"old")
    ballast = disk / "ballast"
    ballast.write_bytes(bytes((PAGES - 6) * PAGE))
    overlay = Overlay(lower)
    root = overlay.open_root()
    expected = {f"made{number}": bytes([number]) * BLOCK for number in range(4)}
    for name, data in expected.items():
        with contextlib.closing(root.open_at(name, os.O_CREAT | os.O_RDWR, True)) as file:
            assert file.pwrite(data, 0) == len(data)
    with contextlib.closing(root.open_at("first", os.O_RDWR, True)) as file:
        file.pwrite(b"new", 0)
    with pytest.raises(OSError, match="No space left") as failed:
        overlay.changes.apply()
    assert failed.value.errno == errno.ENOSPC
    whole = expected | {"first": b"new"}
    for name in os.listdir(lower):
        assert (lower / name).read_bytes() in {whole[name], b"old"}, name
    ballast.unlink()
    overlay.changes.apply()
    assert {name: (lower / name).read_bytes() for name in os.listdir(lower)} == whole
    overlay.close()


def test_n80_a_cache_on_a_full_disk_costs_only_time(disk, monkeypatch):
    monkeypatch.setenv("WASI_HOST_CACHE", str(disk / "cache"))
    (disk / "ballast").write_bytes(bytes((PAGES - 1) * PAGE))
    for _ in range(2):
        run = Sandbox(
            b"\0asm\1\0\0\0" + b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01"
            b"\x07\x13\x02\x06memory\x02\0\x06_start\0\0\x0a\x04\x01\x02\0\x0b"
        ).run()
        assert run.returncode == 0
    assert not [path for path in disk.rglob("*.cwasm") if path.stat().st_size]
