"""Catalogue C 19: a call without its right does nothing, generated from the table."""

import pytest

from tests.attacks.guest import READ, ROWS, WRITE
from tests.attacks.recipes import furnish, keep, numbers, prepare, state
from wasi_spec import Errno, Eventtype, Rights, Whence, records
from wasi_spec.rights import ALL_RIGHTS, DIRECTORY_RIGHTS, FILE_RIGHTS

#: Function, descriptor parameter, and one of the rights it needs. Sockets come with sockets.
NEEDS = [
    (row.name, part.name, right)
    for row in ROWS.values()
    if row.group != "sock"
    for part in row.params
    for right in Rights
    if part.rights & right
]

#: Functions whose descriptor is a directory.
ON_DIRECTORIES = {name for name in ROWS if name.startswith("path_")} | {"fd_readdir"}

#: A file that the embedder lets nobody write cannot be opened so: test_c20 has that.
WITHHOLDABLE = [need for need in NEEDS if need[2] is not Rights.FD_WRITE]

modes = pytest.mark.parametrize("mode", ["grant", "strict"])


def ids(needs):
    return [f"{name} {part} without {right.name}" for name, part, right in needs]


def refused(guest, place, slots, name):
    """Make a call that has to be refused, and see that nothing was done."""
    descriptors, memory, files = state(guest), guest.dump(), place.snapshot()
    assert guest.raw(name, *numbers(slots)) is Errno.NOTCAPABLE
    assert guest.dump() == memory
    assert place.snapshot() == files
    assert state(guest) == descriptors


def subject(guest, name):
    """Return a descriptor of the kind a function works on, with all its rights."""
    return guest.open_dir(".") if name in ON_DIRECTORIES else guest.open("file")


@pytest.mark.parametrize(("name", "part", "right"), NEEDS, ids=ids(NEEDS))
@modes
def test_c19_a_right_that_the_guest_dropped_is_notcapable_and_nothing_is_done(
    place, start, name, part, right, mode
):
    furnish(place)
    guest = start(place, rights=mode)
    fd = subject(guest, name)
    keep(guest, fd, ~int(right))
    refused(guest, place, prepare(guest, name, **{part: fd}), name)


@pytest.mark.parametrize(("name", "part", "right"), WITHHOLDABLE, ids=ids(WITHHOLDABLE))
def test_c19_a_right_that_the_embedder_withheld_is_notcapable_and_nothing_is_done(
    place, start, name, part, right
):
    furnish(place)
    guest = start(place, rights=ALL_RIGHTS & ~int(right))
    if name in ON_DIRECTORIES:
        fd = 3
    else:
        fd = guest.open("file", rights=(READ | WRITE) & ~int(right) if right != READ else 0)
    refused(guest, place, prepare(guest, name, **{part: fd}), name)


def test_c19_an_output_that_the_embedder_lets_nobody_write_is_notcapable(memory_only, start):
    written = []
    guest = start(memory_only, rights=ALL_RIGHTS & ~WRITE, stdout=written.append)
    assert guest.call("fd_write", 1, guest.vector(b"words")) is Errno.NOTCAPABLE
    assert written == []


def test_c19_an_input_that_the_embedder_lets_nobody_read_is_notcapable(memory_only, start):
    guest = start(memory_only, rights=ALL_RIGHTS & ~READ, stdin=b"words")
    assert guest.call("fd_read", 0, guest.vector(5)) is Errno.NOTCAPABLE


#: Rights that a request decides the open mode by: without them it is another mode (18).
STRICT = [
    need
    for need in NEEDS
    if need[0] in ON_DIRECTORIES or need[2] not in {Rights.FD_READ, Rights.FD_WRITE}
]


