"""Catalogue H 54: setting times."""

import os
import time

import pytest

from tests.attacks.guest import READ
from tests.attacks.places import HostPlace
from wasi_spec import Errno, Fstflags

ATIM, ATIM_NOW, MTIM, MTIM_NOW = (int(flag) for flag in Fstflags)
A_STAMP, M_STAMP = 1_111_111_111_123_456_789, 1_234_567_890_987_654_321


@pytest.fixture
def guest(place, start):
    """A guest with ``file`` open to read only as 4 and ``dir`` as 5."""
    place.write("file", b"0123456789")
    place.mkdir("dir")
    place.symlink("file", "link")
    place.symlink("missing", "dangling")
    guest = start(place)
    assert guest.open("file", rights=READ) == 4
    assert guest.open_dir("dir") == 5
    return guest


#: By descriptor and by path: the call, and what it is set on.
WAYS = {
    "a file": (lambda g, *t: g.call("fd_filestat_set_times", 4, *t), ("file", True)),
    "a directory": (lambda g, *t: g.call("fd_filestat_set_times", 5, *t), ("dir", True)),
    "a file by its path": (
        lambda g, *t: g.call("path_filestat_set_times", 3, 0, "file", *t),
        ("file", True),
    ),
    "a directory by its path": (
        lambda g, *t: g.call("path_filestat_set_times", 3, 0, "dir/", *t),
        ("dir", True),
    ),
    "the root": (lambda g, *t: g.call("path_filestat_set_times", 3, 0, ".", *t), (".", True)),
    "a link": (
        lambda g, *t: g.call("path_filestat_set_times", 3, 0, "link", *t),
        ("link", False),
    ),
    "a link followed": (
        lambda g, *t: g.call("path_filestat_set_times", 3, 1, "link", *t),
        ("file", True),
    ),
    "a dangling link": (
        lambda g, *t: g.call("path_filestat_set_times", 3, 0, "dangling", *t),
        ("dangling", False),
    ),
}
ways = pytest.mark.parametrize(("call", "what"), WAYS.values(), ids=WAYS)


def times(guest, what):
    path, follow = what
    stat = guest.stat(path, follow=follow)
    return stat.atim, stat.mtim


@ways
def test_h54_times_are_kept_to_the_nanosecond(guest, call, what):
    assert call(guest, A_STAMP, M_STAMP, ATIM | MTIM) is Errno.SUCCESS
    assert times(guest, what) == (A_STAMP, M_STAMP)


@ways
def test_h54_a_time_that_is_not_named_stays(guest, call, what):
    call(guest, A_STAMP, M_STAMP, ATIM | MTIM)
    assert call(guest, 5, 6, MTIM) is Errno.SUCCESS
    assert times(guest, what) == (A_STAMP, 6)
    assert call(guest, 7, 8, ATIM) is Errno.SUCCESS
    assert times(guest, what) == (7, 6)
    assert call(guest, 9, 10, 0) is Errno.SUCCESS
    assert times(guest, what) == (7, 6)


@ways
def test_h54_now_is_now_whatever_the_number_says(guest, call, what):
    before = time.time_ns()
    assert call(guest, A_STAMP, M_STAMP, ATIM_NOW | MTIM_NOW) is Errno.SUCCESS
    after = time.time_ns()
    atime, mtime = times(guest, what)
    assert before <= atime <= after
    assert before <= mtime <= after


CONTRADICTIONS = [
    ATIM | ATIM_NOW, MTIM | MTIM_NOW, ATIM | ATIM_NOW | MTIM, ATIM | MTIM | MTIM_NOW, 15,
]  # fmt: skip
UNDEFINED = [16, 17, 1 << 15, 0xFFF0, 1 << 16, 2**32 - 1]


@ways
def test_h54_a_time_both_given_and_now_is_inval_and_changes_nothing(guest, call, what):
    before = times(guest, what)
    for flags in CONTRADICTIONS:
        assert call(guest, A_STAMP, M_STAMP, flags) is Errno.INVAL
    assert times(guest, what) == before


@ways
def test_h54_an_undefined_flag_is_inval_and_changes_nothing(guest, call, what):
    before = times(guest, what)
    for flags in UNDEFINED:
        assert call(guest, A_STAMP, M_STAMP, flags) is Errno.INVAL
    assert times(guest, what) == before


@pytest.mark.parametrize("flags", [CONTRADICTIONS[0], UNDEFINED[0]])
@pytest.mark.parametrize("path", ["missing", "missing/x", "file/x", "..", "", "/"])
def test_h54_the_flags_are_seen_before_the_path_is(guest, path, flags):
    assert guest.call("path_filestat_set_times", 3, 0, path, 0, 0, flags) is Errno.INVAL


@pytest.mark.parametrize("flags", [CONTRADICTIONS[0], UNDEFINED[0]])
@pytest.mark.parametrize("fd", [0, 1, 100])
def test_h54_the_flags_are_seen_before_the_descriptor_is(guest, fd, flags):
    assert guest.call("fd_filestat_set_times", fd, 0, 0, flags) is Errno.INVAL
    assert guest.call("path_filestat_set_times", fd, 0, "file", 0, 0, flags) is Errno.INVAL


EXTREMES = [0, 1, 999_999_999, 2**31 * 10**9, 2**34 * 10**9, 2**63 - 1, 2**63, 2**64 - 1]


@ways
def test_h54_a_time_beyond_the_filesystems_range_is_a_success(guest, place, call, what):
    for stamp in EXTREMES:
        assert call(guest, stamp, stamp, ATIM | MTIM) is Errno.SUCCESS
        expected = (stamp, stamp)
        if isinstance(place, HostPlace):
            status = os.stat(place.root / what[0], follow_symlinks=what[1])
            expected = (max(status.st_atime_ns, 0), max(status.st_mtime_ns, 0))
            assert max(expected) <= stamp  # clamped, never wrapped
        assert times(guest, what) == expected


def test_h54_a_time_of_the_host_before_1970_is_read_as_0(host_only, start):
    host_only.write("file", b"")
    os.utime(host_only.root / "file", ns=(-1_000_000_001, -5))
    guest = start(host_only)
    stat = guest.stat("file")
    assert (stat.atim, stat.mtim) == (0, 0)
    assert guest.must("fd_filestat_get", guest.open("file"))[5:7] == (0, 0)


def test_h54_following_a_dangling_link_sets_nothing(guest):
    before = guest.stat("dangling").mtim
    assert guest.call("path_filestat_set_times", 3, 1, "dangling", 1, 1, 5) is Errno.NOENT
    assert guest.stat("dangling").mtim == before


def test_h54_the_target_of_a_link_is_left_alone_unless_followed(guest):
    before = guest.stat("file")
    guest.must("path_filestat_set_times", 3, 0, "link", 1, 1, ATIM | MTIM)
    assert guest.stat("file") == before


@pytest.mark.parametrize("flags", [2, 3, 1 << 31, 2**32 - 1])
def test_h54_undefined_lookup_flags_are_inval(guest, flags):
    assert guest.call("path_filestat_set_times", 3, flags, "file", 0, 0, 0) is Errno.INVAL
