"""What names refer to in an overlay: things of the lower tree, changed or not, and new ones.

An inode of the lower tree is known by its path there (``lower``), which stays as it is wherever
the inode is moved to. ``touched`` tells that the overlay has something of its own to say about
it; one that is not touched is only remembered so that all who have it open share it.
"""

from typing import Any, Final, NamedTuple, TypeAlias

from wasi_host.fs.memory_data import FileInode, Inode, LinkInode
from wasi_host.fs.node import Stat
from wasi_host.fs.overlay_data import PartlyCopied, Seal, SharedFile, seal_of
from wasi_spec.numbers import Filetype

_DIRECTORY: Final = Filetype.DIRECTORY


class LayeredDirectory(Inode):
    """A directory: the lower one at the path ``lower``, if any, and what differs from it.

    Attributes:
        parent: the directory it is in; None for the root. It stays after a removal.
        name: its name there, the last one after a removal.
        lower: the path of its lower directory, ``""`` for the root; None where there is none
            (it was made here, and hides whatever the lower tree has at its place), and once it
            is removed.
        own: the names that are known here: to what they refer, or None for a lower name that
            is not to be seen (a whiteout).
        hidden: for each lower name that was removed, moved or replaced, what it was then.
        touched: whether its number, times and number of names are those of this inode.
        size: what its size is said to be.
    """

    __slots__ = ("hidden", "lower", "name", "own", "parent", "size", "touched")

    def __init__(self, parent: "LayeredDirectory | None", lower: str | None, name: str) -> None:
        super().__init__(0, _DIRECTORY, 2, 0)
        self.parent = parent
        self.name = name
        self.lower = lower
        self.own: dict[str, Entry | None] = {}
        self.hidden: dict[str, Hidden] = {}
        self.touched = False
        self.size = 0

    def below(self, name: str) -> str:
        """Return the path of a name in the lower directory; there must be one."""
        return f"{self.lower}/{name}" if self.lower else name

    def path(self) -> str:
        """Return where it is in the overlay, ``""`` for the root."""
        names = []
        place: LayeredDirectory | None = self
        while place is not None and place.parent is not None:
            names.append(place.name)
            place = place.parent
        return "/".join(reversed(names))

    def is_below(self, other: object) -> bool:
        """Tell whether this is ``other`` or somewhere below it."""
        place: LayeredDirectory | None = self
        while place is not None:
            if place is other:
                return True
            place = place.parent
        return False


class LayeredFile(SharedFile):
    """A regular file: one of the lower tree, or one whose bytes are in an upper filesystem.

    Attributes:
        lower: its path in the lower tree; None for a new one.
        seal: what the lower file was when the overlay first had to remember it.
        copy: number, times and number of names, once they are the overlay's own, and in
            memory the bytes.
        copied: whether the bytes are the overlay's own, in part at least.
        partly: the bytes, where only some of them are the overlay's own.
        users: how many have it open.
        home: the directory and name under which it is remembered while nothing differs.
    """

    __slots__ = ("copied", "copy", "home", "lower", "partly", "seal", "users")

    def __init__(self, lower: str | None) -> None:
        super().__init__()
        self.lower = lower
        self.seal: Seal | None = None
        self.copy: FileInode | None = None
        self.copied = False
        self.partly: PartlyCopied | None = None
        self.users = 0
        self.home: tuple[LayeredDirectory, str] | None = None

    def __getstate__(self) -> tuple[object, ...]:
        # In another process nobody has it open.
        return self.lower, self.seal, self.copy, self.copied, self.partly, self.home, self.whole

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.__init__(state[0])  # type: ignore[misc]
        _, self.seal, self.copy, self.copied, self.partly, self.home, self.whole = state


class LayeredLink(LinkInode):
    """A symbolic link of the lower tree."""

    __slots__ = ("lower", "seal", "touched")

    def __init__(self, lower: str, target: str, stat: Stat) -> None:
        super().__init__(stat[1], target, 0)
        self.lower = lower
        self.seal = seal_of(stat)
        self.touched = False
        take_attributes(self, stat)


class LayeredSpecial(Inode):
    """Something of the lower tree that is no file, directory or link: a fifo, a device."""

    __slots__ = ("lower", "seal", "touched")

    def __init__(self, lower: str, stat: Stat) -> None:
        super().__init__(stat[1], stat[2], 1, 0)
        self.lower = lower
        self.seal = seal_of(stat)
        self.touched = False
        take_attributes(self, stat)


class Hidden(NamedTuple):
    """What a lower name was when it was first removed, moved away or replaced.

    Attributes:
        seal: its attributes then.
        removed: the directory that it was, with what was known of its names; else None.
    """

    seal: Seal
    removed: LayeredDirectory | None


#: What a name may refer to. A plain ``FileInode`` or ``LinkInode`` is new.
Entry: TypeAlias = FileInode | LinkInode | LayeredFile | LayeredDirectory | LayeredSpecial


class Unknown:
    """Stands for a name that only the lower directory can tell about."""

    __slots__ = ()


UNKNOWN: Final = Unknown()


def take_attributes(inode: Inode, stat: Stat) -> None:
    """Give an inode the number, times and number of names of something in the lower tree."""
    inode.ino = stat[1]
    inode.nlink = stat[3]
    inode.atime, inode.mtime, inode.ctime = stat[5:8]


def lower_of(inode: Entry) -> str | None:
    """Return the path of an inode in the lower tree, None for a new one."""
    return None if isinstance(inode, FileInode) else getattr(inode, "lower", None)


def is_touched(inode: Entry) -> bool:
    """Tell whether an inode is new or differs in any way from what the lower tree has."""
    if isinstance(inode, LayeredFile):
        return inode.copy is not None
    return bool(getattr(inode, "touched", True))
