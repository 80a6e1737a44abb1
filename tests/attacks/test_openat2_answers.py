"""Catalogue E 39: what a guest sees of a kernel that is busy, or does not know ``openat2``."""

import ctypes
import errno
import os

import pytest

from tests.attacks.guest import CREAT, READ, WRITE
from tests.attacks.places import HostPlace
from wasi_host.fs import openat2
from wasi_spec import Errno

pytestmark = [
    pytest.mark.skipif(not openat2.available(), reason="this kernel has no openat2"),
    # The kernel is stood in for in Python.
    pytest.mark.usefixtures("python_only"),
]


class Kernel:
    """Stands in for the system call: answers with errnos first, then as the real one."""

    def __init__(self, number, times):
        self.number = number
        self.left = times
        self.calls = 0
        self.real = openat2._syscall

    def __call__(self, *arguments):
        self.calls += 1
        if self.left:
            self.left -= 1
            ctypes.set_errno(self.number)
            return -1
        return self.real(*arguments)


@pytest.fixture
def kernel(monkeypatch):
    def install(number, times):
        kernel = Kernel(number, times)
        monkeypatch.setattr(openat2, "_syscall", kernel)
        return kernel

    return install


@pytest.fixture
def place(tmp_path):
    root = tmp_path / "outer" / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "file").write_bytes(b"content")
    (root / "a" / "out").symlink_to("../../secret")
    (root.parent / "secret").write_bytes(b"secret")
    return HostPlace(root)


@pytest.fixture
def guest(place, start):
    return start(place)


USES = {
    "open": lambda g: g.try_open("a/b/file"),
    "create": lambda g: g.try_open("a/b/new", oflags=CREAT, rights=READ | WRITE),
    "stat": lambda g: g.call("path_filestat_get", 3, 0, "a/b/file"),
    "make a directory": lambda g: g.call("path_create_directory", 3, "a/b/new"),
    "unlink": lambda g: g.call("path_unlink_file", 3, "a/b/file"),
    "rename": lambda g: g.call("path_rename", 3, "a/b/file", 3, "a/file"),
}
every_use = pytest.mark.parametrize("use", USES.values(), ids=USES)


@every_use
@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EINTR], ids=["EAGAIN", "EINTR"])
def test_e39_a_busy_kernel_is_asked_until_it_answers(guest, kernel, use, number):
    busy = kernel(number, 7)
    assert use(guest) is Errno.SUCCESS
    assert busy.left == 0
    assert busy.calls > 7


def test_e39_a_kernel_that_stays_busy_ends_in_again_not_in_an_endless_loop(guest, kernel, place):
    kernel(errno.EAGAIN, 10**9)
    assert USES["create"](guest) is Errno.AGAIN
    assert not place.exists("a/b/new")


def test_e39_what_a_busy_kernel_did_in_the_end_is_done_once(guest, kernel, place):
    kernel(errno.EAGAIN, 3)
    guest.write(guest.open("a/b/new", oflags=CREAT, rights=READ | WRITE), b"made")
    assert place.read("a/b/new") == b"made"
    assert guest.is_open(4)
    assert not guest.is_open(5)


@every_use
def test_e39_a_path_that_the_kernel_sees_leave_is_perm(guest, kernel, use):
    kernel(errno.EXDEV, 10**9)
    assert use(guest) is Errno.PERM


@pytest.mark.parametrize("path", ["a/../../secret", "a/out", "a/b/../../../secret"])
def test_e39_the_kernels_own_refusal_is_perm(guest, path):
    assert guest.try_open(path, follow=True) is Errno.PERM


MISSING = pytest.mark.parametrize(
    "number", [errno.ENOSYS, errno.EPERM, errno.EACCES], ids=["ENOSYS", "EPERM", "EACCES"]
)


@pytest.fixture
def unasked(monkeypatch):
    """Nobody has asked yet whether the kernel knows the call."""
    monkeypatch.setattr(openat2, "_works", None)


@every_use
@MISSING
def test_e39_without_the_call_paths_are_walked(unasked, guest, kernel, use, number):
    without = kernel(number, 10**9)
    assert use(guest) is Errno.SUCCESS
    assert without.calls == 1


@MISSING
def test_e39_without_the_call_nothing_leaves(unasked, guest, kernel, number):
    kernel(number, 10**9)
    for path in ("a/../../secret", "a/out", "a/b/../../../secret", "../secret"):
        assert guest.try_open(path, follow=True) is Errno.PERM


@MISSING
def test_e39_without_the_call_no_descriptor_is_left_behind(unasked, guest, kernel, number):
    kernel(number, 10**9)
    guest.must("fd_close", guest.open("a/b/file"))
    before = sorted(os.listdir("/proc/self/fd"))
    for use in ("open", "stat"):
        USES[use](guest)
    guest.must("fd_close", 4)
    assert sorted(os.listdir("/proc/self/fd")) == before
