"""The sockets that a conformance program asks for."""

import contextlib
import socket
from collections.abc import Iterable, Iterator


@contextlib.contextmanager
def open_for(kinds: Iterable[str]) -> Iterator[list[socket.socket]]:
    """Give the sockets that ``kinds`` stands for, two each, and close them in the end.

    Args:
        kinds: ``"pair"``: both ends of a connected stream; ``"listener"``: a listening socket and
            a stream that has connected to it; ``"datagrams"``: both ends of a datagram pair.

    Raises:
        ValueError: another word.
    """
    with contextlib.ExitStack() as stack:
        sockets: list[socket.socket] = []
        for kind in kinds:
            sockets += [stack.enter_context(one) for one in _both(kind)]
        yield sockets


def _both(kind: str) -> tuple[socket.socket, socket.socket]:
    if kind == "pair":
        return socket.socketpair()
    if kind == "datagrams":
        return socket.socketpair(type=socket.SOCK_DGRAM)
    if kind == "listener":
        listener = socket.create_server(("127.0.0.1", 0))
        try:
            return listener, socket.create_connection(listener.getsockname())
        except OSError:
            listener.close()
            raise
    raise ValueError(f"sockets {kind!r} are not known")
