"""Descriptors that the native part serves too, and the table it shares with Python.

The descriptors themselves are in ``slotted``.

Theory of operation. Which numbers are open, and the rights, flags and position of each descriptor
that C serves, stand in C structs. Python's descriptors of these kinds are properties over them, so
that it does not matter who serves a call. What C opens has no Python object at first; the first
call on it that comes to Python makes one, and from then on only Python closes it. Descriptors of
all other kinds have a number in C and nothing else.

A ``NativeTable`` is that of a guest without directories; ``native_files`` adds what they need.
"""

from __future__ import annotations

from wasi_host.descriptors.slotted import NativeCapturedOutput, NativeStream, Slotted
from wasi_host.descriptors.stream import CapturedOutput, StreamDescriptor
from wasi_host.descriptors.table import DescriptorTable
from wasi_host.native import structures
from wasi_host.native.library import Library, TableMemory
from wasi_host.native.structures import Slot
from wasi_host.world.native_streams import NativeCapture, NativeInput
from wasi_host.world.streams import HostStream, Null

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar

    from wasi_host.descriptors.base import Descriptor
    from wasi_host.fs.node import Directory, Node


class NativeTable(DescriptorTable):
    """Descriptors by number, as the native part knows them.

    Args:
        lib: the shared object.
        limit: how many may be open at once.
        serves: what else is served, a sum of ``structures.SERVES_*``.

    Attributes:
        memory: the table in C.
    """

    __slots__ = ("_lib", "memory")

    #: What makes the native descriptor of one of another kind; None: there is none of this one.
    _makers: ClassVar[Mapping[type[Descriptor], Callable[[Any, Any, int], Descriptor | None]]]

    def __init__(self, lib: Library, limit: int, serves: int) -> None:
        super().__init__(limit)
        self._lib = lib
        self.memory = TableMemory(lib, limit, serves)

    def __len__(self) -> int:
        count: int = self.memory.state.count
        return count

    def untouched(self, count: int) -> bool:
        """Do as ``DescriptorTable.untouched`` does."""
        state = self.memory.state
        return state.inserted == count and state.count == count and not self.limit_hit

    def remember(self, count: int) -> bytes:
        """Return the first descriptors' state, for ``restore``."""
        descriptors = [self[fd] for fd in range(count)]
        # Those of other kinds have no state in C.
        assert all(isinstance(item, Slotted) for item in descriptors)
        return b"".join(bytes(item.slot) for item in descriptors if isinstance(item, Slotted))

    def restore(self, state: object, count: int) -> None:
        """Do as ``DescriptorTable.restore`` does."""
        self._lib.restore(self.memory.address, state, count)

    def insert(self, descriptor: Descriptor) -> int:
        """Do as ``DescriptorTable.insert`` does; of a native kind, another object stands for it."""
        fd, address = self.memory.insert()
        make = self._makers.get(type(descriptor))
        if make is not None:
            descriptor = make(self, descriptor, address) or descriptor
        self[fd] = descriptor
        return fd

    def _output(self, descriptor: CapturedOutput, address: int) -> Slotted | None:
        node = descriptor.node
        if not isinstance(node, NativeCapture):
            return None
        output = NativeCapturedOutput.__new__(NativeCapturedOutput)
        output.node = node
        slot = Slot.from_address(address)
        return self._moved(descriptor, output, slot, structures.OUTPUT, -1, node.address)

    def _stream(self, descriptor: StreamDescriptor, address: int) -> Slotted | None:
        node = descriptor.node
        slot = Slot.from_address(address)
        stream = NativeStream.__new__(NativeStream)
        stream.node = node
        if isinstance(node, NativeInput):
            return self._moved(descriptor, stream, slot, structures.INPUT, -1, node.address)
        if type(node) is Null:
            return self._moved(descriptor, stream, slot, structures.NOTHING)
        if type(node) is HostStream and node.never_waits:
            return self._moved(descriptor, stream, slot, structures.HOST_STREAM, node.fileno())
        if type(node) is HostStream and node.pipe:
            return self._moved(descriptor, stream, slot, structures.HOST_PIPE, node.fileno())
        return None  # it may have to wait, or is foreign code

    def _moved(
        self,
        descriptor: Descriptor,
        made: Slotted,
        slot: Slot,
        kind: int,
        host_fd: int = -1,
        kept: int = 0,
    ) -> Slotted:
        """Move a descriptor's state into its slot; return what stands for it from now on."""
        filetype, access = descriptor.filetype, descriptor.access
        structures.STATE.pack_into(
            slot, 0, kind, host_fd, filetype, descriptor.fdflags, descriptor.rights_base,
            descriptor.rights_inheriting, access, descriptor.position, kept,
        )  # fmt: skip
        made.attach(self.memory, slot, filetype, access)
        return made

    def close(self, fd: int) -> None:
        """Do as ``DescriptorTable.close`` does."""
        descriptor = self[fd]
        del self[fd]
        descriptor.leave()
        self._lib.quick_remove(self.memory.here, fd)
        descriptor.close()

    def renumber(self, fd: int, to: int) -> None:
        """Do as ``DescriptorTable.renumber`` does."""
        descriptor, old = self[fd], self[to]
        if fd == to:
            return
        old.leave()
        self._lib.renumber(self.memory.address, fd, to)
        self[to] = descriptor
        del self[fd]
        try:
            old.close()
        except OSError:
            return

    def take_opened(self, directory: Directory) -> Node | None:
        """Return what the native part opened in a directory and does not serve; None: nothing."""
        return None

    def close_all(self) -> None:
        """Do as ``DescriptorTable.close_all`` does."""
        # Slots are not given to others any more, and stay as long as a descriptor refers to them.
        self._lib.clear(self.memory.address)
        super().close_all()


NativeTable._makers = {
    CapturedOutput: NativeTable._output,
    StreamDescriptor: NativeTable._stream,
}
