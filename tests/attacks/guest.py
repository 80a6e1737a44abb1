"""A guest that makes any call it is told to, with any numbers: the hands of the attack tests.

The module imports all 46 functions and exports each again under its own name, its memory as
``memory``, and ``grow``. Each export is a function of the module that calls the import, so a
call comes out of WebAssembly as any program's does.

Two backends make the calls: the engine, through the public API, and no engine at all (the
shims for plain integers over a ``bytearray``). Tests are written against ``Guest``.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, Protocol

import wasmtime

from wasi_spec import (
    FUNCTIONS,
    MODULE,
    Errno,
    Fdstat,
    Filestat,
    Oflags,
    Prestat,
    Rights,
    core_signature,
    records,
)
from wasi_spec.layout import layout
from wasi_spec.rights import FILE_RIGHTS

PAGE = 65536
PAGES = 4
MAXIMUM = 64

ROWS = {row.name: row for row in FUNCTIONS}

READ = int(Rights.FD_READ)
WRITE = int(Rights.FD_WRITE)
CREAT, DIRECTORY, EXCL, TRUNC = (int(flag) for flag in Oflags)

#: Where allocation starts: address 0 and a good part after it are left to the tests.
FIRST = 4096

_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "fdstat": lambda data: Fdstat(*records.FDSTAT.unpack(data)),
    "filestat": lambda data: Filestat(*records.FILESTAT.unpack(data)),
    "prestat": lambda data: Prestat(*records.PRESTAT.unpack(data)),
}


def text(pages: int, maximum: int) -> str:
    """Return the module as WebAssembly text."""
    imports, exports = [], []
    for row in FUNCTIONS:
        params, results = core_signature(row)
        signature = "".join(f"(param {kind})" for kind in params)
        signature += "".join(f"(result {kind})" for kind in results)
        arguments = "".join(f"(local.get {index})" for index in range(len(params)))
        imports.append(f'(import "{MODULE}" "{row.name}" (func ${row.name} {signature}))')
        exports.append(f'(func (export "{row.name}") {signature} (call ${row.name} {arguments}))')
    return "\n".join(
        [
            "(module",
            *imports,
            f'(memory (export "memory") {pages} {maximum})',
            '(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))',
            *exports,
            ")",
        ]
    )


@cache
def module(pages: int = PAGES, maximum: int = MAXIMUM) -> bytes:
    """Return the module in binary form."""
    return bytes(wasmtime.wat2wasm(text(pages, maximum)))


class Backend(Protocol):
    """What makes the calls."""

    def call(self, name: str, *numbers: int) -> int: ...
    def memory(self) -> memoryview: ...
    def grow(self, pages: int) -> int: ...
    def close(self) -> None: ...


class Slot(NamedTuple):
    """One number of a core call; for an address, how much lies there and what the guest gives."""

    name: str
    value: int
    size: int | None = None
    content: bytes | None = None


class Guest:
    """A running guest, with what a C library would do for it: memory and decoding."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.next = FIRST
        self.result: Any = None
        self.results: tuple[Any, ...] = ()

    @property
    def size(self) -> int:
        return len(self.backend.memory())

    def alloc(self, size: int, align: int = 8) -> int:
        """Return the address of a new area."""
        at = (self.next + align - 1) // align * align
        self.next = at + size
        assert self.next <= self.size, "the test's guest is out of memory"
        return at

    def poke(self, at: int, data: bytes) -> int:
        """Write the guest's memory."""
        self.backend.memory()[at : at + len(data)] = data
        return at

    def put(self, data: bytes) -> int:
        """Write data somewhere new; return where."""
        return self.poke(self.alloc(len(data)), data)

    def get(self, at: int, size: int) -> bytes:
        """Read the guest's memory."""
        return bytes(self.backend.memory()[at : at + size])

    def dump(self) -> bytes:
        """Return all of the guest's memory."""
        return bytes(self.backend.memory())

    def fill(self, pattern: bytes) -> None:
        """Fill all memory with a repeated pattern."""
        size = self.size
        self.poke(0, (pattern * (size // len(pattern) + 1))[:size])

    def vector(self, *parts: int | bytes) -> tuple[int, int]:
        """Make an iovec array: a number is the room of a buffer, bytes are its content.

        Returns:
            Address and count, the two words of a signature.
        """
        pairs = []
        for part in parts:
            data = bytes(part) if isinstance(part, int) else part
            pairs.append((self.put(data), len(data)))
        return self.vector_at(*pairs)

    def vector_at(self, *pairs: tuple[int, int]) -> tuple[int, int]:
        """Make an iovec array of these addresses and lengths."""
        return self.put(b"".join(records.IOVEC.pack(*pair) for pair in pairs)), len(pairs)

    def raw(self, name: str, *numbers: int) -> Errno:
        """Make a call with exactly these numbers."""
        return Errno(self.backend.call(name, *numbers))

    def call(self, name: str, *arguments: int | str | bytes | tuple[int, int]) -> Errno:
        """Make a call: text is put into memory, a pair is two words, results are given room.

        ``result`` and ``results`` hold the decoded results afterwards, None after a failure.
        """
        numbers: list[int] = []
        for argument in arguments:
            if isinstance(argument, tuple):
                numbers += argument
            elif isinstance(argument, str | bytes):
                data = argument.encode() if isinstance(argument, str) else argument
                numbers += [self.put(data), len(data)]
            else:
                numbers.append(argument)
        kinds = [result.type for result in ROWS[name].results]
        places = [self.alloc(layout(kind).size) for kind in kinds]
        errno = self.raw(name, *numbers, *places)
        self.results = ()
        if errno is Errno.SUCCESS:
            self.results = tuple(
                _DECODERS.get(kind.name, lambda data: int.from_bytes(data, "little"))(
                    self.get(at, layout(kind).size)
                )
                for kind, at in zip(kinds, places, strict=True)
            )
        self.result = self.results[0] if self.results else None
        return errno

    def must(self, name: str, *arguments: int | str | bytes | tuple[int, int]) -> Any:
        """Make a call that has to succeed; return its first result."""
        errno = self.call(name, *arguments)
        assert errno is Errno.SUCCESS, f"{name}{arguments}: {errno.name}"
        return self.result

    # Calls made all the time.

    def try_open(
        self,
        path: str | bytes,
        *,
        fd: int = 3,
        follow: bool = False,
        oflags: int = 0,
        rights: int = READ,
        inheriting: int = 0,
        fdflags: int = 0,
    ) -> Errno:
        """Open; ``result`` is the new descriptor."""
        return self.call("path_open", fd, int(follow), path, oflags, rights, inheriting, fdflags)

    def open(self, path: str | bytes, **how: Any) -> int:
        """Open what has to be there; all rights of a file unless ``rights`` says otherwise."""
        how.setdefault("rights", FILE_RIGHTS)
        errno = self.try_open(path, **how)
        assert errno is Errno.SUCCESS, f"open {path!r} {how}: {errno.name}"
        return int(self.result)

    def open_dir(self, path: str, **how: Any) -> int:
        """Open a directory with all that the one above can give."""
        above = self.must("fd_fdstat_get", how.get("fd", 3))
        how.setdefault("rights", above.fs_rights_base)
        how.setdefault("inheriting", above.fs_rights_inheriting)
        return self.open(path, oflags=DIRECTORY, **how)

    def write(self, fd: int, data: bytes) -> int:
        return int(self.must("fd_write", fd, self.vector(data)))

    def read(self, fd: int, size: int = 256) -> bytes:
        at = self.alloc(size)
        return self.get(at, self.must("fd_read", fd, self.vector_at((at, size))))

    def content(self, path: str, **how: Any) -> bytes:
        """Open, read and close a file."""
        fd = self.open(path, rights=READ, **how)
        data = self.read(fd)
        self.must("fd_close", fd)
        return data

    def stat(self, path: str | bytes, *, fd: int = 3, follow: bool = False) -> Filestat:
        result: Filestat = self.must("path_filestat_get", fd, int(follow), path)
        return result

    def readlink(self, path: str, *, fd: int = 3, size: int = 256) -> bytes:
        at = self.alloc(size)
        return self.get(at, self.must("path_readlink", fd, path, at, size))

    def tell(self, fd: int) -> int:
        return int(self.must("fd_tell", fd))

    def names(self, fd: int = 3) -> list[bytes]:
        """Return the names in a directory, without the two dots, sorted."""
        found, cookie, at = [], 0, self.alloc(4096)
        while True:
            used = self.must("fd_readdir", fd, at, 4096, cookie)
            data, offset = self.get(at, used), 0
            while offset + 24 <= used:
                cookie_after, _, length, _ = records.DIRENT.unpack_from(data, offset)
                if offset + 24 + length > used:
                    break
                found.append(data[offset + 24 : offset + 24 + length])
                cookie, offset = cookie_after, offset + 24 + length
            if used < 4096:
                return sorted(set(found) - {b".", b".."})

    def is_open(self, fd: int) -> bool:
        """Tell whether a number is a descriptor."""
        return self.call("fd_fdstat_get", fd) is not Errno.BADF

    def close(self) -> None:
        """End the guest."""
        self.backend.close()