@pytest.mark.parametrize(("name", "part", "right"), STRICT, ids=ids(STRICT))
def test_c19_a_right_that_was_not_asked_for_is_notcapable_where_rights_are_strict(
    place, start, name, part, right
):
    furnish(place)
    guest = start(place, rights="strict")
    if name in ON_DIRECTORIES:
        fd = guest.open_dir(".", rights=DIRECTORY_RIGHTS & ~int(right))
    else:
        fd = guest.open("file", rights=FILE_RIGHTS & ~int(right))
    refused(guest, place, prepare(guest, name, **{part: fd}), name)


@pytest.mark.parametrize(("name", "part", "right"), NEEDS, ids=ids(NEEDS))
def test_c19_a_right_that_was_not_asked_for_is_there_where_rights_are_granted(
    memory_only, start, name, part, right
):
    furnish(memory_only)
    guest = start(memory_only)
    if name in ON_DIRECTORIES:
        fd = guest.open_dir(".", rights=0)
    else:
        fd = guest.open("file", rights=READ | WRITE)
    assert guest.raw(name, *numbers(prepare(guest, name, **{part: fd}))) is Errno.SUCCESS


NAMES = sorted({name for name, _, _ in NEEDS})


@pytest.mark.parametrize("name", NAMES)
@modes
def test_c19_a_call_works_with_the_rights_it_needs_and_no_other(memory_only, start, name, mode):
    furnish(memory_only)
    guest = start(memory_only, rights=mode)
    descriptors = {}
    for part in ROWS[name].params:
        if part.rights:
            descriptors[part.name] = subject(guest, name)
            keep(guest, descriptors[part.name], int(part.rights))
    assert guest.raw(name, *numbers(prepare(guest, name, **descriptors))) is Errno.SUCCESS


def test_c19_the_right_to_tell_is_enough_to_seek_nowhere(guest):
    fd = guest.open("file")
    guest.must("fd_seek", fd, 4, Whence.SET)
    keep(guest, fd, int(Rights.FD_TELL))
    assert guest.must("fd_seek", fd, 0, Whence.CUR) == 4
    assert guest.call("fd_seek", fd, 1, Whence.CUR) is Errno.NOTCAPABLE
    assert guest.call("fd_seek", fd, 0, Whence.SET) is Errno.NOTCAPABLE
    assert guest.call("fd_seek", fd, 0, Whence.END) is Errno.NOTCAPABLE
    assert guest.tell(fd) == 4


# poll_oneoff: one right missing fails the whole call.


@pytest.fixture
def guest(place, start):
    furnish(place)
    return start(place, stdin=b"words")


POLLS = {
    "an input without the right to poll": (0, Eventtype.FD_READ, Rights.POLL_FD_READWRITE),
    "an input without the right to read": (0, Eventtype.FD_READ, Rights.FD_READ),
    "an output without the right to poll": (1, Eventtype.FD_WRITE, Rights.POLL_FD_READWRITE),
    "an output without the right to write": (1, Eventtype.FD_WRITE, Rights.FD_WRITE),
    "a file without the right to poll": ("file", Eventtype.FD_READ, Rights.POLL_FD_READWRITE),
    "a file without the right to read": ("file", Eventtype.FD_READ, Rights.FD_READ),
    "a file without the right to write": ("file", Eventtype.FD_WRITE, Rights.FD_WRITE),
}


@pytest.mark.parametrize(("what", "event", "right"), POLLS.values(), ids=POLLS)
@pytest.mark.parametrize("order", [1, -1], ids=["first", "last"])
def test_c19_a_poll_with_one_right_missing_is_notcapable_as_a_whole(
    guest, what, event, right, order
):
    fd = guest.open(what) if isinstance(what, str) else what
    other = guest.open("file")
    keep(guest, fd, ~int(right))
    good = records.SUBSCRIPTION_FD.pack(1, Eventtype.FD_READ, other)
    bad = records.SUBSCRIPTION_FD.pack(2, event, fd)
    subscriptions = guest.put(b"".join([bad, good][::order]))
    events = guest.put(b"?" * 64)
    assert guest.call("poll_oneoff", subscriptions, events, 2) is Errno.NOTCAPABLE
    assert guest.get(events, 64) == b"?" * 64
