"""Catalogue A 1: every address of every function, generated from the table."""

import pytest

from tests.attacks.guest import PAGE, PAGES
from tests.attacks.recipes import (
    ANSWERS,
    NAMES,
    furnish,
    length_slots,
    numbers,
    pointer_slots,
    prepare,
    state,
)
from wasi_spec import Errno

END = PAGE * PAGES

POINTERS = [(name, pointer) for name in NAMES for pointer in pointer_slots(name)]
WITH_LENGTH = [(name, *pair) for name in NAMES for pair in length_slots(name)]

#: What a length of 0 answers, where it is no success.
EMPTY = {
    "fd_prestat_dir_name": Errno.NAMETOOLONG,
    "sock_recv": Errno.NOTSOCK,
    "sock_send": Errno.NOTSOCK,
}


def ids(rows):
    return [" ".join(row) for row in rows]


@pytest.fixture
def guest(place, start):
    furnish(place)
    return start(place)


@pytest.mark.parametrize(("name", "pointer"), POINTERS, ids=ids(POINTERS))
@pytest.mark.parametrize("where", ["last valid", "zero", "unaligned"])
def test_a01_an_address_inside_memory_works_wherever_it_is(guest, name, pointer, where):
    slots = prepare(guest, name)
    slot = next(slot for slot in slots if slot.name == pointer)
    at = {"last valid": END - slot.size, "zero": 0, "unaligned": guest.alloc(slot.size + 1) + 1}
    if slot.content is not None:
        guest.poke(at[where], slot.content)
    assert guest.raw(name, *numbers(slots, **{pointer: at[where]})) is ANSWERS.get(
        name, Errno.SUCCESS
    )


@pytest.mark.parametrize(("name", "pointer"), POINTERS, ids=ids(POINTERS))
@pytest.mark.parametrize("where", ["first invalid", "just behind memory", "wrapping", "huge"])
def test_a01_an_address_outside_memory_is_a_fault_and_nothing_happens(
    guest, place, name, pointer, where
):
    slots = prepare(guest, name)
    slot = next(slot for slot in slots if slot.name == pointer)
    at = {
        "first invalid": END - slot.size + 1,
        "just behind memory": END,
        "wrapping": 0xFFFFFFFF,
        "huge": 0x80000000,
    }[where]
    descriptors = state(guest)
    memory, files = guest.dump(), place.snapshot()
    assert guest.raw(name, *numbers(slots, **{pointer: at})) is Errno.FAULT
    assert guest.dump() == memory
    assert place.snapshot() == files
    assert state(guest) == descriptors


@pytest.mark.parametrize(("name", "pointer"), POINTERS, ids=ids(POINTERS))
def test_a01_an_address_may_come_as_a_negative_number(guest, name, pointer):
    slots = prepare(guest, name)
    assert guest.raw(name, *numbers(slots, **{pointer: -1})) is Errno.FAULT


@pytest.mark.parametrize(("name", "pointer", "length"), WITH_LENGTH, ids=ids(WITH_LENGTH))
@pytest.mark.parametrize("address", [0xFFFFFFFF, END, 0], ids=["wrapping", "the end", "zero"])
def test_a01_a_length_of_zero_is_never_dereferenced(guest, name, pointer, length, address):
    slots = prepare(guest, name)
    errno = guest.raw(name, *numbers(slots, **{pointer: address, length: 0}))
    path = name.startswith("path_") and pointer != "buf"
    assert errno is (Errno.NOENT if path else EMPTY.get(name, Errno.SUCCESS))


@pytest.mark.parametrize(("name", "pointer", "length"), WITH_LENGTH, ids=ids(WITH_LENGTH))
@pytest.mark.parametrize("more", ["one too long", "wrapping", "half of all"])
def test_a01_a_length_that_leaves_memory_is_a_fault_and_nothing_happens(
    guest, place, name, pointer, length, more
):
    slots = prepare(guest, name)
    slot = next(slot for slot in slots if slot.name == pointer)
    element = 8 if slot.content is not None and not name.startswith("path_") else 1
    count = {
        "one too long": (END - slot.value) // element + 1,
        "wrapping": 0xFFFFFFFF,
        "half of all": 0x80000000,
    }[more]
    descriptors = state(guest)
    memory, files = guest.dump(), place.snapshot()
    assert guest.raw(name, *numbers(slots, **{length: count})) is Errno.FAULT
    assert guest.dump() == memory
    assert place.snapshot() == files
    assert state(guest) == descriptors
