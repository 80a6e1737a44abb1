"""Copying what a guest left to the host, believing none of its names and links.

All names and links of a tree are looked at before anything is written. Writing then goes through
directories that are held open, with calls that follow no link and create what is new only: what
is there already, a link above all, is removed and never written through.
"""

import errno
import os
from collections.abc import Iterator
from typing import Final

from wasi_host.fs.node import Directory, File
from wasi_host.fs.walk import DIRECTORY, LINK, failure
from wasi_spec.numbers import Filetype

__all__ = ["check_name", "check_tree", "entries", "export_file", "export_tree", "pieces"]

_FILE: Final = Filetype.REGULAR_FILE
_ENTER: Final = os.O_RDONLY | os.O_DIRECTORY
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL
#: Bytes that are copied at once.
_PIECE: Final = 1 << 20


def pieces(node: File) -> Iterator[bytes]:
    """Return the bytes of a file, piece by piece."""
    offset = 0
    while piece := node.pread(_PIECE, offset):
        yield piece
        offset += len(piece)


def entries(root: Directory, path: str) -> list[tuple[str, int]]:
    """Return names and kinds of what is in a directory."""
    node = root.open_at(path, _ENTER, True)
    try:
        assert isinstance(node, Directory)
        return [(entry.name, entry.filetype) for entry in node.entries()]
    finally:
        node.close()


def check_name(name: str) -> None:
    """Raise ValueError for what is no name of a file of the host."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is no name that a file of the host can have")


def _link_text(root: Directory, path: str, depth: int) -> str:
    """Return the text of a link that stays inside wherever the links on its way lead.

    So it may go up first, no further than it is deep, and then only down: with names before a
    ``..``, where that leads would depend on what these names are.
    """
    try:
        text = root.read_link_at(path)
    except PermissionError:
        raise ValueError(f"the link {path!r} leads out: it is absolute") from None
    names = [name for name in text.split("/") if name not in ("", ".")]
    up = next((number for number, name in enumerate(names) if name != ".."), len(names))
    if up > depth or ".." in names[up:]:
        raise ValueError(f"the link {path!r} to {text!r} leads out, or might")
    return text


def check_tree(root: Directory, path: str) -> None:
    """Look at all names and links of a tree before any of it is written."""
    todo: list[tuple[str, ...]] = [()]
    while todo:
        above = todo.pop()
        for name, kind in entries(root, "/".join((path, *above))):
            check_name(name)
            below = (*above, name)
            if kind == DIRECTORY:
                todo.append(below)
            elif kind == LINK:
                _link_text(root, "/".join((path, *below)), len(above))


def export_tree(root: Directory, path: str, host: Directory) -> None:
    """Copy a tree that was looked at into an open directory of the host."""
    todo: list[tuple[str, ...]] = [()]
    while todo:
        above = todo.pop()
        place = host.open_at("/".join(above) or ".", _ENTER, False)
        assert isinstance(place, Directory)
        try:
            for name, kind in entries(root, "/".join((path, *above))):
                check_name(name)
                below = "/".join((path, *above, name))
                if kind == DIRECTORY:
                    _make_dir(place, name)
                    todo.append((*above, name))
                elif kind == LINK:
                    text = _link_text(root, below, len(above))
                    _remove(place, name)
                    place.symlink(name, text)
                elif kind == _FILE:
                    export_file(root, below, place, name)
        finally:
            place.close()


def _make_dir(place: Directory, name: str) -> None:
    try:
        place.make_dir(name)
    except FileExistsError:
        # A link in its place would lead the copy elsewhere.
        if place.stat_entry(name)[2] != DIRECTORY:
            raise


def _remove(place: Directory, name: str) -> None:
    """Remove what a copy is to replace; a directory is in the way."""
    try:
        place.unlink(name)
    except FileNotFoundError:
        return


def export_file(root: Directory, path: str, place: Directory, name: str) -> None:
    """Copy a file to a new one; long zeros become holes."""
    source = root.open_at(path, os.O_RDONLY, True)
    try:
        if not isinstance(source, File):
            raise failure(errno.EINVAL)
        _remove(place, name)
        copy = place.open_entry(name, _NEW)
        try:
            assert isinstance(copy, File)
            offset = 0
            for piece in pieces(source):
                done = 0 if piece.strip(b"\0") else len(piece)
                while done < len(piece):
                    done += copy.pwrite(piece[done:], offset + done)
                offset += len(piece)
            copy.truncate(offset)
            stat = source.stat()
            copy.set_times(stat[5], stat[6])
        finally:
            copy.close()
    finally:
        source.close()
