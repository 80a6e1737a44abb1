"""Catalogue A 7 and 8: arguments, environment, random bytes."""

import pytest

import wasi_host
from tests.attacks.backends import ValuesBackend
from tests.attacks.guest import PAGE, Guest, module
from wasi_host.binding.context import StoppedHost, ValuesContext
from wasi_host.binding.shim import values_functions
from wasi_host.errors import Stopped
from wasi_host.preview1 import encode_args
from wasi_spec import Errno, records

CHUNK = 1 << 16


def strings(guest, kind):
    """Return the strings of a kind as a C library would read them."""
    guest.must(f"{kind}_sizes_get")
    count, size = guest.results
    pointers, buffer = guest.alloc(4 * count), guest.alloc(size)
    guest.must(f"{kind}_get", pointers, buffer)
    addresses = [
        records.U32.unpack(guest.get(pointers + 4 * index, 4))[0] for index in range(count)
    ]
    data = guest.get(buffer, size)
    return [data[at - buffer : data.index(b"\0", at - buffer)] for at in addresses]


def test_a07_arguments_arrive_one_after_another_with_a_nul_each(memory_only, start):
    guest = start(memory_only, args=["one", "", "zwölf"])
    assert strings(guest, "args") == [b"guest.wasm", b"one", b"", "zwölf".encode()]


def test_a07_the_environment_arrives_in_its_order(memory_only, start):
    guest = start(memory_only, env={"B": "1", "A": "", "C": "a=b"})
    assert strings(guest, "environ") == [b"B=1", b"A=", b"C=a=b"]


def test_a07_the_strings_end_exactly_at_the_end_of_memory(memory_only, start):
    guest = start(memory_only)
    guest.must("environ_sizes_get")
    count, size = guest.results
    pointers = guest.alloc(4 * count)
    guest.must("environ_get", pointers, guest.size - size)
    assert guest.get(guest.size - 12, 12) == b"words of it\0"


@pytest.mark.parametrize("kind", ["args", "environ"])
@pytest.mark.parametrize("which", [0, 1], ids=["the addresses", "the text"])
def test_a07_one_byte_too_little_room_is_a_fault_and_nothing_is_written(
    memory_only, start, kind, which
):
    guest = start(memory_only)
    guest.must(f"{kind}_sizes_get")
    count, size = guest.results
    room = (4 * count, size)[which]
    places = [guest.alloc(4 * count), guest.alloc(size)]
    places[which] = guest.size - room + 1
    before = guest.dump()
    assert guest.call(f"{kind}_get", *places) is Errno.FAULT
    assert guest.dump() == before


def test_a07_an_empty_environment_has_sizes_zero_and_needs_no_room(memory_only, start):
    guest = start(memory_only, env={})
    guest.must("environ_sizes_get")
    assert guest.results == (0, 0)
    guest.must("environ_get", 0xFFFFFFFF, 0xFFFFFFFF)


def test_a07_an_empty_command_line_has_sizes_zero_and_needs_no_room(memory_only):
    backend = ValuesBackend({"/": memory_only.source})
    backend.preview1.args = encode_args([])
    guest = Guest(backend)
    guest.must("args_sizes_get")
    assert guest.results == (0, 0)
    guest.must("args_get", 0xFFFFFFFF, 0xFFFFFFFF)
    guest.close()


BAD_ARGS = {"a NUL": "a\0b", "a lone surrogate": "a\udc80", "a NUL in bytes": b"a\0b"}

BAD_ENV = {
    "a NUL in a name": {"a\0b": "c"},
    "a NUL in a value": {"a": "b\0c"},
    "a lone surrogate in a name": {"a\ud800": "b"},
    "a lone surrogate in a value": {"a": "b\udcff"},
    "an empty name": {"": "value"},
    "an equals sign in a name": {"a=b": "c"},
}


@pytest.mark.parametrize("word", BAD_ARGS.values(), ids=BAD_ARGS)
def test_a07_an_argument_that_no_guest_can_be_given_is_a_value_error(word):
    sandbox = wasi_host.Sandbox(module())
    with pytest.raises(ValueError, match="argument"):
        sandbox.instantiate([word])


@pytest.mark.parametrize("env", BAD_ENV.values(), ids=BAD_ENV)
def test_a07_a_variable_that_no_guest_can_be_given_is_a_value_error_at_once(env):
    with pytest.raises(ValueError, match="environment variable"):
        wasi_host.Sandbox(module(), env=env)


# Random bytes.


def test_a08_no_random_bytes_are_a_success_at_any_address(memory_only, start):
    guest = start(memory_only)
    before = guest.dump()
    assert [guest.raw("random_get", at, 0) for at in (0, guest.size, 0xFFFFFFFF)] == [
        Errno.SUCCESS
    ] * 3
    assert guest.dump() == before


def test_a08_all_of_memory_can_be_filled(memory_only, start):
    guest = start(memory_only, pages=32)
    assert guest.raw("random_get", 0, 32 * PAGE) is Errno.SUCCESS
    memory = guest.dump()
    for at in range(0, len(memory), 4096):
        assert memory[at : at + 4096].count(0) < 200


@pytest.mark.parametrize(("at", "more"), [(0, 1), (1, 0), (PAGE, 0)], ids=["longer", "1", "page"])
def test_a08_more_than_memory_is_a_fault(memory_only, start, at, more):
    guest = start(memory_only, pages=2)
    assert guest.raw("random_get", at, 2 * PAGE + more) is Errno.FAULT
    assert guest.dump() == bytes(2 * PAGE)


def test_a08_two_calls_give_different_bytes(memory_only, start):
    guest = start(memory_only)
    one, other = guest.alloc(32), guest.alloc(32)
    guest.must("random_get", one, 32)
    guest.must("random_get", other, 32)
    assert guest.get(one, 32) != guest.get(other, 32)


class Source:
    """A host that gives ones, counts what it is asked for, and can be told to stop the run."""

    def __init__(self, context, stop_after=None):
        self.context = context
        self.asked = []
        self.stop_after = stop_after

    def random_get(self, size):
        self.asked.append(size)
        if len(self.asked) == self.stop_after:
            self.context.host = StoppedHost("timeout")
        return b"\1" * size


@pytest.fixture
def filled():
    memory = bytearray(5 * CHUNK)
    context = ValuesContext(lambda: memoryview(memory))
    return memory, context


def test_a08_random_bytes_are_asked_for_in_pieces(filled):
    memory, context = filled
    context.host = source = Source(context)
    assert values_functions(context)["random_get"](1, 4 * CHUNK + 5) == 0
    assert max(source.asked) <= CHUNK
    assert sum(source.asked) == 4 * CHUNK + 5
    assert memory.count(1) == 4 * CHUNK + 5
    assert memory[0] == 0


def test_a08_a_stop_is_seen_between_two_pieces(filled):
    memory, context = filled
    context.host = Source(context, stop_after=2)
    with pytest.raises(Stopped):
        values_functions(context)["random_get"](0, 5 * CHUNK)
    assert memory.count(1) <= 2 * CHUNK
