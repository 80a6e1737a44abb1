"""Linking, memory, nesting, and the life of instances on wasmtime."""

import struct
import threading

import pytest

import wasi_host
from tests.runtimes.guests import NOTHING, command, imports, instance, module, run, writes

EXITS = '(func (export "exit") (param i32) (call $proc_exit (local.get 0)))'
EXIT = module(EXITS, wasi=["proc_exit"])
GROWS = '(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))'
TELLS = """(func (export "tell") (param i32) (result i32)
  (call $clock_time_get (i32.const 0) (i64.const 0) (local.get 0)))"""
PAGE = 65536
FAULT = 21

# Writes the byte of its argument to standard output, and answers the errno.
SAYS = """(func (export "say") (param i32) (result i32)
  (i32.store8 (i32.const 64) (local.get 0))
  (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1))
  (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"""


# ---- linking ----------------------------------------------------------------------------------


def test_a_function_imported_twice_is_linked_once_and_works_both_times():
    say, data = writes("twice ")
    again = imports("fd_write").replace("$fd_write", "$again")
    source = f"""(module {imports("fd_write")} {again} (memory (export "memory") 1) {data}
      (func (export "_start") {say} {say.replace("$fd_write", "$again")}))"""
    assert run(source.encode()).stdout == b"twice twice "


def test_a_start_section_that_traps_is_a_trap():
    result = run(module("(func $early unreachable) (start $early)", NOTHING))
    assert (result.returncode, result.trap.cause) == (-6, "unreachable")


# ---- memory -----------------------------------------------------------------------------------


def test_memory_grown_between_calls_is_seen_by_the_next():
    with instance(module(GROWS, TELLS, wasi=["clock_time_get"])) as guest:
        assert guest.call("tell", PAGE) == FAULT
        assert guest.call("grow", 1) == 1
        assert guest.call("tell", PAGE) == 0
        assert guest.call("tell", 2 * PAGE - 7) == FAULT


def test_memory_grown_by_a_callback_within_a_call_is_seen_by_it_and_after_it():
    said = []

    def stdout(data):
        said.append(data)
        assert guest.call("grow", 1) == 1
        assert guest.call("tell", PAGE) == 0

    source = module(SAYS, GROWS, TELLS, wasi=["fd_write", "clock_time_get"])
    with instance(source, stdout=stdout) as guest:
        assert guest.call("say", 0x78) == 0
        assert said == [b"x"]
        assert len(guest.memory) == 2 * PAGE
        assert struct.unpack_from("<I", guest.memory, 8)[0] == 1


def test_memory_of_no_pages_makes_every_pointer_a_fault():
    memory = '(memory (export "memory") 0)'
    with instance(module(TELLS, wasi=["clock_time_get"], memory=memory)) as guest:
        assert guest.call("tell", 0) == FAULT
        assert len(guest.memory) == 0


def test_a_memory_over_the_limit_cannot_be_grown_to():
    sandbox = wasi_host.Sandbox(module(GROWS), limits=wasi_host.Limits(memory=4 * PAGE))
    with sandbox.instantiate() as guest:
        assert guest.call("grow", 4) == -1
        assert guest.call("grow", 3) == 1
        assert guest.call("grow", 1) == -1


def test_a_module_larger_than_the_limit_from_the_start_is_refused_with_a_word():
    source = command("", memory='(memory (export "memory") 8)')
    with pytest.raises(wasi_host.NotAWasiModule, match=r"(?i)memory.*limit|limit.*memory"):
        run(source, limits=wasi_host.Limits(memory=4 * PAGE))


def test_a_table_larger_than_the_limit_from_the_start_is_refused_with_a_word():
    source = command("", "(table 100000 funcref)")
    with pytest.raises(wasi_host.NotAWasiModule, match=r"(?i)table.*limit|limit.*table"):
        run(source, limits=wasi_host.Limits(memory=4 * PAGE))


@pytest.mark.parametrize("memory", [1 << 40, (1 << 63) - 1, 1 << 63, 1 << 64, 1 << 70])
def test_a_limit_beyond_all_memory_limits_nothing(memory):
    sandbox = wasi_host.Sandbox(module(GROWS), limits=wasi_host.Limits(memory=memory))
    with sandbox.instantiate() as guest:
        assert guest.call("grow", 100) == 1
        assert guest.call("grow", 1) == 101


# ---- nesting ----------------------------------------------------------------------------------


def test_runs_nest_three_deep():
    say, data = writes("x")
    source = command(say, data, wasi=["fd_write"])
    depths = []

    def nested(depth):
        def stdout(data):
            depths.append(depth)
            if depth < 3:
                assert wasi_host.run([source], stdout=nested(depth + 1)).returncode == 0

        return stdout

    assert wasi_host.run([source], stdout=nested(1)).returncode == 0
    assert depths == [1, 2, 3]


def test_a_guest_may_be_called_again_by_the_host_function_it_calls():
    depths = []

    def stdout(data):
        depths.append(data)
        if data[0] > 1:
            assert guest.call("say", data[0] - 1) == 0

    with instance(module(SAYS, wasi=["fd_write"]), stdout=stdout) as guest:
        assert guest.call("say", 3) == 0
    assert depths == [b"\3", b"\2", b"\1"]


