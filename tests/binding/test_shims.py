"""What a shim does besides decoding: growth, stops, errors, and what is checked first."""

import errno
import struct
import traceback

import pytest

from tests.binding.fakes import (
    ARENA,
    RAW,
    ROWS,
    SLOTS,
    TRAP,
    Host,
    RawContext,
    answering,
    raw_call,
    values_call,
)
from wasi_host.binding.context import StoppedHost, ValuesContext
from wasi_host.binding.shim import ShimCompiler, source, values_functions
from wasi_host.errors import BADF, ProcExit, Stopped
from wasi_spec import Errno, core_signature

PAGE = 65536


def errno_in(slots):
    return Errno(struct.unpack_from("<I", slots, SLOTS)[0])


def call(name, context, *numbers):
    """Call a RAW shim that ends well; return the errno."""
    returned, _, after = raw_call(name, context, numbers)
    assert returned == 0, context.pending
    return errno_in(after)


def with_vector(at, size, memory_size=PAGE):
    memory = bytearray(memory_size)
    struct.pack_into("<II", memory, 16, at, size)
    return memory


# ---- growth -----------------------------------------------------------------------------------


def test_memory_that_has_grown_is_seen_by_a_call_that_needs_it():
    memory = with_vector(PAGE, 5, 2 * PAGE)
    context = RawContext(memory, answering(b"hello"), known=PAGE)
    assert call("fd_read", context, 3, 16, 1, 8) is Errno.SUCCESS
    assert memory[PAGE : PAGE + 5] == b"hello"


def test_memory_that_is_not_known_yet_is_looked_at():
    memory = with_vector(64, 5)
    context = RawContext(memory, answering(b"hello"), known=0)
    assert call("fd_read", context, 3, 16, 1, 8) is Errno.SUCCESS
    assert memory[64:69] == b"hello"


def test_memory_is_looked_at_only_where_a_check_failed():
    context = RawContext(bytearray(2 * PAGE), answering(7), known=PAGE)
    assert call("fd_tell", context, 3, 8) is Errno.SUCCESS
    assert context.refreshed == 0


def test_a_call_that_started_over_asks_the_host_once():
    host = answering(5)
    context = RawContext(with_vector(PAGE, 5, 2 * PAGE), host, known=PAGE)
    assert call("fd_write", context, 3, 16, 1, 8) is Errno.SUCCESS
    assert host.calls == [("fd_write", (3, bytes(5)))]


def test_a_pointer_beyond_what_memory_has_grown_to_is_fault():
    context = RawContext(bytearray(2 * PAGE), answering(7), known=PAGE)
    assert call("fd_tell", context, 3, 2 * PAGE) is Errno.FAULT
    assert context.host.calls == []


def test_a_path_in_grown_memory_is_decoded_again():
    memory = bytearray(2 * PAGE)
    memory[PAGE : PAGE + 4] = b"name"
    host = answering(None)
    context = RawContext(memory, host, known=PAGE)
    assert call("path_unlink_file", context, 3, PAGE, 4) is Errno.SUCCESS
    assert host.calls == [("path_unlink_file", (3, "name"))]


def test_strings_are_stored_in_memory_that_has_grown():
    memory = bytearray(2 * PAGE)
    context = RawContext(memory, answering([b"one", b"two"]), known=PAGE)
    assert call("args_get", context, PAGE - 2, PAGE + 100) is Errno.SUCCESS
    assert memory[PAGE + 100 : PAGE + 108] == b"one\0two\0"


def test_memory_that_grows_during_the_call_does_not_move_what_is_stored():
    memory = with_vector(64, 5, 2 * PAGE)

    def script(name, arguments):
        context.refresh(0)
        return b"hello"

    context = RawContext(memory, Host(script), known=PAGE)
    assert call("fd_read", context, 3, 16, 1, 8) is Errno.SUCCESS
    assert (memory[64:69], memory[8:12]) == (b"hello", b"\5\0\0\0")


# ---- nothing happens before everything is checked ---------------------------------------------

RETURNING = [name for name, row in ROWS.items() if row.results]


@pytest.mark.parametrize("name", RETURNING)
def test_the_host_hears_nothing_of_a_call_with_a_bad_result_pointer(name):
    memory = bytearray(PAGE)
    context = RawContext(memory, Host(lambda *_: pytest.fail("was called")))
    numbers = [0] * (len(core_signature(ROWS[name])[0]) - 1) + [PAGE]
    if name == "poll_oneoff":
        numbers[2] = 1
    assert call(name, context, *numbers) is Errno.FAULT
    assert memory == bytes(PAGE)


@pytest.mark.parametrize("name", ["fd_read", "fd_pread", "fd_write", "fd_pwrite"])
def test_a_bad_result_pointer_is_answered_before_too_many_empty_vectors(name):
    context = RawContext(bytearray(PAGE), answering(0))
    middle = [0] * (name[3] == "p")
    assert call(name, context, 3, 0, 1025, *middle, PAGE) is Errno.FAULT
    assert call(name, context, 3, 0, 1025, *middle, 0) is Errno.INVAL


