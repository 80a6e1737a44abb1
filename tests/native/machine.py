"""Makes the calls of the native part without an engine, as an engine would make them.

A ``Machine`` is a guest's memory, its descriptors and one way to make a call: by the C function
of the row, by that function when it has nothing to serve from (so that it falls back), or by the
Python shim itself. All three end in the same memory and the same descriptors.
"""

import ctypes
import os
from functools import cache
from subprocess import PIPE

from wasi_host.binding.codec import slot_codes
from wasi_host.binding.context import Context
from wasi_host.errors import ProcExit
from wasi_host.native.library import NativeEnv, library
from wasi_host.preview1 import Preview1, encode_environ
from wasi_host.runtimes import wasmtime_capi as capi
from wasi_host.runtimes.wasmtime import thunks
from wasi_host.sources import Preopens
from wasi_host.streams import Spec, Streams
from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler
from wasi_spec.functions import FUNCTIONS, MODULE
from wasi_spec.rights import ALL_RIGHTS

ROWS = {row.name: row for row in FUNCTIONS}
SHIMS = {name: capi.stubs(MODULE, "raw")[name] for name in ROWS}
SLOT_BYTES = 16
NATIVE, FALLBACK, PYTHON = "native", "fallen back", "python"

_PROTOTYPE = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)


class _Context(Context):
    def refresh(self, caller):
        return False

    def trap(self, error):
        self.pending = error
        return 1


@cache
def _function(name):
    """The C function of a row, which gives what it does not serve to the row's thunk."""
    env = NativeEnv(library(), 0)
    address = env.row(name, thunks.address(MODULE, name))
    return None if address is None else _PROTOTYPE(address)


class Machine:
    """One guest; ``native``: whether C shares its descriptors."""

    def __init__(
        self, root, size=16384, *, native=True, stdin=b"", stdout=PIPE, output=None, **setting
    ):
        scheduler = Scheduler(Clocks())
        lib = library() if native else None
        self.native = native
        self.streams = Streams(Spec(stdin, stdout, PIPE, None, None), scheduler, output, lib)
        self.host = Preview1.for_run(
            self.streams.descriptors(setting.get("rights", ALL_RIGHTS)),
            [] if root is None else Preopens({"/": root}).open(),
            args=[b"program", b"two words"],
            environ=encode_environ({"NAME": "value"}),
            scheduler=scheduler,
            native=lib,
            **setting,
        )
        self.memory = (ctypes.c_uint8 * size)()
        self.size = size
        self.view = memoryview(self.memory).cast("B")
        self.slots = (ctypes.c_uint8 * (SLOT_BYTES * 10))()
        self.arguments = memoryview(self.slots).cast("B")
        self.context = _Context()
        self.context.host = self.host
        self.context.mem = capi.guest_memory(ctypes.addressof(self.memory), size)
        self.context.size = size
        if native:
            self.env = NativeEnv(library(), id(self.context))
            self.env.attach(ctypes.addressof(self.memory), size)

    def call(self, name, *numbers, how=PYTHON):
        """Make a call; return its errno."""
        row = ROWS[name]
        for place, (code, number) in enumerate(zip(slot_codes(row), numbers, strict=True)):
            size = 4 if code == "I" else 8
            number %= 1 << (8 * size)
            at = SLOT_BYTES * place
            self.arguments[at : at + size] = number.to_bytes(size, "little")
        address = ctypes.addressof(self.slots)
        function = _function(name) if how != PYTHON else None
        if function is None:
            ended = SHIMS[name](self.context, 0, address)
        else:
            self.env.serve(self.host.native if how == NATIVE else 0)
            ended = function(self.env.address, 0, address, len(numbers))
        if ended:
            pending, self.context.pending = self.context.pending, None
            assert pending is not None
            assert not isinstance(pending, ProcExit)
            raise pending
        return int.from_bytes(self.arguments[:4], "little")

    def poke(self, at, data):
        self.view[at : at + len(data)] = data

    def peek(self, at, size):
        return bytes(self.view[at : at + size])

    def descriptors(self):
        """What each open number is: kind, flags, rights, position; makes no Python object."""
        found = {}
        fds = self.host.fds
        if not self.native:
            for fd, item in fds.items():
                found[fd] = (*item.fdstat(), item.position)
            return found
        fd = seen = 0
        while seen < len(fds):
            slot = fds.memory.find(fd)
            if slot is not None:
                seen += 1
                item = fds.get(fd)
                if slot.kind:
                    rights = slot.rights_base, slot.rights_inheriting
                    found[fd] = (slot.filetype, slot.fdflags, *rights, slot.position)
                else:
                    found[fd] = (*item.fdstat(), item.position)
            fd += 1
        return found

    def output(self):
        return self.streams.captured(1), self.streams.captured(2)

    def close(self):
        self.context.mem = memoryview(bytearray())
        if self.native:
            self.env.serve(0)
        self.host.close()
        self.streams.close()
        self.host.scheduler.close()


def open_descriptors():
    """How many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))
