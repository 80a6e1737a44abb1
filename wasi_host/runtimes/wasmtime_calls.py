"""The calls of the engine that make up a run, without conversions.

ctypes checks and converts each declared argument, 60 to 80 ns apiece, and a run makes ten such
calls. So nothing is declared here but the results, and **callers hand over only ``Address``,
``Word`` and bytes objects**: a plain int would be cut to 32 bits. What a function returns as an
address is an ``Address`` again.
"""

from __future__ import annotations

import ctypes
from ctypes import c_bool, c_int64, c_size_t, c_uint64, c_void_p
from struct import Struct

from wasi_host.runtimes import wasmtime_capi as capi

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final

    from wasi_host.runtimes.contract import FunctionType

#: What is handed over as a number.
Word: Final = c_size_t
#: The length of the only name that is looked up in every run.
MEMORY: Final = b"memory"
START: Final = b"_start"
SIX: Final = c_size_t(6)
assert len(MEMORY) == len(START) == SIX.value
#: How a number lies in the engine's slot of 16 bytes.
_SLOT: Final = {"i32": "i12x", "i64": "q8x", "f32": "f12x", "f64": "d8x"}


class Address(c_void_p):
    """A pointer; being a subclass, it comes out of a call as it went in."""

    def __index__(self) -> int:
        """Return it as a number."""
        return self.value or 0


class Calls:
    """The functions as attributes, without their ``wasmtime_`` prefix.

    Those that may run guest code release the interpreter's lock, as in ``wasmtime_capi``.
    """

    def __init__(self) -> None:
        path = capi.library_path()
        holding, releasing = ctypes.PyDLL(path), ctypes.CDLL(path)

        def function(name: str, result: Any, where: Any = holding) -> Any:
            found = where[f"wasmtime_{name}"]
            found.restype = result
            return found

        self.store_new = function("store_new", Address)
        self.store_context = function("store_context", Address)
        self.store_delete = function("store_delete", None)
        self.store_limiter = function("store_limiter", None)
        self.epoch_callback = function("store_epoch_deadline_callback", None)
        self.set_epoch_deadline = function("context_set_epoch_deadline", None)
        self.set_fuel = function("context_set_fuel", c_size_t)
        self.get_fuel = function("context_get_fuel", c_size_t)
        self.instantiate = function("instance_pre_instantiate", c_size_t, releasing)
        self.export_get = function("instance_export_get", c_bool)
        self.memory_data = function("memory_data", c_size_t)
        self.memory_data_size = function("memory_data_size", c_size_t)
        self.call = function("func_call_unchecked", c_size_t, releasing)


_calls: Calls | None = None


def calls() -> Calls:
    """Return the functions, found at the first call."""
    global _calls
    if _calls is None:
        _calls = Calls()
    return _calls


def limits(memory: int) -> tuple[c_int64, ...]:
    """Return the arguments of ``store_limiter`` for so many bytes of memory, as for tables."""
    return tuple(c_int64(number) for number in (memory, memory // 8, -1, -1, -1))


class Scratch:
    """Room that the engine writes to, for one run after the other.

    Attributes:
        instance, memory, start: addresses of the instance, and of the externs found in it.
        memory_payload, start_payload: the memory and the function in these externs.
        trap: the address of ``trap_slot``, which holds the trap, or nothing.
        slots: room for the arguments and results of a call that has none.
        fuel: the address of ``fuel_slot``, which holds what is left.
    """

    __slots__ = ("_room", "fuel", "fuel_slot", "instance", "memory", "memory_payload", "slots",
                 "start", "start_payload", "trap", "trap_slot")  # fmt: skip

    def __init__(self) -> None:
        extern = capi.EXTERN_BYTES
        self._room = ctypes.create_string_buffer(
            capi.INSTANCE_BYTES + 2 * extern + capi.SLOT_BYTES
        )
        base = ctypes.addressof(self._room)
        self.instance = Address(base)
        base += capi.INSTANCE_BYTES
        self.memory, self.memory_payload = Address(base), Address(base + capi.EXTERN_PAYLOAD)
        base += extern
        self.start, self.start_payload = Address(base), Address(base + capi.EXTERN_PAYLOAD)
        self.slots = Address(base + extern)
        self.trap_slot = Address()
        self.trap = Address(ctypes.addressof(self.trap_slot))
        self.fuel_slot = c_uint64()
        self.fuel = Address(ctypes.addressof(self.fuel_slot))


class TrapSlot:
    """Where the engine writes the trap that ended a call.

    Attributes:
        slot: the trap in ``value``, or nothing.
        address: where that lies.
    """

    __slots__ = ("address", "slot")

    def __init__(self) -> None:
        self.slot = Address()
        self.address = Address(ctypes.addressof(self.slot))


class ExportedFunction:
    """One function of one instance, with what each of its calls needs: plugins are called often.

    Args:
        kind: its type: numbers only.
        extern: where the engine wrote it; kept.

    Attributes:
        kind: its type.
        payload: the address of the function.
        words: how many slots a call needs.
        results: returns the results in the room of a call.
    """

    __slots__ = ("_extern", "_pack", "_room", "kind", "payload", "results", "words")

    def __init__(self, kind: FunctionType, extern: capi.Extern) -> None:
        self.kind, self._extern = kind, extern
        self.payload = Address(extern.payload)
        length = max(len(kind.params), len(kind.results))
        self.words = Word(length)
        self._room: Any = ctypes.c_char * (max(length, 1) * capi.SLOT_BYTES)
        self._pack = _slots(kind.params).pack_into
        self.results = _slots(kind.results).unpack_from

    def room(self, numbers: list[int | float]) -> tuple[Any, Address]:
        """Return the memory of one call, with its arguments in it, and its address.

        Args:
            numbers: as ``contract.check_arguments`` returns them.
        """
        room = self._room()
        self._pack(room, 0, *numbers)
        return room, Address(ctypes.addressof(room))


def _slots(kinds: tuple[str, ...]) -> Struct:
    return Struct("<" + "".join(_SLOT[kind] for kind in kinds))
