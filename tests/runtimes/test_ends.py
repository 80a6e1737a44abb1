"""How calls end: exit codes, traps, values; and modules that are refused before they start."""

import gc
import math
import os
import subprocess
import sys
import threading

import pytest

import wasi_host
from tests.runtimes.guests import NOTHING, command, imports, instance, module, run

EXIT_CODES = [0, 1, 125, 126, 255, 256, 2**31, 2**32 - 1]
SAYS = """(func (export "say")
  (i32.store (i32.const 4) (i32.const 1))
  (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))"""


# ---- exit codes -------------------------------------------------------------------------------


@pytest.mark.parametrize("code", EXIT_CODES)
def test_an_exit_code_comes_back_unsigned(code):
    exits = f"(call $proc_exit (i32.const {code}))"
    assert run(command(exits, wasi=["proc_exit"])).returncode == code


@pytest.mark.parametrize("code", EXIT_CODES)
def test_a_start_section_ends_with_any_exit_code(code):
    exits = f"(func $early (call $proc_exit (i32.const {code}))) (start $early)"
    assert run(module(exits, NOTHING, wasi=["proc_exit"])).returncode == code


@pytest.mark.parametrize("code", EXIT_CODES)
def test_an_exit_in_a_nested_call_has_its_code(code):
    exits = f'(func (export "exit") (call $proc_exit (i32.const {code})))'
    source = module(SAYS, exits, wasi=["fd_write", "proc_exit"])
    with instance(source, stdout=lambda data: guest.call("exit")) as guest:
        with pytest.raises(wasi_host.ProcExit) as end:
            guest.call("say")
        assert end.value.code == code


def test_an_exit_in_initialize_ends_the_instance_before_it_is_there():
    exits = '(func (export "_initialize") (call $proc_exit (i32.const 256)))'
    with pytest.raises(wasi_host.ProcExit) as end:
        instance(module(exits, wasi=["proc_exit"]))
    assert end.value.code == 256


def test_an_instance_can_be_called_after_it_exited_and_exit_again():
    exits = '(func (export "exit") (param i32) (call $proc_exit (local.get 0)))'
    with instance(module(exits, wasi=["proc_exit"])) as guest:
        for code in (3, 256):
            with pytest.raises(wasi_host.ProcExit) as end:
                guest.call("exit", code)
            assert end.value.code == code


def test_nothing_runs_after_an_exit():
    exits = "(call $proc_exit (i32.const 0)) unreachable"
    result = run(command(exits, wasi=["proc_exit"]))
    assert (result.returncode, result.trap) == (0, None)


def test_a_start_that_returns_is_exit_code_0():
    assert run(command("")).returncode == 0


# ---- traps ------------------------------------------------------------------------------------

TRAPS = {
    "unreachable": ("unreachable", "unreachable"),
    "division by zero": (
        "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
        "integer division by zero",
    ),
    "integer overflow": (
        "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
        "integer overflow",
    ),
    "out of bounds": ("(drop (i32.load (i32.const 65533)))", "memory out of bounds"),
    "bad conversion": (
        "(drop (i32.trunc_f32_s (f32.const nan)))",
        "bad conversion to integer",
    ),
    "indirect call to null": ("(call_indirect (i32.const 0))", "indirect call to null"),
}


@pytest.mark.parametrize("timeout", [None, 60], ids=["plain", "with epoch checks"])
@pytest.mark.parametrize(("body", "cause"), TRAPS.values(), ids=TRAPS)
def test_a_trap_is_named_and_has_its_backtrace(body, cause, timeout):
    source = command("(call $culprit)", f"(table 1 funcref) (func $culprit {body})")
    result = run(source, timeout=timeout)
    assert (result.returncode, result.stopped) == (-6, None)
    assert result.trap.cause == cause
    assert "culprit" in result.trap.message


def test_the_process_and_the_next_run_survive_a_trap():
    run(command("unreachable"))
    assert run(command("")).returncode == 0


OVERFLOW = """
import sys, threading, wasi_host
source = b'''(module (memory (export "memory") 1)
  (func $deep (param i32) (result i32)
    (i32.add (i32.const 1) (call $deep (local.get 0))))
  (func (export "_start") (drop (call $deep (i32.const 0)))))'''
causes = []
def overflow():
    causes.append(wasi_host.run([source]).trap.cause)
overflow()
if "thread" in sys.argv:
    thread = threading.Thread(target=overflow)
    thread.start()
    thread.join()
print(causes)
"""


