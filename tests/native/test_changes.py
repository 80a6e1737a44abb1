"""Times that C sets and names that C removes, beside the Python thunk of the same row."""

import os
import time

import pytest

from tests.native.machine import FALLBACK, NATIVE, PYTHON, Machine, open_descriptors
from wasi_host.fs.host import HostDir
from wasi_host.world.clocks import FixedClocks
from wasi_spec import Errno, Fstflags, Oflags, Rights
from wasi_spec.rights import ALL_RIGHTS

pytestmark = pytest.mark.usefixtures("native")

PATH, RESULT = 512, 256
ATIM, ATIM_NOW, MTIM, MTIM_NOW = map(int, Fstflags)
A_STAMP, M_STAMP = 1_111_111_111_123_456_789, 1_234_567_890_987_654_321
READ = int(Rights.FD_READ)
ways = pytest.mark.parametrize("how", [NATIVE, FALLBACK, PYTHON])


@pytest.fixture
def root(tmp_path):
    where = tmp_path / "root"
    (where / "d" / "e").mkdir(parents=True)
    for name in ("f", "d/f", "d/e/f"):
        (where / name).write_bytes(b"inside")
    (where / "link").symlink_to("f")
    (where / "dlink").symlink_to("d")
    (where / "dangling").symlink_to("nowhere")
    (where / "out").symlink_to("../outside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f").write_bytes(b"a secret")
    return where


@pytest.fixture
def start(root):
    machines = []

    def started(source=None, **setting):
        machines.append(Machine(str(root) if source is None else source, **setting))
        return machines[-1]

    yield started
    for machine in machines:
        machine.close()


def alone(machine, *call):
    """Make a call that C must serve: there is nobody else."""
    host, machine.context.host = machine.context.host, None
    try:
        return machine.call(*call, how=NATIVE)
    finally:
        machine.context.host = host


def opened(machine, path=b"f", *, oflags=0):
    machine.poke(PATH, path)
    numbers = (3, 1, PATH, len(path), oflags, READ, 0, 0, RESULT)
    assert machine.call("path_open", *numbers, how=NATIVE) == Errno.SUCCESS
    return int.from_bytes(machine.peek(RESULT, 4), "little")


def set_times(machine, fd, atim, mtim, flags, how):
    return machine.call("fd_filestat_set_times", fd, atim, mtim, flags, how=how)


def times(root):
    st = (root / "f").stat()
    return st.st_atime_ns, st.st_mtime_ns


# Times


@ways
def test_times_are_set_to_the_nanosecond_and_one_that_is_not_named_stays(start, root, how):
    machine = start()
    fd = opened(machine)
    for given, flags, expected in [
        ((A_STAMP, M_STAMP), ATIM | MTIM, (A_STAMP, M_STAMP)),
        ((5, 6), MTIM, (A_STAMP, 6)),
        ((7, 8), ATIM, (7, 6)),
        ((9, 10), 0, (7, 6)),
        ((0, 999_999_999), ATIM | MTIM, (0, 999_999_999)),
    ]:
        assert set_times(machine, fd, *given, flags, how) == Errno.SUCCESS
        assert times(root) == expected


@ways
def test_now_is_one_moment_of_the_clock_for_both_times(start, root, how):
    machine = start()
    fd = opened(machine)
    before = time.time_ns()
    assert set_times(machine, fd, 1, 2, ATIM_NOW | MTIM_NOW, how) == Errno.SUCCESS
    atime, mtime = times(root)
    assert before <= atime == mtime <= time.time_ns()
    assert set_times(machine, fd, A_STAMP, 2, ATIM | MTIM_NOW, how) == Errno.SUCCESS
    assert times(root)[0] == A_STAMP
    assert mtime <= times(root)[1] <= time.time_ns()


@ways
def test_now_is_the_guests_own_clock_where_it_has_one(start, root, how):
    machine = start(clocks=FixedClocks(M_STAMP))
    fd = opened(machine)
    assert set_times(machine, fd, A_STAMP, 0, ATIM | MTIM_NOW, how) == Errno.SUCCESS
    assert times(root) == (A_STAMP, M_STAMP)