def test_vectors_whose_lengths_do_not_fit_32_bits_are_inval():
    memory = bytearray(5 << 20)
    for place in range(1024):
        struct.pack_into("<II", memory, 8 * place, 0, (4 << 20) + 1)
    context = RawContext(memory, answering(0))
    assert call("fd_write", context, 3, 0, 1024, 1 << 20) is Errno.INVAL


def test_overlapping_vectors_are_a_short_transfer_of_what_memory_holds():
    memory = bytearray(PAGE)
    for place in range(1024):
        struct.pack_into("<II", memory, 8 * place, 0, PAGE)
    host = answering(7)
    assert call("fd_write", RawContext(memory, host), 3, 0, 1024, 8) is Errno.SUCCESS
    assert [len(arguments[1]) for _, arguments in host.calls] == [PAGE]


def test_all_vectors_of_a_large_memory_are_at_most_16_mib():
    memory = bytearray(20 << 20)
    for place in range(2):
        struct.pack_into("<II", memory, 8 * place, 0, 10 << 20)
    host = answering(7)
    assert call("fd_write", RawContext(memory, host), 3, 0, 2, 64) is Errno.SUCCESS
    assert [len(arguments[1]) for _, arguments in host.calls] == [16 << 20]


def test_one_vector_may_be_larger_than_several_together():
    memory = bytearray(20 << 20)
    struct.pack_into("<II", memory, 0, 0, 18 << 20)
    host = answering(7)
    assert call("fd_write", RawContext(memory, host), 3, 0, 1, 64) is Errno.SUCCESS
    assert [len(arguments[1]) for _, arguments in host.calls] == [18 << 20]


def test_no_subscriptions_is_inval_whatever_the_pointers():
    bad = 0xFFFFFFFF
    assert call("poll_oneoff", RawContext(bytearray(8), None), bad, bad, 0, bad) is Errno.INVAL


# ---- the errno --------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [7, BADF], ids=["success", "an error"])
def test_the_errno_takes_the_first_four_bytes_of_the_first_slot(answer):
    context = RawContext(bytearray(PAGE), answering(answer))
    _, before, after = raw_call("fd_tell", context, [0x01020304, 8])
    expected = struct.pack("<I", 0 if answer == 7 else Errno.BADF)
    assert after == before[:SLOTS] + expected + before[SLOTS + 4 :]


@pytest.mark.parametrize("name", ["NOENT", "NOTEMPTY", "TOOBIG", "XDEV", "ROFS", "LOOP", "NOSPC"])
def test_a_host_error_is_answered_by_the_name_of_its_number(name):
    host = answering(OSError(getattr(errno, "E2BIG" if name == "TOOBIG" else "E" + name), "text"))
    assert call("fd_sync", RawContext(bytearray(8), host), 3) is Errno[name]
    assert values_call("fd_sync", bytearray(8), host, [3]) == Errno[name]


@pytest.mark.parametrize(
    "error", [OSError("no number"), OSError(54321, "unknown")], ids=["without", "with an unknown"]
)
def test_a_host_error_without_a_known_number_is_io(error):
    assert call("fd_sync", RawContext(bytearray(8), answering(error)), 3) is Errno.IO


BUGS = {
    "a bug": ValueError("a bug"),
    "struct.error, as a bad pointer would be": struct.error("a bug"),
    "UnicodeDecodeError, as a bad path would be": UnicodeDecodeError("utf-8", b"", 0, 1, "a bug"),
    "Ctrl-C": KeyboardInterrupt(),
    "proc_exit": ProcExit(3),
    "a stop": Stopped("timeout"),
    "recursion": RecursionError("too deep"),
}


@pytest.mark.parametrize("error", BUGS.values(), ids=BUGS)
def test_what_is_no_errno_traps_and_leaves_the_slots_alone(error):
    context = RawContext(bytearray(PAGE), answering(error))
    returned, before, after = raw_call("fd_tell", context, [3, 8])
    assert (returned, context.pending) == (TRAP, error)
    assert after == before


@pytest.mark.parametrize("error", BUGS.values(), ids=BUGS)
def test_what_is_no_errno_is_raised_from_functions_on_values(error):
    with pytest.raises(type(error)) as raised:
        values_call("fd_tell", bytearray(PAGE), answering(error), [3, 8])
    assert raised.value is error


def test_an_exception_while_decoding_traps_too():
    context = RawContext(bytearray(PAGE), answering(7))
    context.size = "not a number"
    returned, before, after = raw_call("fd_tell", context, [3, 8])
    assert (returned, type(context.pending)) == (TRAP, TypeError)
    assert after == before


