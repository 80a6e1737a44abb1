"""Paths: the only place that knows ``..``, symbolic links and the rule that nothing leaves.

Theory of operation
===================

A filesystem knows one name at a time (the primitives of ``node.Directory``). ``Walk`` turns a
path into *an open directory and one name in it*, and the operations in ``resolve`` hand that
name to a primitive. Nothing is ever checked on a path's text and then used by its text: each
directory on the way is opened, held open, and the next name is looked up in it. So whoever
swaps, moves or replaces names meanwhile changes which directory inside is reached, never that
it is inside.

* The directories opened on the way are a stack. A name pushes, ``..`` pops, and popping the
  empty stack is the attempt to leave: EPERM. The kernel's ``..`` is never asked, so a directory
  that was moved out while it was open still has no way up.
* A primitive never follows a symbolic link. Where one stands in the way, its text takes its
  place in the list of names still to go: relative, or EPERM. The 41st is ELOOP, as on Linux.
* Empty components and ``.`` are nothing. What is left over at the end is the *last name*, which
  goes to the operation, and two things remembered about it: whether the path ends in a slash
  (it asks for a directory; of a link's text too), and whether it is no name at all (``.``, or
  ``..`` after it was walked). For the latter every operation has a constant answer.

Of several faults the first on the way is answered, so ``missing/../..`` is ENOENT and
``../missing`` is EPERM, as the kernel's own ``openat2(RESOLVE_BENEATH)`` does (it says EXDEV).
The errnos are those of Linux, with these exceptions: leaving is EPERM; a link opened with
O_NOFOLLOW | O_DIRECTORY is ELOOP; ``rmdir d/..`` is EINVAL; a symbolic or hard link made at
``file/`` is ENOTDIR (the official test suite wants it); unlinking ``link-to-directory/`` is
EISDIR and ``dangling/`` ENOENT (as wasmtime).
"""

from __future__ import annotations

import errno
import os
from abc import abstractmethod
from functools import cache

from wasi_host.fs.node import Directory, Node, Stat
from wasi_spec.numbers import Filetype

TYPE_CHECKING = False

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Final

#: Links followed in one path, and bytes of a name and of a link's text, as on Linux.
MAX_LINKS: Final = 40
MAX_NAME: Final = 255
MAX_TARGET: Final = 4095

#: Bits of an open mode that change something, so that a read-only directory refuses them.
CHANGES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_EXCLUSIVE: Final = os.O_CREAT | os.O_EXCL

NO_NAMES: Final = frozenset(("", ".", ".."))
LINK: Final = Filetype.SYMBOLIC_LINK
DIRECTORY: Final = Filetype.DIRECTORY


#: Half the price of an error is its text.
_text: Final = cache(os.strerror)


def failure(number: int) -> OSError:
    """Return the ``OSError`` of an errno, of the subclass that Python has for it."""
    return OSError(number, _text(number))


def check_name(directory: Directory, name: str) -> None:
    """Raise ENAMETOOLONG for a name over 255 bytes, ENOENT for one in a removed directory."""
    # No character has more than four bytes: short names, nearly all, are not encoded.
    if len(name) > 63 and len(name.encode("utf-8", "surrogateescape")) > MAX_NAME:
        # Nothing is looked up in a removed directory, so Linux never sees the name's length.
        removed = directory.stat()[3] == 0
        raise failure(errno.ENOENT if removed else errno.ENAMETOOLONG)


