"""What an embedder may give as a socket."""

from __future__ import annotations

from collections.abc import Iterable

from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler

TYPE_CHECKING = False

if TYPE_CHECKING:
    from wasi_host.world.sockets import SocketSource


def checked_sockets(sockets: Iterable[SocketSource]) -> tuple[SocketSource, ...]:
    """Return the sockets of ``sockets=``, each seen to be one that a guest can have.

    Raises:
        TypeError: no list, or something else in it.
        ValueError: closed, no socket, or neither listening nor connected.
    """
    if isinstance(sockets, str | bytes) or not isinstance(sockets, Iterable):
        raise TypeError(f"sockets is a list of sockets, not {type(sockets).__name__}")
    given = tuple(sockets)
    if given:
        from wasi_host.world.sockets import open_sockets

        # So that a wrong one is told now, not at the first run.
        for node in open_sockets(given, Scheduler(Clocks())):
            node.close()
    return given
