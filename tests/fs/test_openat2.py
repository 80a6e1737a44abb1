"""The system call itself, and what is made of a kernel that has none, or is busy."""

import ctypes
import errno
import os

import pytest

from tests.fs.actions import outcome
from wasi_host.fs import openat2
from wasi_host.fs.host import HostDir

FLAGS = os.O_RDONLY | os.O_CLOEXEC


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"content")
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


class Kernel:
    """Stands in for the call: fails with the given errnos, then does what the real one does."""

    def __init__(self, *errnos):
        self.errnos = list(errnos)
        self.calls = 0
        self.real = openat2._syscall

    def __call__(self, *args):
        self.calls += 1
        if self.errnos:
            ctypes.set_errno(self.errnos.pop(0))
            return -1
        return self.real(*args)


@pytest.fixture
def kernel(monkeypatch):
    def install(*errnos, probed=True):
        fake = Kernel(*errnos)
        monkeypatch.setattr(openat2, "_syscall", fake)
        if not probed:
            monkeypatch.setattr(openat2, "_works", None)
        return fake

    return install


needs_it = pytest.mark.skipif(not openat2.available(), reason="this kernel has no openat2")


@needs_it
def test_it_opens_beneath_and_nowhere_else(directory):
    fd = openat2.open_beneath(directory, "d/../d/f", FLAGS)
    assert os.read(fd, 100) == b"content"
    assert not os.get_inheritable(fd)
    os.close(fd)
    for path in ("..", "d/../..", "/etc/passwd"):
        assert outcome(openat2.open_beneath, directory, path, FLAGS) == "EPERM"


@needs_it
def test_a_nul_does_not_cut_the_path(directory):
    assert outcome(openat2.open_beneath, directory, "d/f\0x", FLAGS) == "EINVAL"


@needs_it
@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EINTR])
def test_a_busy_kernel_is_asked_again(directory, kernel, number):
    fake = kernel(number, number, number)
    os.close(openat2.open_beneath(directory, "d/f", FLAGS))
    assert fake.calls == 4


@needs_it
def test_a_kernel_that_stays_busy_is_eagain_in_the_end(directory, kernel):
    kernel(*[errno.EAGAIN] * 100_000)
    assert outcome(openat2.open_beneath, directory, "d/f", FLAGS) == "EAGAIN"


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM])
def test_a_kernel_without_it_is_asked_once_and_all_is_walked(tmp_path, directory, kernel, number):
    fake = kernel(*[number] * 10, probed=False)
    root = HostDir(tmp_path).open_root()
    for _ in range(3):
        assert outcome(root.open_at, "d/f", os.O_RDONLY, True) == "ok"
        assert outcome(root.stat_at, "d/../..", True) == "EPERM"
        assert not openat2.available()
    assert fake.calls == 1


def test_a_platform_without_it_is_walked(tmp_path, directory, monkeypatch):
    monkeypatch.setattr(openat2, "_syscall", openat2._missing)
    monkeypatch.setattr(openat2, "_works", None)
    assert not openat2.available()
    assert outcome(HostDir(tmp_path).open_root().open_at, "d/f", os.O_RDONLY, True) == "ok"


@needs_it
def test_forcing_it_off_tells_how_it_was():
    before = openat2.force_off(False)
    try:
        assert openat2.available()
        assert openat2.force_off(True) is False
        assert not openat2.available()
        assert openat2.force_off(False) is True
        assert openat2.available()
    finally:
        openat2.force_off(before)
