"""The structs of ``host.c`` as Python sees them; ``library`` checks that their sizes agree."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p
from struct import Struct

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

#: ``enum kind``.
FOREIGN: Final = 0
HOST_FILE: Final = 1
HOST_DIRECTORY: Final = 2
OUTPUT: Final = 3
INPUT: Final = 4
NOTHING: Final = 5
HOST_STREAM: Final = 6
MEMORY_FILE: Final = 7
HOST_PIPE: Final = 8

#: What a table serves beyond descriptors.
SERVES_CLOCKS: Final = 1
SERVES_RANDOM: Final = 2
SERVES_OPEN: Final = 4
SERVES_BENEATH: Final = 8


class Bytes(ctypes.Structure):
    """What was captured so far, or what is there to read."""

    _fields_ = (
        ("data", c_char_p),
        ("length", c_uint64),
        ("capacity", c_uint64),
        ("room", c_uint64),
        ("changed", c_uint64),
        ("position", c_uint64),
        ("busy", c_uint8),
    )


class Slot(ctypes.Structure):
    """One descriptor: the home of its rights, flags and position."""

    _fields_ = (
        ("kind", c_uint32),
        ("host_fd", c_int32),
        ("filetype", c_uint32),
        ("fdflags", c_uint32),
        ("rights_base", c_uint64),
        ("rights_inheriting", c_uint64),
        ("access", c_uint64),
        ("position", c_int64),
        ("bytes", c_void_p),
        ("name", c_char_p),
        ("name_length", c_uint64),
        ("root", c_uint64),
        ("root_device", c_uint64),
        ("root_inode", c_uint64),
        ("readonly", c_uint32),
        ("held", c_uint32),
        ("listing", c_void_p),
        ("next", c_void_p),
    )


class Words(ctypes.Structure):
    """The arguments, or the environment."""

    _fields_ = (
        ("blob", c_void_p),
        ("length", c_uint64),
        ("count", c_uint64),
        ("known", c_uint64),
    )


class Table(ctypes.Structure):
    """One guest's descriptors."""

    _fields_ = (
        ("numbers", c_void_p),
        ("inserted", c_uint64),
        ("capacity", c_uint32),
        ("count", c_uint32),
        ("lowest", c_uint32),
        ("limit", c_uint32),
        ("serves", c_uint32),
        ("opened", c_int32),
        ("args", Words),
        ("environ", Words),
        ("free", c_void_p),
        ("parent", c_void_p),
    )


class Env(ctypes.Structure):
    """What the engine hands over: one binding's memory, table and Python context."""

    _fields_ = (
        ("memory", c_uint64),
        ("size", c_uint64),
        ("table", c_uint64),
        ("context", c_uint64),
        ("pool_left", c_uint32),
        ("pool_generation", c_uint32),
        ("pool", c_uint8 * 512),
    )


#: The first fields of a slot, up to ``bytes``, and of an env: set at once, which takes a third of
#: the time of setting one after the other.
STATE: Final = Struct("@IiIIQQQqQ")
MEMORY: Final = Struct("@QQ")
#: Where the bytes lie and how many there are: the first fields of ``Bytes``.
KEPT: Final = Struct("@QQ")


def address(structure: ctypes.Structure) -> int:
    """Return where a struct lies."""
    return ctypes.addressof(structure)


class Pinned:
    """The bytes of a file in memory, kept where they are for C to read.

    Args:
        data: what holds them; it can be overwritten, but neither grow nor shrink in place.

    Attributes:
        address: of their struct.

    Raises:
        ValueError: there are none.
    """

    __slots__ = ("__weakref__", "_held", "_state", "address")

    def __init__(self, data: bytearray) -> None:
        self._held = ctypes.c_char.from_buffer(data)
        self._state = Bytes(length=len(data))
        self._state.data = c_char_p(ctypes.addressof(self._held))
        self.address = ctypes.addressof(self._state)

    def drop(self) -> None:
        """Let Python serve those who read: the file is not these bytes any more."""
        self._state.changed = 1


#: In the order of ``wasi_native_size``.
STRUCTURES: Final = (Bytes, Slot, Table, Env)
