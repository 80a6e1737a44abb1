"""Paths of two names, whose directory the native part holds open while it is looked into."""

import contextlib
import os

import pytest

from tests.native.machine import NATIVE, PYTHON, Machine, open_descriptors
from wasi_spec import Errno, Rights
from wasi_spec.records import FILESTAT

pytestmark = pytest.mark.usefixtures("native")

PATH, RESULT = 512, 1024


@pytest.fixture
def root(tmp_path):
    where = tmp_path / "root"
    (where / "d").mkdir(parents=True)
    (where / "d" / "f").write_bytes(b"inside")
    return where


@pytest.fixture
def machine(root):
    made = Machine(str(root))
    yield made
    made.close()


def look(machine, path, *, fd=3, follow=0, how=NATIVE):
    """Return the errno, and the file's size or None."""
    data = os.fsencode(path)
    machine.poke(PATH, data)
    errno = machine.call("path_filestat_get", fd, follow, PATH, len(data), RESULT, how=how)
    size = FILESTAT.unpack(machine.peek(RESULT, 64))[4] if errno == Errno.SUCCESS else None
    return errno, size


def held(machine, before):
    """Look until the directory is held open."""
    for _ in range(3):
        assert look(machine, "d/f") == (Errno.SUCCESS, 6)
    assert open_descriptors() == before + 1


def outside(tmp_path):
    there = tmp_path / "outside"
    there.mkdir()
    (there / "f").write_bytes(b"a secret")
    return there


def test_a_link_put_in_the_directorys_place_is_not_followed_out(machine, root, tmp_path):
    held(machine, open_descriptors())
    there = outside(tmp_path)
    (root / "d").rename(root / "gone")
    (root / "d").symlink_to(there)
    assert look(machine, "d/f")[0] == Errno.PERM
    assert look(machine, "d/f", how=PYTHON)[0] == Errno.PERM


def test_a_link_to_the_directory_moved_out_is_not_followed(machine, root, tmp_path):
    held(machine, open_descriptors())
    (root / "d").rename(tmp_path / "moved")
    (root / "d").symlink_to(tmp_path / "moved")
    assert look(machine, "d/f")[0] == Errno.PERM


def test_another_directory_in_its_place_is_the_one_that_is_looked_into(machine, root):
    held(machine, open_descriptors())
    (root / "d").rename(root / "gone")
    assert look(machine, "d/f")[0] == Errno.NOENT
    (root / "d").mkdir()
    (root / "d" / "f").write_bytes(b"another")
    for _ in range(3):
        assert look(machine, "d/f") == (Errno.SUCCESS, 7)


def test_what_comes_and_goes_in_it_is_seen(machine, root):
    held(machine, open_descriptors())
    (root / "d" / "f").unlink()
    assert look(machine, "d/f")[0] == Errno.NOENT
    (root / "d" / "f").write_bytes(b"new")
    assert look(machine, "d/f") == (Errno.SUCCESS, 3)
    (root / "d" / "l").symlink_to("f")
    assert look(machine, "d/l") == (Errno.SUCCESS, 1)
    assert look(machine, "d/l", follow=1) == (Errno.SUCCESS, 3)


OTHERS = [
    "d/..",
    "d/.",
    "./d",
    "../root",
    "d/../d",
    "d/",
    "/d",
    "d//f",
    "d/f/",
    "d/f/g",
    "d/missing",
    "missing/f",
]


@pytest.mark.parametrize("path", [*OTHERS, "d/" + "n" * 256, "n" * 256 + "/f"])
def test_any_other_path_is_answered_as_in_python(machine, path):
    held(machine, open_descriptors())
    for _ in range(3):
        assert look(machine, path) == look(machine, path, how=PYTHON)


def test_a_directory_that_may_not_be_searched_any_more_is_told(machine, root):
    if not os.geteuid():
        pytest.skip("root searches every directory")
    held(machine, open_descriptors())
    (root / "d").chmod(0)
    assert look(machine, "d/f")[0] == Errno.ACCES
    (root / "d").chmod(0o700)


def test_it_is_closed_with_the_descriptor_it_is_below_and_with_the_guest(machine, root):
    (root / "up" / "d").mkdir(parents=True)
    (root / "up" / "d" / "f").write_bytes(b"inside")
    before = open_descriptors()
    held(machine, before)
    machine.poke(PATH, b"up")
    rights = int(Rights.FD_READDIR | Rights.PATH_FILESTAT_GET)
    numbers = (3, 0, PATH, 2, 2, rights, rights, 0, RESULT)
    assert machine.call("path_open", *numbers, how=NATIVE) == Errno.SUCCESS
    fd = int.from_bytes(machine.peek(RESULT, 4), "little")
    for _ in range(3):
        assert look(machine, "d/f", fd=fd) == (Errno.SUCCESS, 6)
    # The one above was let go of for it.
    assert open_descriptors() == before + 2
    assert machine.call("fd_close", fd, how=NATIVE) == Errno.SUCCESS
    assert open_descriptors() == before
    held(machine, before)
    machine.close()
    assert open_descriptors() < before


def test_a_number_given_to_another_directory_forgets_it(machine, root):
    (root / "up" / "d").mkdir(parents=True)
    (root / "up" / "d" / "f").write_bytes(b"longer than that")
    held(machine, open_descriptors())
    machine.poke(PATH, b"up")
    rights = int(Rights.FD_READDIR | Rights.PATH_FILESTAT_GET)
    numbers = (3, 0, PATH, 2, 2, rights, rights, 0, RESULT)
    assert machine.call("path_open", *numbers, how=NATIVE) == Errno.SUCCESS
    fd = int.from_bytes(machine.peek(RESULT, 4), "little")
    assert machine.call("fd_renumber", fd, 3) == Errno.SUCCESS
    for _ in range(3):
        assert look(machine, "d/f") == (Errno.SUCCESS, 16)


def test_a_host_without_free_descriptors_is_no_hindrance(machine, monkeypatch):
    resource = pytest.importorskip("resource")
    assert look(machine, "d/f") == (Errno.SUCCESS, 6)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    filled = [os.open(os.devnull, os.O_RDONLY)]
    try:
        # One more: what is looked at is opened for a moment.
        resource.setrlimit(resource.RLIMIT_NOFILE, (filled[0] + 1, hard))
        with contextlib.suppress(OSError):
            while True:
                filled.append(os.dup(filled[0]))
        os.close(filled.pop())
        assert look(machine, "d/f") == (Errno.SUCCESS, 6)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in filled:
            os.close(fd)


def test_it_is_not_inherited_by_programs_that_are_started(machine, root):
    held(machine, open_descriptors())
    (fd,) = [
        int(name)
        for name in os.listdir("/proc/self/fd")
        if os.path.realpath(f"/proc/self/fd/{name}") == str(root / "d")
    ]
    assert not os.get_inheritable(fd)
