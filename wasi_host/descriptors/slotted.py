"""Descriptors that the native part serves too: properties over the state of a slot in C.

Here are those that every guest has; those of files and directories are in ``slotted_files``.
"""

from wasi_host.descriptors.base import FD_WRITE, Descriptor
from wasi_host.descriptors.stream import CapturedOutput, StreamDescriptor
from wasi_host.native.library import TableMemory
from wasi_host.native.structures import Slot


class Slotted(Descriptor):
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


class NativeCapturedOutput(Slotted, CapturedOutput):
    """Standard output or error collected in memory."""

    __slots__ = ("memory", "slot")

    def write(self, data: bytes | memoryview) -> int:
        """Keep what there is room for; take all. NOTCAPABLE: FD_WRITE is missing."""
        if not self.rights_base & FD_WRITE:
            raise self.refused(FD_WRITE)
        return self.node.write(data)


class NativeStream(Slotted, StreamDescriptor):
    """A standard stream: given input, nothing at all, a file or pipe of the host."""

    __slots__ = ("memory", "slot")
