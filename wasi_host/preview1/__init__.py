"""The 46 calls over plain values: ints, str paths, bytes; they return values or raise.

For each row of ``wasi_spec.FUNCTIONS`` there is a method of its name, whose parameters are the
row's: an iovec array is ``size`` (how much there is room for), a ciovec array ``data``, a
buffer to fill only its length. Enum values, flags and texts were checked before; ``data`` may
be valid only during the call, so who keeps it copies it. Guest memory and engines are unknown
here.
"""

from __future__ import annotations

from wasi_host.descriptors.native import NativeTable
from wasi_host.descriptors.table import OPEN_FILES, DescriptorTable
from wasi_host.native import structures
from wasi_host.preview1.fd import FdCalls
from wasi_host.preview1.native import NativeCalls
from wasi_host.preview1.path import PathCalls
from wasi_host.preview1.poll import PollCalls
from wasi_host.preview1.process import ProcessCalls
from wasi_host.preview1.sock import SockCalls
from wasi_host.preview1.state import State, encode_args, encode_environ
from wasi_host.world.clocks import Clocks
from wasi_host.world.randomness import Randomness
from wasi_host.world.scheduler import Scheduler
from wasi_spec.numbers import ALL_RIGHTS, SOCKET_RIGHTS

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wasi_host.descriptors.base import Descriptor
    from wasi_host.fs.node import Directory, FileSystem
    from wasi_host.native.library import Library
    from wasi_host.world.sockets import SocketSource

__all__ = ["Preview1", "State", "encode_args", "encode_environ"]


class Preview1(ProcessCalls, FdCalls, PathCalls, PollCalls, SockCalls):
    """All calls of WASI preview1 for one instance."""

    __slots__ = ()

    @classmethod
    def for_run(
        cls,
        stdio: Iterable[Descriptor],
        preopens: Sequence[tuple[str | bytes, Directory | FileSystem]] = (),
        *,
        args: list[bytes] | None = None,
        environ: list[bytes] | None = None,
        clocks: Clocks | None = None,
        scheduler: Scheduler | None = None,
        randomness: Randomness | None = None,
        rights: int = ALL_RIGHTS,
        strict: bool = False,
        open_files: int = OPEN_FILES,
        sockets: Iterable[SocketSource] = (),
        native: Library | None = None,
    ) -> Preview1:
        """Return the calls for one run, with its standard streams and directories open.

        Args:
            stdio: the descriptors 0, 1, 2; closed with the instance.
            preopens: guest name and directory for the descriptors from 3 on, in this order. A
                filesystem is asked for its root; a directory is closed with the instance.
            args: the command line, as ``encode_args`` returns it.
            environ: the environment, as ``encode_environ`` returns it.
            clocks: the host's by default.
            scheduler: a new one over ``clocks`` by default.
            randomness: the host's by default.
            rights: what the embedder grants, a set of ``wasi_spec.Rights``.
            strict: whether ``path_open`` gives exactly the rights asked for.
            open_files: how many descriptors may be open; what is given here counts.
            sockets: for the numbers after all directories: wasi-libc looks for directories up
                to the first number that is none. The embedder's stay open.
            native: the native part, where an engine calls it for this run.

        Raises:
            TypeError, ValueError: a socket is none, or cannot be used.
            ValueError: a guest name holds a NUL or a lone surrogate.
            OSError: a filesystem's root cannot be opened; what was opened here is closed.
        """
        if clocks is None:
            clocks = Clocks()
        if scheduler is None:
            scheduler = Scheduler(clocks)
        if randomness is None:
            randomness = Randomness()
        fds = DescriptorTable(open_files)
        if native is not None:
            cls = NativePreview1
            served = _served(clocks, randomness, strict)
            if preopens:
                # Loaded where a guest has directories: it brings the filesystems with it.
                from wasi_host.preview1.preopens import native_table

                table: NativeTable = native_table(native, open_files, served)
            else:
                table = NativeTable(native, open_files, served)
            if args:
                table.memory.set_words(args, environ or ())
            fds = table
        for descriptor in stdio:
            if rights != ALL_RIGHTS:
                descriptor.rights_base &= rights
            fds.insert(descriptor)
        opened = _open_sockets(sockets, rights, scheduler) if sockets else []
        try:
            if preopens:
                from wasi_host.preview1.preopens import open_preopens

                open_preopens(fds, preopens, rights)
        except BaseException:
            for descriptor in opened:
                descriptor.close()
            raise
        for descriptor in opened:
            fds.insert(descriptor)
        return cls(
            fds,
            [] if args is None else args,
            [] if environ is None else environ,
            clocks,
            scheduler,
            randomness,
            strict,
        )


def _open_sockets(
    sockets: Iterable[SocketSource], rights: int, scheduler: Scheduler
) -> list[Descriptor]:
    # Few guests have any, and loading what serves them takes 2 ms.
    from wasi_host.descriptors.socket import SocketDescriptor
    from wasi_host.world.sockets import open_sockets

    granted = SOCKET_RIGHTS & rights
    return [
        SocketDescriptor(node, granted, granted if node.listening else 0)
        for node in open_sockets(sockets, scheduler)
    ]


class NativePreview1(NativeCalls, Preview1):
    """All calls, for an engine whose calls the native part sees first."""

    __slots__ = ()


def _served(clocks: Clocks, randomness: Randomness, strict: bool) -> int:
    """Return what the native part may serve besides descriptors."""
    return (
        (structures.SERVES_CLOCKS if type(clocks) is Clocks else 0)
        | (structures.SERVES_RANDOM if type(randomness) is Randomness else 0)
        | (0 if strict else structures.SERVES_OPEN)
    )
