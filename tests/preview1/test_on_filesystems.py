"""What programs see of real directories, on the host and in memory."""

import errno
import os
import threading
from pathlib import Path

import pytest

from tests.preview1.calls import an_instance
from wasi_host.errors import (
    AGAIN,
    BADF,
    INVAL,
    ISDIR,
    NOTCAPABLE,
    PERM,
    Stopped,
    WasiError,
    errno_of,
)
from wasi_host.fs.host import HostDir, HostDirectory
from wasi_host.fs.memory import MemoryFS
from wasi_spec.enums import Filetype
from wasi_spec.errno import Errno
from wasi_spec.flags import Fdflags, Fstflags, Oflags
from wasi_spec.records import DIRENT
from wasi_spec.rights import DIRECTORY_RIGHTS, FILE_RIGHTS, STREAM_RIGHTS, Rights

READ, WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)
BOTH = READ | WRITE
CREAT, DIRECTORY, EXCL, TRUNC = (
    int(flag) for flag in (Oflags.CREAT, Oflags.DIRECTORY, Oflags.EXCL, Oflags.TRUNC)
)
TREE = {"f": b"hello", "empty": b"", "d": {"g": b"inner"}}


def open_descriptors():
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


def plant(root, tree):
    for name, content in tree.items():
        if isinstance(content, dict):
            (root / name).mkdir()
            plant(root / name, content)
        else:
            (root / name).write_bytes(content)


@pytest.fixture(params=["host", "memory"])
def make(request, tmp_path):
    """Makes instances with the tree at 3, and sees that closing them leaves nothing open."""
    if request.param == "host":
        plant(tmp_path, TREE)
    instances, filesystems = [], []

    def make(readonly=False, **options):
        if request.param == "host":
            filesystem = HostDir(tmp_path, readonly=readonly)
        else:
            filesystem = MemoryFS(TREE, readonly=True) if readonly else MemoryFS(TREE)
        filesystems.append(filesystem)
        instances.append(an_instance(filesystem, **options))
        return instances[-1]

    before = open_descriptors()
    yield make
    for closable in (*instances, *filesystems):
        closable.close()
    assert open_descriptors() == before


@pytest.fixture
def wasi(make):
    return make()


def opened(wasi, path, oflags=0, base=0, fdflags=0, follow=0, fd=3):
    return wasi.path_open(fd, follow, path, oflags, int(base), 0, int(fdflags))


def refusal(call, *args):
    """The name of the errno a call fails with, ours or the filesystem's."""
    try:
        call(*args)
    except WasiError as error:
        return Errno(error.errno).name
    except OSError as error:
        return Errno(errno_of(error)).name
    return None


def names(wasi, fd):
    data, found = wasi.fd_readdir(fd, 1 << 16, 0), {}
    while data:
        _, ino, length, kind = DIRENT.unpack_from(data)
        found[data[DIRENT.size : DIRENT.size + length].decode()] = (ino, kind)
        data = data[DIRENT.size + length :]
    return found


def test_a_preopen_opens_again_as_dot_with_all_none_or_read_asked(wasi):
    _, _, base, _ = wasi.fd_fdstat_get(3)
    for asked in (base, 0, READ):
        fd = opened(wasi, ".", DIRECTORY, asked)
        assert wasi.fd_fdstat_get(fd) == wasi.fd_fdstat_get(3)


def test_what_is_shown_of_a_file_depends_on_how_it_was_opened(wasi):
    for asked, shown in (
        (0, FILE_RIGHTS & ~WRITE),
        (READ, FILE_RIGHTS & ~WRITE),
        (WRITE, FILE_RIGHTS & ~READ),
        (BOTH, FILE_RIGHTS),
    ):
        assert wasi.fd_fdstat_get(opened(wasi, "f", 0, asked))[:3] == (4, 0, shown)


def test_standard_streams_show_neither_seek_nor_tell_and_nothing_of_the_host(wasi):
    other = {0: WRITE, 1: READ, 2: READ}
    for fd, lacks in other.items():
        assert wasi.fd_fdstat_get(fd)[2] == STREAM_RIGHTS & ~lacks
        stat = wasi.fd_filestat_get(fd)
        assert (*stat[:2], *stat[3:]) == (0,) * 7
        assert stat[2] == Filetype.UNKNOWN


