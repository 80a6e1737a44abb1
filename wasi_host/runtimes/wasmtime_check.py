"""The self-check of the C API on an engine we do not know; run in a child process."""

from wasi_host.errors import ProcExit, Trap
from wasi_host.runtimes import wasmtime_capi as capi
from wasi_host.runtimes.contract import Export, FunctionType, Mode
from wasi_host.runtimes.wasmtime import Binding
from wasi_host.runtimes.wasmtime_engine import CompiledModule, wat_to_wasm

_GUEST = b"""(module
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (global (export "global") i32 (i32.const 7))
  (func (export "seek") (param i32 i64 i32 i32) (result i32)
    (call $seek (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "add") (param f64 i64) (result f64)
    (f64.add (local.get 0) (f64.convert_i64_s (local.get 1))))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "trap") unreachable)
  (func (export "_start") (call $exit (i32.const -2))))"""


class _Host:
    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def fd_seek(self, fd: int, offset: int, whence: int) -> int:
        self.seen.append((fd, offset, whence))
        return 0x0102030405060708

    def proc_exit(self, rval: int) -> None:
        raise ProcExit(rval)


class Unexpected(Exception):
    """Something is not as in the engines we know."""


def _same(got: object, expected: object) -> None:
    # No assert: python -O would check nothing.
    if got != expected:
        raise Unexpected(f"{got!r}, expected {expected!r}")


def check(mode: Mode) -> None:
    """Raise ``Unexpected`` where anything is not as in the engines we know.

    Raises:
        AttributeError: a function is missing.
    """
    capi.library().look_up_all()
    module = CompiledModule(wat_to_wasm(_GUEST), mode)
    _same(module.imports[0].type, FunctionType(("i32", "i64", "i32", "i32"), ("i32",)))
    _same(module.exports["memory"], Export("memory"))
    _same(module.exports["global"], Export("other"))
    host = _Host()
    binding = Binding(module)
    binding.serve(host)
    instance = binding.instantiate(1 << 20)
    _same(len(instance.memory), 65_536)
    instance.memory[64:192] = b"\xa5" * 128
    _same(instance.call("seek", 3_000_000_000, -5, 2, 100), [0])
    _same(host.seen, [(3_000_000_000, -5, 2)])
    pattern = b"\xa5" * 36 + bytes(range(8, 0, -1)) + b"\xa5" * 84
    _same(bytes(instance.memory[64:192]), pattern)
    _same(instance.call("seek", 3, 0, 9, 100), [28])
    _same(instance.call("seek", 300, 0, 0, 65_529), [21])
    _same(instance.call("grow"), [1])
    _same(instance.call("seek", 3, 0, 0, 65_536), [0])
    _same(instance.call("add", 0.5, -2), [-1.5])
    try:
        instance.call("trap")
    except Trap as trap:
        _same(trap.cause, "unreachable")
    else:
        raise Unexpected("no trap")
    try:
        instance.start()
    except ProcExit as end:
        _same(end.code, 0xFFFFFFFE)
    else:
        raise Unexpected("no exit")
    instance.close()


def main() -> None:
    """Check both engines, and say so."""
    for epochs in (False, True):
        check(Mode(epochs))
    print("as expected")
