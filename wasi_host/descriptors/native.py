"""Descriptors that the native part serves too, and the table it shares with Python.

Theory of operation. Which numbers are open, and the rights, flags and position of each descriptor
that C serves, stand in C structs. Python's descriptors of these kinds are properties over them, so
that it does not matter who serves a call. What C opens has no Python object at first; the first
call on it that comes to Python makes one, and from then on only Python closes it. Descriptors of
all other kinds have a number in C and nothing else.
"""

from typing import TYPE_CHECKING, TypeAlias

from wasi_host.descriptors.base import FD_READDIR, FD_WRITE, Descriptor
from wasi_host.descriptors.directory import DirectoryDescriptor, snapshot
from wasi_host.descriptors.file import HostFileDescriptor
from wasi_host.descriptors.stream import CapturedOutput, StreamDescriptor
from wasi_host.descriptors.table import DescriptorTable
from wasi_host.errors import BADF
from wasi_host.fs.host import HostDirectory, HostFile, Root
from wasi_host.native import structures
from wasi_host.native.library import Library, TableMemory
from wasi_host.native.structures import Slot
from wasi_host.world.native_streams import NativeCapture, NativeInput
from wasi_host.world.streams import HostStream, Null

if TYPE_CHECKING:
    from array import array


class _Slotted(Descriptor):
    """What the native kinds have in common: their state stands in their slot."""

    __slots__ = ()

    memory: TableMemory
    slot: Slot

    @property
    def rights_base(self) -> int:
        """What may be done with it now."""
        rights: int = self.slot.rights_base
        return rights

    @rights_base.setter
    def rights_base(self, rights: int) -> None:
        self.slot.rights_base = rights

    @property
    def rights_inheriting(self) -> int:
        """What descriptors opened below it may be given."""
        rights: int = self.slot.rights_inheriting
        return rights

    @rights_inheriting.setter
    def rights_inheriting(self, rights: int) -> None:
        self.slot.rights_inheriting = rights

    @property
    def fdflags(self) -> int:
        """APPEND, DSYNC, NONBLOCK, RSYNC, SYNC as the guest sees them."""
        flags: int = self.slot.fdflags
        return flags

    @fdflags.setter
    def fdflags(self, flags: int) -> None:
        self.slot.fdflags = flags

    @property
    def position(self) -> int:
        """Where the next read or write happens."""
        position: int = self.slot.position
        return position

    @position.setter
    def position(self, position: int) -> None:
        self.slot.position = position

    def attach(self, memory: TableMemory, slot: Slot, filetype: int, access: int) -> None:
        """Move into a slot, whose rights, flags and position are set."""
        self.memory = memory  # type: ignore[misc]  # a slot of each subclass
        self.slot = slot  # type: ignore[misc]
        self.filetype = filetype
        self.access = access

    def leave(self) -> None:
        """Take the state out of the slot, which is about to be given to another."""
        self.slot = Slot.from_buffer_copy(self.slot)  # type: ignore[misc]


class NativeHostFile(_Slotted, HostFileDescriptor):
    """An open regular file of a host directory."""

    __slots__ = ("memory", "slot")


class NativeDirectory(_Slotted, DirectoryDescriptor):
    """An open host directory; the listing stands in the slot."""

    __slots__ = ("_lib", "memory", "slot")

    _lib: Library

    def readdir(self, buf_len: int, cookie: int) -> bytes:
        """Do as ``DirectoryDescriptor.readdir`` does."""
        self.need(FD_READDIR)
        if cookie == 0 or not self.slot.listing:
            self._list(*snapshot(self.node))
        return self._lib.listed(self.address, cookie, buf_len)

    def _list(self, blob: bytes, offsets: "array[int]") -> None:
        address, count = offsets.buffer_info()
        if not self._lib.keep_listing(self.address, blob, len(blob), address, count):
            raise MemoryError

    @property
    def address(self) -> int:
        """Where the slot lies."""
        return structures.address(self.slot)


class NativeCapturedOutput(_Slotted, CapturedOutput):
    """Standard output or error collected in memory."""

    __slots__ = ("memory", "slot")

    def write(self, data: bytes | memoryview) -> int:
        """Keep what there is room for; take all. NOTCAPABLE: FD_WRITE is missing."""
        if not self.rights_base & FD_WRITE:
            raise self.refused(FD_WRITE)
        return self.node.write(data)


class NativeStream(_Slotted, StreamDescriptor):
    """A standard stream that never waits: given input, nothing at all, a file of the host."""

    __slots__ = ("memory", "slot")


Native: TypeAlias = NativeHostFile | NativeDirectory | NativeCapturedOutput | NativeStream


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
        assert all(isinstance(item, _Slotted) for item in descriptors)
        return b"".join(bytes(item.slot) for item in descriptors if isinstance(item, _Slotted))

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
        fd, slot = self.memory.insert()
        made = self._native(descriptor, slot)
        self[fd] = descriptor if made is None else made
        return fd

    def _native(self, descriptor: Descriptor, slot: Slot) -> Native | None:
        """Return what stands for a descriptor of a kind that C serves."""
        kind = type(descriptor)
        if isinstance(descriptor, HostFileDescriptor) and kind is HostFileDescriptor:
            file = NativeHostFile.__new__(NativeHostFile)
            node = file.node = descriptor.node
            slot.readonly = node.readonly
            return self._moved(descriptor, file, slot, structures.HOST_FILE, node.fd)
        if isinstance(descriptor, DirectoryDescriptor) and kind is DirectoryDescriptor:
            return self._native_directory(descriptor, slot)
        if isinstance(descriptor, CapturedOutput) and isinstance(descriptor.node, NativeCapture):
            output = NativeCapturedOutput.__new__(NativeCapturedOutput)
            output.node = descriptor.node
            kept = descriptor.node.address
            return self._moved(descriptor, output, slot, structures.OUTPUT, -1, kept)
        if isinstance(descriptor, StreamDescriptor) and kind is StreamDescriptor:
            return self._native_stream(descriptor, slot)
        return None

    def _native_directory(self, descriptor: DirectoryDescriptor, slot: Slot) -> Native | None:
        node = descriptor.node
        if not isinstance(node, HostDirectory) or node.root is None:
            return None
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

    def _native_stream(self, descriptor: StreamDescriptor, slot: Slot) -> Native | None:
        node = descriptor.node
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
        if isinstance(descriptor, _Slotted):
            descriptor.leave()
        self._lib.remove(self.memory.address, fd)
        descriptor.close()

    def renumber(self, fd: int, to: int) -> None:
        """Do as ``DescriptorTable.renumber`` does."""
        descriptor, old = self[fd], self[to]
        if fd == to:
            return
        if isinstance(old, _Slotted):
            old.leave()
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

