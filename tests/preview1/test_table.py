"""What the table of functions says, held against every method."""

import inspect

import pytest

from tests.preview1.calls import FD_PARAMS, ROWS, an_instance, arguments, host_parameters
from wasi_host.descriptors.base import FD_READ, FD_WRITE
from wasi_host.errors import BADF, NOTCAPABLE, NOTDIR, NOTSOCK, SPIPE, WasiError
from wasi_host.preview1 import Preview1
from wasi_spec.flags import Oflags
from wasi_spec.functions import FUNCTIONS
from wasi_spec.records import SubscriptionFd
from wasi_spec.rights import ALL_RIGHTS, Rights

STDIN, STDOUT, DIRECTORY, FILE = 0, 1, 3, 4
NOT_OPEN = [99, 2**31, 2**32 - 1]


@pytest.fixture
def wasi():
    instance = an_instance()
    assert instance.path_open(DIRECTORY, 0, "f", 0, FD_READ | FD_WRITE, 0, 0) == FILE
    yield instance
    instance.close()


def answer(instance, name, **given):
    """The error class of a call, or None."""
    row = ROWS[name]
    try:
        getattr(instance, name)(*arguments(row, **given))
    except WasiError as error:
        return type(error)
    return None


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_each_function_has_a_method_with_exactly_the_derived_parameters(row):
    parameters = list(inspect.signature(getattr(Preview1, row.name)).parameters)
    assert parameters == ["self", *host_parameters(row)]


def test_the_forms_without_a_copy_take_buffers():
    for name, rest in (("fd_readinto", []), ("fd_preadinto", ["offset"])):
        parameters = list(inspect.signature(getattr(Preview1, name)).parameters)
        assert parameters == ["self", "fd", "buffers", *rest]


def test_an_instance_has_no_dictionary(wasi):
    assert not hasattr(wasi, "__dict__")


@pytest.mark.parametrize("fd", NOT_OPEN, ids=str)
@pytest.mark.parametrize(("name", "param"), FD_PARAMS, ids=" ".join)
def test_a_descriptor_that_is_not_open_is_badf(wasi, name, param, fd):
    assert answer(wasi, name, **{param: fd}) is BADF
    assert sorted(wasi.fds) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("name", "param"), FD_PARAMS, ids=" ".join)
def test_a_closed_descriptor_is_badf(wasi, name, param):
    wasi.fd_close(FILE)
    assert answer(wasi, name, **{param: FILE}) is BADF


# Catalogue 17: the answers for a stream read from, a stream written to, a directory and a file.
KINDS = {
    "fd_read": (None, BADF, BADF, None),
    "fd_write": (BADF, None, BADF, None),
    "fd_pread": (SPIPE, BADF, BADF, None),
    "fd_pwrite": (BADF, SPIPE, BADF, None),
    "fd_seek": (SPIPE, SPIPE, BADF, None),
    "fd_tell": (SPIPE, SPIPE, BADF, None),
    "fd_advise": (BADF, BADF, BADF, None),
    "fd_allocate": (BADF, BADF, BADF, None),
    "fd_sync": (BADF, BADF, BADF, None),
    "fd_datasync": (BADF, BADF, BADF, None),
    "fd_filestat_set_size": (BADF, BADF, BADF, None),
    "fd_filestat_set_times": (BADF, BADF, None, None),
    "fd_fdstat_set_flags": (None, None, BADF, None),
    "fd_readdir": (BADF, BADF, None, BADF),
    "fd_prestat_get": (BADF, BADF, None, BADF),
    "fd_prestat_dir_name": (NOTDIR, NOTDIR, None, NOTDIR),
    "fd_filestat_get": (None, None, None, None),
    "fd_fdstat_get": (None, None, None, None),
    "path_open": (BADF, BADF, None, NOTDIR),
}
KINDS |= {
    row.name: (BADF, BADF, None, BADF)
    for row in FUNCTIONS
    if row.group == "path" and row.name != "path_open"
}
KINDS |= {row.name: (NOTSOCK,) * 4 for row in FUNCTIONS if row.group == "sock"}
KIND_CASES = [
    (name, kind, fd, KINDS[name][place])
    for name in KINDS
    for place, (kind, fd) in enumerate(
        [("input", STDIN), ("output", STDOUT), ("directory", DIRECTORY), ("file", FILE)]
    )
]


def test_every_function_with_a_descriptor_has_its_answers_by_kind():
    without = {"fd_close", "fd_renumber", "fd_fdstat_set_rights"}
    assert {name for name, _ in FD_PARAMS} - without == set(KINDS)


