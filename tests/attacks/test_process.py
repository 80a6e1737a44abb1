"""Catalogue L 71 to 73: exit codes, starts, signals."""

import contextlib

import pytest

import wasi_host
from tests.runtimes.guests import NOTHING, command, instance, module, run
from wasi_host import ProcExit
from wasi_spec import Errno

EXIT_CODES = [0, 1, 125, 126, 255, 256, 2**31, 2**32 - 1]

codes = pytest.mark.parametrize("code", EXIT_CODES)
SAYS = """(func (export "say")
  (i32.store (i32.const 4) (i32.const 1))
  (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))"""

EXITS = '(func (export "exit") (param i32) (call $proc_exit (local.get 0)))'


def exit_code(call, *arguments):
    """Return the code with which a call ends."""
    with pytest.raises(ProcExit) as end:
        call(*arguments)
    return end.value.code


# 71


@codes
def test_l71_an_exit_code_comes_back_unsigned(code):
    exits = f"(call $proc_exit (i32.const {code}))"
    result = run(command(exits, wasi=["proc_exit"]))
    assert (result.returncode, result.trap, result.stopped) == (code, None, None)


@codes
def test_l71_an_exit_leaves_a_call_twice_with_its_code(memory_only, start, code):
    guest = start(memory_only)
    assert exit_code(guest.raw, "proc_exit", code) == code
    assert exit_code(guest.raw, "proc_exit", code) == code


def test_l71_different_codes_of_one_instance_are_not_mixed_up(memory_only, start):
    guest = start(memory_only)
    assert [exit_code(guest.raw, "proc_exit", code) for code in EXIT_CODES] == EXIT_CODES
    assert guest.call("sched_yield") is Errno.SUCCESS


@codes
def test_l71_an_exit_in_a_start_function_has_its_code(code):
    exits = f"(func $early (call $proc_exit (i32.const {code}))) (start $early)"
    assert run(module(exits, NOTHING, wasi=["proc_exit"])).returncode == code


@codes
def test_l71_an_exit_in_a_nested_call_has_its_code(code):
    exits = f'(func (export "exit") (call $proc_exit (i32.const {code})))'
    source = module(SAYS, exits, wasi=["fd_write", "proc_exit"])
    with instance(source, stdout=lambda data: guest.call("exit")) as guest:
        with pytest.raises(wasi_host.ProcExit) as end:
            guest.call("say")
        assert end.value.code == code


@codes
def test_l71_an_exit_of_a_nested_run_is_not_the_outer_ones(code):
    inner = command(f"(call $proc_exit (i32.const {code}))", wasi=["proc_exit"])
    seen = []
    says = SAYS.replace('(export "say")', "$say")
    outer = command(
        "(call $say) (call $proc_exit (i32.const 7))", says, wasi=["fd_write", "proc_exit"]
    )
    result = wasi_host.run([outer], stdout=lambda data: seen.append(run(inner).returncode))
    assert (seen, result.returncode) == ([code], 7)


@codes
def test_l71_an_exit_in_initialize_ends_the_instance_before_it_is_there(code):
    exits = f'(func (export "_initialize") (call $proc_exit (i32.const {code})))'
    assert exit_code(instance, module(exits, wasi=["proc_exit"])) == code


@codes
def test_l71_an_exit_in_initialize_ends_a_run_that_calls_a_function(code):
    exits = f'(func (export "_initialize") (call $proc_exit (i32.const {code})))'
    source = module(exits, '(func (export "never") unreachable)', wasi=["proc_exit"])
    assert run(source, invoke="never").returncode == code


@codes
def test_l71_an_exit_in_an_invoked_function_has_its_code(code):
    source = module(EXITS, wasi=["proc_exit"])
    assert run(source, str(code), invoke="exit").returncode == code


def test_l71_an_instance_can_be_called_after_it_exited_and_exit_again():
    exits = '(func (export "exit") (param i32) (call $proc_exit (local.get 0)))'
    with instance(module(exits, wasi=["proc_exit"])) as guest:
        for code in (3, 256):
            with pytest.raises(wasi_host.ProcExit) as end:
                guest.call("exit", code)
            assert end.value.code == code


# 72

STARTS = {
    "missing": ("", "no _start"),
    "with parameters": ('(func (export "_start") (param i32))', r"\(i32\) -> \(\)"),
    "with a result": ('(func (export "_start") (result i32) (i32.const 0))', r"\(\) -> \(i32\)"),
    "a global": ('(global (export "_start") i32 (i32.const 0))', "no function"),
    "the memory": ('(export "_start" (memory 0))', "no function"),
}


@pytest.mark.parametrize(("start", "word"), STARTS.values(), ids=STARTS)
def test_l72_a_start_that_cannot_be_called_is_refused(start, word):
    with pytest.raises(wasi_host.NotAWasiModule, match=word):
        run(module(start))


def test_l72_a_reactor_run_as_a_command_is_told_how_to_be_called():
    with pytest.raises(wasi_host.NotAWasiModule, match=r"instantiate\(\)"):
        run(module('(func (export "_initialize"))'))


@pytest.mark.parametrize(
    "body", ["", "(call $proc_exit (i32.const 3))", "unreachable"], ids=["return", "exit", "trap"]
)
def test_l72_a_start_is_called_once_however_it_ends(body):
    with instance(command(body, wasi=["proc_exit"])) as guest:
        with contextlib.suppress(ProcExit, wasi_host.Trap):
            guest.call("_start")
        with pytest.raises(RuntimeError, match="_start runs once"):
            guest.call("_start")


def test_l72_a_start_that_calls_itself_by_the_embedder_is_told():
    refused = []

    def again(data):
        with pytest.raises(RuntimeError, match="_start runs once"):
            guest.call("_start")
        refused.append(data)

    says = SAYS.replace('(export "say")', "$say")
    source = command("(call $say)", says, wasi=["fd_write"])
    with instance(source, stdout=again) as guest:
        guest.call("_start")
    assert refused == [b"\0"]


def test_l72_a_missing_start_is_missing_each_time():
    with instance(module('(func (export "other"))')) as guest:
        for _ in range(2):
            with pytest.raises(AttributeError, match="_start"):
                guest.call("_start")


# 73


@pytest.mark.parametrize("sig", range(31))
def test_l73_a_signal_is_notsup(memory_only, start, sig):
    assert start(memory_only).raw("proc_raise", sig) is Errno.NOTSUP


@pytest.mark.parametrize("sig", [31, 32, 64, 127, 128, 255, 256, 2**31, 2**32 - 1])
def test_l73_an_undefined_signal_is_inval(memory_only, start, sig):
    assert start(memory_only).raw("proc_raise", sig) is Errno.INVAL


def test_l73_yielding_is_a_success(memory_only, start):
    guest = start(memory_only)
    assert [guest.call("sched_yield") for _ in range(3)] == [Errno.SUCCESS] * 3