def test_an_exit_in_a_nested_call_ends_the_outer_one_too():
    source = module(SAYS, EXITS, wasi=["fd_write", "proc_exit"])
    with instance(source, stdout=lambda data: guest.call("exit", 5)) as guest:
        with pytest.raises(wasi_host.ProcExit) as end:
            guest.call("say", 1)
        assert end.value.code == 5


def test_a_trap_in_a_nested_call_reaches_whoever_made_it():
    traps = []

    def stdout(data):
        with pytest.raises(wasi_host.Trap) as trap:
            guest.call("boom")
        traps.append(trap.value.cause)

    source = module(SAYS, '(func (export "boom") unreachable)', wasi=["fd_write"])
    with instance(source, stdout=stdout) as guest:
        assert guest.call("say", 1) == 0
    assert traps == ["unreachable"]


# ---- many instances, threads ------------------------------------------------------------------


def test_fifty_live_instances_called_in_turn_keep_apart():
    said = [[] for _ in range(50)]
    sandbox = wasi_host.Sandbox(module(SAYS, GROWS, wasi=["fd_write"]))
    guests = [sandbox.instantiate(stdout=said[n].append) for n in range(50)]
    try:
        for turn in range(3):
            for n, guest in enumerate(guests):
                assert guest.call("say", n + turn) == 0
                assert guest.call("grow", 1) == turn + 1
    finally:
        for guest in guests:
            guest.close()
    assert said == [[bytes([n]), bytes([n + 1]), bytes([n + 2])] for n in range(50)]


def from_another_thread(function):
    """Return what the function returns, or the exception it raises, in another thread."""
    result = []

    def call():
        try:
            result.append(function())
        except Exception as error:
            result.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return result[0]


def test_an_instance_that_runs_is_refused_to_another_thread():
    refused = []

    def stdout(data):
        refused.append(from_another_thread(lambda: guest.call("say", 2)))

    with instance(module(SAYS, wasi=["fd_write"]), stdout=stdout) as guest:
        assert guest.call("say", 1) == 0
        assert isinstance(refused[0], RuntimeError)
        assert "another thread" in str(refused[0])


def test_an_instance_that_runs_cannot_be_closed_from_another_thread():
    refused = []

    def stdout(data):
        refused.append(from_another_thread(guest.close))

    with instance(module(SAYS, wasi=["fd_write"]), stdout=stdout) as guest:
        assert guest.call("say", 1) == 0
        assert isinstance(refused[0], RuntimeError)
        refused.clear()
        assert guest.call("say", 1) == 0  # it still works


def test_an_instance_may_be_called_from_one_thread_after_another():
    with instance(module(SAYS, wasi=["fd_write"]), stdout=wasi_host.PIPE) as guest:
        for letter in b"abc":
            assert from_another_thread(lambda: guest.call("say", letter)) == 0  # noqa: B023
        assert guest.stdout == b"abc"


def test_exit_codes_of_four_threads_are_never_mixed_up():
    sandbox = wasi_host.Sandbox(EXIT)
    wrong = []

    def work(number):
        for turn in range(200):
            code = number * 1000 + turn
            try:
                with sandbox.instantiate() as guest:
                    guest.call("exit", code)
            except wasi_host.ProcExit as end:
                if end.code != code:
                    wrong.append((code, end.code))
            else:
                wrong.append((code, None))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# ---- closing ----------------------------------------------------------------------------------


def test_closing_from_inside_a_host_function_is_refused():
    refused = []

    def stdout(data):
        with pytest.raises(RuntimeError, match="from inside") as error:
            guest.close()
        refused.append(error)

    with instance(module(SAYS, wasi=["fd_write"]), stdout=stdout) as guest:
        assert guest.call("say", 1) == 0
    assert len(refused) == 1


def test_an_instance_whose_closing_was_refused_can_be_closed_afterwards():
    def stdout(data):
        with pytest.raises(RuntimeError):
            guest.close()

    guest = instance(module(SAYS, wasi=["fd_write"]), stdout=stdout)
    guest.call("say", 1)
    guest.close()
    with pytest.raises(RuntimeError, match="closed"):
        guest.call("say", 1)


@pytest.mark.parametrize("use", ["call", "memory"])
def test_a_closed_instance_says_so(use):
    guest = instance(module(GROWS))
    guest.close()
    with pytest.raises(RuntimeError, match="closed"):
        guest.call("grow", 1) if use == "call" else guest.memory


def test_closing_twice_is_harmless():
    guest = instance(module(GROWS))
    guest.close()
    guest.close()


def test_a_binding_is_used_again_and_knows_nothing_of_the_run_before():
    sandbox = wasi_host.Sandbox(module(TELLS, GROWS, wasi=["clock_time_get"]))
    with sandbox.instantiate() as guest:
        guest.call("grow", 1)
        assert guest.call("tell", PAGE) == 0
    with sandbox.instantiate() as guest:
        assert guest.call("tell", PAGE) == FAULT
