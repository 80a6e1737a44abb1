"""What a memory filesystem is made from: nested dicts and host trees.

Level by level without recursion: trees may be deeper than Python's stack.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping

from wasi_host.fs.walk import MAX_NAME, MAX_TARGET
from wasi_spec.tuples import NamedTuple

#: Directories a tree may be deep: a dict that contains itself is found out by it.
MAX_DEPTH = 2048


class Link(NamedTuple):
    """A symbolic link in a tree: ``{"latest": Link("v2")}``."""

    target: str


class Entry(NamedTuple):
    """One step of making a tree: the names that lead to it, and a file, a link or (None) a dir."""

    names: tuple[str, ...]
    content: bytes | Link | None


def read_tree(source: object) -> Iterator[Entry]:
    """Return what is in ``source``, parents before children.

    Args:
        source: a mapping of names to bytes (a file), str (a file in UTF-8), mappings (a
            directory), ``Link``, or paths of host files and trees; or the path of a host
            directory. A name may have several parts: ``"a/b.txt"`` makes ``a``.

    Raises:
        TypeError: a name or a value of another kind.
        ValueError: a name that is absolute, empty, has ``.``, ``..`` or NUL in it, is too long
            or no text; a tree that is too deep (or contains itself).
        OSError: a host file cannot be read.
    """
    if isinstance(source, Mapping):
        return _read_mapping(source)
    if isinstance(source, os.PathLike):
        path = os.fspath(source)
        if not os.path.isdir(path):
            missing = not os.path.lexists(path)
            kind = FileNotFoundError if missing else NotADirectoryError
            raise kind(f"{path!r}: {'no such directory' if missing else 'not a directory'}")
        return _read_host(os.fsdecode(path), ())
    given = type(source).__name__
    raise TypeError(f"a tree is a dict or a path object (pathlib.Path), not {given}")


def _read_mapping(source: Mapping[object, object]) -> Iterator[Entry]:
    todo: list[tuple[tuple[str, ...], Mapping[object, object]]] = [((), source)]
    while todo:
        above, mapping = todo.pop()
        for key, value in mapping.items():
            names = above + _names(key, above)
            if len(names) > MAX_DEPTH:
                raise ValueError(f"a tree of more than {MAX_DEPTH} levels (a dict in itself?)")
            for depth in range(len(above) + 1, len(names)):
                yield Entry(names[:depth], None)
            if isinstance(value, Mapping):
                yield Entry(names, None)
                todo.append((names, value))
            elif isinstance(value, os.PathLike):
                yield from _read_host(os.fsdecode(value), names)
            else:
                yield Entry(names, _content(value, names))


def _names(key: object, above: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(key, str):
        raise TypeError(f"a name in a tree is a str, not {type(key).__name__}: {key!r}")
    where = "/".join((*above, key))
    names = tuple(key.split("/"))
    for name in names:
        if not name:
            raise ValueError(f"{where!r}: an empty name, or one that begins or ends in a slash")
        if name in (".", ".."):
            raise ValueError(f"{where!r}: {name!r} is no name in a tree")
        if "\0" in name:
            raise ValueError(f"{where!r}: a name cannot have NUL in it")
        if len(_encode(name, where)) > MAX_NAME:
            raise ValueError(f"{where!r}: a name of more than {MAX_NAME} bytes")
    return names


def _encode(text: str, where: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{where!r}: cannot be written as UTF-8") from None


def _content(value: object, names: tuple[str, ...]) -> bytes | Link:
    where = "/".join(names)
    if isinstance(value, Link):
        if not value.target or "\0" in value.target:
            raise ValueError(f"{where!r}: a link needs a target, without NUL")
        if len(_encode(value.target, where)) > MAX_TARGET:
            raise ValueError(f"{where!r}: a link's target of more than {MAX_TARGET} bytes")
        return value
    if isinstance(value, str):
        return _encode(value, where)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise TypeError(f"{where!r}: bytes, str, a dict, a path or a Link, not {type(value).__name__}")


def _read_host(path: str, names: tuple[str, ...]) -> Iterator[Entry]:
    """Read a host file or tree.

    The path itself may be a link; links inside are copied as links, and what is neither a file,
    a directory nor a link is left out. Names are taken in their own order, so that copies of a
    tree are listed alike, whatever the host's order.
    """
    if not os.path.isdir(path):
        with open(path, "rb") as file:
            yield Entry(names, file.read())
        return
    if names:
        yield Entry(names, None)
    todo = [(path, names)]
    while todo:
        place, above = todo.pop()
        with os.scandir(place) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                below = (*above, entry.name)
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISLNK(mode):
                    yield Entry(below, Link(os.readlink(entry.path)))
                elif stat.S_ISDIR(mode):
                    yield Entry(below, None)
                    todo.append((entry.path, below))
                elif stat.S_ISREG(mode):
                    with open(entry.path, "rb") as file:
                        yield Entry(below, file.read())
