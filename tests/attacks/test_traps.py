"""Catalogue L 74 and 75: traps, endless recursion, and mistakes of ours."""

import itertools
import struct
import sys
import threading

import pytest

import wasi_host
from tests.attacks.guest import Guest
from tests.runtimes.children import child
from tests.runtimes.guests import command, instance, module, run
from wasi_host.preview1 import Preview1
from wasi_spec import Errno

# 74

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
def test_l74_a_trap_is_named_and_has_its_backtrace(body, cause, timeout):
    source = command("(call $culprit)", f"(table 1 funcref) (func $culprit {body})")
    result = run(source, timeout=timeout)
    assert (result.returncode, result.stopped) == (-6, None)
    assert result.trap.cause == cause
    assert "culprit" in result.trap.message


def test_l74_the_process_and_the_next_run_survive_a_trap():
    for body, cause in TRAPS.values():
        assert run(command(body, "(table 1 funcref)")).trap.cause == cause
        assert run(command("")).returncode == 0


def test_l74_an_instance_goes_on_after_a_trap():
    source = module('(func (export "boom") unreachable)', '(func (export "fine"))')
    with instance(source) as guest:
        for _ in range(3):
            with pytest.raises(wasi_host.Trap) as trap:
                guest.call("boom")
            assert trap.value.cause == "unreachable"
            assert guest.call("fine") is None


@pytest.mark.parametrize(
    "where",
    [
        "run('endless')",
        "on_thread(0, lambda: run('endless'))",
        "on_thread(256 << 10, lambda: run('endless'))",
        "run('endless', limits=wasi_host.Limits(stack=64 << 20))",
        "on_thread(256 << 10, lambda: run('endless', limits=wasi_host.Limits(stack=8 << 20)))",
    ],
    ids=[
        "on the main thread",
        "on a default thread",
        "on a thread with 256 KiB",
        "with a stack of 64 MiB",
        "with a stack of 8 MiB on a small thread",
    ],
)
def test_l74_endless_recursion_is_a_trap(where):
    assert child(f"print({where}); print(run('count', '3'))") == ["stack overflow", "(3,)"]


@pytest.mark.parametrize(
    "where", ["{}", "on_thread(0, lambda: {})", "on_thread(256 << 10, lambda: {})"]
)
def test_l74_recursion_10_to_the_6_deep_is_a_trap_with_a_backtrace(where):
    code = f"""
def deep():
    trap = wasi_host.run([SOURCE, '1000000'], invoke='count').trap
    return trap.cause, 'count' in trap.message
print({where.format("deep()")})
"""
    assert child(code) == ["('stack overflow', True)"]


def test_l74_a_reactor_on_a_small_thread_has_room_too():
    code = """
def work():
    with wasi_host.Sandbox(SOURCE).instantiate() as instance:
        try:
            instance.call("endless")
        except wasi_host.Trap as trap:
            return trap.cause, instance.call("count", 4)
print(on_thread(128 << 10, work))
"""
    assert child(code) == ["('stack overflow', 4)"]


STEPS = {
    "engine": "run('zero', '1')",
    "enable": "faulthandler.enable()",
    "disable": "faulthandler.disable()",
}

ORDERS = [
    order
    for length in (1, 2, 3, 4)
    for order in itertools.product(STEPS, repeat=length)
    if order.count("engine") == 1
]


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_l74_traps_are_traps_whatever_faulthandler_does(order):
    steps = "\n".join(STEPS[step] for step in order)
    code = f"{steps}\nprint(run('zero', '0'), run('outside'), run('endless'))"
    expected = "integer division by zero memory out of bounds stack overflow"
    assert child(code) == [expected]


def test_l74_traps_are_traps_where_faulthandler_is_on_from_the_start():
    code = "print(run('zero', '0'), run('endless'), on_thread(0, lambda: run('endless')))"
    expected = "integer division by zero stack overflow stack overflow"
    assert child(code, "-X", "faulthandler") == [expected]


# 75

MISTAKES = [
    ZeroDivisionError("ours"),
    KeyError("ours"),
    MemoryError("ours"),
    RecursionError("ours"),
    StopIteration("ours"),
    AssertionError("ours"),
    struct.error("ours"),
    UnicodeDecodeError("utf-8", b"", 0, 0, "ours"),
]
mistakes = pytest.mark.parametrize("mistake", MISTAKES, ids=lambda error: type(error).__name__)
#: The descriptor for which our code has a mistake in these tests.
FATAL = 77


