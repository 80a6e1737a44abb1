"""What changes in the calls where the native part serves some of them."""

from wasi_host.descriptors.native import NativeTable
from wasi_host.fs.node import Directory, Node
from wasi_host.preview1.path import PathCalls
from wasi_host.preview1.process import ProcessCalls


class NativeCalls(ProcessCalls, PathCalls):
    """The calls that share something with the native part besides descriptors.

    Arguments and environment that come later than the table (a pool's) are handed over when a
    guest first asks for their sizes: most that end after some microseconds never do.
    """

    __slots__ = ()

    @property
    def _table(self) -> NativeTable:
        assert isinstance(self.fds, NativeTable)
        return self.fds

    @property
    def native(self) -> int:
        """The address of the table that the native part may serve from."""
        address: int = self.fds.memory.address  # type: ignore[attr-defined]  # asked in each run
        return address

    def args_sizes_get(self) -> tuple[int, int]:
        """Do as ``ProcessCalls.args_sizes_get`` does; from now on the native part answers."""
        self._table.memory.set_words(self.args, self.environ)
        return super().args_sizes_get()

    def environ_sizes_get(self) -> tuple[int, int]:
        """Do as ``ProcessCalls.environ_sizes_get`` does; from now on the native part answers."""
        self._table.memory.set_words(self.args, self.environ)
        return super().environ_sizes_get()

    def _open(self, directory: Directory, path: str, mode: int, follow: bool) -> Node:
        # The native part may have opened something it does not serve (a fifo, a device): it is
        # taken over, since opening a second time would be seen at a fifo's other end.
        opened = self._table.take_opened(directory)
        if opened is not None:
            return opened
        return super()._open(directory, path, mode, follow)
