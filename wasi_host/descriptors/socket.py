"""Descriptors of sockets: granted by the embedder, or accepted by the guest."""

from typing import Final

from wasi_host.descriptors.base import FD_READ, FD_WRITE, NONBLOCK
from wasi_host.descriptors.stream import StreamDescriptor
from wasi_host.errors import INVAL, NOTCONN
from wasi_host.world.sockets import Socket
from wasi_spec.numbers import SOCKET_RIGHTS, Riflags, Rights, Roflags, Sdflags

SOCK_ACCEPT: Final = Rights.SOCK_ACCEPT
SOCK_SHUTDOWN: Final = Rights.SOCK_SHUTDOWN

_PEEK: Final = Riflags.RECV_PEEK
_WAITALL: Final = Riflags.RECV_WAITALL
_TRUNCATED: Final = Roflags.RECV_DATA_TRUNCATED
_HOW: Final = Sdflags.RD | Sdflags.WR


class SocketDescriptor(StreamDescriptor):
    """An open socket; read and written it is a stream."""

    __slots__ = ()

    node: Socket

    def __init__(
        self,
        node: Socket,
        rights_base: int,
        rights_inheriting: int = 0,
        fdflags: int = 0,
    ) -> None:
        """Take a socket.

        Args:
            node: closed with the descriptor.
            rights_base: what it may be given; less what no socket has.
            rights_inheriting: for a listener, what its connections may be given.
            fdflags: NONBLOCK or 0.
        """
        super().__init__(node, SOCKET_RIGHTS, rights_base, rights_inheriting, fdflags)

    def _tell_node(self, flags: int) -> None:
        self.node.nonblock = flags & NONBLOCK != 0

    def check_accept(self, flags: int) -> None:
        """Check that ``accept`` can be asked, before there is room made.

        Raises:
            INVAL: a connected socket; a flag other than NONBLOCK.
            NOTCAPABLE: SOCK_ACCEPT is missing.
        """
        if not self.node.listening:
            raise INVAL
        self.need(SOCK_ACCEPT)
        if flags & ~NONBLOCK:
            raise INVAL

    def accept(self, flags: int) -> "SocketDescriptor":
        """Accept a connection; it gets the inheriting rights of this descriptor.

        Args:
            flags: NONBLOCK or 0, for the connection. Whether this call waits is up to the
                listener's own NONBLOCK, as with accept4.

        Raises:
            OSError: EAGAIN: nobody is there, and NONBLOCK is set; what the host says.
            Stopped: the run was asked to stop.
        """
        self.check_accept(flags)
        return SocketDescriptor(self.node.accept(), self.rights_inheriting, 0, flags)

    def recv(self, size: int, flags: int) -> tuple[bytes, int]:
        """Receive up to ``size`` bytes; return them and ``roflags``.

        Raises:
            NOTCONN: a listener.
            NOTCAPABLE: FD_READ is missing.
            INVAL: a flag other than RECV_PEEK and RECV_WAITALL.
            OSError: EAGAIN: nothing there, and NONBLOCK is set; ECONNRESET: the peer is gone;
                what else the host says.
            Stopped: the run was asked to stop.
        """
        if self.node.listening:
            raise NOTCONN
        self.need(FD_READ)
        if flags & ~(_PEEK | _WAITALL):
            raise INVAL
        data, truncated = self.node.receive(size, flags & _PEEK != 0, flags & _WAITALL != 0)
        return data, _TRUNCATED if truncated else 0

    def send(self, data: bytes | memoryview, flags: int) -> int:
        """Send; return how much was taken.

        Raises:
            NOTCAPABLE: FD_WRITE is missing.
            INVAL: any flag: none is defined.
            OSError: EAGAIN: no room, and NONBLOCK is set; EPIPE: nobody receives; ECONNRESET:
                the peer is gone; what else the host says.
            Stopped: the run was asked to stop.
        """
        self.need(FD_WRITE)
        if flags:
            raise INVAL
        return self.node.write(data)

    def shutdown(self, how: int) -> None:
        """Close one direction or both; once more is harmless.

        Raises:
            NOTCONN: a listener; a connection that is gone.
            NOTCAPABLE: SOCK_SHUTDOWN is missing.
            INVAL: no direction, or an undefined one.
        """
        if self.node.listening:
            raise NOTCONN
        self.need(SOCK_SHUTDOWN)
        if not how or how & ~_HOW:
            raise INVAL
        self.node.shutdown(how)
