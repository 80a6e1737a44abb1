import errno
import os

import pytest

from tests.descriptors.fakes import FakeDirectory, failure
from tests.preview1.calls import an_instance
from wasi_host.errors import INVAL, ISDIR, MFILE, NOTCAPABLE, PERM
from wasi_spec.flags import Fdflags, Oflags
from wasi_spec.rights import ALL_RIGHTS, DIRECTORY_RIGHTS, FILE_RIGHTS, Rights

READ, WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)
CREAT, DIRECTORY, EXCL, TRUNC = Oflags.CREAT, Oflags.DIRECTORY, Oflags.EXCL, Oflags.TRUNC


@pytest.fixture
def directory():
    return FakeDirectory({"f": bytearray(b"hello"), "d": FakeDirectory({"g": bytearray()})})


def opened(instance, path="f", oflags=0, base=0, inheriting=0, fdflags=0, fd=3, dirflags=0):
    return instance.path_open(
        fd, dirflags, path, int(oflags), int(base), int(inheriting), int(fdflags)
    )


def drop(instance, fd, base=0, inheriting=0):
    _, _, had_base, had_inheriting = instance.fd_fdstat_get(fd)
    instance.fd_fdstat_set_rights(fd, had_base & ~base, had_inheriting & ~inheriting)


def mode_given(directory):
    return directory.calls[-1][2]


@pytest.mark.parametrize(
    ("base", "mode"),
    [
        (0, os.O_RDONLY),
        (READ, os.O_RDONLY),
        (WRITE, os.O_WRONLY),
        (READ | WRITE, os.O_RDWR),
        (int(Rights.FD_SEEK), os.O_RDONLY),
        (ALL_RIGHTS, os.O_RDWR),
    ],
    ids=["nothing", "read", "write", "both", "seek", "all ones"],
)
def test_what_is_asked_for_picks_the_open_mode(directory, base, mode):
    opened(an_instance(directory), base=base)
    assert mode_given(directory) & os.O_ACCMODE == mode


@pytest.mark.parametrize("oflags", [CREAT, TRUNC, CREAT | TRUNC], ids=str)
def test_creating_and_cutting_add_no_writing(directory, oflags):
    instance = an_instance(directory)
    fd = opened(instance, oflags=oflags)
    assert mode_given(directory) & os.O_ACCMODE == os.O_RDONLY
    assert not instance.fd_fdstat_get(fd)[2] & WRITE


@pytest.mark.parametrize(
    ("oflags", "fdflags", "mode"),
    [
        (CREAT, 0, os.O_CREAT),
        (CREAT | EXCL, 0, os.O_CREAT | os.O_EXCL),
        (EXCL, 0, 0),
        (TRUNC | EXCL, 0, os.O_TRUNC),
        (DIRECTORY, 0, os.O_DIRECTORY),
        (0, Fdflags.APPEND, 0),
        (0, Fdflags.NONBLOCK, os.O_NONBLOCK),
        (0, Fdflags.DSYNC, os.O_DSYNC),
        (0, Fdflags.SYNC, os.O_SYNC),
        (0, Fdflags.RSYNC, os.O_SYNC),
    ],
    ids=lambda part: getattr(part, "name", None) or str(part),
)
def test_flags_reach_the_filesystem(directory, oflags, fdflags, mode):
    opened(an_instance(directory), "d" if oflags == DIRECTORY else "f", oflags, 0, 0, fdflags)
    assert mode_given(directory) == mode


@pytest.mark.parametrize("dirflags", [0, 1], ids=["not followed", "followed"])
def test_a_final_link_is_followed_where_asked(directory, dirflags):
    opened(an_instance(directory), dirflags=dirflags)
    assert directory.calls[-1][3] is (dirflags == 1)


def test_the_descriptor_shows_the_flags_it_was_opened_with(directory):
    instance = an_instance(directory)
    for fdflags in range(32):
        fd = opened(instance, fdflags=fdflags)
        assert instance.fd_fdstat_get(fd)[1] == fdflags
        instance.fd_close(fd)


@pytest.mark.parametrize("oflag", [CREAT, EXCL, TRUNC], ids=str)
def test_directory_goes_with_no_other_flag(directory, oflag):
    with pytest.raises(INVAL):
        opened(an_instance(directory), "d", DIRECTORY | oflag)
    assert directory.calls == []


