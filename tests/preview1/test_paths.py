import pytest

from tests.descriptors.fakes import FakeDirectory
from tests.preview1.calls import an_instance
from wasi_host.errors import BADF, ILSEQ, INVAL, NAMETOOLONG, NOTCAPABLE, PERM
from wasi_spec.flags import Fstflags
from wasi_spec.rights import Rights

CHANGES = {
    "path_create_directory": (3, "x"),
    "path_filestat_set_times": (3, 0, "x", 0, 0, Fstflags.ATIM),
    "path_link": (3, 0, "x", 3, "y"),
    "path_remove_directory": (3, "x"),
    "path_rename": (3, "x", 3, "y"),
    "path_symlink": ("x", 3, "y"),
    "path_unlink_file": (3, "x"),
}


@pytest.fixture
def directory():
    return FakeDirectory({"f": bytearray(b"hello"), "d": FakeDirectory()})


@pytest.fixture
def wasi(directory):
    return an_instance(directory)


@pytest.mark.parametrize(
    ("name", "arguments", "asked"),
    [
        ("path_create_directory", (3, "x"), ("mkdir", "x")),
        ("path_filestat_get", (3, 1, "x"), ("stat", "x", True)),
        ("path_filestat_get", (3, 0, "x"), ("stat", "x", False)),
        ("path_readlink", (3, "x", 9), ("readlink", "x")),
        ("path_remove_directory", (3, "x"), ("rmdir", "x")),
        ("path_symlink", ("target", 3, "x"), ("symlink", "target", "x")),
        ("path_unlink_file", (3, "x"), ("unlink", "x")),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_call_asks_the_directory(wasi, directory, name, arguments, asked):
    getattr(wasi, name)(*arguments)
    assert directory.calls == [asked]


@pytest.mark.parametrize(
    ("name", "arguments", "verb"),
    [("path_rename", (3, "x", 4, "y"), "rename"), ("path_link", (3, 0, "x", 4, "y"), "link")],
    ids=["rename", "link"],
)
def test_a_call_on_two_directories_hands_over_the_second(wasi, directory, name, arguments, verb):
    wasi.path_open(3, 0, "d", 0, 0, 0, 0)
    directory.calls.clear()
    getattr(wasi, name)(*arguments)
    assert directory.calls == [(verb, "x", wasi.fds[4].node, "y")]


@pytest.mark.parametrize("name", CHANGES)
def test_a_read_only_directory_refuses_every_change_with_perm(name):
    directory = FakeDirectory(readonly=True)
    with pytest.raises(PERM):
        getattr(an_instance(directory), name)(*CHANGES[name])
    assert directory.calls == []


@pytest.mark.parametrize("name", ["path_rename", "path_link"])
@pytest.mark.parametrize("readonly", ["source", "target"])
def test_a_change_between_directories_needs_both_writable(wasi, directory, name, readonly):
    wasi.path_open(3, 0, "d", 0, 0, 0, 0)
    wasi.fds[3 if readonly == "source" else 4].node.readonly = True
    directory.calls.clear()
    with pytest.raises(PERM):
        getattr(wasi, name)(*((3, "x", 4, "y") if name == "path_rename" else (3, 0, "x", 4, "y")))
    assert directory.calls == []


@pytest.mark.parametrize("name", ["path_rename", "path_link"])
def test_a_bad_second_descriptor_goes_before_a_missing_right_of_the_first(wasi, name):
    _, _, base, inheriting = wasi.fd_fdstat_get(3)
    missing = Rights.PATH_RENAME_SOURCE | Rights.PATH_LINK_SOURCE
    wasi.fd_fdstat_set_rights(3, base & ~missing, inheriting)
    for fd, error in ((99, BADF), (1, BADF), (3, NOTCAPABLE)):
        with pytest.raises(error):
            getattr(wasi, name)(*((3, "x", fd, "y") if name == "path_rename"
                                  else (3, 0, "x", fd, "y")))  # fmt: skip


def test_a_missing_right_goes_before_read_only(directory):
    instance = an_instance(directory)
    directory.readonly = True
    _, _, base, inheriting = instance.fd_fdstat_get(3)
    instance.fd_fdstat_set_rights(3, base & ~Rights.PATH_UNLINK_FILE, inheriting)
    with pytest.raises(NOTCAPABLE):
        instance.path_unlink_file(3, "x")


def test_a_hard_link_never_follows(wasi, directory):
    with pytest.raises(INVAL):
        wasi.path_link(3, 1, "x", 3, "y")
    assert directory.calls == []


@pytest.mark.parametrize("room", [0, 1, 3])
def test_a_link_is_cut_to_the_buffer(wasi, directory, room):
    directory.read_link_at = lambda path: "äbc"
    assert wasi.path_readlink(3, "x", room) == "äbc".encode()[:room]


def test_a_link_whose_text_is_no_utf8_is_ilseq(wasi, directory):
    directory.read_link_at = lambda path: b"\xff".decode("utf-8", "surrogateescape")
    with pytest.raises(ILSEQ):
        wasi.path_readlink(3, "x", 9)


BOTH = [Fstflags.ATIM | Fstflags.ATIM_NOW, Fstflags.MTIM | Fstflags.MTIM_NOW]


@pytest.mark.parametrize("flags", BOTH, ids=["atim", "mtim"])
def test_a_time_that_is_both_given_and_now_is_inval_before_anything_is_looked_at(
    wasi, directory, flags
):
    with pytest.raises(INVAL):
        wasi.path_filestat_set_times(3, 0, "missing", 1, 2, flags)
    with pytest.raises(INVAL):
        wasi.fd_filestat_set_times(3, 1, 2, flags)
    assert directory.calls == []


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0, (None, None)),
        (Fstflags.ATIM, (1, None)),
        (Fstflags.MTIM, (None, 2)),
        (Fstflags.ATIM | Fstflags.MTIM, (1, 2)),
        (Fstflags.ATIM_NOW, (77, None)),
        (Fstflags.ATIM_NOW | Fstflags.MTIM_NOW, (77, 77)),
        (Fstflags.ATIM | Fstflags.MTIM_NOW, (1, 77)),
    ],
    ids=lambda part: getattr(part, "name", None) or str(part),
)
def test_times_are_given_now_or_left(directory, flags, expected):
    class Clocks77:
        def realtime(self):
            return 77

    instance = an_instance(directory, clocks=Clocks77(), scheduler=object())
    instance.path_filestat_set_times(3, 1, "f", 1, 2, flags)
    instance.fd_filestat_set_times(3, 1, 2, flags)
    assert directory.calls == [("set_times", "f", True, *expected), ("set_times", *expected)]


@pytest.mark.parametrize("room", [0, len("/ünïcode".encode()) - 1])
def test_a_preopens_name_that_does_not_fit_is_nametoolong(directory, room):
    instance = an_instance(directory)
    instance.fds[3].name = "/ünïcode".encode()
    with pytest.raises(NAMETOOLONG):
        instance.fd_prestat_dir_name(3, room)


def test_a_preopens_name_is_returned_without_a_terminator(directory):
    instance = an_instance(directory)
    instance.fds[3].name = "/ünïcode".encode()
    tag, length = instance.fd_prestat_get(3)
    assert (tag, length) == (0, len("/ünïcode".encode()))
    assert instance.fd_prestat_dir_name(3, length) == "/ünïcode".encode()
    assert instance.fd_prestat_dir_name(3, length + 5) == "/ünïcode".encode()