@pytest.mark.parametrize(
    ("name", "fd", "expected"),
    [(name, fd, expected) for name, _, fd, expected in KIND_CASES],
    ids=[f"{name} of {kind}" for name, kind, _, _ in KIND_CASES],
)
def test_the_wrong_kind_of_descriptor(wasi, name, fd, expected):
    first = next(param for function, param in FD_PARAMS if function == name)
    assert answer(wasi, name, **{first: fd}) is expected


@pytest.mark.parametrize("name", ["path_rename", "path_link"])
@pytest.mark.parametrize("fd", [STDIN, STDOUT, FILE], ids=["input", "output", "file"])
def test_the_wrong_kind_of_second_descriptor(wasi, name, fd):
    assert answer(wasi, name, new_fd=fd) is BADF


# Catalogue 19: for each right a parameter needs, a descriptor with all others.
RIGHT_CASES = [
    (row.name, param.name, bit)
    for row in FUNCTIONS
    for param in row.params
    for bit in Rights
    if param.rights & bit and row.group != "sock"
]


def on_an_open_thing(name):
    return DIRECTORY if name.startswith(("path_", "fd_readdir")) else FILE


def given_without(name, param, bit):
    given = {param: on_an_open_thing(name)}
    if name == "fd_seek":
        given["offset"] = 1  # moving by nothing needs less
    return given


@pytest.mark.parametrize(("name", "param", "bit"), RIGHT_CASES, ids=lambda part: str(part))
def test_a_right_the_guest_dropped_is_notcapable(wasi, name, param, bit):
    fd = on_an_open_thing(name)
    _, _, base, inheriting = wasi.fd_fdstat_get(fd)
    if name in ("path_rename", "path_link"):
        # The other descriptor of the call keeps its rights.
        assert wasi.path_open(DIRECTORY, 0, "d", Oflags.DIRECTORY, 0, 0, 0) == 5
        fd = 5
    assert base & bit
    wasi.fd_fdstat_set_rights(fd, base & ~bit, inheriting)
    node = wasi.fds[fd].node
    before = len(node.calls)
    given = given_without(name, param, bit) | {param: fd}
    assert answer(wasi, name, **given) is NOTCAPABLE
    assert len(node.calls) == before


@pytest.mark.parametrize(("name", "param", "bit"), RIGHT_CASES, ids=lambda part: str(part))
def test_a_right_the_embedder_withheld_is_notcapable(name, param, bit):
    instance = an_instance(rights=ALL_RIGHTS & ~bit)
    if not name.startswith(("path_", "fd_readdir")):
        instance.path_open(DIRECTORY, 0, "f", 0, (FD_READ | FD_WRITE) & ~bit, 0, 0)
        if bit in (FD_READ, FD_WRITE):
            # Such a file cannot be opened for it; the answer is that of the open mode or right.
            assert answer(instance, name, fd=FILE) in (BADF, NOTCAPABLE)
            return
    assert answer(instance, name, **given_without(name, param, bit)) is NOTCAPABLE


@pytest.mark.parametrize(
    ("fd", "kind", "bit"),
    [
        (STDIN, 1, Rights.FD_READ),
        (STDIN, 1, Rights.POLL_FD_READWRITE),
        (STDOUT, 2, Rights.FD_WRITE),
        (STDOUT, 2, Rights.POLL_FD_READWRITE),
        (FILE, 1, Rights.FD_READ),
        (FILE, 1, Rights.POLL_FD_READWRITE),
        (FILE, 2, Rights.FD_WRITE),
        (FILE, 2, Rights.POLL_FD_READWRITE),
    ],
)
def test_a_poll_without_a_right_fails_whole(wasi, fd, kind, bit):
    _, _, base, inheriting = wasi.fd_fdstat_get(fd)
    wasi.fd_fdstat_set_rights(fd, base & ~bit, inheriting)
    with pytest.raises(NOTCAPABLE):
        wasi.poll_oneoff([SubscriptionFd(1, 2, 2), SubscriptionFd(2, kind, fd)])


@pytest.mark.parametrize("fd", [STDIN, STDOUT], ids=["input", "output"])
@pytest.mark.parametrize("name", ["fd_read", "fd_write", "fd_filestat_get", "fd_fdstat_set_flags"])
def test_streams_obey_what_the_embedder_withholds(fd, name):
    needed = ROWS[name].params[0].rights
    instance = an_instance(rights=ALL_RIGHTS & ~needed)
    wrong_direction = (fd == STDIN and name == "fd_write") or (fd == STDOUT and name == "fd_read")
    assert answer(instance, name, fd=fd) is (BADF if wrong_direction else NOTCAPABLE)