def test_a_file_opened_for_reading_has_all_file_rights_but_writing(directory):
    instance = an_instance(directory)
    assert instance.fd_fdstat_get(opened(instance, base=READ))[2] == FILE_RIGHTS & ~WRITE


def test_a_file_opened_for_writing_has_all_file_rights_but_reading(directory):
    instance = an_instance(directory)
    assert instance.fd_fdstat_get(opened(instance, base=WRITE))[2] == FILE_RIGHTS & ~READ


def test_a_directory_opened_with_nothing_has_all_rights_of_the_one_it_is_in(directory):
    instance = an_instance(directory)
    fd = opened(instance, "d")
    assert instance.fd_fdstat_get(fd) == instance.fd_fdstat_get(3)


@pytest.mark.parametrize("right", [READ, WRITE], ids=["read", "write"])
def test_asking_for_reading_or_writing_that_cannot_be_passed_on_is_notcapable(directory, right):
    instance = an_instance(directory)
    drop(instance, 3, inheriting=right)
    with pytest.raises(NOTCAPABLE):
        opened(instance, base=right)
    assert directory.calls == []


def test_other_rights_that_cannot_be_passed_on_are_left_out(directory):
    instance = an_instance(directory)
    drop(instance, 3, inheriting=Rights.FD_TELL)
    fd = opened(instance, base=ALL_RIGHTS)
    assert instance.fd_fdstat_get(fd)[2] == FILE_RIGHTS & ~Rights.FD_TELL


def test_what_set_rights_dropped_is_dropped_for_all_that_is_opened_below(directory):
    instance = an_instance(directory)
    drop(instance, 3, inheriting=Rights.FD_ADVISE)
    sub = opened(instance, "d")
    file = opened(instance, "g", fd=sub)
    assert not instance.fd_fdstat_get(sub)[3] & Rights.FD_ADVISE
    assert not instance.fd_fdstat_get(file)[2] & Rights.FD_ADVISE


@pytest.mark.parametrize(
    ("oflags", "right"),
    [
        (0, Rights.PATH_OPEN),
        (CREAT, Rights.PATH_CREATE_FILE),
        (TRUNC, Rights.PATH_FILESTAT_SET_SIZE),
    ],
    ids=["open", "create", "cut"],
)
def test_the_directory_needs_the_right_for_what_is_done_in_it(directory, oflags, right):
    instance = an_instance(directory)
    drop(instance, 3, base=right)
    with pytest.raises(NOTCAPABLE):
        opened(instance, "new" if oflags else "f", oflags)
    assert directory.calls == []


@pytest.mark.parametrize(
    ("fdflag", "right"),
    [
        (Fdflags.DSYNC, Rights.FD_DATASYNC),
        (Fdflags.SYNC, Rights.FD_SYNC),
        (Fdflags.RSYNC, Rights.FD_SYNC),
    ],
    ids=["dsync", "sync", "rsync"],
)
def test_synchronising_needs_a_right_to_pass_on(directory, fdflag, right):
    instance = an_instance(directory)
    drop(instance, 3, base=right)
    opened(instance, fdflags=fdflag)
    drop(instance, 3, inheriting=right)
    opened(instance, fdflags=Fdflags.APPEND | Fdflags.NONBLOCK)
    before = len(directory.calls)
    with pytest.raises(NOTCAPABLE):
        opened(instance, "new", CREAT, fdflags=fdflag)
    assert len(directory.calls) == before


def test_strictly_a_descriptor_gets_exactly_what_was_asked_for(directory):
    instance = an_instance(directory, strict=True)
    fd = opened(instance, base=READ | Rights.FD_TELL, inheriting=READ)
    assert instance.fd_fdstat_get(fd)[2:] == (READ | Rights.FD_TELL, READ)
    with pytest.raises(NOTCAPABLE):
        instance.fd_filestat_get(fd)


@pytest.mark.parametrize(
    ("base", "inheriting"),
    [(Rights.SOCK_SHUTDOWN, 0), (0, Rights.SOCK_SHUTDOWN), (Rights.FD_TELL, 0)],
    ids=["base", "inheriting", "dropped"],
)
def test_strictly_asking_for_more_than_can_be_passed_on_is_notcapable(directory, base, inheriting):
    instance = an_instance(directory, strict=True)
    drop(instance, 3, inheriting=Rights.FD_TELL)
    with pytest.raises(NOTCAPABLE):
        opened(instance, base=base, inheriting=inheriting)
    assert directory.calls == []