def test_writing_a_directory_is_isdir(wasi):
    for path in ("d", "."):
        for oflags in (0, DIRECTORY):
            assert refusal(opened, wasi, path, oflags, WRITE) == "ISDIR"
    assert sorted(wasi.fds) == [0, 1, 2, 3]


def test_creating_or_cutting_a_directory_is_isdir(wasi):
    for path in ("d", "."):
        for oflags in (CREAT, TRUNC, CREAT | TRUNC):
            assert refusal(opened, wasi, path, oflags, 0) == "ISDIR"


@pytest.mark.parametrize(
    ("path", "oflags", "name"),
    [
        ("f", CREAT | EXCL, "EXIST"),
        ("d", CREAT | EXCL, "EXIST"),
        ("f", EXCL, None),
        ("f", DIRECTORY, "NOTDIR"),
        ("missing", 0, "NOENT"),
        ("missing", EXCL, "NOENT"),
        ("", 0, "NOENT"),
        ("../x", 0, "PERM"),
        ("/f", 0, "PERM"),
        ("f/", 0, "NOTDIR"),
        ("new/", CREAT, "ISDIR"),
    ],
    ids=lambda part: str(part),
)
def test_how_opening_answers(wasi, path, oflags, name):
    assert refusal(opened, wasi, path, oflags) == name


def test_cutting_works_with_no_rights_asked(wasi):
    fd = opened(wasi, "f", TRUNC)
    assert wasi.fd_filestat_get(fd)[4] == 0
    with pytest.raises(BADF):
        wasi.fd_write(fd, b"x")


def test_a_failed_open_creates_and_cuts_nothing(wasi):
    _, _, base, inheriting = wasi.fd_fdstat_get(3)
    wasi.fd_fdstat_set_rights(3, base & ~Rights.PATH_FILESTAT_SET_SIZE, inheriting)
    with pytest.raises(NOTCAPABLE):
        opened(wasi, "new", CREAT | TRUNC)
    with pytest.raises(NOTCAPABLE):
        opened(wasi, "f", TRUNC)
    assert set(names(wasi, 3)) == {".", "..", "f", "empty", "d"}
    assert wasi.path_filestat_get(3, 0, "f")[4] == 5


@pytest.mark.parametrize("fdflag", [Fdflags.DSYNC, Fdflags.RSYNC, Fdflags.SYNC], ids=str)
def test_a_synchronised_file_writes_and_shows_its_flag(wasi, fdflag):
    fd = opened(wasi, "f", 0, BOTH, fdflag)
    assert wasi.fd_fdstat_get(fd)[1] == fdflag
    assert wasi.fd_write(fd, b"J") == 1
    with pytest.raises(INVAL):
        wasi.fd_fdstat_set_flags(fd, 0)


def test_append_is_switched_at_run_time(wasi):
    fd = opened(wasi, "f", 0, BOTH)
    wasi.fd_fdstat_set_flags(fd, int(Fdflags.APPEND))
    assert wasi.fd_write(fd, b"!") == 1
    assert wasi.fd_tell(fd) == 6
    wasi.fd_pwrite(fd, b"?", 0)
    assert wasi.fd_tell(fd) == 6
    wasi.fd_fdstat_set_flags(fd, 0)
    wasi.fd_pwrite(fd, b"J", 0)
    assert wasi.fd_pread(fd, 99, 0) == b"Jello!?"


def test_a_directory_opens_with_nonblock(wasi):
    assert wasi.fd_fdstat_get(opened(wasi, "d", 0, 0, Fdflags.NONBLOCK))[1] == Fdflags.NONBLOCK


@pytest.mark.parametrize(
    ("offset", "length", "name", "size"),
    [
        (0, 3, None, 5),
        (3, 7, None, 10),
        (0, 0, "INVAL", 5),
        (2**63, 1, "INVAL", 5),
        (0, 2**63, "INVAL", 5),
        (2**63 - 1, 1, "FBIG", 5),
    ],
    ids=["inside", "longer", "nothing", "offset", "length", "sum"],
)
def test_allocating_grows_and_never_shrinks(wasi, offset, length, name, size):
    fd = opened(wasi, "f", 0, BOTH)
    assert refusal(wasi.fd_allocate, fd, offset, length) == name
    assert wasi.fd_filestat_get(fd)[4] == size