@pytest.fixture
def broken(monkeypatch):
    """Makes a call of ours raise what it must not, for one descriptor."""
    right = Preview1.fd_tell

    def breaking(mistake):
        def fd_tell(self, fd):
            if fd == FATAL:
                raise mistake
            return right(self, fd)

        monkeypatch.setattr(Preview1, "fd_tell", fd_tell)

    return breaking


@mistakes
def test_l75_a_mistake_of_ours_reaches_the_embedder_with_its_traceback(
    memory_only, start, broken, mistake
):
    broken(mistake)
    memory_only.write("file", b"0123456789")
    guest, other = start(memory_only), start(memory_only)
    fds = guest.open("file"), other.open("file")
    for _ in range(2):
        with pytest.raises(type(mistake)) as raised:
            guest.call("fd_tell", FATAL)
        assert raised.value is mistake
        assert "fd_tell" in [entry.name for entry in raised.traceback]
        assert other.read(fds[1], 1) != b""
        assert other.tell(fds[1]) > 0
        assert guest.tell(fds[0]) == 0


@mistakes
def test_l75_a_run_ends_with_the_mistake_and_nothing_of_the_guest_runs_after_it(broken, mistake):
    broken(mistake)
    said = []
    body = f"""(drop (call $fd_tell (i32.const {FATAL}) (i32.const 64)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"""
    with pytest.raises(type(mistake)) as raised:
        wasi_host.run([command(body, wasi=["fd_tell", "fd_write"])], stdout=said.append)
    assert raised.value is mistake
    assert said == []


def test_l75_other_threads_are_untouched(memory_only, backend, broken):
    broken(ZeroDivisionError("ours"))
    memory_only.write("file", b"0123456789")
    wrong, barrier = [], threading.Barrier(4)

    def work(fatal):
        guest = Guest(backend({"/": memory_only.source}))
        fd = guest.open("file")
        at = guest.alloc(8)
        barrier.wait()
        for _ in range(200):
            try:
                answer = guest.raw("fd_tell", FATAL if fatal else fd, at)
            except ZeroDivisionError:
                answer = "the mistake"
            if answer != ("the mistake" if fatal else Errno.SUCCESS):
                wrong.append((fatal, answer))
        guest.close()

    threads = [threading.Thread(target=work, args=(number % 2 == 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def deepest(function, depth):
    """Call a function with so many frames of Python below it."""
    return function() if depth == 0 else deepest(function, depth - 1)


def test_l75_a_call_at_pythons_recursion_limit_succeeds_or_raises_and_never_lies(
    memory_only, start
):
    guest = start(memory_only)
    at, answers = guest.alloc(8), set()
    limit = sys.getrecursionlimit()
    for depth in range(limit - 200, limit):
        try:
            answers.add(deepest(lambda: guest.raw("clock_time_get", 0, 0, at), depth))
        except RecursionError:
            answers.add("refused")
    assert answers == {Errno.SUCCESS, "refused"}


def test_l75_an_engines_call_at_the_recursion_limit_never_lies():
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


def test_l75_a_nested_call_at_the_recursion_limit_never_lies():
    """The guest runs already, and a stream of the embedder's calls it again from far down."""
    answers, depth = set(), [0]

    def stdout(data):
        try:
            answers.add(deepest(lambda: guest.call("tell", 4000), depth[0]))
        except RecursionError:
            answers.add("refused")

    source = module(
        """(func (export "tell") (param i32) (result i32)
          (call $clock_time_get (i32.const 0) (i64.const 0) (local.get 0)))""",
        """(func (export "say") (i32.store (i32.const 4) (i32.const 1))
          (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))""",
        wasi=["clock_time_get", "fd_write"],
    )
    limit = sys.getrecursionlimit()
    with instance(source, stdout=stdout) as guest:
        for depth[0] in range(limit - 300, limit):
            guest.call("say")
    assert answers == {0, "refused"}


def test_l75_a_run_near_the_recursion_limit_is_refused_and_not_answered_with_garbage():
    code = """
def deeper(left):
    return run('count', '5') if not left else deeper(left - 1)
answers = set()
for depth in range(sys.getrecursionlimit()):
    try:
        answers.add(deeper(depth))
    except RecursionError:
        answers.add("refused")
print(sorted(map(str, answers)))
"""
    assert child(code) == ["['(5,)', 'refused']"]