def test_strictly_cutting_works_with_no_rights_asked(directory):
    opened(an_instance(directory, strict=True), oflags=TRUNC)
    assert mode_given(directory) == os.O_TRUNC


@pytest.mark.parametrize(
    ("path", "oflags", "base"),
    [("f", CREAT, 0), ("new", CREAT, 0), ("f", TRUNC, READ), ("f", 0, WRITE), ("no", 0, WRITE)],
    ids=["create existing", "create", "cut", "write", "write missing"],
)
def test_a_read_only_directory_refuses_with_perm_before_it_looks_at_the_name(path, oflags, base):
    directory = FakeDirectory({"f": bytearray()}, readonly=True)
    with pytest.raises(PERM):
        opened(an_instance(directory), path, oflags, base)
    assert directory.calls == []


def test_a_directory_given_read_only_shows_the_rights_of_a_writable_one(directory):
    shown = an_instance(FakeDirectory(readonly=True)).fd_fdstat_get(3)
    assert shown == an_instance(directory).fd_fdstat_get(3)


def test_at_the_limit_nothing_is_created_and_the_limit_is_remembered(directory):
    instance = an_instance(directory, open_files=5)
    opened(instance)
    assert not instance.fds.limit_hit
    with pytest.raises(MFILE):
        opened(instance, "new", CREAT)
    assert "new" not in directory.tree
    assert instance.fds.limit_hit
    instance.fd_close(4)
    assert opened(instance, "new", CREAT) == 4


def test_that_the_host_has_no_descriptors_left_is_mfile(directory):
    def fails(path, mode, follow):
        raise failure(errno.ENFILE)

    directory.open_at = fails
    with pytest.raises(MFILE):
        opened(an_instance(directory))


def test_a_directory_cannot_be_written_and_its_node_is_closed(directory):
    instance = an_instance(directory)
    with pytest.raises(ISDIR):
        opened(instance, "d", base=WRITE)
    assert len(directory.nodes) == 1
    assert directory.open_nodes == 0
    assert sorted(instance.fds) == [0, 1, 2, 3]


def test_a_node_is_closed_when_its_descriptor_cannot_be_made(directory, monkeypatch):
    def fails(*_):
        raise MemoryError

    monkeypatch.setattr("wasi_host.descriptors.directory.open_node", fails)
    with pytest.raises(MemoryError):
        opened(an_instance(directory))
    assert len(directory.nodes) == 1
    assert directory.open_nodes == 0


def test_ten_thousand_cycles_leave_nothing_open(directory):
    instance = an_instance(directory)
    for _ in range(10_000):
        assert opened(instance) == 4
        instance.fd_close(4)
    assert directory.open_nodes == 0


def test_closing_the_instance_closes_everything(directory):
    instance = an_instance(directory)
    for path in ("f", "d", "f"):
        opened(instance, path)
    instance.close()
    assert directory.open_nodes == 0
    assert directory.closed == 1
    assert instance.fds == {}


def test_a_preopen_may_be_closed_and_what_was_opened_below_it_stays(directory):
    instance = an_instance(directory)
    sub = opened(instance, "d")
    instance.fd_close(3)
    assert opened(instance, "g", fd=sub) == 3


def test_the_preopen_shows_the_rights_that_programs_look_for(directory):
    assert an_instance(directory).fd_fdstat_get(3) == (
        3, 0, DIRECTORY_RIGHTS, DIRECTORY_RIGHTS | FILE_RIGHTS,
    )  # fmt: skip


def test_what_the_embedder_withholds_no_preopen_has(directory):
    withheld = int(Rights.FD_WRITE | Rights.PATH_UNLINK_FILE)
    shown = an_instance(directory, rights=ALL_RIGHTS & ~withheld).fd_fdstat_get(3)
    assert shown[2] == DIRECTORY_RIGHTS & ~withheld
    assert shown[3] == (DIRECTORY_RIGHTS | FILE_RIGHTS) & ~withheld
