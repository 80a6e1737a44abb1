"""Sockets an embedder grants, and the connections a guest accepts on them.

Theory of operation. A granted socket is shared with the embedder: it is duplicated (closing it on
one side leaves the other alone) and never made non-blocking, for that would change it for both.
Every call is first made with MSG_DONTWAIT; where the host says EAGAIN and the guest did not ask
for that, the instance waits for the descriptor and its wake descriptor, and tries again.

``accept`` has no such flag, so on a blocking listener it is made only once ``poll`` says that
somebody is there. Runs of this process take turns with the two calls, so that none takes a
connection another one has just seen. What no turn prevents: another process (or the embedder's
own ``accept``) takes it in between; then the call blocks until the next connection, out of reach
of a deadline. Who shares a listener so sets it non-blocking, and the race is gone.
"""

import _socket
import errno
import os
import sys
from _socket import (
    MSG_DONTWAIT,
    MSG_PEEK,
    MSG_TRUNC,
    SO_ACCEPTCONN,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
)

# The module ``socket`` costs 2 ms at its import; its class is derived from this one.
from _socket import socket as HostSocket
from collections.abc import Iterable
from fcntl import ioctl
from select import POLLIN, poll
from termios import FIONREAD
from threading import Lock
from typing import Final, Literal, TypeAlias

from wasi_host.world.scheduler import HANGUP, READ, WRITE, Scheduler
from wasi_host.world.streams import WorldStream, host_error
from wasi_spec.numbers import Filetype, Sdflags

#: What may be given in ``sockets=``: a socket, or its host descriptor.
SocketSource: TypeAlias = HostSocket | int

_STREAM: Final = Filetype.SOCKET_STREAM
_DGRAM: Final = Filetype.SOCKET_DGRAM
_RD: Final = Sdflags.RD
_BOTH: Final = Sdflags.RD | Sdflags.WR

# Both Linux's; elsewhere Python ignores SIGPIPE, and a default timeout is the embedder's loss.
_NO_SIGNAL: Final[int] = getattr(_socket, "MSG_NOSIGNAL", 0)
_NO_WAITING: Final[int] = getattr(_socket, "SOCK_NONBLOCK", 0)
#: The most that one call asks for: it is allocated first.
_READ_SIZE: Final = 1 << 20

#: For how long one run waits for another's turn before it looks whether it was stopped.
_PATIENCE_S: Final = 0.01
#: One lock for each of so many listeners; two that share one only wait microseconds.
_turns = [Lock() for _ in range(16)]


def _renew_turns() -> None:
    _turns[:] = [Lock() for _ in _turns]


# A child must not wait for a thread that exists in its parent only.
os.register_at_fork(after_in_child=_renew_turns)


def _adopt(fd: int) -> HostSocket:
    """Return a Python socket that owns a descriptor; O_NONBLOCK stays as it is.

    Raises:
        OSError: it is no socket; the descriptor is closed.
    """
    blocking = os.get_blocking(fd)
    try:
        # The kind is no matter here but for its flag: with it Python neither sets O_NONBLOCK
        # (which it does where a default timeout is set) nor ever waits on its own.
        adopted = HostSocket(-1, SOCK_STREAM | _NO_WAITING, -1, fd)
    except BaseException:
        os.close(fd)
        raise
    if os.get_blocking(fd) != blocking:
        os.set_blocking(fd, blocking)
    return adopted


