"""Descriptors that the native part serves too, and the table it shares with Python.

The descriptors themselves are in ``slotted``.

Theory of operation. Which numbers are open, and the rights, flags and position of each descriptor
that C serves, stand in C structs. Python's descriptors of these kinds are properties over them, so
that it does not matter who serves a call. What C opens has no Python object at first; the first
call on it that comes to Python makes one, and from then on only Python closes it. Descriptors of
all other kinds have a number in C and nothing else.
"""

from collections.abc import Callable
from typing import Any, Final, cast

from wasi_host.descriptors.base import FD_WRITE, Descriptor
from wasi_host.descriptors.directory import DirectoryDescriptor
from wasi_host.descriptors.file import HostFileDescriptor, MemoryFileDescriptor
from wasi_host.descriptors.slotted import (
    SLOTTED,
    Native,
    NativeCapturedOutput,
    NativeDirectory,
    NativeHostFile,
    NativeMemoryFile,
    NativeStream,
    ReadMemoryFile,
    Slotted,
    pin,
)
from wasi_host.descriptors.stream import CapturedOutput, StreamDescriptor
from wasi_host.descriptors.table import DescriptorTable
from wasi_host.errors import BADF
from wasi_host.fs.host import HostDirectory, HostFile, Root
from wasi_host.native import structures
from wasi_host.native.library import Library, TableMemory
from wasi_host.native.structures import Slot
from wasi_host.world.native_streams import NativeCapture, NativeInput
from wasi_host.world.streams import HostStream, Null


class NativeTable(DescriptorTable):
    """Descriptors by number, as the native part knows them.

    Args:
        lib: the shared object.
        limit: how many may be open at once.
        serves: what else is served, a sum of ``structures.SERVES_*``.

    Attributes:
        memory: the table in C.
    """

    __slots__ = ("_lib", "_roots", "memory")

    def __init__(self, lib: Library, limit: int, serves: int) -> None:
        super().__init__(limit)
        self._lib = lib
        self.memory = TableMemory(lib, limit, serves)
        # By their addresses, which slots carry.
        self._roots: dict[int, Root] = {}

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

    def __missing__(self, fd: int) -> Descriptor:
        slot = self.memory.find(fd)
        if slot is None:
            raise BADF
        descriptor: NativeHostFile | NativeDirectory
        if slot.kind == structures.HOST_FILE:
            descriptor = NativeHostFile.__new__(NativeHostFile)
            descriptor.node = HostFile(slot.host_fd, slot.readonly != 0)
        else:
            descriptor = self._directory()
            descriptor.name = None
            descriptor.node = HostDirectory(
                slot.host_fd, slot.readonly != 0, self._roots[slot.root]
            )
        descriptor.attach(self.memory, slot, slot.filetype, slot.access)
        slot.held = 1
        self[fd] = descriptor
        return descriptor

    def insert(self, descriptor: Descriptor) -> int:
        """Do as ``DescriptorTable.insert`` does; of a native kind, another object stands for it."""
        fd, address = self.memory.insert()
        make = _MAKERS.get(type(descriptor))
        if make is not None:
            descriptor = make(self, descriptor, address) or descriptor
        self[fd] = descriptor
        return fd

    def _host_file(self, descriptor: HostFileDescriptor, address: int) -> Native:
        slot = Slot.from_address(address)
        file = NativeHostFile.__new__(NativeHostFile)
        node = file.node = descriptor.node
        slot.readonly = node.readonly
        return self._moved(descriptor, file, slot, structures.HOST_FILE, node.fd)

    def _memory_file(self, descriptor: MemoryFileDescriptor, _: int) -> None:
        if not descriptor.access & FD_WRITE:
            ReadMemoryFile.become(descriptor, self)

    def pin(self, descriptor: ReadMemoryFile) -> None:
        """Let C read a file in memory from now on, if its bytes are all in one place."""
        fd = next((fd for fd, item in self.items() if item is descriptor), -1)
        slot = self.memory.find(fd)
        pinned = None if slot is None else pin(descriptor.node)
        if slot is None or pinned is None:
            return
        file = NativeMemoryFile.__new__(NativeMemoryFile)
        file.node, file.pin = descriptor.node, pinned
        kind = structures.MEMORY_FILE
        self[fd] = self._moved(descriptor, file, slot, kind, -1, pinned.address)

    def _output(self, descriptor: CapturedOutput, address: int) -> Native | None:
        node = descriptor.node
        if not isinstance(node, NativeCapture):
            return None
        output = NativeCapturedOutput.__new__(NativeCapturedOutput)
        output.node = node
        slot = Slot.from_address(address)
        return self._moved(descriptor, output, slot, structures.OUTPUT, -1, node.address)

    def _host_directory(self, descriptor: DirectoryDescriptor, address: int) -> Native | None:
        node = descriptor.node
        if not isinstance(node, HostDirectory) or node.root is None:
            return None
        slot = Slot.from_address(address)
        directory = self._directory()
        directory.node = node
        directory.name = descriptor.name
        slot.readonly = node.readonly
        slot.root = id(node.root)
        slot.root_device, slot.root_inode = node.root.identity
        self._roots[id(node.root)] = node.root
        if descriptor.name is not None:
            slot.name = descriptor.name
            slot.name_length = len(descriptor.name)
        return self._moved(descriptor, directory, slot, structures.HOST_DIRECTORY, node.fd)

    def _directory(self) -> NativeDirectory:
        directory = NativeDirectory.__new__(NativeDirectory)
        directory._lib = self._lib
        directory.blob = directory.offsets = None
        return directory

    def _stream(self, descriptor: StreamDescriptor, address: int) -> Native | None:
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
        return None  # it may have to wait, or is foreign code

    def _moved(
        self,
        descriptor: Descriptor,
        made: Native,
        slot: Slot,
        kind: int,
        host_fd: int = -1,
        kept: int = 0,
    ) -> Native:
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
        _leave(descriptor)
        self._lib.quick_remove(self.memory.here, fd)
        descriptor.close()

    def renumber(self, fd: int, to: int) -> None:
        """Do as ``DescriptorTable.renumber`` does."""
        descriptor, old = self[fd], self[to]
        if fd == to:
            return
        _leave(old)
        self._lib.renumber(self.memory.address, fd, to)
        self[to] = descriptor
        del self[fd]
        try:
            old.close()
        except OSError:
            return

    def close_all(self) -> None:
        """Do as ``DescriptorTable.close_all`` does."""
        # Slots are not given to others any more, and stay as long as a descriptor refers to them.
        self._lib.clear(self.memory.address)
        super().close_all()
        self._roots.clear()


def _leave(descriptor: Descriptor) -> None:
    # ``isinstance`` of an abstract class takes ten times as long.
    if type(descriptor) in SLOTTED:
        cast("Slotted", descriptor).leave()


#: What makes the native descriptor of one of another kind; None: there is none of this one.
_MAKERS: Final[dict[type[Descriptor], Callable[[NativeTable, Any, int], Descriptor | None]]] = {
    HostFileDescriptor: NativeTable._host_file,
    MemoryFileDescriptor: NativeTable._memory_file,
    DirectoryDescriptor: NativeTable._host_directory,
    CapturedOutput: NativeTable._output,
    StreamDescriptor: NativeTable._stream,
}
