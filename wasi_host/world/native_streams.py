"""Captured output and given input whose bytes lie where the native part reaches them.

A guest's thread may append to captured output while another thread looks at it: the C functions
lock it for the few instructions that takes.
"""

from __future__ import annotations

import errno
import sys

from wasi_host.native.structures import Bytes, address
from wasi_host.world.streams import BytesInput, Capture, host_error

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

    from wasi_host.native.library import Library

_UNLIMITED: Final = sys.maxsize


class NativeCapture(Capture):
    """Output collected in memory of the native part's.

    Attributes:
        state: the struct; ``room`` of it is how many bytes more are kept.
        address: where it lies.
    """

    __slots__ = ("_lib", "address", "state")

    def __init__(self, lib: Library, limit: int | None = None) -> None:
        # Not through super(): there is no buffer here, and short runs are many.
        self._lib = lib
        self.limit = _UNLIMITED if limit is None else limit
        self.truncated = False
        state = self.state = Bytes()
        state.room = self.limit
        self.address = address(state)

    def renew(self) -> None:
        """Begin again, with nothing kept."""
        if self.state.length:
            self._lib.release(self.address)
        self.truncated = False

    def write(self, data: bytes | memoryview) -> int:
        """Keep what there is room for; take all.

        Raises:
            OSError: ENOMEM: the host has no memory left; nothing was kept.
        """
        data = bytes(data)
        room = self.state.room
        if len(data) > room:
            self.truncated = True
        kept = data[:room]
        if kept and not self._lib.append(self.address, kept, len(kept)):
            raise host_error(errno.ENOMEM)
        return len(data)

    def getvalue(self) -> bytes:
        """Return what was kept."""
        if not self.state.length:
            return b""
        return self._lib.captured(self.address, self.state)

    def result(self) -> bytes:
        """Do as ``Capture.result`` does."""
        return self._lib.kept(self.state) if self.state.length else b""

    def __del__(self) -> None:
        if self.state.capacity:
            self._lib.release(self.address)


class NativeInput(BytesInput):
    """Input that is there from the start, read by the native part at the same position."""

    __slots__ = ("address", "state")

    def __init__(self, data: bytes) -> None:
        self.state = Bytes()
        self.address = address(self.state)
        self._data = b""
        self.renew(data)

    def renew(self, data: bytes) -> None:
        """Begin again, with other input."""
        state = self.state
        if data is self._data and not state.position:
            return
        self._data = data
        state.data = data  # keeps the bytes where they are
        state.length = len(data)
        state.position = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes; none at the end."""
        start = self.state.position
        data = self._data[start : start + size]
        self.state.position = start + len(data)
        return data

    def readable(self) -> tuple[int, bool]:
        """Return what is left; at the end also gone."""
        left = len(self._data) - self.state.position
        return left, not left
