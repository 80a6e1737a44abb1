"""Finds, checks and loads the shared object, and wraps what Python calls in it.

It is looked for once a process. ``WASI_HOST_NATIVE=0`` switches it off; a path in that variable
names another file, for tests. One of another version, or whose structs have other sizes, is left
alone, and Python serves everything.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from threading import Lock

from wasi_host.errors import host_errnos
from wasi_host.native.structures import KEPT, MEMORY, STRUCTURES, Bytes, Env, Slot, Table
from wasi_spec.numbers import DIRECTORY_RIGHTS, FILE_RIGHTS

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final

#: The version of the structs and functions; ``host.c`` has the same.
ABI: Final = 7
VARIABLE: Final = "WASI_HOST_NATIVE"
FILE: Final = os.path.join(os.path.dirname(__file__), "_host.so")
#: What to do where it is missing.
ADVICE: Final = (
    "install a C compiler (or the package 'ziglang') and install wasi-host again; in a checkout: "
    "python -m wasi_host.native.build"
)

_ADDRESS = c_void_p
_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "size": (c_uint32, (c_uint32,)),
    "name": (c_char_p, (c_uint32,)),
    "serve": (c_size_t, (c_uint32, _ADDRESS)),
    "setup": (None, (c_char_p, c_uint64, c_uint64)),
    "forked": (None, ()),
    "table": (c_size_t, (c_uint32, c_uint32)),
    "clear": (None, (_ADDRESS,)),
    "free": (None, (_ADDRESS,)),
    "find": (c_size_t, (_ADDRESS, c_uint32)),
    "renumber": (None, (_ADDRESS, c_uint32, c_uint32)),
    "restore": (None, (_ADDRESS, c_char_p, c_uint32)),
    "words": (c_int, (_ADDRESS, c_char_p, c_uint64, c_uint64)),
    "forget_words": (None, (_ADDRESS,)),
    "append": (c_int, (_ADDRESS, c_char_p, c_uint64)),
    "hold": (c_size_t, (_ADDRESS,)),
    "let_go": (None, (_ADDRESS,)),
    "release": (None, (_ADDRESS,)),
    "keep_listing": (c_int, (_ADDRESS, c_char_p, c_uint64, _ADDRESS, c_uint64)),
    "entries": (c_int64, (_ADDRESS, c_uint64, _ADDRESS, c_uint64)),
}

#: A row's function as the engine calls it; it may come back to Python, so the lock is kept.
_ROW: Final = ctypes.PYFUNCTYPE(c_size_t, c_size_t, c_size_t, c_size_t, c_size_t)
#: Rows that have done nothing yet where they leave a call to Python.
_REPEATABLE: Final = frozenset((
    "args_get", "args_sizes_get", "environ_get", "environ_sizes_get", "clock_time_get",
    "fd_fdstat_get", "fd_prestat_get", "fd_prestat_dir_name", "fd_write", "random_get",
))  # fmt: skip


class Unusable(Exception):
    """The shared object cannot be used; the text says why."""


class Library:
    """The functions as attributes, without their ``wasi_native_`` prefix.

    All are short, so they are called without giving up the interpreter's lock. The rows of the
    specification are not among them: the engine calls those.

    Args:
        path: the shared object.

    Attributes:
        path: where it lies.
        rows: the number of each row it serves, by name.
        repeatable: functions of rows that may be called again, for those that were asked for.

    Raises:
        Unusable: it cannot be loaded, or does not fit.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            loaded = ctypes.PyDLL(path)
            found = loaded.wasi_native_abi()
        except (OSError, AttributeError) as error:
            raise Unusable(f"it cannot be loaded: {error}") from None
        if found != ABI:
            raise Unusable(f"{path} has version {found}, this is for {ABI}: {ADVICE}")
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(loaded, f"wasi_native_{name}")
            function.restype = result
            function.argtypes = arguments
            setattr(self, name, function)
        # Once more, undeclared, for each opening and closing: ctypes takes 70 ns to check an
        # argument. Callers hand over a ``c_void_p`` and small numbers.
        self.quick_insert = loaded["wasi_native_insert"]
        self.quick_insert.restype = c_size_t
        self.quick_remove = loaded["wasi_native_remove"]
        self.quick_remove.restype = None
        for place, structure in enumerate(STRUCTURES):
            if self.size(place) != ctypes.sizeof(structure):
                raise Unusable(f"{path} was built for another machine: {structure.__name__}")
        self.setup(_errno_table(), FILE_RIGHTS, DIRECTORY_RIGHTS)
        self.repeatable: dict[str, Any] = {}
        self.rows: dict[str, int] = {}
        while (row := self.name(len(self.rows))) is not None:
            self.rows[row.decode()] = len(self.rows)
        os.register_at_fork(after_in_child=self.forked)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name} is not declared in wasi_host.native.library")

    def captured(self, address: int, state: Bytes) -> bytes:
        """Return what was captured so far, while a guest may go on to write."""
        data = self.hold(address)
        try:
            return ctypes.string_at(data, state.length)
        finally:
            self.let_go(address)

    @staticmethod
    def kept(state: Bytes) -> bytes:
        """Return what was captured, where no guest can write any more."""
        return ctypes.string_at(*KEPT.unpack_from(state))

    def listed(self, slot: int, cookie: int, room: int) -> bytes:
        """Return entries of a slot's listing from ``cookie`` on, cut at ``room`` bytes."""
        # No more than there is: a guest's buffer may be far larger than the listing.
        size = min(room, self.entries(slot, cookie, None, 0))
        if not size:
            return b""
        buffer = ctypes.create_string_buffer(size)
        self.entries(slot, cookie, buffer, size)
        return buffer.raw