class Walk:
    """A way through directories, ending at ``name`` in ``directory``.

    ``name`` is a component, or ``.`` for the directory itself; ``slash`` tells of a slash at the
    end. A context manager: it closes every directory it opened.

    ``changing``: something is to be changed at its end. Whatever fails then in a directory that
    is read-only among others (see ``namespace``) is EPERM, as in one that is read-only alone.
    """

    __slots__ = ("_changing", "_gone", "_links", "_opened", "_root", "directory", "name", "slash")

    def __init__(self, root: Walkable, changing: bool = False) -> None:
        self._root = root
        self._changing = changing
        self._gone = False
        self._opened: list[Walkable] = []
        self._links = 0
        self.directory = root
        self.name = "."
        self.slash = False

    def __enter__(self) -> Walk:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for directory in self._opened:
            directory.close()
        if isinstance(error, OSError) and self._changing and self._gone and self.directory.fixed():
            raise failure(errno.EPERM) from None

    def go(self, path: str, may_jump: bool = False) -> None:
        """Walk to the last name of ``path``, without looking at that name.

        ``may_jump``: the caller will not follow the last name, so a directory that has a faster
        way to its parent may use it.
        """
        self._gone = True
        if not path:
            raise failure(errno.ENOENT)
        if path[0] == "/":
            raise failure(errno.EPERM)
        stripped = path.rstrip("/")
        if len(stripped) < len(path):
            self.slash = True
        head, _, last = stripped.rpartition("/")
        if head:
            leap = self._root.jump(head) if may_jump and last not in NO_NAMES else None
            if leap is None:
                self._enter(head)
            else:
                self._opened.append(leap)
                self.directory = leap
        if last == "..":
            self._up()
            last = "."
        elif last == ".":
            self.directory.search()
        self.name = last

    def _enter(self, path: str) -> None:
        """Enter every component of ``path``."""
        todo = path.split("/")
        todo.reverse()
        while todo:
            part = todo.pop()
            if not part:
                continue
            if part == ".":
                self.directory.search()
                continue
            if part == "..":
                self._up()
                continue
            check_name(self.directory, part)
            try:
                child = self.directory.step(part)
            except OSError as error:
                # ENOTDIR too: Linux says it for O_DIRECTORY | O_NOFOLLOW on a link.
                if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                    raise
                target = self._target(part, error)
                todo.extend(reversed(target.split("/")))
            else:
                self._opened.append(child)
                self.directory = child

    def _up(self) -> None:
        self.directory.search()
        if not self._opened:
            raise failure(errno.EPERM)
        self._opened.pop().close()
        self.directory = self._opened[-1] if self._opened else self._root

    def _target(self, name: str, met: OSError) -> str:
        """Return what to walk instead of ``name``, on which a primitive failed with ``met``.

        That is the text of a link, or ``name`` again where another process put something else
        in the link's place between the two calls.
        """
        try:
            target = self.directory.link_text(name)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            if met.errno != errno.ELOOP:
                raise met from None
            target = name
        self._links += 1
        if self._links > MAX_LINKS:
            raise failure(errno.ELOOP)
        if not target:
            raise failure(errno.ENOENT)
        if target[0] == "/":
            raise failure(errno.EPERM)
        return target

    def follow(self) -> None:
        """Go on where the last name, a link, points to."""
        self.go(self._target(self.name, failure(errno.ELOOP)))

    def settle(self, follow: bool) -> Stat:
        """Follow the last name as far as asked, or as its slash demands; return its attributes.

        Raises:
            OSError: ENOTDIR where a slash asks for a directory and there is none, and whatever
                a lookup raises.
        """
        while True:
            if self.name == ".":
                return self.directory.stat()
            check_name(self.directory, self.name)
            stat = self.directory.stat_entry(self.name)
            if stat[2] == LINK and (follow or self.slash):
                self.follow()
            elif self.slash and stat[2] != DIRECTORY:
                raise failure(errno.ENOTDIR)
            else:
                return stat

    def open(self, mode: int, follow: bool) -> Node:
        """Open the last name, following it as asked."""
        while True:
            if self.name == ".":
                return self._open_itself(mode)
            if self.slash:
                if mode & os.O_CREAT:
                    # Before the name is looked up, as Linux does.
                    raise failure(errno.EISDIR)
                mode |= os.O_DIRECTORY
                follow = True
            check_name(self.directory, self.name)
            try:
                return self.directory.open_entry(self.name, mode)
            except OSError as error:
                if error.errno != errno.ELOOP or not follow:
                    raise
                if mode & _EXCLUSIVE == _EXCLUSIVE:
                    raise
            self.follow()

    def _open_itself(self, mode: int) -> Node:
        if mode & _EXCLUSIVE == _EXCLUSIVE:
            raise failure(errno.EEXIST)
        if mode & CHANGES:
            raise failure(errno.EISDIR)
        return self.directory.reopen()

    def make(self) -> None:
        """Check that the last name may be made into something that is no directory.

        Raises:
            OSError: EEXIST for the directory itself; behind a slash ENOENT for a new name,
                ENOTDIR for a file, EEXIST for all else.
        """
        if self.name == ".":
            raise failure(errno.EEXIST)
        check_name(self.directory, self.name)
        if self.slash:
            kind = self.directory.stat_entry(self.name)[2]
            raise failure(errno.EEXIST if kind in (DIRECTORY, LINK) else errno.ENOTDIR)

    def change(self) -> None:
        """Refuse to change a directory that is read-only (a mount point inside another one)."""
        if self.directory.readonly:
            raise failure(errno.EPERM)


class Walkable(Directory):
    """What a walk asks of a directory over its primitives.

    A filesystem gives ``reopen``; the others are there to be faster or stricter, with the same
    answers.
    """

    __slots__ = ()

    @abstractmethod
    def reopen(self) -> Walkable:
        """Return another node of this same directory, closed on its own."""

    def step(self, name: str) -> Walkable:
        """Open one directory to walk through it; ELOOP or ENOTDIR for a link."""
        node = self.open_entry(name, os.O_RDONLY | os.O_DIRECTORY)
        if isinstance(node, Walkable):
            return node
        node.close()
        raise failure(errno.ENOTDIR)

    def search(self) -> None:
        """Raise EACCES where ``.`` and ``..`` may not be looked up in this directory."""

    def link_text(self, name: str) -> str:
        """Return the text of a link that is about to be followed; EINVAL for what is none."""
        return self.read_link(name)

    def fixed(self) -> bool:
        """Tell whether the directory's own names cannot be changed."""
        return self.readonly

    def beneath(self, name: str) -> Directory | None:
        """Return the directory in which a rename or link to ``name`` is made; None: EBUSY."""
        return self

    def jump(self, path: str) -> Walkable | None:
        """Return the directory at ``path`` in one go, or None: walk."""
        return None
