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


def unchanged_by(guest, place, call, numbers_of):
    """Tell what each of several calls answers, and that none of them changed anything."""
    descriptors = state(guest)
    memory, files = guest.dump(), place.snapshot()
    found = {word: guest.raw(call, *numbers) for word, numbers in numbers_of.items()}
    assert guest.dump() == memory
    assert place.snapshot() == files
    assert state(guest) == descriptors
    return found


@pytest.mark.parametrize(("name", "pointer"), POINTERS, ids=ids(POINTERS))
def test_a01_an_address_outside_memory_is_a_fault_and_nothing_happens(guest, place, name, pointer):
    slots = prepare(guest, name)
    slot = next(slot for slot in slots if slot.name == pointer)
    addresses = {
        "first invalid": END - slot.size + 1,
        "just behind memory": END,
        "wrapping": 0xFFFFFFFF,
        "wrapping, negative": -1,
        "wrapping by the size": 2**32 - slot.size,
        "huge": 0x80000000,
    }
    calls = {word: numbers(slots, **{pointer: at}) for word, at in addresses.items()}
    found = unchanged_by(guest, place, name, calls)
    assert found == dict.fromkeys(addresses, Errno.FAULT)


@pytest.mark.parametrize(("name", "pointer", "length"), WITH_LENGTH, ids=ids(WITH_LENGTH))
def test_a01_a_length_of_zero_is_never_dereferenced(guest, name, pointer, length):
    slots = prepare(guest, name)
    path = name.startswith("path_") and pointer != "buf"
    expected = Errno.NOENT if path else EMPTY.get(name, Errno.SUCCESS)
    found = {
        at: guest.raw(name, *numbers(slots, **{pointer: at, length: 0}))
        for at in (0xFFFFFFFF, END, END - 1, 0)
    }
    assert found == dict.fromkeys(found, expected)


@pytest.mark.parametrize(("name", "pointer", "length"), WITH_LENGTH, ids=ids(WITH_LENGTH))
def test_a01_a_length_that_leaves_memory_is_a_fault_and_nothing_happens(
    guest, place, name, pointer, length
):
    slots = prepare(guest, name)
    slot = next(slot for slot in slots if slot.name == pointer)
    element = 8 if slot.content is not None and not name.startswith("path_") else 1
    counts = {
        "one too long": (END - slot.value) // element + 1,
        "wrapping": 0xFFFFFFFF,
        "wrapping by the address": 2**32 - slot.value,
        "half of all": 0x80000000,
        "an eighth of all": 0x20000000,
    }
    calls = {word: numbers(slots, **{length: count}) for word, count in counts.items()}
    found = unchanged_by(guest, place, name, calls)
    assert found == dict.fromkeys(counts, Errno.FAULT)
