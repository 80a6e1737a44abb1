"""Catalogue A 9 and 11: memory that grows, that is not there, that is all there can be."""

import pytest

import wasi_host
from tests.attacks.backends import EngineBackend
from tests.attacks.guest import PAGE, PAGES, READ, Guest, module
from tests.attacks.recipes import ANSWERS, NAMES, furnish, numbers, pointer_slots, prepare
from wasi_spec import Errno

POINTERS = [(name, pointer) for name in NAMES for pointer in pointer_slots(name)]


def moved(guest, name, pointer, at):
    """Return the numbers of a call that works, one address moved, its content too."""
    slots = prepare(guest, name)
    slot = next(slot for slot in slots if slot.name == pointer)
    if slot.content is not None and at + slot.size <= guest.size:
        guest.poke(at, slot.content)
    return numbers(slots, **{pointer: at})


@pytest.mark.parametrize(("name", "pointer"), POINTERS, ids=[" ".join(pair) for pair in POINTERS])
def test_a09_memory_grown_between_two_calls_is_seen_by_the_second(
    memory_only, start, name, pointer
):
    furnish(memory_only)
    guest = start(memory_only)
    at = PAGE * PAGES + 100
    assert guest.raw(name, *moved(guest, name, pointer, at)) is Errno.FAULT
    assert guest.backend.grow(1) == PAGES
    assert guest.raw(name, *moved(guest, name, pointer, at)) is ANSWERS.get(name, Errno.SUCCESS)


def test_a09_a_call_reaches_over_the_old_end_of_memory(memory_only, start):
    memory_only.write("file", b"x" * PAGE)
    guest = start(memory_only)
    fd = guest.open("file", rights=READ)
    guest.backend.grow(1)
    at = PAGE * PAGES - 100
    assert guest.must("fd_read", fd, guest.vector_at((at, 200))) == 200
    assert guest.get(at, 200) == b"x" * 200


def test_a09_memory_grows_again_and_again(memory_only, start):
    guest = start(memory_only)
    for page in range(PAGES, PAGES + 20):
        guest.backend.grow(1)
        assert guest.raw("random_get", page * PAGE, PAGE) is Errno.SUCCESS
        assert guest.raw("random_get", page * PAGE, PAGE + 1) is Errno.FAULT


def test_a09_a_growth_that_is_refused_changes_nothing(memory_only, start):
    guest = start(memory_only, maximum=PAGES)
    assert guest.backend.grow(1) == -1
    assert guest.raw("random_get", PAGE * PAGES, 1) is Errno.FAULT
    assert guest.raw("random_get", PAGE * PAGES - 1, 1) is Errno.SUCCESS


@pytest.fixture
def reentrant(memory_only):
    """A guest on the engine whose input is a function that may call it again."""
    entered = []

    def read(size):
        return entered.pop()(size)

    memory_only.write("file", b"0123456789")
    guest = Guest(EngineBackend({"/": memory_only.source}, stdin=read))
    guest.entered = entered
    yield guest
    guest.close()


@pytest.mark.parametrize("count", [1, 2], ids=["one vector", "two vectors"])
def test_a09_memory_grown_within_a_call_does_not_disturb_its_results(reentrant, count):
    def grow_and_answer(size):
        assert reentrant.backend.grow(3) == PAGES
        return b"words"

    reentrant.entered.append(grow_and_answer)
    at = reentrant.alloc(8)
    vectors = [(at, 8)] if count == 1 else [(at, 2), (at + 2, 6)]
    assert reentrant.must("fd_read", 0, reentrant.vector_at(*vectors)) == 5
    assert reentrant.get(at, 5) == b"words"
    assert reentrant.size == (PAGES + 3) * PAGE


def test_a09_a_call_within_a_call_uses_the_memory_it_has_grown(reentrant):
    fresh = PAGE * PAGES

    def grow_and_call(size):
        reentrant.backend.grow(1)
        assert reentrant.raw("random_get", fresh, PAGE) is Errno.SUCCESS
        fd = reentrant.open("file", rights=READ)
        assert reentrant.read(fd) == b"0123456789"
        return b"words"

    reentrant.entered.append(grow_and_call)
    assert reentrant.read(0) == b"words"
    assert reentrant.get(fresh, PAGE) != bytes(PAGE)


