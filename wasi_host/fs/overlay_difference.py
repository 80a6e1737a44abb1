"""What in an overlay differs from its lower tree, name by name.

Found in the index alone, in time proportional to what was touched; only of a directory that was
removed is the lower tree asked what was in it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from wasi_host.fs.change import Kind
from wasi_host.fs.overlay_data import Seal, seal_of
from wasi_host.fs.overlay_index import (
    Entry,
    Hidden,
    LayeredDirectory,
    LayeredFile,
    is_touched,
    lower_of,
)
from wasi_host.fs.overlay_layers import Layers
from wasi_host.fs.walk import DIRECTORY

__all__ = ["Difference", "differences"]


class Difference(NamedTuple):
    """One thing that differs.

    Attributes:
        kind: what happened to it.
        path: where it is in the overlay; of something deleted, where it would be.
        lower: where it is in the lower tree, None for something created.
        inode: what it is now, None for something deleted.
        seal: what was in the lower tree when it was first touched, None where nothing was.
        free: the path in the lower tree that was free and is to hold it, None where none was.
    """

    kind: Kind
    path: str
    lower: str | None
    inode: Entry | None
    seal: Seal | None
    free: str | None = None


class _Placed(NamedTuple):
    """A name of the index that refers to something touched.

    ``home`` is the path in the lower tree that stands at its place, if any is known there, and
    ``was`` what that was where it was removed, moved or replaced.
    """

    path: str
    inode: Entry
    home: str | None
    was: Hidden | None


class _Survey:
    """All that is touched, and all lower names that are hidden, with where they would be."""

    def __init__(self, layers: Layers) -> None:
        self.placed: list[_Placed] = []
        self.hidden: dict[str, tuple[str, Hidden]] = {}
        held = {lower_of(inode) for inode in _touched(layers.root)}
        # With each directory: its path, the lower directory at its place, and what is hidden there.
        todo: list[tuple[LayeredDirectory, str, str | None, dict[str, Hidden]]]
        todo = [(layers.root, "", "", layers.root.hidden)]
        while todo:
            place, path, base, hidden = todo.pop()
            for name, known in hidden.items():
                self.hidden[_join(base or "", name)] = (_join(path, name), known)
            for name, inode in place.own.items():
                if inode is None or not _counts(inode):
                    continue
                home = None if base is None else _join(base, name)
                below, was = _join(path, name), hidden.get(name)
                self.placed.append(_Placed(below, inode, home, was))
                if not isinstance(inode, LayeredDirectory):
                    continue
                if inode.lower is not None:
                    todo.append((inode, below, inode.lower, inode.hidden))
                elif home not in held and was is not None and was.removed is not None:
                    # Made again where one was removed: it stands for that one.
                    todo.append((inode, below, home, was.removed.hidden))
                    del self.hidden[home or ""]
                else:
                    todo.append((inode, below, None, {}))


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _counts(inode: Entry) -> bool:
    return isinstance(inode, LayeredDirectory) or is_touched(inode)


def _touched(root: LayeredDirectory) -> Iterator[Entry]:
    """Return all that the index has something to say about, but the root."""
    todo = [root]
    while todo:
        for inode in todo.pop().own.values():
            if inode is not None and _counts(inode):
                yield inode
                if isinstance(inode, LayeredDirectory):
                    todo.append(inode)


def differences(layers: Layers) -> list[Difference]:
    """Return all that differs, directories before what is in them; the lock is held."""
    survey = _Survey(layers)
    at_home = {one.home for one in survey.placed if lower_of(one.inode) == one.home}
    moved: dict[str, _Placed] = {}
    for one in survey.placed:
        lower = lower_of(one.inode)
        if lower is not None and lower not in at_home:
            # Of several names of a file the first is the one that it was moved to.
            moved.setdefault(lower, one)
    found = [difference for one in survey.placed for difference in _of_name(one, moved)]
    taken = {difference.lower for difference in found if difference.lower is not None}
    for lower, (path, was) in survey.hidden.items():
        if lower not in moved and lower not in taken and lower not in at_home:
            found += _deleted(layers, lower, path, was, moved, taken)
    return sorted(found, key=lambda one: (one.path.split("/"), one.kind != "deleted"))


def _of_name(one: _Placed, moved: dict[str, _Placed]) -> Iterator[Difference]:
    """Return what there is to say about what a name refers to."""
    inode, lower, home = one.inode, lower_of(one.inode), one.home
    seal = getattr(inode, "seal", None)
    free = home if one.was is None else None
    if lower is not None and lower == home:
        if isinstance(inode, LayeredFile) and inode.copied:
            yield Difference("changed", one.path, lower, inode, seal)
    elif lower is not None and moved.get(lower) is one:
        yield Difference("renamed", one.path, lower, inode, seal, free)
    elif home is None or one.was is None or home in moved:
        yield Difference("created", one.path, None, inode, None, free)
    elif one.was.seal.filetype != inode.filetype:
        yield Difference("created", one.path, None, inode, None)
    elif inode.filetype != DIRECTORY:
        yield Difference("changed", one.path, home, inode, one.was.seal)


def _deleted(
    layers: Layers,
    lower: str,
    path: str,
    was: Hidden,
    moved: dict[str, _Placed],
    taken: set[str],
) -> Iterator[Difference]:
    """Return a removed name, and all that was below it and is nowhere else now."""
    todo: list[tuple[str, str, Hidden | None, Seal]] = [(lower, path, was, was.seal)]
    while todo:
        lower, path, known, seal = todo.pop()
        yield Difference("deleted", path, lower, None, seal)
        if seal.filetype != DIRECTORY:
            continue
        inside = {} if known is None or known.removed is None else known.removed.hidden
        for entry in layers.lower.entries(lower):
            below = f"{lower}/{entry.name}"
            if below in moved or below in taken:
                continue
            hidden = inside.get(entry.name)
            seen = hidden.seal if hidden is not None else _unseen(layers, below)
            if seen is not None:
                todo.append((below, f"{path}/{entry.name}", hidden, seen))


def _unseen(layers: Layers, lower: str) -> Seal | None:
    """Return a seal that nothing has, for what came into a directory after it was removed."""
    stat = layers.lower.find(lower)
    return None if stat is None else seal_of(stat)._replace(ino=-1)