@pytest.mark.parametrize("flags", [[], ["-X", "faulthandler"]], ids=["plain", "faulthandler"])
def test_a_stack_overflow_is_a_trap_on_the_main_thread_and_on_another(flags):
    done = subprocess.run(
        [sys.executable, *flags, "-c", OVERFLOW, "thread"], capture_output=True, text=True
    )
    assert done.stdout == "['stack overflow', 'stack overflow']\n", done.stderr


def deepest(function, depth):
    """Call a function with so many frames of Python below it."""
    return function() if depth == 0 else deepest(function, depth - 1)


def test_a_call_at_pythons_recursion_limit_succeeds_or_raises_and_never_lies():
    source = module(
        """(func (export "tell") (param i32) (result i32)
          (call $clock_time_get (i32.const 0) (i64.const 0) (local.get 0)))""",
        wasi=["clock_time_get"],
    )
    answers = set()
    with instance(source) as guest:
        limit = sys.getrecursionlimit()
        for depth in range(limit - 200, limit):
            try:
                answers.add(deepest(lambda: guest._instance.call("tell", 4000), depth)[0])
            except RecursionError:
                answers.add("refused")
    assert answers == {0, "refused"}


# ---- arguments and results --------------------------------------------------------------------

ECHO = module(
    *(
        f'(func (export "{kind}") (param {kind}) (result {kind}) (local.get 0))'
        for kind in ("i32", "i64", "f32", "f64")
    ),
    '(func (export "all") (param i32 i64 f32 f64) (result f64 f32 i64 i32)'
    " (local.get 3) (local.get 2) (local.get 1) (local.get 0))",
    '(func (export "nothing"))',
    '(global (export "global") i32 (i32.const 1))',
)


@pytest.fixture
def echo():
    with instance(ECHO) as guest:
        yield guest


@pytest.mark.parametrize(
    ("kind", "given", "back"),
    [
        ("i32", -(2**31), -(2**31)),
        ("i32", 2**32 - 1, -1),
        ("i64", 2**63, -(2**63)),
        ("i64", 2**63 - 1, 2**63 - 1),
        ("f32", 0.5, 0.5),
        ("f32", 0.1, 0.10000000149011612),
        ("f64", 0.1, 0.1),
        ("f64", 3, 3.0),
        ("f64", math.inf, math.inf),
        ("i32", True, 1),
    ],
)
def test_a_number_goes_in_and_comes_back(echo, kind, given, back):
    assert echo.call(kind, given) == back


def test_nan_stays_nan(echo):
    assert math.isnan(echo.call("f64", math.nan))


def test_several_results_are_a_tuple_in_order(echo):
    assert echo.call("all", 1, -2, 0.5, 0.25) == (0.25, 0.5, -2, 1)


def test_no_result_is_none(echo):
    assert echo.call("nothing") is None


WRONG = {
    "a text for an integer": (TypeError, "i32", ["1"]),
    "a float for an integer": (TypeError, "i64", [1.0]),
    "None": (TypeError, "i32", [None]),
    "too few": (TypeError, "all", [1, 2, 3]),
    "too many": (TypeError, "i32", [1, 2]),
    "an integer over 32 bits": (OverflowError, "i32", [2**32]),
    "an integer under 32 bits": (OverflowError, "i32", [-(2**31) - 1]),
    "an integer over 64 bits": (OverflowError, "i64", [2**64]),
    "a float over 32 bits": (OverflowError, "f32", [1e39]),
    "a function that is not there": (AttributeError, "missing", []),
    "a global": (AttributeError, "global", []),
    "the memory": (AttributeError, "memory", []),
}