@pytest.mark.parametrize("stamp", [2**63 - 1, 2**63, 2**64 - 1])
def test_a_time_beyond_what_the_host_keeps_ends_as_in_python(start, root, stamp):
    machine = start()
    fd = opened(machine)
    seen = []
    for how in (NATIVE, PYTHON):
        assert set_times(machine, fd, 1, 2, ATIM | MTIM, how) == Errno.SUCCESS
        seen.append((set_times(machine, fd, stamp, stamp, ATIM | MTIM, how), times(root)))
    assert seen[0] == seen[1]


@ways
@pytest.mark.parametrize("flags", [ATIM | ATIM_NOW, MTIM | MTIM_NOW, 15, 16, 2**15, 2**16 - 1])
def test_flags_that_make_no_sense_are_inval_before_the_descriptor_is_looked_at(
    start, root, how, flags
):
    machine = start()
    fd = opened(machine)
    before = times(root)
    for number in (fd, 3, 99):
        assert set_times(machine, number, A_STAMP, M_STAMP, flags, how) == Errno.INVAL
    assert times(root) == before


@ways
def test_times_are_refused_without_the_right_and_in_a_read_only_directory(start, root, how):
    machine = start(rights=ALL_RIGHTS & ~int(Rights.FD_FILESTAT_SET_TIMES))
    before = times(root)
    assert set_times(machine, opened(machine), 1, 2, MTIM, how) == Errno.NOTCAPABLE
    machine = start(HostDir(root, readonly=True))
    for flags in (MTIM, 0):
        assert set_times(machine, opened(machine), 1, 2, flags, how) == Errno.PERM
    assert set_times(machine, 99, 1, 2, MTIM, how) == Errno.BADF
    assert times(root) == before


@ways
def test_times_of_a_directory_are_set_too(start, root, how):
    machine = start()
    fd = opened(machine, b"d", oflags=int(Oflags.DIRECTORY))
    assert set_times(machine, fd, A_STAMP, M_STAMP, ATIM | MTIM, how) == Errno.SUCCESS
    assert (root / "d").stat().st_mtime_ns == M_STAMP


def test_setting_a_files_times_and_closing_it_needs_no_python(start, root):
    machine = start()
    fd = opened(machine)
    assert alone(machine, "fd_filestat_set_times", fd, 5, 6, ATIM | MTIM) == Errno.SUCCESS
    assert alone(machine, "fd_filestat_set_times", fd, 0, 0, MTIM_NOW) == Errno.SUCCESS
    assert alone(machine, "fd_close", fd) == Errno.SUCCESS
    assert times(root)[0] == 5


# Names


def unlink(machine, path, *, how, fd=3):
    machine.poke(PATH, path)
    return machine.call("path_unlink_file", fd, PATH, len(path), how=how)


def tree(root):
    """Every name below a directory, and beside it."""
    return sorted(str(path.relative_to(root.parent)) for path in root.parent.rglob("*"))


REMOVED = {
    b"f": "f",
    b"link": "link",
    b"dlink": "dlink",
    b"dangling": "dangling",
    b"out": "out",
    b"d/f": "d/f",
    b"d/e/f": "d/e/f",
    b"d//f": "d/f",
    b"d/./e/../f": "d/f",
    b"dlink/f": "d/f",
    b"./f": "f",
}


@pytest.mark.parametrize("path", REMOVED, ids=bytes.decode)
def test_a_file_or_link_is_removed_and_nothing_else(start, root, path):
    machine = start()
    before, opened_before = tree(root), open_descriptors()
    machine.poke(PATH, path)
    assert alone(machine, "path_unlink_file", 3, PATH, len(path)) == Errno.SUCCESS
    before.remove(f"root/{REMOVED[path]}")
    assert tree(root) == before
    assert alone(machine, "path_unlink_file", 3, PATH, len(path)) == Errno.NOENT
    assert open_descriptors() == opened_before


