"""The calls on sockets."""

from wasi_host.preview1.state import State


class SockCalls(State):
    """Calls on sockets; all raise BADF for what is not open and NOTSOCK for what is no socket."""

    __slots__ = ()

    def sock_accept(self, fd: int, flags: int) -> int:
        """Accept a connection, like accept4; return the lowest free number.

        Raises:
            MFILE: no room for one more descriptor; no connection was taken.
        """
        listener = self.fds[fd]
        listener.check_accept(flags)
        self.fds.check_room()
        return self.fds.insert(listener.accept(flags))

    def sock_recv(self, fd: int, size: int, ri_flags: int) -> tuple[bytes, int]:
        """Receive up to ``size`` bytes, like recvmsg; return them and the flags of the answer."""
        return self.fds[fd].recv(size, ri_flags)

    def sock_send(self, fd: int, data: bytes | memoryview, si_flags: int) -> int:
        """Send, like sendmsg; return how many bytes were taken."""
        return self.fds[fd].send(data, si_flags)

    def sock_shutdown(self, fd: int, how: int) -> None:
        """Close one or both directions, like shutdown."""
        self.fds[fd].shutdown(how)
