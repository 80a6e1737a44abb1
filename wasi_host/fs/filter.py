"""A filesystem of which only some names are seen.

Theory of operation
===================

What a guest may see is a matter of names, and a name is looked up in one directory. So each open
directory knows where it is (its ``_Place``), and each primitive first asks the rules about the
name in it. A path is walked name by name (``resolve``): whatever links and ``..`` it goes through,
every name on it is asked about in the directory in which it really is. A link whose target is
hidden leads nowhere.

A hidden name is ENOENT, and EPERM to whoever would create it. Of a directory that is only on the
way to something allowed, the name is seen, and what in it is allowed; anything else of that name
is hidden.

Moving things must not show what was hidden. A file keeps to names that are seen. A directory is
looked through before it is renamed: nothing in it may be hidden before and seen afterwards, or
the other way round (EPERM). The places of open directories move along with them; they belong to
the ``Filter`` and are shared by all runs. Only renames by other programs are not noticed.
"""

import errno
import os
import threading
from collections.abc import Iterable, Iterator
from typing import Final
from weakref import WeakValueDictionary

from wasi_host.fs.budget import Budget
from wasi_host.fs.node import Directory, Dirent, FileSystem, Node, Stat
from wasi_host.fs.patterns import Rules, Verdict, listed
from wasi_host.fs.source import Source, filesystem_of
from wasi_host.fs.walk import DIRECTORY, Walkable, failure
from wasi_host.fs.wrapped import WrappedDirectory, walkable_root

__all__ = ["Filter", "FilterDirectory"]

_HIDDEN: Final = Verdict.HIDDEN
_WAY: Final = Verdict.WAY


class _Place:
    """Where an open directory is; shared by all nodes of it."""

    __slots__ = ("__weakref__", "below", "name", "parent")

    def __init__(self, parent: "_Place | None", name: str) -> None:
        self.parent = parent
        self.name = name
        # Made with the first one: that costs more than all else here.
        self.below: WeakValueDictionary[str, _Place] | None = None

    def names(self) -> list[str]:
        """Return the names from the root."""
        found, place = [], self
        while place.parent is not None:
            found.append(place.name)
            place = place.parent
        found.reverse()
        return found


class _Places:
    """The places of one filter's open directories."""

    def __init__(self) -> None:
        self.root = _Place(None, "")
        self.lock = threading.RLock()

    def enter(self, place: _Place, name: str) -> _Place:
        """Return the place of a directory."""
        with self.lock:
            if place.below is None:
                place.below = WeakValueDictionary()
            below = place.below.get(name)
            if below is None:
                below = place.below[name] = _Place(place, name)
            return below

    def move(self, place: _Place, name: str, to: _Place, to_name: str) -> None:
        """Let a directory be in another place; the lock is held."""
        moved = None if place.below is None else place.below.pop(name, None)
        if to.below is not None:
            to.below.pop(to_name, None)
        if moved is not None:
            moved.parent, moved.name = to, to_name
            if to.below is None:
                to.below = WeakValueDictionary()
            to.below[to_name] = moved


class Filter(FileSystem):
    """A source of which guests see only what is allowed and not denied.

    A hidden name is not listed and not found (NOENT); creating it is PERM. A pattern is a path
    with ``*``, ``?``, ``[abc]`` in its names, and ``**`` for any number of names. Without a slash
    in it (``"*.key"``) it is about names in any directory; with one (``"conf/*.key"``,
    ``"/*.key"``) it begins at the root. It stands for all that is below what it matches, too.

    Args:
        source: a path, a dict of files, or a filesystem. Of a dict one tree is made, for all
            runs.
        allow: a pattern, or several: what is seen. Directories that lead there are seen as
            well, and may be made. None: everything.
        deny: a pattern, or several: what is not seen, even if it is allowed.

    Another name of a denied file, a hard link that is there already, is no denied name.

    Raises:
        TypeError, ValueError: no patterns, or none of paths inside; as for ``source`` in
            ``dirs=``.
        OSError: as for ``source`` in ``dirs=``.
    """

    def __init__(
        self,
        source: Source,
        allow: str | Iterable[str] | None = None,
        deny: str | Iterable[str] | None = None,
    ) -> None:
        self.inner = filesystem_of(source, "the source of Filter")
        self.allow = listed(allow, "allow")
        self.deny = listed(deny, "deny")
        self._rules = Rules(self.allow, self.deny)
        self._places = _Places()

    def open_root(self) -> "FilterDirectory":
        """Return the root.

        Raises:
            TypeError: the source resolves paths by itself and cannot be wrapped.
            OSError: it cannot be opened.
        """
        root = walkable_root(self.inner)
        return FilterDirectory(root, self._rules, self._places, self._places.root)

    def limited(self, budget: Budget) -> "Filter":
        """Return the same, with the same places, around what the source is to a run."""
        limited = Filter(self.inner.limited(budget), self.allow, self.deny)
        limited._rules, limited._places = self._rules, self._places
        return limited

    def __reduce__(self) -> tuple[type["Filter"], tuple[object, ...]]:
        return Filter, (self.inner, self.allow, self.deny)

    def __repr__(self) -> str:
        return f"Filter({self.inner!r}, allow={self.allow!r}, deny={self.deny!r})"