REFUSED = {
    b"missing": "NOENT",
    b"d/missing": "NOENT",
    b"missing/f": "NOENT",
    b"dangling/f": "NOENT",
    b"": "NOENT",
    b"d": "ISDIR",
    b"d/e": "ISDIR",
    b"d/": "ISDIR",
    b"dlink/": "ISDIR",
    b".": "ISDIR",
    b"d/.": "ISDIR",
    b"d/..": "ISDIR",
    b"f/": "NOTDIR",
    b"link/": "NOTDIR",
    b"f/x": "NOTDIR",
    b"..": "PERM",
    b"/f": "PERM",
    b"/": "PERM",
    b"//f": "PERM",
    b"../root/f": "PERM",
    b"../outside/f": "PERM",
    b"d/../../outside/f": "PERM",
    b"out/f": "PERM",
    b"n" * 256: "NAMETOOLONG",
    b"d/" + b"n" * 256: "NAMETOOLONG",
    b"n" * 256 + b"/f": "NAMETOOLONG",
    b"x/" * 2047 + b"f": "NOENT",
    b"bad\xff": "ILSEQ",
    b"d/bad\xff": "ILSEQ",
    b"f\0": "INVAL",
}


@ways
@pytest.mark.parametrize("path", REFUSED, ids=lambda path: ascii(path[:20]))
def test_what_cannot_be_removed_stays_and_the_errno_is_pythons(start, root, path, how):
    machine = start()
    before, opened_before = tree(root), open_descriptors()
    assert Errno(unlink(machine, path, how=how)).name == REFUSED[path]
    assert tree(root) == before
    assert open_descriptors() == opened_before


@ways
def test_a_name_is_not_removed_without_the_right_nor_in_a_read_only_directory(start, root, how):
    before = tree(root)
    machine = start(rights=ALL_RIGHTS & ~int(Rights.PATH_UNLINK_FILE))
    fd = opened(machine, b"d", oflags=int(Oflags.DIRECTORY))
    for number in (3, fd):
        assert unlink(machine, b"f", fd=number, how=how) == Errno.NOTCAPABLE
    machine = start(HostDir(root, readonly=True))
    fd = opened(machine, b"d", oflags=int(Oflags.DIRECTORY))
    for path in (b"f", b"d/f", b"missing"):
        assert unlink(machine, path, how=how) == Errno.PERM
    assert unlink(machine, b"f", fd=fd, how=how) == Errno.PERM
    file = opened(machine, b"f")
    assert unlink(machine, b"f", fd=file, how=how) == Errno.BADF
    assert unlink(machine, b"f", fd=99, how=how) == Errno.BADF
    assert tree(root) == before


@ways
def test_below_an_opened_directory_that_was_removed_there_is_nothing(start, root, how):
    (root / "gone").mkdir()
    machine = start()
    fd = opened(machine, b"gone", oflags=int(Oflags.DIRECTORY))
    (root / "gone").rmdir()
    for path in (b"f", b"d/f", b"n" * 256):
        assert unlink(machine, path, fd=fd, how=how) == Errno.NOENT


@ways
def test_a_path_that_lies_outside_of_memory_is_fault(start, root, how):
    machine = start()
    before = tree(root)
    for at, size in ((machine.size - 1, 2), (machine.size, 1), (2**32 - 1, 2**32 - 1)):
        assert machine.call("path_unlink_file", 3, at, size, how=how) == Errno.FAULT
    assert tree(root) == before


@ways
def test_a_link_out_put_in_a_directorys_place_removes_nothing_outside(start, root, tmp_path, how):
    machine = start()
    (root / "d" / "g").write_bytes(b"inside")
    assert unlink(machine, b"d/f", how=how) == Errno.SUCCESS
    (root / "d").rename(root / "aside")
    for target in ("../outside", tmp_path / "outside"):
        (root / "d").symlink_to(target)
        assert unlink(machine, b"d/f", how=how) == Errno.PERM
        (root / "d").unlink()
    assert (tmp_path / "outside" / "f").exists()


def test_a_removed_file_stays_open(start, root):
    machine = start()
    fd = opened(machine, b"d/f")
    machine.poke(PATH, b"d/f")
    assert alone(machine, "path_unlink_file", 3, PATH, 3) == Errno.SUCCESS
    assert alone(machine, "fd_filestat_get", fd, RESULT) == Errno.SUCCESS
    assert int.from_bytes(machine.peek(RESULT + 24, 8), "little") == 0
    assert alone(machine, "fd_close", fd) == Errno.SUCCESS


def test_a_name_in_a_directory_that_may_not_be_changed_is_acces(start, root):
    if not os.geteuid():
        pytest.skip("root changes every directory")
    machine = start()
    (root / "d").chmod(0o500)
    assert unlink(machine, b"d/f", how=NATIVE) == Errno.ACCES
    (root / "d").chmod(0o700)
