"""Contexts and a host for shims without an engine."""

import random
import struct

from wasi_host.binding.context import Context, ValuesContext
from wasi_host.binding.memory import BlockMemory
from wasi_host.binding.shim import ShimCompiler, values_functions
from wasi_spec import FUNCTIONS, core_signature

ROWS = {row.name: row for row in FUNCTIONS}

#: The "address space" in which the engine's argument slots lie; shims are given SLOTS.
ARENA = bytearray(512)
SLOTS = 64
RAW = ShimCompiler(memoryview(ARENA))
CHECKED = ShimCompiler(memoryview(ARENA), convention="checked")
TRAP = 0x7EA9


class RawContext(Context):
    """A context whose memory may be longer than what was last looked at."""

    def __init__(self, memory, host, known=None):
        super().__init__()
        self.memory = memory
        self.host = host
        self.refreshed = 0
        self.size = len(memory) if known is None else known
        self.mem = memoryview(memory)[: self.size]

    def refresh(self, caller):
        self.refreshed += 1
        longer = len(self.memory) > self.size
        self.mem, self.size = memoryview(self.memory), len(self.memory)
        return longer

    def trap(self, error):
        self.pending = error
        return TRAP


class CheckedContext(RawContext):
    """A context that knows no memory until a call looks at it."""

    def __init__(self, memory, host):
        super().__init__(memory, host, known=0)

    def look(self, caller):
        self.mem, self.size = memoryview(self.memory), len(self.memory)

    def refresh(self, caller):
        return False


class Blocks:
    """Memory that is only read and written, and never beyond its end."""

    def __init__(self, memory):
        self._memory = memory

    def read(self, address, size):
        assert 0 <= address <= address + size <= len(self._memory)
        return bytes(self._memory[address : address + size])

    def write(self, address, data):
        assert 0 <= address <= address + len(data) <= len(self._memory)
        self._memory[address : address + len(data)] = data

    def size(self):
        return len(self._memory)


def raw_call(name, context, numbers, shims=RAW):
    """Call a shim as an engine does; return (what it returned, the slots before and after)."""
    ARENA[:] = b"\xa5" * len(ARENA)
    kinds = core_signature(ROWS[name])[0]
    for place, (number, kind) in enumerate(zip(numbers, kinds, strict=True)):
        code = "<I" if kind == "i32" else "<Q"
        struct.pack_into(code, ARENA, SLOTS + 16 * place, number)
    before = bytes(ARENA)
    returned = shims[name](context, 1234, SLOTS)
    return returned, before, bytes(ARENA)


def values_call(name, memory, host, numbers, blocks=False):
    """Call a function on plain integers; return the errno."""
    look = BlockMemory(Blocks(memory)) if blocks else memory
    context = ValuesContext(lambda: look if blocks else memoryview(memory))
    context.host = host
    return values_functions(context)[name](*numbers)


class Host:
    """A host that notes each call and answers as ``script(name, arguments)`` says.

    What the script returns is returned, an exception is raised. Reads into views are noted as
    the reads they stand for.
    """

    def __init__(self, script):
        self.calls = []
        self._script = script

    def __getattr__(self, name):
        return lambda *arguments: self._answer(name, arguments)

    def _answer(self, name, arguments):
        arguments = tuple(
            bytes(item) if isinstance(item, memoryview) else self._plain(item) for item in arguments
        )
        self.calls.append((name, arguments))
        answer = self._script(name, arguments)
        if isinstance(answer, BaseException | type):
            try:
                raise answer
            finally:
                del answer  # else the frame and the exception would keep each other alive
        return answer

    def _plain(self, item):
        return [tuple(part) for part in item] if isinstance(item, list) else item

    def fd_readinto(self, fd, views):
        return self._fill("fd_read", views, fd)

    def fd_preadinto(self, fd, views, offset):
        return self._fill("fd_pread", views, fd, offset)

    def _fill(self, name, views, fd, *rest):
        data = self._answer(name, (fd, sum(map(len, views)), *rest))
        left = data
        for view in views:
            part, left = left[: len(view)], left[len(view) :]
            view[: len(part)] = part
        return len(data)


def answering(value):
    """A host whose every call returns (or raises) the same."""
    return Host(lambda name, arguments: value)


def rng(*words):
    """A generator of its own for each case."""
    return random.Random(" ".join(map(str, words)))