class Socket(WorldStream):
    """A listening or connected socket.

    Attributes:
        filetype: SOCKET_STREAM or SOCKET_DGRAM.
        listening: whether connections are accepted on it; else it is connected.
        nonblock: whether the guest set NONBLOCK: EAGAIN instead of waiting.
    """

    # `filetype` is each socket's own here.
    __slots__ = ("_pending", "_scheduler", "_shut", "_socket", "_turn", "filetype", "listening",
                 "nonblock")  # fmt: skip

    def __init__(
        self, own: HostSocket, filetype: int, listening: bool, scheduler: Scheduler
    ) -> None:
        """Take a socket.

        Args:
            own: closed by ``close``.
            filetype: what the guest is told.
            listening: whether connections are accepted on it.
            scheduler: where to wait.
        """
        self.filetype = filetype
        self.listening = listening
        self.nonblock = False
        self._socket = own
        self._scheduler = scheduler
        # The error that ended a call which had done some of its work: the next call's.
        self._pending = 0
        # The directions this side has shut down, as Sdflags.
        self._shut = 0
        self._turn = os.fstat(own.fileno()).st_ino % len(_turns) if listening else 0

    def fileno(self) -> int:
        """Return the host descriptor."""
        return self._socket.fileno()

    # Connections.

    def accept(self) -> "Socket":
        """Accept a connection; wait until there is one.

        Raises:
            OSError: EAGAIN: nobody is there, and the guest asked not to wait; what the host says.
            Stopped: the run was asked to stop.
        """
        self._scheduler.check()
        while True:
            fd = self._accept_now()
            if fd is not None:
                return Socket(_adopt(fd), self.filetype, False, self._scheduler)
            self._wait("read")

    def _accept_now(self) -> int | None:
        """Return a connection's descriptor; None: nobody is there, or it is not our turn."""
        turn = _turns[self._turn]
        if not turn.acquire(timeout=_PATIENCE_S):
            return None
        try:
            if not self._events(POLLIN):
                return None
            fd: int = self._socket._accept()[0]  # type: ignore[attr-defined]
        except BlockingIOError:
            return None
        finally:
            turn.release()
        return fd

    # Data.

    def read(self, size: int) -> bytes:
        """Read what is there, as ``receive`` does."""
        return self.receive(size)[0]

    def receive(self, size: int, peek: bool = False, whole: bool = False) -> tuple[bytes, bool]:
        """Receive; wait only while there is nothing.

        Args:
            size: how many bytes at most.
            peek: leave them there for the next call.
            whole: wait until there are ``size`` bytes, or the end, or an error; with ``peek``
                and for datagrams it does nothing, as POSIX allows.

        Returns:
            The bytes, none at the end; and whether the rest of a datagram was lost.

        Raises:
            OSError: EAGAIN: nothing there, and the guest asked not to wait; ENOTCONN: a
                listener; ECONNRESET: the peer is gone; what else the host says.
            Stopped: the run was asked to stop.
        """
        if self.listening:
            # What Linux says of TCP; of Unix sockets it says EINVAL.
            raise host_error(errno.ENOTCONN)
        if not size:
            return b"", False
        self._raise_pending()
        data, truncated = self._receive(size, MSG_PEEK if peek else 0)
        if whole and not peek and self.filetype == _STREAM and data:
            data = self._fill(data, size)
        return data, truncated

    def _receive(self, size: int, flags: int) -> tuple[bytes, bool]:
        size = min(size, _READ_SIZE)
        self._scheduler.check()
        while True:
            try:
                data, _, answer, _ = self._socket.recvmsg(size, 0, MSG_DONTWAIT | flags)
            except BlockingIOError:
                if self._shut & _RD:
                    # With MSG_DONTWAIT Linux says EAGAIN for ever of a UDP socket shut down.
                    return b"", False
                self._wait("read")
            else:
                return data, answer & MSG_TRUNC != 0

    def _fill(self, first: bytes, size: int) -> bytes:
        """Return ``first`` and what follows, until it is ``size`` bytes or no more comes."""
        data = bytearray(first)
        while len(data) < size:
            try:
                part, _ = self._receive(size - len(data), 0)
            except OSError as error:
                self._keep(error)
                break
            if not part:
                break
            data += part
        return bytes(data)

    def write(self, data: bytes | memoryview) -> int:
        """Send all; less where the guest asked not to wait, or where the host fails midway.

        A datagram socket sends one datagram, an empty one for no data.

        Raises:
            OSError: EAGAIN: no room, and the guest asked not to wait; EPIPE: the peer reads no
                more (there is no SIGPIPE), or a TCP listener; ECONNRESET: the peer is gone;
                what else the host says.
            Stopped: the run was asked to stop.
        """
        self._raise_pending()
        self._scheduler.check()
        rest = memoryview(data)
        size = len(rest)
        done = 0
        while True:
            try:
                done += self._send(rest[done:])
            except OSError as error:
                if not done:
                    raise
                self._keep(error)
                return done
            if done >= size:
                return done

    def _send(self, data: memoryview) -> int:
        while True:
            try:
                return self._socket.send(data, MSG_DONTWAIT | _NO_SIGNAL)
            except BlockingIOError:
                self._wait("write")

    def _keep(self, error: OSError) -> None:
        # As in POSIX: what was done counts, the error comes with the next call. The host tells
        # of a reset only once.
        if error.errno != errno.EAGAIN:
            self._pending = error.errno or errno.EIO

    def _raise_pending(self) -> None:
        number, self._pending = self._pending, 0
        if number:
            raise host_error(number)

    def _wait(self, direction: Literal["read", "write"]) -> None:
        """Wait for the descriptor, or refuse to (EAGAIN) if the guest said so."""
        if self.nonblock:
            raise host_error(errno.EAGAIN)
        self._scheduler.wait([(self.fileno(), direction)], None)

    # Readiness.

    def _events(self, wanted: int) -> int:
        poller = poll()
        poller.register(self.fileno(), wanted)
        return next((happened for _, happened in poller.poll(0)), 0)

    def read_ready(self) -> bool:
        """Tell whether receiving, or accepting, would not wait."""
        return self._pending != 0 or self._events(READ) != 0

    def write_ready(self) -> bool:
        """Tell whether sending would not wait."""
        return self._pending != 0 or self._events(WRITE) != 0

    def readable(self) -> tuple[int, bool]:
        """Return how many bytes there are, 1 for a listener, and whether the peer is gone."""
        gone = self._pending != 0 or self._events(READ) & HANGUP != 0
        if self.listening:
            return 1, gone
        try:
            answer = ioctl(self.fileno(), FIONREAD, bytes(4))
        except OSError:
            return 1, gone
        waiting = int.from_bytes(answer, sys.byteorder)
        # Ready and nothing there is the end of a stream, but an empty datagram.
        return waiting, gone or (not waiting and self.filetype == _STREAM)

    def writable(self) -> tuple[int, bool]:
        """Return 1, since the room is not known, and whether the peer is gone."""
        return 1, self._pending != 0 or self._events(WRITE) & HANGUP != 0

    # The end.

    def shutdown(self, how: int) -> None:
        """Shut down one direction or both; once more is harmless.

        Args:
            how: 1: receive no more; 2: send no more; 3: both.

        Raises:
            OSError: ENOTCONN: a listener, which stays the embedder's, or a connection that is
                gone.
        """
        if self.listening:
            # Linux would end the listening, for the embedder too.
            raise host_error(errno.ENOTCONN)
        if how & ~self._shut:
            # The host counts from 0: SHUT_RD, SHUT_WR, SHUT_RDWR.
            self._socket.shutdown((how & _BOTH) - 1)
            self._shut |= how

    def close(self) -> None:
        """Close our descriptor; the embedder's stays open."""
        self._socket.close()