@pytest.mark.parametrize("convention", ["raw", "values"])
def test_the_traceback_of_a_failing_host_shows_the_line_of_the_shim(convention):
    host = answering(ValueError("a bug"))
    if convention == "raw":
        context = RawContext(bytearray(PAGE), host)
        raw_call("fd_sync", context, [3])
        error = context.pending
    else:
        with pytest.raises(ValueError, match="a bug") as raised:
            values_call("fd_sync", bytearray(PAGE), host, [3])
        error = raised.value
    shown = "".join(traceback.format_exception(error))
    assert "ctx.host.fd_sync(fd)" in shown


@pytest.mark.parametrize("convention", ["raw", "values"])
@pytest.mark.parametrize("name", ROWS)
def test_the_source_that_is_shown_is_what_is_run(name, convention):
    compiler = RAW if convention == "raw" else ShimCompiler(None)
    text = source(ROWS[name], convention)
    shim = compiler[name]
    assert text == shim.__globals__["__loader__"].get_source("any")
    assert compile(text, shim.__code__.co_filename, "exec").co_consts[0] == shim.__code__


def test_a_shim_is_made_once():
    compiler = ShimCompiler(memoryview(ARENA))
    assert compiler["fd_read"] is compiler["fd_read"]


def test_a_function_that_is_in_no_row_is_a_key_error():
    with pytest.raises(KeyError):
        RAW["fd_imagined"]


# ---- stops ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in ROWS if name != "poll_oneoff"])
def test_a_stopped_host_ends_every_call(name):
    context = RawContext(bytearray(PAGE), StoppedHost("timeout"))
    numbers = [0] * len(core_signature(ROWS[name])[0])
    if name == "random_get":
        numbers[1] = 1
    returned, _, _ = raw_call(name, context, numbers)
    assert returned == TRAP
    assert (type(context.pending), context.pending.reason) == (Stopped, "timeout")


def test_a_stopped_host_ends_a_poll():
    context = RawContext(bytearray(PAGE), StoppedHost("killed"))
    returned, _, _ = raw_call("poll_oneoff", context, [64, 1024, 1, 0])
    assert (returned, context.pending.reason) == (TRAP, "killed")


def test_random_bytes_in_pieces_see_a_stop_between_them():
    def script(name, arguments):
        if len(host.calls) == 2:
            context.host = StoppedHost("timeout")
        return b"r" * arguments[0]

    host = Host(script)
    memory = bytearray(5 * PAGE)
    context = RawContext(memory, host)
    returned, _, _ = raw_call("random_get", context, [0, 5 * PAGE])
    assert (returned, context.pending.reason) == (TRAP, "timeout")
    assert memory == b"r" * (2 * PAGE) + bytes(3 * PAGE)


# ---- functions on plain integers --------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "meant"),
    [(-1, -1), (2**64 - 1, -1), (-(2**63), -(2**63)), (2**63, -(2**63)), (2**63 - 1, 2**63 - 1)],
    ids=["-1", "-1 unsigned", "least", "least unsigned", "greatest"],
)
def test_an_offset_may_come_signed_or_unsigned(offset, meant):
    host = answering(7)
    assert values_call("fd_seek", bytearray(64), host, [3, offset, 0, 8]) == 0
    assert host.calls == [("fd_seek", (3, meant, 0))]


@pytest.mark.parametrize("fd", [-1, 2**32 - 1], ids=["signed", "unsigned"])
def test_a_descriptor_may_come_signed_or_unsigned(fd):
    host = answering(None)
    values_call("fd_sync", bytearray(64), host, [fd])
    assert host.calls == [("fd_sync", (2**32 - 1,))]


def test_a_negative_address_is_a_high_one():
    assert values_call("fd_tell", bytearray(64), answering(7), [3, -4]) == Errno.FAULT


def test_no_view_is_left_behind_that_would_keep_memory_from_growing():
    memory = with_vector(64, 5)
    for make in (lambda: 5, lambda: BADF, lambda: OSError(errno.EIO, "text")):
        host = Host(lambda name, arguments: make())  # noqa: B023  called here
        values_call("fd_write", memory, host, [3, 16, 1, 8])
        memory.extend(b"more")  # BufferError while a view is alive


def test_calls_nest_on_one_context():
    memory = bytearray(PAGE)

    def script(name, arguments):
        if name == "fd_sync":
            assert functions["fd_tell"](3, 8) == 0
            assert functions["fd_tell"](3, PAGE) == Errno.FAULT
        return 7

    context = ValuesContext(lambda: memoryview(memory))
    context.host = Host(script)
    functions = values_functions(context)
    assert functions["fd_sync"](3) == 0
    assert functions["fd_tell"](3, 16) == 0
    assert (memory[8], memory[16]) == (7, 7)


def test_a_memory_that_cannot_be_had_once_is_asked_for_again():
    memory, answers = bytearray(64), [None]

    def look():
        if answers.pop(0) is None:
            raise LookupError("not yet")
        return memoryview(memory)

    context = ValuesContext(look)
    context.host = answering(7)
    functions = values_functions(context)
    with pytest.raises(LookupError):
        functions["fd_tell"](3, 8)
    answers.append(1)
    assert functions["fd_tell"](3, 8) == 0
    assert not context._outer
