"""Descriptors without positions: standard streams, pipes, terminals, devices."""

from __future__ import annotations

from wasi_host.descriptors.base import (
    FD_FILESTAT_GET,
    FD_READ,
    FD_WRITE,
    NONBLOCK,
    POLL_READ,
    POLL_WRITE,
    Descriptor,
)
from wasi_host.errors import BADF, SPIPE
from wasi_host.world.streams import Capture, HostStream, WorldStream
from wasi_spec.numbers import ALL_RIGHTS, STREAM_RIGHTS, Eventrwflags, Filetype

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

    from wasi_host.fs.node import Stat, Stream

#: What a standard input, and a standard output, can have.
INPUT_RIGHTS: Final = STREAM_RIGHTS & ~FD_WRITE
OUTPUT_RIGHTS: Final = STREAM_RIGHTS & ~FD_READ

_HANGUP: Final = Eventrwflags.FD_READWRITE_HANGUP


class StreamDescriptor(Descriptor):
    """An open stream, for one direction or both."""

    __slots__ = ("node",)

    node: Stream

    def __init__(
        self,
        node: Stream,
        access: int,
        rights_base: int,
        rights_inheriting: int = 0,
        fdflags: int = 0,
    ) -> None:
        super().__init__(node.filetype, access, rights_base, rights_inheriting, fdflags)
        self.node = node
        if fdflags:
            self._tell_node(fdflags)

    def _tell_node(self, flags: int) -> None:
        if isinstance(self.node, HostStream):
            self.node.nonblock = flags & NONBLOCK != 0

    def claim_terminal(self, tty: bool) -> None:
        """Tell the guest from now on that this is, or is not, a terminal, whatever it is.

        A C library takes for a terminal what is a CHARACTER_DEVICE without FD_SEEK and FD_TELL;
        no standard stream has these.
        """
        self.filetype = int(Filetype.CHARACTER_DEVICE if tty else Filetype.UNKNOWN)

    def set_flags(self, flags: int) -> None:
        """Set APPEND, which a stream always does, and NONBLOCK.

        Raises:
            NOTCAPABLE: FD_FDSTAT_SET_FLAGS is missing.
            INVAL: DSYNC, RSYNC or SYNC would change.
        """
        super().set_flags(flags)
        self._tell_node(flags)

    def read(self, size: int) -> bytes:
        """Return between 1 and ``size`` bytes; none at the end, or where none are asked for.

        Raises:
            BADF: an output.
            NOTCAPABLE: FD_READ is missing.
            OSError: EAGAIN: nothing there and NONBLOCK is set; what the stream says.
        """
        if not self.rights_base & FD_READ:
            raise self.refused(FD_READ)
        return self.node.read(size) if size else b""

    def write(self, data: bytes | memoryview) -> int:
        """Write; return how much was taken.

        Raises:
            BADF: an input.
            NOTCAPABLE: FD_WRITE is missing.
            OSError: EPIPE: nobody reads any more; EAGAIN: no room and NONBLOCK is set; what else
                the stream says.
        """
        if not self.rights_base & FD_WRITE:
            raise self.refused(FD_WRITE)
        return self.node.write(data) if data else 0

    def pread(self, size: int, offset: int) -> bytes:
        """Raise SPIPE, BADF on an output."""
        raise SPIPE if self.access & FD_READ else BADF

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Raise SPIPE, BADF on an input."""
        raise SPIPE if self.access & FD_WRITE else BADF

    def seek(self, offset: int, whence: int) -> int:
        """Raise SPIPE: a stream has no position."""
        raise SPIPE

    def tell(self) -> int:
        """Raise SPIPE: a stream has no position."""
        raise SPIPE

    def filestat(self) -> Stat:
        """Return the attributes. NOTCAPABLE: FD_FILESTAT_GET is missing."""
        if not self.rights_base & FD_FILESTAT_GET:
            raise self.refused(FD_FILESTAT_GET)
        stat = self.node.stat()
        return (*stat[:2], self.filetype, *stat[3:])

    def poll_read(self) -> tuple[int, int] | None:
        """Tell whether a read would not wait, as ``Descriptor.poll_read``."""
        self.need(POLL_READ)
        node = self.node
        if not node.read_ready() and self._can_wait():
            return None
        nbytes, gone = node.readable() if isinstance(node, WorldStream) else (1, False)
        return nbytes, _HANGUP if gone else 0

    def poll_write(self) -> tuple[int, int] | None:
        """Tell whether a write would not wait, as ``Descriptor.poll_write``."""
        self.need(POLL_WRITE)
        node = self.node
        if not node.write_ready() and self._can_wait():
            return None
        nbytes, gone = node.writable() if isinstance(node, WorldStream) else (1, False)
        return nbytes, _HANGUP if gone else 0

    def _can_wait(self) -> bool:
        """Tell whether there is something to wait on; without it a stream counts as ready."""
        try:
            self.node.fileno()
        except OSError:
            return False
        return True

    def fileno(self) -> int:
        """Return the host descriptor to wait on."""
        return self.node.fileno()

    def close(self) -> None:
        """Close the stream."""
        self.node.close()


class CapturedOutput(StreamDescriptor):
    """Standard output or error collected in memory."""

    __slots__ = ()

    node: Capture

    def __init__(self, capture: Capture, rights_base: int = ALL_RIGHTS) -> None:
        # Past StreamDescriptor: made for each of many short runs, and this saves a quarter.
        Descriptor.__init__(self, capture.filetype, OUTPUT_RIGHTS, rights_base)
        self.node = capture

    def write(self, data: bytes | memoryview) -> int:
        """Keep what there is room for; take all. NOTCAPABLE: FD_WRITE is missing."""
        if not self.rights_base & FD_WRITE:
            raise self.refused(FD_WRITE)
        # What Capture.write does, in place: a call costs as much as all the rest.
        size = len(data)
        capture = self.node
        if size <= capture.room:
            capture.room -= size
            capture.buffer += data
            return size
        return capture.write(data)


def standard_stream(node: Stream, number: int, rights: int = ALL_RIGHTS) -> StreamDescriptor:
    """Return the descriptor of a standard stream.

    Args:
        node: what it reads from or writes to.
        number: 0: an input; else an output.
        rights: what the embedder grants; less what such a stream never has.
    """
    if type(node) is Capture and number:
        return CapturedOutput(node, rights)
    return StreamDescriptor(node, OUTPUT_RIGHTS if number else INPUT_RIGHTS, rights)