class FilterDirectory(WrappedDirectory):
    """An open directory with names that are not seen."""

    __slots__ = ("_place", "_places", "_rules")

    def __init__(self, under: Walkable, rules: Rules, places: _Places, place: _Place) -> None:
        super().__init__(under)
        self._rules = rules
        self._places = places
        self._place = place

    def enter(self, under: Walkable) -> "FilterDirectory":
        """Wrap this same directory, opened again."""
        return FilterDirectory(under, self._rules, self._places, self._place)

    def adopt(self, node: Node) -> Node:
        """Return a file or stream as it is."""
        return node

    def _below(self, name: str, under: Walkable) -> "FilterDirectory":
        place = self._places.enter(self._place, name)
        return FilterDirectory(under, self._rules, self._places, place)

    def same_filesystem(self, to: Directory) -> Walkable:
        """Return the directory underneath, of the same filter; else EXDEV."""
        under = super().same_filesystem(to)
        if not isinstance(to, FilterDirectory) or to._places is not self._places:
            raise failure(errno.EXDEV)
        return under

    def entries(self) -> Iterator[Dirent]:
        """Return the entries that are seen."""
        names = self._place.names()
        for entry in self._under.entries():
            verdict = self._rules.verdict([*names, entry.name])
            if verdict is not _HIDDEN and (verdict is not _WAY or entry.filetype == DIRECTORY):
                yield entry

    def _verdict(self, name: str) -> Verdict:
        return self._rules.verdict([*self._place.names(), name])

    def _seen(self, name: str) -> str:
        """Return ``name``; ENOENT where it is hidden."""
        verdict = self._verdict(name)
        if verdict is _HIDDEN or (verdict is _WAY and not self._is_directory(name)):
            raise failure(errno.ENOENT)
        return name

    def _is_directory(self, name: str) -> bool:
        """Tell whether a name is a directory; ENOENT where there is nothing."""
        return self._under.stat_entry(name)[2] == DIRECTORY

    def _to_make(self, name: str, directory: bool) -> str:
        """Return ``name``, to be created; EPERM where it would be hidden.

        A directory may be made where it leads to what is allowed.
        """
        verdict = self._verdict(name)
        if verdict is _HIDDEN:
            raise failure(errno.EPERM)
        if verdict is _WAY:
            try:
                fits = self._is_directory(name)
            except FileNotFoundError:
                fits = directory
            if not fits:
                raise failure(errno.EPERM)
        return name

    # Primitives

    def open_entry(self, name: str, mode: int) -> Node:
        """Open an entry; ENOENT for a hidden one, EPERM to create it."""
        if mode & os.O_CREAT:
            self._to_make(name, False)
        else:
            self._seen(name)
        node = self._under.open_entry(name, mode)
        if isinstance(node, Walkable):
            return self._below(name, node)
        return self.wrap(node)

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of an entry; ENOENT for a hidden one."""
        return super().stat_entry(self._seen(name))

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of an entry; ENOENT for a hidden one."""
        super().set_entry_times(self._seen(name), atime_ns, mtime_ns)

    def read_link(self, name: str) -> str:
        """Return a link's target; ENOENT for a hidden one."""
        return super().read_link(self._seen(name))

    def make_dir(self, name: str) -> None:
        """Create a directory; EPERM where it would be hidden."""
        super().make_dir(self._to_make(name, True))

    def remove_dir(self, name: str) -> None:
        """Remove an empty directory; ENOTEMPTY where something hidden is in it."""
        super().remove_dir(self._seen(name))

    def unlink(self, name: str) -> None:
        """Remove a name; ENOENT for a hidden one."""
        super().unlink(self._seen(name))

    def symlink(self, name: str, target: str) -> None:
        """Create a symbolic link; EPERM where it would be hidden."""
        super().symlink(self._to_make(name, False), target)

    def link(self, name: str, to: Directory, to_name: str) -> None:
        """Give a file another name; EPERM where that would be hidden."""
        self._seen(name)
        self.same_filesystem(to)
        if isinstance(to, FilterDirectory):
            to._to_make(to_name, False)
        super().link(name, to, to_name)

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Move an entry; EPERM where anything would be hidden or seen that was not before."""
        self._seen(name)
        goal = self.same_filesystem(to).beneath(to_name)
        if goal is None:
            raise failure(errno.EBUSY)
        assert isinstance(to, FilterDirectory)
        directory = self._is_directory(name)
        to._to_make(to_name, directory)
        with self._places.lock:
            if directory:
                self._check_moving(name, to, to_name)
            self._under.rename(name, goal, to_name)
            self._places.move(self._place, name, to._place, to_name)

    def _check_moving(self, name: str, to: "FilterDirectory", to_name: str) -> None:
        """Check that as much is seen of a directory at its new place as at the old one."""
        old, new = [*self._place.names(), name], [*to._place.names(), to_name]
        if new[: len(old)] == old:
            return  # into itself: the filesystem says what that is, or nothing happens
        opened = [self._under.step(name)]
        todo = [iter(opened[0].entries())]
        try:
            while todo:
                entry = next(todo[-1], None)
                if entry is None:
                    todo.pop()
                    opened.pop().close()
                    if todo:
                        old.pop()
                        new.pop()
                    continue
                old.append(entry.name)
                new.append(entry.name)
                verdict = self._rules.verdict(old)
                if verdict is not self._rules.verdict(new):
                    raise failure(errno.EPERM)
                if entry.filetype == DIRECTORY:
                    opened.append(opened[-1].step(entry.name))
                    todo.append(iter(opened[-1].entries()))
                else:
                    old.pop()
                    new.pop()
        finally:
            for directory in opened:
                directory.close()

    # For the walk

    def step(self, name: str) -> Walkable:
        """Open one directory to walk through it; ENOENT for a hidden one."""
        if self._verdict(name) is _HIDDEN:
            raise failure(errno.ENOENT)
        return self._below(name, self._under.step(name))

    def link_text(self, name: str) -> str:
        """Return the text of a link that is about to be followed; ENOENT for a hidden one."""
        return super().link_text(self._seen(name))