def test_a09_memory_grown_within_a_call_is_seen_by_the_next(reentrant):
    def grow_and_answer(size):
        reentrant.backend.grow(1)
        return b"words"

    reentrant.entered += [lambda size: b"again", grow_and_answer]
    reentrant.read(0)
    at = PAGE * PAGES
    assert reentrant.must("fd_read", 0, reentrant.vector_at((at, 5))) == 5
    assert reentrant.get(at, 5) == b"again"


# No memory.


@pytest.fixture
def bare(memory_only, start):
    furnish(memory_only)
    return start(memory_only, pages=0)


def test_a09_without_memory_every_pointer_to_something_is_a_fault(bare):
    calls = {
        "fd_write": (1, 0, 1, 0),
        "fd_read": (0, 0, 1, 0),
        "path_open": (3, 0, 0, 4, 0, 0, 0, 0, 0),
        "path_create_directory": (3, 0, 1),
        "path_filestat_get": (3, 0, 0, 0, 0),
        "fd_fdstat_get": (3, 0),
        "fd_prestat_get": (3, 0),
        "fd_prestat_dir_name": (3, 0, 1),
        "clock_time_get": (0, 0, 0),
        "args_get": (0, 0),
        "args_sizes_get": (0, 4),
        "environ_get": (0, 0),
        "random_get": (0, 1),
        "poll_oneoff": (0, 0, 1, 0),
        "fd_readdir": (3, 0, 1, 0, 0),
    }
    found = {name: bare.raw(name, *values) for name, values in calls.items()}
    assert found == dict.fromkeys(calls, Errno.FAULT)


def test_a09_without_memory_a_call_without_pointers_works(bare):
    assert bare.raw("random_get", 0, 0) is Errno.SUCCESS
    assert bare.raw("sched_yield") is Errno.SUCCESS
    assert bare.raw("path_create_directory", 3, 0, 0) is Errno.NOENT
    assert bare.raw("fd_close", 3) is Errno.SUCCESS
    assert bare.raw("fd_close", 3) is Errno.BADF


def test_a09_memory_that_was_not_there_at_first_is_used_once_it_is(bare):
    assert bare.raw("random_get", 0, 1) is Errno.FAULT
    assert bare.backend.grow(1) == 0
    assert bare.raw("random_get", 0, PAGE) is Errno.SUCCESS
    assert bare.raw("path_create_directory", 3, bare.poke(0, b"made"), 4) is Errno.SUCCESS


# All memory there can be.

LAST = 0xFFFFFFFF


def test_a09_the_last_of_four_gibibytes_can_be_used(large, memory_only):
    assert large.raw("random_get", LAST, 1) is Errno.SUCCESS
    assert large.raw("random_get", LAST, 2) is Errno.FAULT
    assert large.raw("path_create_directory", 3, large.poke(LAST - 3, b"made"), 4) is Errno.SUCCESS
    assert memory_only.exists("made")


def test_a09_results_are_stored_at_the_end_of_four_gibibytes(large):
    assert large.raw("fd_fdstat_get", 3, LAST - 23) is Errno.SUCCESS
    assert large.raw("fd_fdstat_get", 3, LAST - 22) is Errno.FAULT
    assert large.get(LAST - 23, 1) == b"\3"


def test_a09_four_gibibytes_do_not_grow(large):
    assert large.backend.grow(1) == -1


# After the end.


@pytest.fixture
def ended(memory_only):
    sandbox = wasi_host.Sandbox(module(), dirs={"/": memory_only.source})
    instance = sandbox.instantiate(stdout=wasi_host.DEVNULL)
    instance.close()
    return instance


def test_a11_a_call_through_a_closed_instance_is_a_clear_error(ended):
    with pytest.raises(RuntimeError, match="closed"):
        ended.call("sched_yield")


def test_a11_the_memory_of_a_closed_instance_is_a_clear_error(ended):
    with pytest.raises(RuntimeError, match="closed"):
        ended.memory  # noqa: B018  the property raises


def test_a11_closing_twice_is_harmless(ended):
    ended.close()
