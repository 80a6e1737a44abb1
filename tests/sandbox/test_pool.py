"""Pools: the same runs as a sandbox's, and nothing of one run left to the next."""

import subprocess
import sys
import threading

import pytest

import wasi_host
from tests.runtimes.guests import command, module
from tests.sandbox.programs import ARGS, BOTH, CAT, ENDLESS, ENVIRON, OPEN_MANY, exits, says
from wasi_host import interrupts


def pool(source, size=2, **sandbox):
    return wasi_host.Pool(wasi_host.Sandbox(source, **sandbox), size)


def outputs(source, count=3, **sandbox):
    """The standard output of so many runs in one slot."""
    with pool(source, size=1, **sandbox) as many:
        return [many.run().stdout for _ in range(count)]


# ---- as a sandbox runs ------------------------------------------------------------------------


def test_output_is_captured_and_input_empty():
    with pool(BOTH) as many:
        done = many.run()
        assert (done.returncode, done.stdout, done.stderr) == (0, b"out\n", b"err\n")
    with pool(CAT) as many:
        assert many.run().stdout == b""


def test_each_run_has_its_own_arguments_environment_and_input():
    with pool(ARGS) as many:
        assert many.run(["a", "b c"]).stdout == b"module\0a\0b c\0"
        assert many.run().stdout == b"module\0"
    with pool(ENVIRON, env={"OF": "sandbox"}) as many:
        assert many.run(env={"A": "1", "B": ""}).stdout == b"A=1\0B=\0"
        assert many.run(env={}).stdout == b""
        assert many.run().stdout == b"OF=sandbox\0"
    with pool(CAT) as many:
        assert [many.run(input=text).stdout for text in (b"long input", b"", b"x")] == [
            b"long input", b"", b"x",
        ]  # fmt: skip


@pytest.mark.parametrize("code", [0, 1, 126, 255, 256, 2**32 - 1])
def test_exit_codes_come_out_and_do_not_stay(code):
    with pool(exits(code)) as many:
        assert [many.run().returncode for _ in range(3)] == [code] * 3
        if code:
            with pytest.raises(wasi_host.RunError):
                many.run(check=True)


def test_a_trap_ends_one_run_only():
    source = command(
        """(local $n i32) (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
        (if (i32.eq (i32.load (i32.const 16)) (i32.const 2)) (then unreachable))""",
        wasi=["args_sizes_get"],
    )
    with pool(source) as many:
        assert many.run(["trap"]).trap.cause == "unreachable"
        assert many.run().returncode == 0


def test_a_timeout_ends_what_computes_and_the_pool_goes_on():
    with pool(ENDLESS["computing"]) as many:
        for _ in range(2):
            with pytest.raises(wasi_host.TimeoutExpired) as caught:
                many.run(timeout=0.05)
            assert caught.value.result.stdout == b"out\n"


def test_keywords_of_a_sandboxs_run_are_taken():
    got = []
    with pool(BOTH) as many:
        assert many.run(stdout=got.append).stdout is None
        assert b"".join(got) == b"out\n"
        assert many.run(text=True).stdout == "out\n"
        assert many.run(stderr=subprocess.STDOUT).stdout == b"out\nerr\n"
    with pool(CAT) as many:
        assert many.run(input="grüße", text=True).stdout == "grüße"


def test_a_wrong_argument_or_variable_is_refused_and_the_slot_kept():
    with pool(ARGS, size=1) as many:
        for bad in ({"argv": ["a\0b"]}, {"argv": ["\udc80"]}, {"env": {"": "x"}},
                    {"env": {"a=b": "x"}}, {"env": {"a": "\0"}}):  # fmt: skip
            with pytest.raises(ValueError, match=r"NUL|surrogate|empty|'='"):
                many.run(**bad)
        assert many.run(["fine"]).stdout == b"module\0fine\0"


def test_what_is_no_sandbox_size_or_command_is_refused():
    with pytest.raises(TypeError, match="made of a Sandbox"):
        wasi_host.Pool("x.wasm")
    with pytest.raises(ValueError, match="at least 1"):
        pool(CAT, size=0)
    with pytest.raises(TypeError, match="how many"):
        pool(CAT, size="2")
    with pytest.raises(wasi_host.NotAWasiModule, match="no _start"):
        pool(module())


def test_a_closed_pool_says_so():
    many = pool(CAT)
    many.close()
    many.close()
    with pytest.raises(RuntimeError, match="closed"):
        many.run()


# ---- nothing is left --------------------------------------------------------------------------

#: Writes the byte at 5000, after setting it, and the number of pages, after growing by one.
_TRACES = command(
    """(i32.store (i32.const 0) (i32.const 5000)) (i32.store (i32.const 4) (i32.const 2))
    (i32.store8 (i32.const 5001) (i32.add (i32.const 48) (memory.size)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store8 (i32.const 5000) (i32.const 33)) (drop (memory.grow (i32.const 1)))
    (i32.store8 (i32.const 70000) (i32.const 33))""",
    '(data (i32.const 5000) "-")',
    wasi=["fd_write"],
)


def test_memory_written_and_grown_in_one_run_is_as_at_first_in_the_next():
    assert outputs(_TRACES) == [b"-1"] * 3


def test_globals_and_tables_are_as_at_first():
    source = command(
        """(global.set $n (i32.add (global.get $n) (i32.const 1)))
        (if (i32.ne (global.get $n) (i32.const 1)) (then unreachable))
        (if (i32.eqz (ref.is_null (table.get $t (i32.const 0)))) (then unreachable))
        (table.set $t (i32.const 0) (ref.func $f))""",
        "(global $n (mut i32) (i32.const 0)) (table $t 4 funcref) (func $f) (elem declare func $f)",
    )
    with pool(source, size=1) as many:
        assert [many.run().trap for _ in range(3)] == [None] * 3


