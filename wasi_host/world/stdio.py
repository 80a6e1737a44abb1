"""What an embedder may give as a standard stream, and the streams made of Python objects.

Whatever a user's object raises besides ``OSError``, the guest sees EIO, and the exception is
appended to ``failures`` for the embedder. A user's object gets copies of what the guest wrote. One
that blocks is ended only when its call returns.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
from subprocess import DEVNULL, PIPE, STDOUT

from wasi_host.errors import foreign
from wasi_host.world.native_streams import NativeCapture, NativeInput
from wasi_host.world.streams import (
    BytesInput,
    Capture,
    Closed,
    HostStream,
    Null,
    WorldStream,
    host_error,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Final, Protocol, TypeAlias

    from wasi_host.native.library import Library
    from wasi_host.world.scheduler import Scheduler
else:
    Protocol = object


class HasFileno(Protocol):
    """Anything on a host descriptor: a file, a socket, a pipe's end."""

    def fileno(self) -> int:
        """Return the host descriptor."""


if TYPE_CHECKING:
    #: What may be given as a standard stream; ``open_stream`` says what each means.
    StreamSource: TypeAlias = (
        int
        | bytes
        | bytearray
        | memoryview
        | str
        | os.PathLike[str]
        | HasFileno
        | IO[bytes]
        | IO[str]
        | Callable[[int], bytes]
        | Callable[[bytes], object]
        | None
    )
else:
    StreamSource = object

_STDIN: Final = 0
_STDERR: Final = 2
_NAMES: Final = ("stdin", "stdout", "stderr")


class CallableInput(WorldStream):
    """Input from ``f(size) -> bytes``; empty means the end. More than asked for is kept."""

    __slots__ = ("_guard", "_read", "_rest")

    def __init__(self, read: Callable[[int], object], failures: list[Exception]) -> None:
        self._read = read
        self._guard = foreign(failures.append)
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            OSError: EIO: the function failed or returned no bytes; its own ``OSError``.
        """
        if not size:
            return b""
        data = self._rest
        if not data:
            with self._guard:
                data = self.convert(self._read(size))
        self._rest = data[size:]
        return data[:size]

    def convert(self, answer: object) -> bytes:
        """Make bytes of what the function returned."""
        if isinstance(answer, bytes | bytearray | memoryview):
            return bytes(answer)
        raise TypeError(f"expected bytes as input, got {type(answer).__name__}")

    def readable(self) -> tuple[int, bool]:
        """Return what is kept, else 1: only reading tells."""
        return len(self._rest) or 1, False


class FileObjectInput(CallableInput):
    """Input from a Python file object without a host descriptor, binary or text."""

    __slots__ = ("_encoding", "_errors")

    def __init__(self, file: object, failures: list[Exception], encoding: str, errors: str) -> None:
        # read1 returns what is there; read would wait until there is as much as asked for.
        super().__init__(getattr(file, "read1", None) or file.read, failures)  # type: ignore[attr-defined]
        self._encoding = encoding
        self._errors = errors

    def convert(self, answer: object) -> bytes:
        """Encode text; None is a raw file's word for nothing there yet (EAGAIN)."""
        if answer is None:
            raise host_error(errno.EAGAIN)
        if isinstance(answer, str):
            return answer.encode(self._encoding, self._errors)
        return super().convert(answer)


class CallableOutput(WorldStream):
    """Output to ``f(bytes)``, whose return value does not matter."""

    __slots__ = ("_guard", "_write")

    def __init__(self, write: Callable[[bytes], object], failures: list[Exception]) -> None:
        self._write = write
        self._guard = foreign(failures.append)

    def write(self, data: bytes | memoryview) -> int:
        """Hand over a copy.

        Raises:
            OSError: EIO: the function failed; its own ``OSError``.
        """
        with self._guard:
            self._write(bytes(data))
        return len(data)


class FileObjectOutput(WorldStream):
    """Output to a Python file object without a host descriptor, binary or text.

    Text is decoded as it comes; what becomes of bytes that are none, ``errors`` says. ``close``
    flushes, and never closes the user's object; it can be written to afterwards, since two
    streams may share it.
    """

    __slots__ = ("_decoder", "_flush", "_guard", "_write")

    def __init__(
        self, file: object, failures: list[Exception], encoding: str, errors: str = "replace"
    ) -> None:
        self._write: Callable[[object], object] = file.write  # type: ignore[attr-defined]
        self._flush: Callable[[], object] | None = getattr(file, "flush", None)
        self._guard = foreign(failures.append)
        text = isinstance(file, io.TextIOBase) or hasattr(file, "encoding")
        self._decoder = codecs.getincrementaldecoder(encoding)(errors) if text else None

    def write(self, data: bytes | memoryview) -> int:
        """Write all, in several calls where the object takes less at once.

        Raises:
            OSError: EIO: the object failed; its own ``OSError``.
        """
        with self._guard:
            rest = bytes(data)
            if self._decoder is not None:
                self._write(self._decoder.decode(rest))
                return len(data)
            while rest:
                taken = self._write(rest)
                # A raw file says how much it took; many objects say nothing.
                if not isinstance(taken, int) or not 0 < taken < len(rest):
                    break
                rest = rest[taken:]
        return len(data)

    def close(self) -> None:
        """Write what is left of a cut character, and flush."""
        with self._guard:
            if self._decoder is not None:
                rest = self._decoder.decode(b"", True)
                if rest:
                    self._write(rest)
            if self._flush is not None:
                self._flush()


