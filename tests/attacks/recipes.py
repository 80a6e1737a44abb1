"""One call of each function that works, with every number laid open: the base of generated tests.

``prepare`` returns the numbers of such a call as slots. A test moves one address, or makes one
length 0, and judges the difference.
"""

import itertools
from collections.abc import Mapping
from typing import Any

from tests.attacks.guest import ROWS, Guest, Slot
from tests.attacks.places import Place
from wasi_spec import Clockid, Errno, Eventtype, core_signature, records
from wasi_spec.functions import Param
from wasi_spec.layout import layout
from wasi_spec.rights import ALL_RIGHTS
from wasi_spec.types import FD, IOVECS, List, Pointer, String

#: Rows that a generated call can be made of; proc_exit does not come back.
NAMES = [name for name, row in ROWS.items() if not row.noreturn]

#: What the call answers where it cannot succeed here.
ANSWERS = {
    "proc_raise": Errno.NOTSUP,
    "sock_accept": Errno.NOTSOCK,
    "sock_recv": Errno.NOTSOCK,
    "sock_send": Errno.NOTSOCK,
    "sock_shutdown": Errno.NOTSOCK,
}

ENV = {"NAME": "value", "OTHER": "words of it"}

#: Text of paths; ``#`` stands for the number of the round.
PATHS = {
    ("path_create_directory", "path"): "new#",
    ("path_filestat_get", "path"): "file",
    ("path_filestat_set_times", "path"): "file",
    ("path_link", "old_path"): "file",
    ("path_link", "new_path"): "new#",
    ("path_open", "path"): "file",
    ("path_readlink", "path"): "link",
    ("path_remove_directory", "path"): "empty#",
    ("path_rename", "old_path"): "spare#",
    ("path_rename", "new_path"): "new#",
    ("path_symlink", "old_path"): "target",
    ("path_symlink", "new_path"): "new#",
    ("path_unlink_file", "path"): "spare#",
}

SCALARS = {
    ("clock_res_get", "id"): int(Clockid.MONOTONIC),
    ("clock_time_get", "id"): int(Clockid.REALTIME),
    ("fd_allocate", "len"): 4,
    ("fd_fdstat_set_rights", "fs_rights_base"): 0,
    ("fd_filestat_set_size", "size"): 10,
    ("poll_oneoff", "nsubscriptions"): 1,
}

ROOM = 128
#: Functions whose descriptor is the preopened directory.
ON_DIRECTORY = {"fd_readdir", "fd_prestat_get", "fd_prestat_dir_name"}


def furnish(place: Place) -> None:
    """Make what the calls work on."""
    place.write("file", b"0123456789")
    place.symlink("file", "link")
    for number in range(2):
        place.mkdir(f"empty{number}")
        place.write(f"spare{number}", b"spare")


def pointer_slots(name: str) -> list[str]:
    """Return the names of the addresses among a function's numbers."""
    row = ROWS[name]
    given = [part.name for part in row.params if isinstance(part.type, Pointer | String | List)]
    return given + [result.name for result in row.results]


def length_slots(name: str) -> list[tuple[str, str]]:
    """Return each address that has a length, with the name of the length's slot."""
    pairs = []
    for part in ROWS[name].params:
        if isinstance(part.type, String | List):
            pairs.append((part.name, f"{part.name}_len"))
    names = [part.name for part in ROWS[name].params]
    for part, after in itertools.pairwise(names):
        if after == f"{part}_len":
            pairs.append((part, after))
    return pairs


def prepare(guest: Guest, name: str, number: int = 0, **descriptors: int) -> list[Slot]:
    """Lay out a call that works.

    Args:
        guest: who will make it.
        name: the function.
        number: 0 or 1: chooses names that were not used yet.
        descriptors: the descriptor for a parameter, by the parameter's name.
    """
    row = ROWS[name]
    slots: list[Slot] = []
    for part in row.params:
        slots += _slots(guest, name, part, number, descriptors)
    for result in row.results:
        size = layout(result.type).size
        slots.append(Slot(result.name, guest.alloc(size), size))
    assert len(slots) == len(core_signature(row)[0])
    return slots


def _slots(
    guest: Guest, name: str, part: Param, number: int, descriptors: Mapping[str, int]
) -> list[Slot]:
    if isinstance(part.type, String):
        text = PATHS[name, part.name].replace("#", str(number)).encode()
        return _given(guest, part.name, text, len(text))
    if isinstance(part.type, List):
        read = part.type is IOVECS
        buffer = guest.alloc(ROOM) if read else guest.put(b"words")
        array = records.IOVEC.pack(buffer, ROOM if read else 5)
        return _given(guest, part.name, array, 1)
    if isinstance(part.type, Pointer):
        return [_pointer(guest, name, part.name)]
    if part.type is FD:
        given = descriptors.get(part.name)
        return [Slot(part.name, _descriptor(guest, name) if given is None else given)]
    if part.name in {"buf_len", "path_len"}:
        return [Slot(part.name, ROOM)]
    return [Slot(part.name, SCALARS.get((name, part.name), 0))]


def _given(guest: Guest, name: str, content: bytes, count: int) -> list[Slot]:
    return [
        Slot(name, guest.put(content), len(content), content),
        Slot(f"{name}_len", count),
    ]


def _pointer(guest: Guest, name: str, part: str) -> Slot:
    if part == "in":
        return _given(guest, part, clock(timeout=0), 1)[0]
    if part == "out":
        return Slot(part, guest.alloc(records.EVENT.size), records.EVENT.size)
    if name in {"args_get", "environ_get"}:
        sizes: Any = f"{name.removesuffix('_get')}_sizes_get"
        guest.must(sizes)
        count, size = guest.results
        room = size if part.endswith("_buf") else 4 * count
        assert room, "the test's guest has no strings"
        return Slot(part, guest.alloc(room), room)
    return Slot(part, guest.alloc(ROOM), ROOM)


def _descriptor(guest: Guest, name: str) -> int:
    if name.startswith("path_") or name in ON_DIRECTORY:
        return 3
    if name.startswith("sock_"):
        return 1
    return guest.open("file")


def clock(timeout: int, userdata: int = 0x1122334455667788) -> bytes:
    """Return a subscription to the monotonic clock."""
    return bytes(
        records.SUBSCRIPTION_CLOCK.pack(userdata, Eventtype.CLOCK, Clockid.MONOTONIC, timeout, 0, 0)
    )


def numbers(slots: list[Slot], **changed: int) -> list[int]:
    """Return the numbers of a call, some of them changed by name."""
    names = {slot.name for slot in slots}
    assert set(changed) <= names, f"no such slot: {set(changed) - names}"
    return [changed.get(slot.name, slot.value) for slot in slots]


def state(guest: Guest) -> list[object]:
    """Return what a guest's descriptors are, and where the files among them stand."""
    seen: list[object] = []
    for fd in range(16):
        errno = guest.call("fd_fdstat_get", fd)
        stat = guest.result
        position = guest.result if guest.call("fd_tell", fd) is Errno.SUCCESS else None
        seen.append((fd, errno, stat, position))
    return seen


def keep(guest: Guest, fd: int, base: int, inheriting: int = ALL_RIGHTS) -> None:
    """Drop all rights of a descriptor but these."""
    stat = guest.must("fd_fdstat_get", fd)
    guest.must(
        "fd_fdstat_set_rights",
        fd,
        stat.fs_rights_base & base,
        stat.fs_rights_inheriting & inheriting,
    )
