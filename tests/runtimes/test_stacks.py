"""Hostile stacks and handlers: endless recursion is a trap wherever the guest runs.

Each in a child process, since what is tested ends the process where it goes wrong.
"""

import itertools
import subprocess
import sys

import pytest

PRELUDE = """
import faulthandler, signal, sys, threading
import wasi_host
SOURCE = b'''(module (memory (export "memory") 1)
  (func $count (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
      (else (i32.add (i32.const 1) (call $count (i32.sub (local.get 0) (i32.const 1)))))))
  (func (export "count") (param i32) (result i32) (call $count (local.get 0)))
  (func $endless (result i64) (i64.add (call $endless) (call $endless)))
  (func (export "endless") (drop (call $endless)))
  (func (export "outside") (drop (i32.load (i32.const 100000))))
  (func (export "zero") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0))))'''
def run(name, *words, **options):
    done = wasi_host.run([SOURCE, *words], invoke=name, **options)
    return done.trap.cause if done.trap else done.values
def on_thread(size, call):
    got = []
    threading.stack_size(size)
    thread = threading.Thread(target=lambda: got.append(call()))
    thread.start()
    thread.join()
    threading.stack_size(0)
    return got[0]
"""


def child(code):
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout.splitlines()


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
def test_endless_recursion_is_a_trap(where):
    assert child(f"print({where}); print(run('count', '3'))") == ["stack overflow", "(3,)"]


def test_a_larger_stack_holds_a_deeper_recursion():
    code = """
print(run('count', '500000'))
print(run('count', '500000', limits=wasi_host.Limits(stack=256 << 20)))
"""
    assert child(code) == ["stack overflow", "(500000,)"]


def test_a_reactor_on_a_small_thread_has_room_too():
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
def test_traps_are_traps_whatever_faulthandler_does(order):
    steps = "\n".join(STEPS[step] for step in order)
    code = f"{steps}\nprint(run('zero', '0'), run('outside'), run('endless'))"
    expected = "integer division by zero memory out of bounds stack overflow"
    assert child(code) == [expected]


def test_near_the_recursion_limit_a_guest_is_refused_and_not_answered_with_garbage():
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


@pytest.mark.parametrize("epochs", [False, True], ids=["plain", "with epoch checks"])
@pytest.mark.parametrize("stack", [1 << 16, 1 << 20, 8 << 20, 1 << 30], ids="{:,} bytes".format)
@pytest.mark.parametrize("parallel", [False, True], ids=["one thread", "many threads"])
def test_the_engine_accepts_every_configuration_that_we_build(epochs, stack, parallel):
    code = f"""
from wasi_host.runtimes.wasmtime_engine import Engine
print(bool(Engine({epochs}, {stack}, {parallel}).pointer))
"""
    assert child(code) == ["True"]