def open_stream(
    source: StreamSource,
    number: int,
    *,
    scheduler: Scheduler,
    failures: list[Exception],
    stdout: WorldStream | None = None,
    limit: int | None = None,
    encoding: str = "utf-8",
    errors: str | None = None,
    native: Library | None = None,
) -> WorldStream:
    """Return the standard stream an embedder means.

    Args:
        source: None: the process's own; ``PIPE``: captured (as stdin: empty); ``DEVNULL``;
            ``STDOUT`` (as stderr); an int: a host descriptor; an object with a ``fileno``; a
            path: opened here, truncated for output; any file object; a function, ``f(size) ->
            bytes`` or ``f(bytes)``. For stdin, bytes and str are the input itself; for the
            others, str is a path.
        number: 0, 1 or 2.
        scheduler: where the stream waits.
        failures: takes what a user's object raises.
        stdout: for ``STDOUT``, the stream of number 1.
        limit: for ``PIPE``, how many bytes are kept; None: all.
        encoding: of text given as input, and of text file objects.
        errors: what becomes of text that cannot be encoded, and of output to a text file object
            that cannot be decoded, as in ``str.encode``. None: ``"strict"`` for input, since
            the embedder can mend it, and ``"replace"`` for output, which the guest decides.
        native: the native part, where it serves the guest.

    Raises:
        OSError: the path cannot be opened, or the descriptor is not open.
        TypeError: nothing that can be a stream.
        ValueError: ``STDOUT`` for something else than stderr.
    """
    if source is None:
        return _inherited(number, scheduler)
    if isinstance(source, int):
        if source == PIPE:
            if not number:
                return Null()
            return Capture(limit) if native is None else NativeCapture(native, limit)
        if source == DEVNULL:
            return Null()
        if source == STDOUT:
            if number != _STDERR or stdout is None:
                raise ValueError("STDOUT can only be used for stderr")
            return stdout.duplicate() if isinstance(stdout, HostStream) else stdout
        return _on_descriptor(source, number, scheduler)
    if isinstance(source, bytes | bytearray | memoryview) and number == _STDIN:
        return _given(bytes(source), native)
    if isinstance(source, str) and number == _STDIN:
        return _given(source.encode(encoding, errors or "strict"), native)
    if isinstance(source, str | os.PathLike):
        return _opened(source, number, scheduler)
    return _of_object(source, number, scheduler, failures, encoding, errors)


def _given(data: bytes, native: Library | None) -> BytesInput:
    return BytesInput(data) if native is None else NativeInput(data)


def _inherited(number: int, scheduler: Scheduler) -> WorldStream:
    try:
        return _on_descriptor(number, number, scheduler)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        return Closed()


def _on_descriptor(fd: int, number: int, scheduler: Scheduler, owned: bool = False) -> HostStream:
    return HostStream(
        fd,
        readable=number == _STDIN,
        writable=number != _STDIN,
        scheduler=scheduler,
        owned=owned,
    )


def _opened(path: str | os.PathLike[str], number: int, scheduler: Scheduler) -> HostStream:
    flags = os.O_RDONLY if number == _STDIN else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    fd = os.open(path, flags | os.O_CLOEXEC | os.O_NOCTTY, 0o666)
    try:
        return _on_descriptor(fd, number, scheduler, owned=True)
    except BaseException:
        os.close(fd)
        raise


def _fileno(source: object) -> int | None:
    try:
        fd = source.fileno()  # type: ignore[attr-defined]
    except (AttributeError, io.UnsupportedOperation):
        return None
    return fd if isinstance(fd, int) else None


def _of_object(
    source: object,
    number: int,
    scheduler: Scheduler,
    failures: list[Exception],
    encoding: str,
    errors: str | None,
) -> WorldStream:
    output = number != _STDIN
    fd = _fileno(source)
    if fd is not None:
        # What the embedder wrote before comes before what the guest writes.
        if output and hasattr(source, "flush"):
            source.flush()
        return _on_descriptor(fd, number, scheduler)
    if hasattr(source, "write" if output else "read"):
        if output:
            return FileObjectOutput(source, failures, encoding, errors or "replace")
        return FileObjectInput(source, failures, encoding, errors or "strict")
    if callable(source):
        return (CallableOutput if output else CallableInput)(source, failures)
    raise TypeError(
        f"{_NAMES[number]} cannot be {type(source).__name__}: give None, PIPE, DEVNULL, a "
        f"descriptor, a path, a file object or a function"
    )