@pytest.mark.parametrize(
    ("size", "name"), [(2**63, "INVAL"), (2**64 - 1, "INVAL"), (2**63 - 1, "FBIG"), (9, None)]
)
def test_sizes_that_can_and_cannot_be_set(wasi, size, name, tmp_path):
    if name == "FBIG" and isinstance(wasi.fds[3].node, HostDirectory):
        name = None if takes_the_largest_size(tmp_path / "probe") else name
    fd = opened(wasi, "f", 0, BOTH)
    assert refusal(wasi.fd_filestat_set_size, fd, size) == name
    assert wasi.fd_filestat_get(fd)[4] == (size if name is None else 5)


def takes_the_largest_size(path):
    """Tell whether the host's filesystem has such files, as one in memory has."""
    path.touch()
    try:
        os.truncate(path, 2**63 - 1)
    except OSError:
        return False
    return True


def test_times_are_kept_to_the_nanosecond(wasi):
    given = (1_600_000_000_123_456_789, 1_500_000_000_987_654_321)
    fd = opened(wasi, "f")
    wasi.fd_filestat_set_times(fd, *given, int(Fstflags.ATIM | Fstflags.MTIM))
    assert tuple(wasi.fd_filestat_get(fd)[5:7]) == given
    wasi.path_filestat_set_times(3, 0, "f", 0, 5, int(Fstflags.MTIM))
    assert tuple(wasi.path_filestat_get(3, 0, "f")[5:7]) == (given[0], 5)


def test_two_files_of_a_directory_are_on_one_device_and_have_their_own_inodes(wasi):
    one, two = (wasi.path_filestat_get(3, 0, name) for name in ("f", "empty"))
    assert one[0] == two[0]
    assert one[1] != two[1]


def test_a_listing_shows_the_inodes_and_kinds_that_a_stat_does(wasi):
    fd = opened(wasi, "d")
    for directory, entries in ((3, {"f", "empty", "d"}), (fd, {"g"})):
        found = names(wasi, directory)
        assert list(found)[:2] == [".", ".."]
        assert set(found) == {".", "..", *entries}
        for name in entries:
            stat = wasi.path_filestat_get(directory, 0, name)
            assert found[name] == tuple(stat[1:3])
        assert found["."][0] == wasi.fd_filestat_get(directory)[1]
        assert found[".."][0] == wasi.fd_filestat_get(3)[1]


def test_what_one_descriptor_writes_another_reads_at_once(wasi):
    one, two = opened(wasi, "f", 0, BOTH), opened(wasi, "f", 0, BOTH)
    wasi.fd_write(one, b"HE")
    assert wasi.fd_read(two, 9) == b"HEllo"
    wasi.fd_filestat_set_size(one, 1)
    assert wasi.fd_read(two, 9) == b""
    wasi.fd_write(two, b"!")
    assert wasi.fd_pread(one, 9, 0) == b"H\0\0\0\0!"


def test_reading_to_the_end_in_odd_parts_gives_the_whole_file(wasi):
    fd = opened(wasi, "new", CREAT, BOTH)
    content = bytes(range(256)) * 40
    assert wasi.fd_write(fd, content) == len(content)
    wasi.fd_seek(fd, 0, 0)
    parts = []
    while part := wasi.fd_read(fd, 997):
        parts.append(part)
    assert b"".join(parts) == content
    buffers = tuple(memoryview(bytearray(size)) for size in (1, 5000, 9000))
    assert wasi.fd_preadinto(fd, buffers, 7) == len(content) - 7
    assert b"".join(buffers)[: len(content) - 7] == content[7:]


READ_ONLY_CHANGES = {
    "create": lambda wasi: opened(wasi, "new", CREAT),
    "create what exists": lambda wasi: opened(wasi, "f", CREAT),
    "cut": lambda wasi: opened(wasi, "f", TRUNC, READ),
    "write": lambda wasi: opened(wasi, "f", 0, WRITE),
    "mkdir": lambda wasi: wasi.path_create_directory(3, "new"),
    "rmdir": lambda wasi: wasi.path_remove_directory(3, "missing"),
    "unlink": lambda wasi: wasi.path_unlink_file(3, "f"),
    "rename": lambda wasi: wasi.path_rename(3, "f", 3, "g"),
    "link": lambda wasi: wasi.path_link(3, 0, "f", 3, "g"),
    "symlink": lambda wasi: wasi.path_symlink("f", 3, "g"),
    "path times": lambda wasi: wasi.path_filestat_set_times(3, 0, "f", 1, 1, 1),
    "file times": lambda wasi: wasi.fd_filestat_set_times(opened(wasi, "f"), 1, 1, 1),
    "directory times": lambda wasi: wasi.fd_filestat_set_times(3, 1, 1, 1),
    "size": lambda wasi: wasi.fd_filestat_set_size(opened(wasi, "f"), 1),
}


