"""The table of a guest with directories, as the native part knows it; see ``native``."""

from wasi_host.descriptors.base import FD_WRITE, Descriptor
from wasi_host.descriptors.directory import DirectoryDescriptor
from wasi_host.descriptors.file import HostFileDescriptor, MemoryFileDescriptor
from wasi_host.descriptors.native import NativeTable
from wasi_host.descriptors.slotted import Slotted
from wasi_host.descriptors.slotted_files import (
    NativeDirectory,
    NativeHostFile,
    NativeMemoryFile,
    ReadMemoryFile,
    pin,
)
from wasi_host.errors import BADF
from wasi_host.fs.host import HostDirectory, HostFile, Root
from wasi_host.fs.node import Directory, Node
from wasi_host.native import structures
from wasi_host.native.library import Library
from wasi_host.native.structures import Slot


class NativeFileTable(NativeTable):
    """Descriptors by number, host files and directories among them.

    Args:
        lib, limit, serves: as for ``NativeTable``.
    """

    __slots__ = ("_roots",)

    def __init__(self, lib: Library, limit: int, serves: int) -> None:
        super().__init__(lib, limit, serves)
        # By their addresses, which slots carry.
        self._roots: dict[int, Root] = {}

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

    def _host_file(self, descriptor: HostFileDescriptor, address: int) -> Slotted:
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

    def _host_directory(self, descriptor: DirectoryDescriptor, address: int) -> Slotted | None:
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

    def take_opened(self, directory: Directory) -> Node | None:
        """Do as ``NativeTable.take_opened`` does."""
        state = self.memory.state
        opened: int = state.opened
        if opened < 0 or type(directory) is not HostDirectory:
            return None
        state.opened = -1
        return directory.adopt(opened)

    def close_all(self) -> None:
        """Do as ``DescriptorTable.close_all`` does."""
        super().close_all()
        self._roots.clear()


NativeFileTable._makers = {
    **NativeTable._makers,
    HostFileDescriptor: NativeFileTable._host_file,
    MemoryFileDescriptor: NativeFileTable._memory_file,
    DirectoryDescriptor: NativeFileTable._host_directory,
}