@pytest.mark.parametrize(("error", "name", "arguments"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_refused(echo, error, name, arguments):
    with pytest.raises(error):
        echo.call(name, *arguments)
    assert echo.call("i32", 7) == 7


def test_a_reference_cannot_be_given():
    guest = instance(module('(func (export "take") (param externref))'))
    with guest, pytest.raises(TypeError, match="cannot be given"):
        guest.call("take", 0)


# ---- what is refused before it starts ---------------------------------------------------------


def refusal(source):
    with pytest.raises(wasi_host.NotAWasiModule) as refused:
        run(source)
    return str(refused.value)


def test_all_imports_that_cannot_be_served_are_named_at_once():
    text = refusal(
        b"""(module
        (import "wasi_snapshot_preview1" "fd_imagined" (func))
        (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))
        (import "wasi_snapshot_preview1" "fd_sync" (global i32))
        (import "elsewhere" "function" (func))
        (import "wasi_snapshot_preview1" "fd_tell" (func (param i32 i32) (result i32)))
        (memory (export "memory") 1) (func (export "_start")))"""
    )
    assert "wasi_snapshot_preview1 has no such function" in text
    assert "fd_close: imported as (i64) -> (i32), it is (i32) -> (i32)" in text
    assert "fd_sync: imported as something that is no function" in text
    assert "elsewhere.function: not a function of wasi_snapshot_preview1" in text
    assert "fd_tell" not in text


MEMORIES = {
    "none": ("", "exports its memory as 'memory'"),
    "under another name": ('(memory (export "mem") 1)', "exports one as 'mem'"),
    "not a memory": ('(global (export "memory") i32 (i32.const 1))', "as 'memory'"),
    "a function": ('(func (export "memory"))', "as 'memory'"),
    "imported": ('(import "env" "memory" (memory 1)) (export "memory" (memory 0))', "env.memory"),
    "64-bit": ('(memory (export "memory") i64 1)', "64-bit addresses"),
    "shared": ('(memory (export "memory") 1 2 shared)', "shared|threads"),
}


@pytest.mark.parametrize(("memory", "word"), MEMORIES.values(), ids=MEMORIES)
def test_a_memory_we_cannot_use_is_refused_before_the_start(memory, word):
    source = command("unreachable", memory=memory)
    with pytest.raises(wasi_host.NotAWasiModule, match=word):
        run(source)


def test_of_several_memories_the_one_exported_as_memory_is_used():
    source = f"""(module {imports("clock_time_get")}
      (memory $small 1) (memory $big (export "memory") 2)
      (func (export "tell") (result i32)
        (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 70000))))"""
    with instance(source.encode()) as guest:
        assert len(guest.memory) == 131072
        assert guest.call("tell") == 0


STARTS = {
    "missing": ("", "no _start"),
    "with parameters": ('(func (export "_start") (param i32))', r"\(i32\) -> \(\)"),
    "with a result": ('(func (export "_start") (result i32) (i32.const 0))', r"\(\) -> \(i32\)"),
    "a global": ('(global (export "_start") i32 (i32.const 0))', "no function"),
    "the memory": ('(export "_start" (memory 0))', "no function"),
}


@pytest.mark.parametrize(("start", "word"), STARTS.values(), ids=STARTS)
def test_a_start_that_cannot_be_called_is_refused(start, word):
    with pytest.raises(wasi_host.NotAWasiModule, match=word):
        run(module(start))


def test_a_reactor_run_as_a_command_is_told_how_to_be_called():
    assert "instantiate()" in refusal(module('(func (export "_initialize"))'))


# ---- nothing is left behind -------------------------------------------------------------------

ENDS = {
    "returning": (command(""), {}),
    "exiting": (command("(call $proc_exit (i32.const 3))", wasi=["proc_exit"]), {}),
    "trapping": (command("unreachable"), {}),
    "with a timeout": (command(""), {"timeout": 60}),
    "with directories": (command(""), {"dirs": {"/": ".", "/m": {"a": "b"}}}),
}


def open_descriptors():
    return len(os.listdir("/proc/self/fd" if sys.platform == "linux" else "/dev/fd"))


@pytest.mark.parametrize(("source", "keywords"), ENDS.values(), ids=ENDS)
def test_300_runs_leave_no_descriptors_and_no_threads(source, keywords):
    run(source, **keywords)
    gc.collect()  # what earlier tests left must not be found in between
    before = open_descriptors(), threading.active_count()
    for _ in range(300):
        run(source, **keywords)
    assert (open_descriptors(), threading.active_count()) == before


ENGINES = """
from wasi_host.runtimes import wasmtime_engine
for epochs in (False, True):
    module = wasmtime_engine.CompiledModule(
        wasmtime_engine.wat_to_wasm(b'(module (func (export "f")))'), epochs)
    assert module.engine.pointer and list(module.exports) == ["f"]
print("accepted")
"""


def test_the_engine_configurations_are_accepted():
    done = subprocess.run([sys.executable, "-c", ENGINES], capture_output=True, text=True)
    assert done.stdout == "accepted\n", done.stderr  # a refused one aborts the process