@pytest.mark.parametrize(
    "harm",
    [
        "(drop (call $fd_close (i32.const 1)))",
        "(drop (call $fd_renumber (i32.const 2) (i32.const 1)))",
        "(drop (call $fd_fdstat_set_rights (i32.const 1) (i64.const 0) (i64.const 0)))",
        "(drop (call $fd_fdstat_set_flags (i32.const 1) (i32.const 4)))",
    ],
    ids=["closed", "renumbered", "without rights", "not to wait"],
)
def test_what_a_guest_does_to_its_descriptors_is_undone(harm):
    look = "(drop (call $fd_fdstat_get (i32.const 1) (i32.const 64)))"
    write = """(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 24))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"""
    source = command(
        look + write + harm,
        wasi=["fd_close", "fd_renumber", "fd_fdstat_set_rights", "fd_fdstat_set_flags",
              "fd_fdstat_get", "fd_write"],
    )  # fmt: skip
    first, *later = outputs(source)
    assert len(first) == 24
    assert later == [first, first]


def test_input_left_over_is_not_the_next_runs():
    source = command(
        """(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 2))
        (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.store (i32.const 4) (i32.load (i32.const 8)))
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))""",
        wasi=["fd_read", "fd_write"],
    )
    with pool(source, size=1) as many:
        assert [many.run(input=text).stdout for text in (b"abcdef", b"", b"xy")] == [
            b"ab", b"", b"xy",
        ]  # fmt: skip


def test_a_tree_of_files_is_fresh_and_descriptors_of_files_are_gone(tmp_path):
    limits = wasi_host.Limits(open_files=10)
    dirs = {"/": {"file": b"content"}}
    with pool(OPEN_MANY, size=1, dirs=dirs, limits=limits) as many:
        for _ in range(3):
            done = many.run()
            assert (done.returncode, done.limits_hit) == (6, {"open_files"})


def test_a_limit_that_was_hit_is_told_of_that_run_only():
    source = command(
        """(local $n i32) (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
        (call $proc_exit (i32.load (i32.const 16)))""",
        wasi=["args_sizes_get", "proc_exit"],
    )
    with pool(source, size=1) as many:
        assert [many.run().limits_hit for _ in range(2)] == [frozenset()] * 2


# ---- places, threads, signals -----------------------------------------------------------------


def test_many_threads_get_their_own_results():
    wrong = []
    with pool(CAT, size=3) as many:

        def work(number):
            for turn in range(60):
                text = f"{number} {turn}".encode()
                if many.run(input=text).stdout != text:
                    wrong.append(text)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_where_all_places_are_taken_instances_are_made_on_demand(monkeypatch):
    monkeypatch.setattr("wasi_host.pool._LEAST_PLACES", 8)
    begun, ended = [], []
    with pool(says("hello"), size=8) as many:

        def nested(_=None):
            if len(begun) < 12:
                begun.append(many)
                ended.append(many.run(stdout=nested).returncode)

        nested()
    assert ended == [0] * 12


def test_a_module_too_large_for_a_place_is_run_on_demand_with_a_warning():
    tables = " ".join(f"(table {300_000 + n} funcref)" for n in range(2))
    source = command("nop", tables)
    with pytest.warns(RuntimeWarning, match="does not fit into a pool"):
        many = pool(source)
    with many:
        assert many.run().returncode == 0


_LITTLE_ROOM = """
import resource, sys, warnings
warnings.simplefilter("error")
import wasi_host
room = int(sys.argv[1]) << 30
resource.setrlimit(resource.RLIMIT_AS, (room, room))
source = sys.stdin.buffer.read()
sandbox = wasi_host.Sandbox(source)
try:
    many = wasi_host.Pool(sandbox)
except RuntimeWarning as warning:
    print("warned:", "address space" in str(warning))
    warnings.simplefilter("ignore")
    many = wasi_host.Pool(sandbox)
print([many.run().stdout for _ in range(3)] == [b"hello"] * 3)
"""


@pytest.mark.parametrize(("room", "warned"), [(200, False), (30, True)], ids=["some", "little"])
def test_little_address_space_makes_fewer_places_or_none_and_never_an_abort(room, warned):
    child = subprocess.run(
        [sys.executable, "-c", _LITTLE_ROOM, str(room)],
        input=says("hello"), capture_output=True, check=False,
    )  # fmt: skip
    assert child.stdout.split() == [*([b"warned:", b"True"] if warned else []), b"True"]


def test_between_runs_a_signal_goes_to_its_handler_and_after_close_the_handler_is_back():
    import signal

    came = []

    def handler(number, frame):
        came.append(number)

    before = signal.signal(signal.SIGINT, handler)
    try:
        with pool(CAT) as many:
            many.run()
            signal.raise_signal(signal.SIGINT)
            assert came == [signal.SIGINT]
            # One that is set meanwhile is stood in for, and given back.
            other = signal.signal(signal.SIGINT, signal.default_int_handler)
            assert other is not handler
            many.run()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_signal_during_a_run_stops_the_guest_and_comes_out_of_run():
    import signal

    def interrupt(size):
        signal.raise_signal(signal.SIGINT)
        return b""

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pool(CAT) as many:
            many.run()
            with pytest.raises(KeyboardInterrupt):
                many.run(stdin=interrupt)
            assert many.run(input=b"x").stdout == b"x"
    finally:
        signal.signal(signal.SIGINT, before)


def test_stand_ins_are_held_only_from_the_main_thread():
    held = []
    thread = threading.Thread(target=lambda: held.append(interrupts.hold()))
    thread.start()
    thread.join()
    assert held == [False]
