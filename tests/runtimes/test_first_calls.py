"""The first call of a function, which compiles its shim, where there is little room for it."""

import pytest

from tests.runtimes.children import child

# A guest that goes down to the end of its stack and writes there.
WRITES_DEEP = r"""
DEEP = b'''(module (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 0) "\\08\\00\\00\\00\\02\\00\\00\\00hi")
  (func $deep (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
      (else (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))
  (func (export "deep") (param i32) (result i32) (call $deep (local.get 0))))'''
got = []
def deep(levels):
    written = lambda data: got.append(bytes(data))
    done = wasi_host.run([DEEP, str(levels)], invoke="deep", stdout=written)
    return done.trap.cause if done.trap else done.values[0]
def deepest():
    low, high = 1, 1_000_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if deep(middle) == "stack overflow" else (middle, high)
    return low
"""


def test_it_works_at_the_end_of_the_guests_stack_on_the_smallest_thread_that_will_do():
    (levels,) = child(f"{WRITES_DEEP}\nprint(deepest())")
    # The least on which a guest runs where it is called: its own stack, and what is beside it.
    size = "(1 << 20) + (256 << 10) + 16384"
    code = f"print(on_thread({size}, lambda: deep({levels})), got)"
    assert child(WRITES_DEEP + code) == [f"{levels} [b'hi']"]


@pytest.mark.parametrize("left", [*range(118, 140), 160, 200])
def test_it_works_wherever_the_recursion_limit_lets_a_guest_be_entered(left):
    code = f"""
sys.setrecursionlimit(2000)
def down(levels):
    return down(levels - 1) if levels else deep(1)
try:
    print(down(2000 - {left}), got)
except RecursionError as error:
    print(error)
"""
    (line,) = child(WRITES_DEEP + code)
    assert line in ("1 [b'hi']", "the recursion limit is too near to run a guest")
