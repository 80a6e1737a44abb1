"""How calls end, what goes into them and comes out, and what they leave behind: nothing."""

import gc
import math
import os
import subprocess
import sys
import threading

import pytest

from tests.runtimes.guests import command, instance, module, run

# ---- ends ------------------------------------------------------------------------------------


def test_nothing_runs_after_an_exit():
    exits = "(call $proc_exit (i32.const 0)) unreachable"
    result = run(command(exits, wasi=["proc_exit"]))
    assert (result.returncode, result.trap) == (0, None)


def test_a_start_that_returns_is_exit_code_0():
    assert run(command("")).returncode == 0


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
from wasi_host.runtimes.contract import Mode
for epochs in (False, True):
    module = wasmtime_engine.CompiledModule(
        wasmtime_engine.wat_to_wasm(b'(module (func (export "f")))'), Mode(epochs))
    assert module.engine.pointer and list(module.exports) == ["f"]
print("accepted")
"""


def test_the_engine_configurations_are_accepted():
    done = subprocess.run([sys.executable, "-c", ENGINES], capture_output=True, text=True)
    assert done.stdout == "accepted\n", done.stderr  # a refused one aborts the process
