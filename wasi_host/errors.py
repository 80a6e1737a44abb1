"""Every error of the project, and the one table from host errno to WASI errno.

Filesystems raise ``OSError``; above them ``WasiError``; the shim turns both into the number a
guest sees. ``ProcExit`` and ``Stopped`` are no errors: they end a run, and derive from
``BaseException`` so that no handler for errors swallows them.
"""

from __future__ import annotations

import errno as host

from wasi_spec.numbers import Errno

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import ClassVar, Final


class WasiError(Exception):
    """A call fails with ``errno``. Raised as a class: no message, no ``__init__`` to pay for."""

    errno: ClassVar[int] = Errno.IO


class ACCES(WasiError):
    """Permission denied."""

    errno = Errno.ACCES


class AGAIN(WasiError):
    """It would block, and the guest asked not to."""

    errno = Errno.AGAIN


class BADF(WasiError):
    """No such descriptor, or not one for this call."""

    errno = Errno.BADF


class BUSY(WasiError):
    """In use: the root of a directory, a mount point."""

    errno = Errno.BUSY


class EXIST(WasiError):
    """The name exists."""

    errno = Errno.EXIST


class FAULT(WasiError):
    """An address outside the guest's memory."""

    errno = Errno.FAULT


class FBIG(WasiError):
    """Larger than a file can be."""

    errno = Errno.FBIG


class ILSEQ(WasiError):
    """Text that is not UTF-8."""

    errno = Errno.ILSEQ


class INVAL(WasiError):
    """An undefined value, or one that makes no sense here."""

    errno = Errno.INVAL


class ISDIR(WasiError):
    """A directory where none may be."""

    errno = Errno.ISDIR


class LOOP(WasiError):
    """A symbolic link where none may be, or too many."""

    errno = Errno.LOOP


class MFILE(WasiError):
    """The descriptor table is full."""

    errno = Errno.MFILE


class NAMETOOLONG(WasiError):
    """A path, a component or a buffer's need over its limit."""

    errno = Errno.NAMETOOLONG


class NOENT(WasiError):
    """No such name."""

    errno = Errno.NOENT


class NOSYS(WasiError):
    """Not in this world."""

    errno = Errno.NOSYS


class NOTCAPABLE(WasiError):
    """A right is missing."""

    errno = Errno.NOTCAPABLE


class NOTCONN(WasiError):
    """A socket that is not connected."""

    errno = Errno.NOTCONN


class NOTDIR(WasiError):
    """No directory where one must be."""

    errno = Errno.NOTDIR


class NOTSOCK(WasiError):
    """Not a socket."""

    errno = Errno.NOTSOCK


class NOTSUP(WasiError):
    """Not supported by what the descriptor refers to."""

    errno = Errno.NOTSUP


class PERM(WasiError):
    """Outside the directory, or the directory is read-only."""

    errno = Errno.PERM


class SPIPE(WasiError):
    """A stream has no position."""

    errno = Errno.SPIPE


_ERRNOS: Final = {name: value for name, value in vars(Errno).items() if name.isupper()}


def wasi_error(number: int) -> type[WasiError]:
    """Return the class to raise for any errno of the specification but SUCCESS.

    Raises:
        ValueError: there is no such errno.
    """
    for known in WasiError.__subclasses__():
        if known.errno == number:
            return known
    for name, value in _ERRNOS.items():
        if value == number and value != Errno.SUCCESS:
            return type(name, (WasiError,), {"errno": value, "__doc__": name})
    raise ValueError(f"{number} is no failure of the specification")


def _by_host_number() -> dict[int, int]:
    table = {}
    for name, value in _ERRNOS.items():
        number = getattr(host, "E2BIG" if value == Errno.TOOBIG else f"E{name}", None)
        if number is not None and value != Errno.SUCCESS:
            table[number] = value
    # One number on Linux, two elsewhere.
    table.setdefault(host.EOPNOTSUPP, Errno.NOTSUP)
    table.setdefault(host.EWOULDBLOCK, Errno.AGAIN)
    return table


_ERRNO_BY_HOST_NUMBER = _by_host_number()


def host_errnos() -> dict[int, int]:
    """Return the WASI errno for each host errno that has one, for who maps without Python."""
    return dict(_ERRNO_BY_HOST_NUMBER)


def errno_of(error: OSError) -> int:
    """Return the WASI errno for a host error, matched by name; IO where there is no such name."""
    number = error.errno
    return Errno.IO if number is None else _ERRNO_BY_HOST_NUMBER.get(number, Errno.IO)


class ProcExit(BaseException):
    """The guest called ``proc_exit``; ``code`` is its unsigned 32-bit exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Stopped(BaseException):
    """The run was asked to stop; ``reason`` is ``"timeout"``, ``"interrupt"`` or ``"killed"``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Trap(Exception):
    """The guest trapped: its own fault, or the engine's limit.

    Attributes:
        message: the engine's text, with the wasm backtrace.
        cause: the engine's word for the cause ("unreachable", "stack overflow"), or None.
    """

    def __init__(self, message: str, cause: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause


class NotAWasiModule(ValueError):
    """What was given is no WASI preview1 module; the text says what it is and what to do."""


class foreign:
    """Guard a call into foreign code (a user's stream, a foreign filesystem, a hook).

    ``OSError`` passes. Any other ``Exception`` is handed to ``keep``, so that the embedder gets
    it after the run, and the guest gets EIO.
    """

    __slots__ = ("keep",)

    def __init__(self, keep: Callable[[Exception], None]) -> None:
        self.keep = keep

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, OSError | WasiError):
            self.keep(error)
            raise OSError(host.EIO, "foreign code failed") from error
