"""Catalogue A, general rules: exactly which bytes of a guest's memory a call writes.

Each call is made twice, over memory filled with a pattern and with its complement. A byte that
was written differs from at least one of the two, so what differs is exactly what was written.
"""

import pytest

from tests.attacks.guest import PAGE, PAGES, ROWS
from tests.attacks.recipes import ANSWERS, NAMES, furnish, numbers, prepare
from wasi_spec import Errno, records
from wasi_spec.layout import layout

PATTERN = bytes((7 * index + 13) % 251 for index in range(251))
COMPLEMENT = bytes(byte ^ 0xFF for byte in PATTERN)

#: Records in memory: a letter is a byte of a field, a dot is padding, which is never written.
PICTURES = {
    "fdstat": "x.xx....xxxxxxxxxxxxxxxx",
    "filestat": "xxxxxxxxxxxxxxxxx.......xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "prestat": "x...xxxx",
    "event": "xxxxxxxxxxx.....xxxxxxxxxx......",
}


def placed(at, picture):
    return {at + index for index, mark in enumerate(picture) if mark == "x"}


def record_bytes(kind, at):
    return placed(at, PICTURES.get(kind.name, "x" * layout(kind).size))


def outputs(guest, name, slots):
    """Return the addresses that a successful call fills besides its results."""
    value = {slot.name: slot.value for slot in slots}
    size = {slot.name: slot.size for slot in slots}
    if name in {"args_get", "environ_get"}:
        areas = [slot.name for slot in slots]
        return {at for area in areas for at in range(value[area], value[area] + size[area])}
    if name == "random_get":
        return set(range(value["buf"], value["buf"] + value["buf_len"]))
    if name == "fd_prestat_dir_name":
        return set(range(value["path"], value["path"] + 1))  # the preopen is called "/"
    if name in {"fd_readdir", "path_readlink"}:
        used = records.U32.unpack(guest.get(value["bufused"], 4))[0]
        return set(range(value["buf"], value["buf"] + used))
    if name in {"fd_read", "fd_pread"}:
        buffer, _ = records.IOVEC.unpack(guest.get(value["iovs"], 8))
        done = records.U32.unpack(guest.get(value["nread"], 4))[0]
        assert done == 10
        return set(range(buffer, buffer + done))
    if name == "poll_oneoff":
        return placed(value["out"], PICTURES["event"])
    return set()


def differences(before, after, step=256):
    """Return the addresses at which two dumps of memory differ."""
    return {
        at
        for start in range(0, len(before), step)
        if before[start : start + step] != after[start : start + step]
        for at in range(start, start + step)
        if before[at] != after[at]
    }


def written_by(start, place, name):
    """Return the addresses that a call writes, and those that it has to."""
    written, due = set(), set()
    for number, pattern in enumerate([PATTERN, COMPLEMENT]):
        guest = start(place)
        guest.fill(pattern)
        slots = prepare(guest, name, number)
        before = guest.dump()
        assert guest.raw(name, *numbers(slots)) is ANSWERS.get(name, Errno.SUCCESS)
        after = guest.dump()
        written |= differences(before, after)
        if name not in ANSWERS:
            due |= outputs(guest, name, slots)
            for slot, result in zip(slots[::-1], ROWS[name].results[::-1], strict=False):
                due |= record_bytes(result.type, slot.value)
        guest.close()
    return written, due


@pytest.mark.parametrize("name", NAMES)
def test_a_call_writes_all_bytes_of_its_results_and_no_other(place, start, name):
    furnish(place)
    written, due = written_by(start, place, name)
    assert due - written <= random_coincidences(name, due)
    assert written - due == set()


def random_coincidences(name, due):
    # Random bytes and times may equal both patterns' bytes by chance; a handful proves nothing.
    if name in {"random_get", "clock_time_get"}:
        assert len(due) >= 8
        return due
    return set()


@pytest.mark.parametrize("name", ["random_get", "clock_time_get"])
def test_a_call_with_changing_results_writes_most_of_their_bytes(place, start, name):
    furnish(place)
    written, due = written_by(start, place, name)
    assert len(written) > len(due) // 2
    assert written <= due


def test_the_guests_memory_is_as_large_as_the_tests_assume(place, start):
    assert start(place).size == PAGE * PAGES