def _errno_table() -> bytes:
    table = bytearray(256)
    for number, errno in host_errnos().items():
        if number < len(table):
            table[number] = errno
    return bytes(table)


_lock = Lock()
_found: Library | None = None
_reason: str | None = None
_looked = False
_forced_off = False


def library() -> Library | None:
    """Return the shared object's functions, or None where Python serves everything."""
    global _found, _reason, _looked
    if not _looked:
        with _lock:
            if not _looked:
                _found, _reason = _look(os.environ.get(VARIABLE, ""))
                _looked = True
    return None if _forced_off else _found


def force_off(off: bool) -> bool:
    """Serve guests to come in Python alone, for tests; return whether it was so before."""
    global _forced_off
    before, _forced_off = _forced_off, off
    return before


def why_not() -> str | None:
    """Return why everything is served in Python, and what to do; None: it is not."""
    library()
    return _reason


def _look(variable: str) -> tuple[Library | None, str | None]:
    if variable == "0":
        return None, f"switched off: {VARIABLE} is 0"
    path = variable if os.path.isabs(variable) else FILE
    if not os.path.exists(path):
        return None, f"not built: {ADVICE}"
    try:
        return Library(path), None
    except Unusable as error:
        return None, str(error)


class TableMemory:
    """A table in C, freed when nothing refers to it: descriptors keep it as long as they live.

    Attributes:
        address, here: where it lies, as a number and as a pointer.
        state: its fields.
    """

    __slots__ = ("_lib", "address", "here", "state")

    def __init__(self, lib: Library, limit: int, serves: int) -> None:
        self._lib = lib
        self.address: int = lib.table(min(limit, 0xFFFFFFFF), serves)
        if not self.address:
            raise MemoryError
        self.here = c_void_p(self.address)
        self.state = Table.from_address(self.address)

    def insert(self) -> tuple[int, int]:
        """Return the lowest free number, taken now, and the address of its slot."""
        address: int = self._lib.quick_insert(self.here)
        if not address:
            raise MemoryError
        return self.state.lowest - 1, address

    def find(self, fd: int) -> Slot | None:
        """Return the slot of a number, if it is open."""
        address = self._lib.find(self.address, fd) if 0 <= fd <= 0xFFFFFFFF else 0
        return Slot.from_address(address) if address else None

    def set_words(self, args: Iterable[bytes], environ: Iterable[bytes]) -> None:
        """Let the rows for arguments and environment answer from now on."""
        for field, words in ((Table.args, args), (Table.environ, environ)):
            blob = b"".join([word + b"\0" for word in words])
            self._lib.words(self.address + field.offset, blob, len(blob), blob.count(b"\0"))

    def __del__(self) -> None:
        if getattr(self, "address", 0):
            self._lib.free(self.address)


class NativeEnv:
    """What the engine hands to the rows of one binding.

    Args:
        lib: the shared object.
        context: the address of the Python context, for what goes to Python.

    Attributes:
        address: where it lies; valid as long as this object lives.
    """

    __slots__ = ("_env", "_lib", "address")

    def __init__(self, lib: Library, context: int) -> None:
        self._lib = lib
        self._env = Env(context=context)
        self.address = ctypes.addressof(self._env)

    def row(self, name: str, thunk: int) -> int | None:
        """Return the C function of a row; None: it has none.

        Args:
            name: the row's.
            thunk: the Python thunk of the row, which gets what C does not serve.
        """
        number = self._lib.rows.get(name)
        if number is None:
            return None
        address: int = self._lib.serve(number, thunk)
        if name in _REPEATABLE and name not in self._lib.repeatable:
            self._lib.repeatable[name] = _ROW(address)
        return address

    def repeats(self, name: str) -> bool:
        """Tell whether a row may be asked once more after it left a call to Python."""
        return name in self._lib.repeatable

    def repeat(self, name: str, caller: int, slots: int) -> int:
        """Call a row's function as the engine does; return what it returns."""
        result: int = self._lib.repeatable[name](self.address, caller, slots, 0)
        return result

    def attach(self, base: int, size: int) -> None:
        """Take the guest's memory as it is now."""
        MEMORY.pack_into(self._env, 0, base, size)

    def serve(self, table: int) -> None:
        """Serve the descriptors of a table from now on; 0: Python serves every call."""
        self._env.table = table