def open_socket(source: SocketSource, scheduler: Scheduler) -> Socket:
    """Return the socket an embedder means, over a duplicate of its descriptor.

    Args:
        source: a listening or connected stream socket, or a connected datagram socket.
        scheduler: where it waits.

    Raises:
        TypeError: neither a socket nor an int.
        ValueError: closed, no socket, of another kind, or neither listening nor connected.
        OSError: there is no host descriptor left.
    """
    fd = _descriptor(source)
    try:
        own = _adopt(os.dup(fd))
    except OSError as error:
        if error.errno == errno.EBADF:
            raise ValueError(f"sockets: {fd} is no open descriptor") from None
        if error.errno == errno.ENOTSOCK:
            raise ValueError(f"sockets: descriptor {fd} is no socket") from None
        raise
    try:
        filetype, listening = _kind(own, fd)
        return Socket(own, filetype, listening, scheduler)
    except BaseException:
        own.close()
        raise


def _descriptor(source: object) -> int:
    if isinstance(source, HostSocket):
        fd = source.fileno()
        if fd < 0:
            raise ValueError("sockets: a socket is closed")
        if hasattr(source, "unwrap"):
            raise ValueError("sockets: the guest of a TLS socket would see what is encrypted")
        return fd
    if isinstance(source, int) and not isinstance(source, bool):
        return source
    raise TypeError(f"sockets: give sockets or their descriptors, not {type(source).__name__}")


def _kind(own: HostSocket, fd: int) -> tuple[int, bool]:
    """Return the filetype, and whether it listens."""
    kind = own.getsockopt(SOL_SOCKET, SO_TYPE)
    if kind not in (SOCK_STREAM, SOCK_DGRAM):
        raise ValueError(f"sockets: descriptor {fd} is neither a stream nor a datagram socket")
    if kind == SOCK_STREAM and own.getsockopt(SOL_SOCKET, SO_ACCEPTCONN):
        return _STREAM, True
    try:
        own.getpeername()
    except OSError:
        raise ValueError(
            f"sockets: the socket on descriptor {fd} is neither listening nor connected"
        ) from None
    return (_STREAM if kind == SOCK_STREAM else _DGRAM), False


def open_sockets(sources: Iterable[SocketSource], scheduler: Scheduler) -> list[Socket]:
    """Return the sockets an embedder means; raises as ``open_socket``, with none left open."""
    opened: list[Socket] = []
    try:
        for source in sources:
            opened.append(open_socket(source, scheduler))
    except BaseException:
        for node in opened:
            node.close()
        raise
    return opened