@pytest.mark.parametrize("change", READ_ONLY_CHANGES)
def test_a_directory_given_read_only_refuses_every_change_with_perm(make, change):
    with pytest.raises(PERM):
        READ_ONLY_CHANGES[change](make(readonly=True))


def test_in_a_directory_given_read_only_writing_is_badf_and_reading_works(make):
    wasi = make(readonly=True)
    fd = opened(wasi, "f")
    for call in (
        lambda: wasi.fd_write(fd, b"x"),
        lambda: wasi.fd_pwrite(fd, b"x", 0),
        lambda: wasi.fd_allocate(fd, 0, 9),
    ):
        with pytest.raises(BADF):
            call()
    assert wasi.fd_read(fd, 9) == b"hello"
    wasi.fd_sync(fd)
    wasi.fd_datasync(fd)
    wasi.fd_advise(fd, 0, 0, 1)
    assert wasi.fd_fdstat_get(3)[2:] == (DIRECTORY_RIGHTS, DIRECTORY_RIGHTS | FILE_RIGHTS)


def test_errors_leave_no_node_open(make):
    wasi = make(open_files=6)
    opened(wasi, "f")
    before = open_descriptors()
    for call in (
        lambda: opened(wasi, "missing"),
        lambda: opened(wasi, "d", 0, WRITE),
        lambda: opened(wasi, "f", DIRECTORY),
        lambda: opened(wasi, "d/../../x"),
        lambda: opened(wasi, "d/g", CREAT | EXCL),
    ):
        assert refusal(call) is not None
    assert open_descriptors() == before
    opened(wasi, "d")
    assert refusal(opened, wasi, "new", CREAT) == "MFILE"
    assert "new" not in names(wasi, 3)


def test_strictly_a_program_that_asks_for_what_it_needs_works(make):
    wasi = make(strict=True)
    fd = opened(wasi, "new", CREAT, BOTH)
    assert wasi.fd_write(fd, b"hello") == 5
    with pytest.raises(NOTCAPABLE):
        wasi.fd_seek(fd, 0, 0)
    with pytest.raises(NOTCAPABLE):
        wasi.fd_filestat_get(fd)


# Only the host has fifos.


@pytest.fixture
def fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    wasi = an_instance(HostDir(tmp_path))
    yield wasi, tmp_path / "fifo"
    wasi.close()


def test_a_fifo_that_nobody_reads_does_not_open_for_writing(fifo):
    wasi, _ = fifo
    with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):
        opened(wasi, "fifo", 0, WRITE)


def test_a_fifo_is_read_as_a_stream_that_waits_for_its_writer(fifo):
    wasi, path = fifo
    fd = opened(wasi, "fifo", 0, READ)
    assert wasi.fd_fdstat_get(fd)[:3] == (Filetype.UNKNOWN, 0, STREAM_RIGHTS & ~WRITE)
    assert wasi.fd_read(fd, 9) == b""
    with Path(path).open("wb", buffering=0) as writer:
        later = threading.Timer(0.05, writer.write, [b"late"])
        later.start()
        assert wasi.fd_read(fd, 9) == b"late"
        later.join()


def test_a_fifo_with_nonblock_does_not_wait(fifo):
    wasi, path = fifo
    fd = opened(wasi, "fifo", 0, READ, Fdflags.NONBLOCK)
    with Path(path).open("wb", buffering=0), pytest.raises(AGAIN):
        wasi.fd_read(fd, 9)


def test_waiting_for_a_fifo_ends_when_the_run_is_to_stop(fifo):
    wasi, path = fifo
    fd = opened(wasi, "fifo", 0, READ)
    with Path(path).open("wb", buffering=0):
        later = threading.Timer(0.05, wasi.scheduler.stop, ["timeout"])
        later.start()
        with pytest.raises(Stopped):
            wasi.fd_read(fd, 9)
        later.join()


def test_writing_a_directory_stays_isdir_through_a_link(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "l").symlink_to("d")
    wasi = an_instance(HostDir(tmp_path))
    assert refusal(opened, wasi, "l", 0, WRITE, 0, 1) == ISDIR.__name__
    wasi.close()
